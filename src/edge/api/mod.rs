//! The Mastodon API. One file for each resource: its handlers and its lines
//! in `routes()`.

pub(crate) mod page;
pub(crate) mod params;

use axum::Router;

use super::AppState;

/// Every route of the API.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
}
