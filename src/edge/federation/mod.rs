//! What other servers ask for and send: discovery, actors, objects, inboxes.

use axum::Router;

use super::AppState;

/// Every route of federation.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
}
