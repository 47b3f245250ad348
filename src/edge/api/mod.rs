//! The Mastodon API. One file for each resource: its handlers and its lines
//! in `routes()`.

mod accounts;
mod apps;
mod blocks;
mod follow_requests;
mod instance;
mod markers;
mod notifications;
pub(crate) mod oauth;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod people;
mod preferences;
pub(crate) mod render;
mod search;
mod statuses;
mod timelines;
mod unbuilt;

use axum::Router;

use super::AppState;

/// Every route of the API.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .merge(accounts::routes())
        .merge(apps::routes())
        .merge(blocks::routes())
        .merge(follow_requests::routes())
        .merge(instance::routes())
        .merge(markers::routes())
        .merge(notifications::routes())
        .merge(oauth::routes())
        .merge(preferences::routes())
        .merge(search::routes())
        .merge(statuses::routes())
        .merge(timelines::routes())
        .merge(unbuilt::routes())
}
