//! The Mastodon API. One file for each resource: its handlers and its lines
//! in `routes()`.

mod accounts;
mod admin;
mod announcements;
mod annual_reports;
mod apps;
mod blocks;
mod conversations;
mod custom_emojis;
mod deliveries;
mod directory;
pub(in crate::edge) mod domain_blocks;
mod emails;
mod endorsements;
mod entry;
mod filters;
mod follow_requests;
mod instance;
mod lists;
mod markers;
mod media;
mod nodes;
mod notifications;
pub(crate) mod oauth;
mod oembed;
mod openapi;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod people;
mod polls;
mod preferences;
mod push;
pub(crate) mod render;
mod reports;
mod scheduled_statuses;
mod search;
mod statuses;
mod streaming;
mod suggestions;
mod tags;
mod timelines;
mod trends;
mod unbuilt;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use super::AppState;
pub(crate) use admin::render::{one as admin_account, reports as admin_reports};
pub(crate) use instance::paragraphs;
pub(crate) use openapi::common_errors;

/// Every route of the API, and the document that describes them.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let (routes, api) = documented().split_for_parts();
    let entry = (state.clone(), Arc::new(entry::needed(&api)));
    let routes = routes.route_layer(from_fn_with_state(entry, entry::first));
    let document = openapi::document(&state.site, &api);
    routes.merge(openapi::routes(&document)).merge(super::web::api_docs::routes(&document))
}

fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(accounts::routes())
        .merge(admin::routes())
        .merge(announcements::routes())
        .merge(annual_reports::routes())
        .merge(apps::routes())
        .merge(blocks::routes())
        .merge(conversations::routes())
        .merge(custom_emojis::routes())
        .merge(deliveries::routes())
        .merge(directory::routes())
        .merge(domain_blocks::routes())
        .merge(emails::routes())
        .merge(endorsements::routes())
        .merge(filters::routes())
        .merge(follow_requests::routes())
        .merge(instance::routes())
        .merge(lists::routes())
        .merge(oembed::routes())
        .merge(markers::routes())
        .merge(media::routes())
        .merge(nodes::routes())
        .merge(notifications::routes())
        .merge(oauth::routes())
        .merge(polls::routes())
        .merge(push::routes())
        .merge(reports::routes())
        .merge(scheduled_statuses::routes())
        .merge(preferences::routes())
        .merge(search::routes())
        .merge(statuses::routes())
        .merge(streaming::routes())
        .merge(suggestions::routes())
        .merge(tags::routes())
        .merge(timelines::routes())
        .merge(trends::routes())
        .merge(unbuilt::routes())
        .merge(super::well_known::routes())
        .merge(super::web::authorize_document())
}
