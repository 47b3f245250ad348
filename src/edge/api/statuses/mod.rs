//! Posts (docs: methods/statuses, methods/polls).

mod actions;
mod quotes;
mod reach;
mod read;
mod sent;
mod write;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::{Id, Problem};
use crate::domain::timeline::{Loaded, load_one};
use crate::domain::visibility::Viewer;
use crate::edge::AppState;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(read::several, write::publish))
        .routes(routes!(read::one, write::edit, write::delete))
        .routes(routes!(read::context))
        .routes(routes!(read::history))
        .routes(routes!(read::source))
        .routes(routes!(read::favourited_by))
        .routes(routes!(read::reblogged_by))
        .routes(routes!(read::favourites))
        .routes(routes!(read::bookmarks))
        .routes(routes!(read::translate))
        .routes(routes!(read::card))
        .routes(routes!(reach::deliveries))
        .merge(actions::routes())
        .merge(quotes::routes())
}

/// A post that the viewer may see.
///
/// # Errors
/// 404 for missing and for private ones.
async fn seen(state: &AppState, viewer: Viewer, id: Id) -> Result<Loaded, Problem> {
    state.store.read(move |tx| load_one(tx, viewer, id)).await?.ok_or_else(Problem::not_found)
}
