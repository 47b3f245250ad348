//! Lists of whom one blocks and mutes (docs: methods/blocks, methods/mutes).

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::Params;
use super::people::account;
use crate::base::{Problem, Timestamp, limits};
use crate::domain::relation;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::StoreError;
use crate::wire::mastodon::{Account, MutedAccount};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(blocks)).routes(routes!(mutes))
}

/// Whom the person blocks, latest first.
#[utoipa::path(get, path = "/api/v1/blocks", tag = "Blocks and mutes", params(PageParams),
    security(("oauth" = ["read:blocks"])), responses((status = 200, body = Vec<Account>)))]
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

/// Whom the person mutes, latest first.
#[utoipa::path(get, path = "/api/v1/mutes", tag = "Blocks and mutes", params(PageParams),
    security(("oauth" = ["read:mutes"])), responses((status = 200, body = Vec<MutedAccount>)))]
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
