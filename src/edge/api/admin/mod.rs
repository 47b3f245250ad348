//! The API of those who run the server (docs: methods/admin). Each endpoint
//! takes a scope of its own and a role that permits it.

mod accounts;
mod announcements;
mod custom_emojis;
mod domain_allows;
mod domain_blocks;
mod email_blocks;
mod figures;
mod ip_blocks;
pub(super) mod render;
mod reports;
mod taxonomies;
mod webhooks;

use axum::http::Uri;
use axum::response::Response;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

use super::page::{page, paged};
use super::params::Params;
use crate::base::Problem;
use crate::domain::moderation::ModerationError;
use crate::domain::page::{Page, Paged};
use crate::edge::AppState;
use crate::store::{ReadTx, StoreError};

/// Items of a page: default and most (Mastodon: 100 and 200).
const PAGE_ADMIN: (usize, usize) = (100, 200);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(accounts::routes())
        .merge(announcements::routes())
        .merge(custom_emojis::routes())
        .merge(domain_allows::routes())
        .merge(domain_blocks::routes())
        .merge(email_blocks::routes())
        .merge(figures::routes())
        .merge(ip_blocks::routes())
        .merge(reports::routes())
        .merge(taxonomies::routes())
        .merge(webhooks::routes())
}

/// A page of one of the lists of those who run the server: `list` reads it,
/// `entity` says what is shown of an item. The caller looks who asks.
async fn listed<T: 'static + Send, E: Serialize>(
    state: &AppState,
    uri: &Uri,
    params: &Params,
    list: impl Fn(&ReadTx<'_>, &Page) -> Result<Paged<T>, StoreError> + Send + 'static,
    entity: impl Fn(&T) -> E,
) -> Result<Response, Problem> {
    let page = page(params, PAGE_ADMIN)?;
    let found = state.store.read(move |tx| list(tx, &page)).await?;
    Ok(paged(&state.site, uri, found.map(|item| entity(&item))))
}

impl From<ModerationError> for Problem {
    fn from(error: ModerationError) -> Problem {
        match error {
            ModerationError::Missing => Problem::not_found(),
            ModerationError::NotAllowed => Problem::forbidden("This action is not allowed"),
            ModerationError::Invalid(why) => Problem::invalid(format!("Validation failed: {why}")),
            ModerationError::Store(error) => error.into(),
        }
    }
}
