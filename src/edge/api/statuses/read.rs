//! Reading posts, their threads, and who did what with them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::seen;
use crate::base::{Id, Problem, ProblemKind, limits};
use crate::domain::page::{Page, Paged};
use crate::domain::status;
use crate::domain::thread;
use crate::domain::timeline::{self, Loaded, Person, load};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged};
use crate::edge::api::params::{GivenId, Input, Params, one_or_more};
use crate::edge::api::people::{IdPath, account};
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::edge::federation;
use crate::model::tables::STATUS;
use crate::store::{ReadTx, StoreError};
use crate::wire::mastodon::{Account, Context, Status, StatusEdit, StatusSource};

/// Posts that can be asked for at once (Mastodon: DEFAULT_STATUSES_LIMIT).
const SEVERAL_MAX: usize = 20;

/// One post.
#[utoipa::path(get, path = "/api/v1/statuses/{id}", tag = "Statuses", params(("id" = String, Path)),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Status)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Status>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let loaded = seen(&state, viewer, id).await?;
    Ok(Json(render::status(&state.site, viewer.id, &loaded)))
}

/// Which posts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Several {
    /// At most 20.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "id[]", value_type = Vec<String>)]
    id: Vec<GivenId>,
}

/// Several posts at once.
#[utoipa::path(get, path = "/api/v1/statuses", tag = "Statuses", params(Several),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<Status>)))]
pub(super) async fn several(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<Several>,
) -> Result<Json<Vec<Status>>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let ids: Vec<Id> = asked.id.iter().map(|id| id.0).collect();
    if ids.len() > SEVERAL_MAX {
        return Err(Problem::invalid(format!("At most {SEVERAL_MAX} posts can be asked for at once")));
    }
    let found: Vec<Loaded> =
        state.store.read(move |tx| load(tx, viewer, &ids)).await?.into_iter().flatten().collect();
    Ok(Json(render::statuses(&state, viewer.id, &found)))
}

/// The thread around a post.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/context", tag = "Statuses", params(("id" = String, Path)),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Context)))]
pub(super) async fn context(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Context>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let found = state
        .store
        .read(move |tx| Ok::<_, StoreError>((thread::context(tx, viewer, id)?, tx.get(STATUS, &id)?)));
    let (Some(found), Some(post)) = found.await? else { return Err(Problem::not_found()) };
    if viewer.id.is_some() {
        federation::look_below(&state, &post).await;
    }
    Ok(Json(Context {
        ancestors: render::statuses(&state, viewer.id, &found.ancestors),
        descendants: render::statuses(&state, viewer.id, &found.descendants),
    }))
}

/// All versions of a post, the first one first.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/history", tag = "Statuses", params(("id" = String, Path)),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Vec<StatusEdit>)))]
pub(super) async fn history(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Vec<StatusEdit>>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let loaded = seen(&state, viewer, id).await?;
    let shown = loaded.shown();
    let (status, author) = (shown.status.clone(), account(&state.site, &shown.author));
    let versions = state.store.read(move |tx| status::versions(tx, &status)).await?;
    let edit = |version| StatusEdit::new(&state.site, version, author.clone());
    Ok(Json(versions.iter().map(edit).collect()))
}

/// What was typed for one's own post.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/source", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = StatusSource)))]
pub(super) async fn source(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<StatusSource>, Problem> {
    let me = auth.me("read:statuses")?.id;
    let loaded = seen(&state, Viewer::account(me, state.now()), id).await?;
    if loaded.status.account != me {
        return Err(Problem::not_found());
    }
    Ok(Json(StatusSource::from(&loaded.status)))
}

/// Who likes a post.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/favourited_by", tag = "Statuses", params(("id" = String, Path), PageParams),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
pub(super) async fn favourited_by(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    people(&state, id, &uri, &auth, &params, timeline::favourited_by).await
}

/// Who boosted a post.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/reblogged_by", tag = "Statuses", params(("id" = String, Path), PageParams),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Account>)))]
pub(super) async fn reblogged_by(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    people(&state, id, &uri, &auth, &params, timeline::reblogged_by).await
}

type ListPeople = fn(&ReadTx<'_>, Viewer, Id, &Page) -> Result<Paged<Arc<Person>>, StoreError>;

async fn people(
    state: &AppState,
    id: Id,
    uri: &Uri,
    auth: &Auth,
    params: &Params,
    list: ListPeople,
) -> Result<Response, Problem> {
    let viewer = auth.viewer_at("read:accounts", state)?;
    let page = page(params, limits::PAGE_ACCOUNTS)?;
    let shown = seen(state, viewer, id).await?.shown().status.id;
    let people = state.store.read(move |tx| list(tx, viewer, shown, &page)).await?;
    Ok(paged(&state.site, uri, people.map(|person| account(&state.site, &person))))
}

/// Posts that one likes.
#[utoipa::path(get, path = "/api/v1/favourites", tag = "Statuses", params(PageParams),
    security(("oauth" = ["read:favourites"])), responses((status = 200, body = Vec<Status>)))]
pub(super) async fn favourites(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:favourites")?.id;
    marked(&state, me, &uri, &params, timeline::favourites).await
}

/// Posts that one keeps.
#[utoipa::path(get, path = "/api/v1/bookmarks", tag = "Statuses", params(PageParams),
    security(("oauth" = ["read:bookmarks"])), responses((status = 200, body = Vec<Status>)))]
pub(super) async fn bookmarks(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:bookmarks")?.id;
    marked(&state, me, &uri, &params, timeline::bookmarks).await
}

type ListPosts = fn(&ReadTx<'_>, Viewer, &Page) -> Result<Paged<Loaded>, StoreError>;

async fn marked(
    state: &AppState,
    me: Id,
    uri: &Uri,
    params: &Params,
    list: ListPosts,
) -> Result<Response, Problem> {
    let (viewer, page) = (Viewer::account(me, state.now()), page(params, limits::PAGE_STATUSES)?);
    let found = state.store.read(move |tx| list(tx, viewer, &page)).await?;
    Ok(paged(&state.site, uri, found.map(|loaded| render::status(&state.site, Some(me), &loaded))))
}

/// No translator is set up: `configuration.translation.enabled` says so, and
/// this is not found, as on a Mastodon without one.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/translate", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["read:statuses"])), responses((status = 404, description = "There is no translator.")))]
pub(super) async fn translate(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<()>, Problem> {
    let me = auth.me("read:statuses")?.id;
    seen(&state, Viewer::account(me, state.now()), id).await?;
    Err(Problem::new(ProblemKind::NotFound, "This server does not translate"))
}

/// The preview of the page that a post leads to, as old clients ask for it.
#[utoipa::path(get, path = "/api/v1/statuses/{id}/card", tag = "Statuses", params(("id" = String, Path)),
    security((), ("oauth" = ["read:statuses"])), responses((status = 200, body = Object)))]
pub(super) async fn card(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Value>, Problem> {
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let loaded = seen(&state, viewer, id).await?;
    let entity = serde_json::to_value(render::status(&state.site, viewer.id, &loaded)).unwrap_or_default();
    // An empty object is what Mastodon answered where there was none.
    Ok(Json(entity.get("card").filter(|card| !card.is_null()).cloned().unwrap_or_else(|| json!({}))))
}
