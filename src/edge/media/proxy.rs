//! Files of other servers, passed on under our own address: readers tell no
//! strangers that they read, and pages need to load from nowhere else.
//!
//! The first who asks makes us fetch (`fetches`); others who ask meanwhile
//! wait for the same.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::fetches::{brought, kept};
use super::serve::{self, Kept};
use crate::base::Problem;
use crate::domain::delivery::authority_of;
use crate::domain::moderation::server::rejects_media;
use crate::domain::secret;
use crate::edge::AppState;
use crate::wire::media::Format;

/// A file elsewhere may change under its address; readers ask again after a week.
const A_WEEK: &str = "public, max-age=604800";

/// `GET /media/proxy/{signature}/{address}`.
pub(super) async fn remote(
    State(state): State<AppState>,
    Path((mac, address)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let address = state.site.proxied(&mac, &address).ok_or_else(Problem::not_found)?;
    let key = secret::digest(&address);
    refuse_unwanted(&state, &address).await?;
    let file = match kept(&state, key).await? {
        Some(file) => file,
        None => brought(&state, key, address).await?,
    };
    let format =
        file.name.rsplit('.').next().and_then(Format::of_extension).ok_or_else(Problem::not_found)?;
    serve::send(&state, Kept { name: &file.name, format, caching: A_WEEK }, &headers).await
}

/// Files of servers whose files moderators do not want are not passed on.
pub(super) async fn refuse_unwanted(state: &AppState, address: &str) -> Result<(), Problem> {
    let host = authority_of(address).ok_or_else(Problem::not_found)?;
    let site = state.site.clone();
    let is_unwanted = state.store.read(move |tx| rejects_media(tx, &site, &host)).await?;
    if is_unwanted { Err(Problem::not_found()) } else { Ok(()) }
}
