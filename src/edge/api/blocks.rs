//! Lists of whom one blocks and mutes (docs: methods/blocks, methods/mutes).

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;

use super::page::{page, paged};
use super::params::Params;
use super::people::account;
use crate::base::{Problem, Timestamp, limits};
use crate::domain::relation;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::MutedAccount;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/v1/blocks", get(blocks)).route("/api/v1/mutes", get(mutes))
}

async fn blocks(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:blocks")?.id;
    let page = page(&params, limits::PAGE_ACCOUNTS)?;
    let people = state.store.read(move |tx| relation::blocks(tx, me, &page)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, people.map(|person| account(&state.site, &person))))
}

async fn mutes(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:mutes")?.id;
    let (page, now) = (page(&params, limits::PAGE_ACCOUNTS)?, state.now());
    let people = state.store.read(move |tx| relation::mutes(tx, me, &page, now)).await;
    let people = people.map_err(|error: StoreError| Problem::from(error))?;
    let entity = |muted: relation::Muted| MutedAccount {
        account: account(&state.site, &muted.person),
        mute_expires_at: muted.until.map(Timestamp::rfc3339),
    };
    Ok(paged(&state.site, &uri, people.map(entity)))
}
