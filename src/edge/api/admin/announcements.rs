//! Making announcements. Mastodon has no API for it; this one is Waxwing's
//! own, in the same style.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::{Problem, Timestamp};
use crate::domain::announcement::{self, Wish};
use crate::edge::AppState;
use crate::edge::api::params::Input;
use crate::edge::api::people::IdPath;
use crate::edge::api::{announcements, paragraphs};
use crate::edge::auth::Auth;
use crate::model::Permission;
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::announcement::Announcement;
use crate::wire::text::hashtags;

const READ: &str = "admin:read";
const WRITE: &str = "admin:write";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(update, destroy))
}

/// What is to be announced.
#[derive(Debug, Deserialize, ToSchema)]
struct NewAnnouncement {
    /// Plain text; links and hashtags are found in it.
    text: String,
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// After this it is not shown any more.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    all_day: Option<bool>,
}

fn wish(state: &AppState, sent: &NewAnnouncement) -> Result<Wish, Problem> {
    let time = |name: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => match Timestamp::parse_rfc3339(text) {
            Some(at) => Ok(Some(at)),
            None => Err(Problem::invalid(format!("Validation failed: `{name}` is not a date and time"))),
        },
    };
    Ok(Wish {
        content_html: paragraphs(state, &sent.text),
        tags: hashtags(&sent.text),
        starts_at: time("starts_at", &sent.starts_at)?,
        ends_at: time("ends_at", &sent.ends_at)?,
        all_day: sent.all_day.unwrap_or(false),
        text: sent.text.clone(),
    })
}

/// Announcements that are shown now.
#[utoipa::path(get, path = "/api/v1/admin/announcements", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Announcement])))]
async fn list(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<Announcement>>, Problem> {
    let me = auth.staff(READ, Permission::ManageAnnouncements)?.id;
    let (site, now) = (state.site.clone(), state.now());
    let all = state.store.read(move |tx| announcement::list(tx, &site, now, me)).await;
    let all = all.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(all.iter().map(|shown| announcements::entity(&state.site, shown)).collect()))
}

/// Announces something to everybody here.
#[utoipa::path(post, path = "/api/v1/admin/announcements", tag = "Admin", request_body = NewAnnouncement,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = Announcement)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewAnnouncement>,
) -> Result<Json<Announcement>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageAnnouncements)?;
    let (wish, moment) = (wish(&state, &sent)?, state.moment());
    let made = state.store.write(move |tx| announcement::publish(tx, &mut moment.clone(), by, &wish)).await?;
    answer(&state, by.id, made.id).await
}

async fn answer(
    state: &AppState,
    me: crate::base::Id,
    id: crate::base::Id,
) -> Result<Json<Announcement>, Problem> {
    announcements::one(state, me, id).await?.map(Json).ok_or_else(Problem::not_found)
}

/// Changes an announcement.
#[utoipa::path(method(put, patch), path = "/api/v1/admin/announcements/{id}", tag = "Admin",
    params(("id" = String, Path)), request_body = NewAnnouncement,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = Announcement)))]
async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<NewAnnouncement>,
) -> Result<Json<Announcement>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageAnnouncements)?;
    let (wish, moment) = (wish(&state, &sent)?, state.moment());
    state.store.write(move |tx| announcement::change(tx, &mut moment.clone(), by, id, &wish)).await?;
    answer(&state, by.id, id).await
}

/// Takes an announcement back.
#[utoipa::path(delete, path = "/api/v1/admin/announcements/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])),
    responses((status = 200, body = Empty)))]
async fn destroy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageAnnouncements)?;
    let moment = state.moment();
    state.store.write(move |tx| announcement::withdraw(tx, &mut moment.clone(), by, id)).await?;
    Ok(Json(Empty {}))
}
