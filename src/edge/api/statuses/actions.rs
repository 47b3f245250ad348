//! What people do with posts. Each answers the post as it is then; what one
//! may not see answers as if it did not exist.

use axum::Json;
use axum::extract::State;

use super::seen;
use crate::base::{Id, Moment, Problem};
use crate::domain::interaction;
use crate::domain::status::StatusError;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::api::people::IdPath;
use crate::edge::api::render;
use crate::edge::auth::Auth;
use crate::model::{Site, Visibility};
use crate::store::WriteTx;
use crate::wire::mastodon::Status;

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

pub(super) async fn favourite(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:favourites")?.id;
    act(&state, me, id, move |tx, m, site| interaction::favourite(tx, m, site, me, id)).await
}

pub(super) async fn unfavourite(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:favourites")?.id;
    act(&state, me, id, move |tx, m, site| interaction::unfavourite(tx, m, site, me, id)).await
}

/// Answers the boost, in which the post is.
pub(super) async fn reblog(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    params: Params,
) -> Answer {
    let me = auth.me("write:statuses")?;
    let visibility = match params.filled("visibility") {
        Some(word) => Visibility::from_word(&word)
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
pub(super) async fn unreblog(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:statuses")?.id;
    let original = seen(&state, Viewer::account(me, state.now()), id).await?.shown().status.id;
    act(&state, me, original, move |tx, m, _| interaction::unreblog(tx, m, me, original)).await
}

pub(super) async fn bookmark(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:bookmarks")?.id;
    act(&state, me, id, move |tx, m, _| interaction::bookmark(tx, m, me, id)).await
}

pub(super) async fn unbookmark(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:bookmarks")?.id;
    act(&state, me, id, move |tx, m, _| interaction::unbookmark(tx, m.now, me, id)).await
}

pub(super) async fn mute(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:mutes")?.id;
    act(&state, me, id, move |tx, m, _| interaction::set_muted(tx, m.now, me, id, true)).await
}

pub(super) async fn unmute(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:mutes")?.id;
    act(&state, me, id, move |tx, m, _| interaction::set_muted(tx, m.now, me, id, false)).await
}

pub(super) async fn pin(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    act(&state, me, id, move |tx, m, _| interaction::pin(tx, m, me, id)).await
}

pub(super) async fn unpin(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let me = auth.me("write:accounts")?.id;
    act(&state, me, id, move |tx, m, _| interaction::unpin(tx, m.now, me, id)).await
}
