//! Lists (docs: methods/lists, methods/timelines#list).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::{GivenId, Input, Params, clearable, one_or_more};
use super::people::{IdPath, account};
use super::render;
use crate::base::{Id, Problem, limits};
use crate::domain::list::{self, ListError, ListForm};
use crate::domain::timeline;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::{Account, Empty, List, RepliesPolicyWord, Status};

/// ListMembers given at once to whom asks for all.
const MEMBERS_MAX: usize = 7500;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(all, create))
        .routes(routes!(one, update, delete))
        .routes(routes!(members, add, remove))
        .routes(routes!(containing))
        .routes(routes!(posts))
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Problem {
        let detail = match error {
            ListError::NotFound => return Problem::not_found(),
            ListError::Store(error) => return error.into(),
            ListError::TitleBlank => "Title can't be blank",
            ListError::TitleTooLong => "Title is too long (maximum is 256 characters)",
            ListError::TooMany => "You have reached the maximum number of lists",
            ListError::AlreadyThere => "Account has already been taken",
            ListError::TooManyAtOnce => "No more than 100 accounts can be added or removed at once",
        };
        Problem::invalid(format!("Validation failed: {detail}"))
    }
}

/// The person's lists.
#[utoipa::path(get, path = "/api/v1/lists", tag = "Lists",
    security(("oauth" = ["read:lists"])), responses((status = 200, body = Vec<List>)))]
async fn all(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<List>>, Problem> {
    let me = auth.me("read:lists")?.id;
    let lists = state.store.read(move |tx| list::all(tx, me)).await?;
    Ok(Json(lists.iter().map(List::from).collect()))
}

#[derive(Debug, Deserialize, ToSchema)]
struct ListChange {
    /// Its name; needed for a new list.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(max_length = 256)]
    title: Option<String>,
    /// Which answers of its members it shows.
    replies_policy: Option<RepliesPolicyWord>,
    /// Posts of its members stay out of the home timeline.
    exclusive: Option<bool>,
}

impl ListChange {
    fn read(&self) -> ListForm {
        ListForm {
            title: self.title.clone(),
            replies: self.replies_policy.map(Into::into),
            is_exclusive: self.exclusive,
        }
    }
}

/// Makes a list.
#[utoipa::path(post, path = "/api/v1/lists", tag = "Lists", request_body = ListChange,
    security(("oauth" = ["write:lists"])), responses((status = 200, body = List)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    form: Input<ListChange>,
) -> Result<Json<List>, Problem> {
    let me = auth.me("write:lists")?.id;
    let (moment, form) = (state.moment(), form.read());
    let made = state.store.write(move |tx| list::create(tx, &mut moment.clone(), me, &form)).await?;
    Ok(Json(List::from(&made)))
}

/// One of the person's lists.
#[utoipa::path(get, path = "/api/v1/lists/{id}", tag = "Lists", params(("id" = String, Path)),
    security(("oauth" = ["read:lists"])), responses((status = 200, body = List)))]
async fn one(State(state): State<AppState>, auth: Auth, IdPath(id): IdPath) -> Result<Json<List>, Problem> {
    let me = auth.me("read:lists")?.id;
    let found = state.store.read(move |tx| list::get(tx, me, id)).await?;
    Ok(Json(List::from(&found)))
}

/// Changes a list.
#[utoipa::path(method(put, patch), path = "/api/v1/lists/{id}", tag = "Lists", params(("id" = String, Path)),
    request_body = ListChange, security(("oauth" = ["write:lists"])), responses((status = 200, body = List)))]
async fn update(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
    form: Input<ListChange>,
) -> Result<Json<List>, Problem> {
    let me = auth.me("write:lists")?.id;
    let form = form.read();
    let changed = state.store.write(move |tx| list::update(tx, me, id, &form)).await?;
    Ok(Json(List::from(&changed)))
}

/// Deletes a list.
#[utoipa::path(delete, path = "/api/v1/lists/{id}", tag = "Lists", params(("id" = String, Path)),
    security(("oauth" = ["write:lists"])), responses((status = 200, body = Empty)))]
async fn delete(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:lists")?.id;
    state.store.write(move |tx| list::delete(tx, me, id)).await?;
    Ok(Json(Empty {}))
}

/// Who is on a list, latest first. `limit=0` gives all at once.
#[utoipa::path(get, path = "/api/v1/lists/{id}/accounts", tag = "Lists",
    params(("id" = String, Path), PageParams),
    security(("oauth" = ["read:lists"])), responses((status = 200, body = Vec<Account>)))]
async fn members(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:lists")?.id;
    let mut page = page(&params, limits::PAGE_ACCOUNTS)?;
    if page.limit == 0 {
        page.limit = MEMBERS_MAX;
    }
    let people = state.store.read(move |tx| list::members(tx, me, id, &page)).await?;
    Ok(paged(&state.site, &uri, people.map(|person| account(&state.site, &person))))
}

#[derive(Debug, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListMembers {
    /// At most 100.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "account_ids[]", value_type = Vec<String>)]
    #[schema(max_items = 100)]
    account_ids: Vec<GivenId>,
}

impl ListMembers {
    fn ids(&self) -> Vec<Id> {
        self.account_ids.iter().map(|id| id.0).collect()
    }
}

/// Puts accounts on a list, which must be followed, with their latest posts.
#[utoipa::path(post, path = "/api/v1/lists/{id}/accounts", tag = "Lists", params(("id" = String, Path)),
    request_body = ListMembers, security(("oauth" = ["write:lists"])), responses((status = 200, body = Empty)))]
async fn add(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
    who: Input<ListMembers>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:lists")?.id;
    let ids = who.ids();
    let needed = ids.len().min(list::MEMBERS_AT_ONCE);
    let moment = state.moment_with(u16::try_from(needed).unwrap_or(u16::MAX));
    state.store.write(move |tx| list::add(tx, &mut moment.clone(), me, id, &ids)).await?;
    Ok(Json(Empty {}))
}

/// Takes accounts off a list.
#[utoipa::path(delete, path = "/api/v1/lists/{id}/accounts", tag = "Lists",
    params(("id" = String, Path), ListMembers),
    security(("oauth" = ["write:lists"])), responses((status = 200, body = Empty)))]
async fn remove(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
    who: Input<ListMembers>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:lists")?.id;
    let ids = who.ids();
    state.store.write(move |tx| list::remove(tx, me, id, &ids)).await?;
    Ok(Json(Empty {}))
}

/// The person's lists on which an account is.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/lists", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["read:lists"])), responses((status = 200, body = Vec<List>)))]
async fn containing(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
) -> Result<Json<Vec<List>>, Problem> {
    let me = auth.me("read:lists")?.id;
    super::people::person(&state, other).await?;
    let lists = state.store.read(move |tx| list::containing(tx, me, other)).await?;
    Ok(Json(lists.iter().map(List::from).collect()))
}

/// Posts of a list's members.
#[utoipa::path(get, path = "/api/v1/timelines/list/{id}", tag = "Timelines",
    params(("id" = String, Path), PageParams),
    security(("oauth" = ["read:lists"])), responses((status = 200, body = Vec<Status>)))]
async fn posts(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let viewer = Viewer::account(auth.me("read:lists")?.id, state.now());
    let page = page(&params, limits::PAGE_STATUSES)?;
    let found = state.store.read(move |tx| timeline::list(tx, viewer, id, &page)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(paged(&state.site, &uri, found.map(|loaded| render::status(&state.site, viewer.id, &loaded))))
}
