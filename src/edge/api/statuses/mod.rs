//! Posts (docs: methods/statuses, methods/polls).

mod actions;
mod read;
mod write;

use axum::Router;
use axum::routing::{get, post};

use crate::base::{Id, Problem};
use crate::domain::timeline::{Loaded, load_one};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/v1/statuses", get(read::several).post(write::publish))
        .route(
            "/api/v1/statuses/{id}",
            get(read::one).put(write::edit).patch(write::edit).delete(write::delete),
        )
        .route("/api/v1/statuses/{id}/context", get(read::context))
        .route("/api/v1/statuses/{id}/history", get(read::history))
        .route("/api/v1/statuses/{id}/source", get(read::source))
        .route("/api/v1/statuses/{id}/favourited_by", get(read::favourited_by))
        .route("/api/v1/statuses/{id}/reblogged_by", get(read::reblogged_by))
        .route("/api/v1/statuses/{id}/quotes", get(read::quotes))
        .route("/api/v1/statuses/{id}/favourite", post(actions::favourite))
        .route("/api/v1/statuses/{id}/unfavourite", post(actions::unfavourite))
        .route("/api/v1/statuses/{id}/reblog", post(actions::reblog))
        .route("/api/v1/statuses/{id}/unreblog", post(actions::unreblog))
        .route("/api/v1/statuses/{id}/bookmark", post(actions::bookmark))
        .route("/api/v1/statuses/{id}/unbookmark", post(actions::unbookmark))
        .route("/api/v1/statuses/{id}/mute", post(actions::mute))
        .route("/api/v1/statuses/{id}/unmute", post(actions::unmute))
        .route("/api/v1/statuses/{id}/pin", post(actions::pin))
        .route("/api/v1/statuses/{id}/unpin", post(actions::unpin))
        .route("/api/v1/favourites", get(read::favourites))
        .route("/api/v1/bookmarks", get(read::bookmarks))
}

/// A post that the viewer may see.
///
/// # Errors
/// 404 for missing and for private ones.
async fn seen(state: &AppState, viewer: Viewer, id: Id) -> Result<Loaded, Problem> {
    state.store.read(move |tx| load_one(tx, viewer, id)).await?.ok_or_else(Problem::not_found)
}
