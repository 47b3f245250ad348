//! What people do with posts. Each answers the post as it is then; what one
//! may not see answers as if it did not exist.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen;
use crate::base::{Id, Moment, Problem};
use crate::domain::interaction;
use crate::domain::status::StatusError;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::params::Input;
use crate::edge::api::people::IdPath;
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::model::{Site, Visibility};
use crate::store::WriteTx;
use crate::wire::mastodon::Status;
use crate::wire::mastodon::words::VisibilityWord;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(favourite))
        .routes(routes!(unfavourite))
        .routes(routes!(reblog))
        .routes(routes!(unreblog))
        .routes(routes!(bookmark))
        .routes(routes!(unbookmark))
        .routes(routes!(mute))
        .routes(routes!(unmute))
        .routes(routes!(pin))
        .routes(routes!(unpin))
}

type Answer = Result<Json<Status>, Problem>;

/// Runs an action, then answers the post.
async fn act(
    state: &AppState,
    me: Id,
    id: Id,
    action: impl Fn(&mut WriteTx<'_>, &mut Moment, &Site) -> Result<(), StatusError> + Send + 'static,
) -> Answer {
    let (moment, site) = (state.moment(), state.site.clone());
    state.store.write(move |tx| action(tx, &mut moment.clone(), &site)).await?;
    answer(state, me, id).await
}

async fn answer(state: &AppState, me: Id, id: Id) -> Answer {
    let loaded = seen(state, Viewer::account(me, state.now()), id).await?;
    Ok(Json(render::status(&state.site, Some(me), &loaded)))
}

/// Likes a post.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/favourite", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:favourites"])), responses((status = 200, body = Status)))]
async fn favourite(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:favourites")?.id;
    act(&state, me, id, move |tx, m, site| interaction::favourite(tx, m, site, me, id)).await
}

/// Takes a like back.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/unfavourite", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:favourites"])), responses((status = 200, body = Status)))]
async fn unfavourite(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:favourites")?.id;
    act(&state, me, id, move |tx, m, site| interaction::unfavourite(tx, m, site, me, id)).await
}

/// Who may see a boost.
#[derive(Debug, Deserialize, ToSchema)]
struct Boost {
    #[schema(value_type = Option<VisibilityWord>)]
    visibility: Option<String>,
}

/// Answers the boost, in which the post is.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/reblog", tag = "Statuses", params(("id" = String, Path)), request_body = Boost,
    security(("oauth" = ["write:statuses"])), responses((status = 200, body = Status)))]
async fn reblog(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    boost: Input<Boost>,
) -> Answer {
    let me = auth.me("write:statuses")?;
    let visibility = match &boost.visibility {
        Some(word) => Visibility::from_word(word.trim())
            .ok_or_else(|| Problem::invalid("Validation failed: Visibility is not included in the list"))?,
        None => me.user.defaults.visibility,
    };
    let (moment, site, me) = (state.moment(), state.site.clone(), me.id);
    let boost = state
        .store
        .write(move |tx| interaction::reblog(tx, &mut moment.clone(), &site, me, id, visibility))
        .await?;
    answer(&state, me, boost).await
}

/// Answers the post, also when the boost is named.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/unreblog", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:statuses"])), responses((status = 200, body = Status)))]
async fn unreblog(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:statuses")?.id;
    let original = seen(&state, Viewer::account(me, state.now()), id).await?.shown().status.id;
    act(&state, me, original, move |tx, m, _| interaction::unreblog(tx, m, me, original)).await
}

/// Keeps a post.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/bookmark", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:bookmarks"])), responses((status = 200, body = Status)))]
async fn bookmark(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:bookmarks")?.id;
    act(&state, me, id, move |tx, m, _| interaction::bookmark(tx, m, me, id)).await
}

/// Keeps a post no longer.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/unbookmark", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:bookmarks"])), responses((status = 200, body = Status)))]
async fn unbookmark(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:bookmarks")?.id;
    act(&state, me, id, move |tx, m, _| interaction::unbookmark(tx, m.now, me, id)).await
}

/// Mutes the notifications of a thread.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/mute", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:mutes"])), responses((status = 200, body = Status)))]
async fn mute(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:mutes")?.id;
    act(&state, me, id, move |tx, m, _| interaction::set_muted(tx, m.now, me, id, true)).await
}

/// Hears of a thread again.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/unmute", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:mutes"])), responses((status = 200, body = Status)))]
async fn unmute(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:mutes")?.id;
    act(&state, me, id, move |tx, m, _| interaction::set_muted(tx, m.now, me, id, false)).await
}

/// Pins one's own post to one's profile.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/pin", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Status)))]
async fn pin(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    act(&state, me, id, move |tx, m, _| interaction::pin(tx, m, me, id)).await
}

/// Takes a pin off.
#[utoipa::path(post, path = "/api/v1/statuses/{id}/unpin", tag = "Statuses", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Status)))]
async fn unpin(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    act(&state, me, id, move |tx, m, _| interaction::unpin(tx, m.now, me, id)).await
}
