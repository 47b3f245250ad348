//! Announcements as everybody here sees them (docs: methods/announcements).

use axum::Json;
use axum::extract::{Path, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::people::IdPath;
use crate::base::{Id, Problem};
use crate::domain::announcement::{self, ReactionError, Shown};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::model::Site;
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::announcement::{Announcement, Reaction};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(dismiss)).routes(routes!(react, unreact))
}

impl From<ReactionError> for Problem {
    fn from(error: ReactionError) -> Problem {
        match error {
            ReactionError::Missing => Problem::not_found(),
            ReactionError::Name => Problem::invalid("Validation failed: Name is not a recognized emoji"),
            ReactionError::TooMany => {
                Problem::invalid("Validation failed: Limit of different reactions reached")
            }
            ReactionError::Store(error) => error.into(),
        }
    }
}

/// The announcement as one person sees it.
pub(super) fn entity(site: &Site, shown: &Shown) -> Announcement {
    let reaction = |reaction: &announcement::Reaction| {
        let url = reaction.emoji.as_ref().map(|emoji| emoji.url.clone());
        Reaction {
            name: reaction.name.clone(),
            count: reaction.count,
            me: reaction.me,
            static_url: url.clone(),
            url,
        }
    };
    let reactions = shown.reactions.iter().map(reaction).collect();
    Announcement::new(site, &shown.announcement, &shown.emojis, reactions, Some(shown.is_read))
}

/// An announcement as a listener sees it, for streaming.
///
/// # Errors
/// When the store fails.
pub(super) async fn one(state: &AppState, reader: Id, id: Id) -> Result<Option<Announcement>, StoreError> {
    let (site, now) = (state.site.clone(), state.now());
    let found = state.store.read(move |tx| announcement::get(tx, &site, now, reader, id)).await?;
    Ok(found.map(|shown| entity(&state.site, &shown)))
}

/// What those who run the server tell everybody.
#[utoipa::path(get, path = "/api/v1/announcements", tag = "Announcements",
    security(("oauth" = ["read"])), responses((status = 200, body = [Announcement])))]
async fn list(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<Announcement>>, Problem> {
    let me = auth.me("read")?.id;
    let (site, now) = (state.site.clone(), state.now());
    let all = state.store.read(move |tx| announcement::list(tx, &site, now, me)).await;
    let all = all.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(all.iter().map(|shown| entity(&state.site, shown)).collect()))
}

/// Puts an announcement aside.
#[utoipa::path(post, path = "/api/v1/announcements/{id}/dismiss", tag = "Announcements",
    params(("id" = String, Path)), security(("oauth" = ["write:accounts"])),
    responses((status = 200, body = Empty)))]
async fn dismiss(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:accounts")?.id;
    state.store.write(move |tx| announcement::dismiss(tx, me, id)).await?;
    Ok(Json(Empty {}))
}

/// Reacts to an announcement with an emoji, or the shortcode of a custom one.
#[utoipa::path(method(put, patch), path = "/api/v1/announcements/{id}/reactions/{name}", tag = "Announcements",
    params(("id" = String, Path), ("name" = String, Path)), security(("oauth" = ["write:favourites"])),
    responses((status = 200, body = Empty)))]
async fn react(
    State(state): State<AppState>,
    Path((id, name)): Path<(String, String)>,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:favourites")?.id;
    let id: Id = id.parse().map_err(|_| Problem::not_found())?;
    let moment = state.moment();
    state.store.write(move |tx| announcement::react(tx, &mut moment.clone(), me, id, &name)).await?;
    Ok(Json(Empty {}))
}

/// Takes a reaction back.
#[utoipa::path(delete, path = "/api/v1/announcements/{id}/reactions/{name}", tag = "Announcements",
    params(("id" = String, Path), ("name" = String, Path)), security(("oauth" = ["write:favourites"])),
    responses((status = 200, body = Empty)))]
async fn unreact(
    State(state): State<AppState>,
    Path((id, name)): Path<(String, String)>,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:favourites")?.id;
    let id: Id = id.parse().map_err(|_| Problem::not_found())?;
    state.store.write(move |tx| announcement::unreact(tx, me, id, &name)).await?;
    Ok(Json(Empty {}))
}
