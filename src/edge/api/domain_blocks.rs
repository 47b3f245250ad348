//! Domains that a person blocks (docs: methods/domain_blocks).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::{Input, Params};
use crate::base::{Id, Problem};
use crate::domain::domain_block::{self, DomainBlockError};
use crate::domain::relation::{SeverPlace, sever};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::store::{StoreError, WriteTx};
use crate::wire::mastodon::Empty;

/// Domains on a page: default and most (Mastodon: 100 and 200).
const PAGE: (usize, usize) = (100, 200);
/// Steps of ending follows that are made before the answer; the job makes
/// the others.
const STEPS_AT_ONCE: usize = 20;
/// Ids that one step may take.
const IDS_PER_STEP: u16 = 200;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, block, unblock)).routes(routes!(preview))
}

impl From<DomainBlockError> for Problem {
    fn from(error: DomainBlockError) -> Problem {
        let detail = match error {
            DomainBlockError::Store(error) => return error.into(),
            DomainBlockError::BadDomain => "Domain is not a valid domain name",
            DomainBlockError::TooMany => "You have reached the maximum number of blocked domains",
        };
        Problem::invalid(format!("Validation failed: {detail}"))
    }
}

#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
struct DomainForm {
    /// Such as `social.example`.
    domain: String,
}

/// The domains that the person blocks, latest first.
#[utoipa::path(get, path = "/api/v1/domain_blocks", tag = "Domain blocks", params(PageParams),
    security(("oauth" = ["read:blocks"])), responses((status = 200, body = Vec<String>)))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:blocks")?.id;
    let page = page(&params, PAGE)?;
    let found = state.store.read(move |tx| domain_block::list(tx, me, &page)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, found))
}

/// Blocks a domain: nothing of it is shown, and follows in both directions end.
#[utoipa::path(post, path = "/api/v1/domain_blocks", tag = "Domain blocks", request_body = DomainForm,
    security(("oauth" = ["write:blocks"])), responses((status = 200, body = Empty)))]
async fn block(
    State(state): State<AppState>,
    auth: Auth,
    named: Input<DomainForm>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:blocks")?.id;
    block_domain(&state, me, &named.domain).await?;
    Ok(Json(Empty {}))
}

/// Blocks a domain for somebody.
///
/// # Errors
/// 422 when it is no domain, or this server's own.
pub(in crate::edge) async fn block_domain(state: &AppState, me: Id, domain: &str) -> Result<(), Problem> {
    let domain = domain_block::key(domain)?;
    let (moment, site, name) = (state.moment(), state.site.clone(), domain.clone());
    state.store.write(move |tx| domain_block::block(tx, &mut moment.clone(), &site, me, &name)).await?;
    end_follows(state, me, domain).await
}

/// Whoever asks right after the answer sees the follows gone, unless there
/// are very many.
async fn end_follows(state: &AppState, me: Id, domain: String) -> Result<(), Problem> {
    let mut place = Some(SeverPlace::default());
    for _ in 0..STEPS_AT_ONCE {
        let Some(at) = place else { break };
        let (moment, site, domain) = (state.moment_with(IDS_PER_STEP), state.site.clone(), domain.clone());
        let step = move |tx: &mut WriteTx<'_>| sever(tx, &mut moment.clone(), &site, me, &domain, at);
        place = state.store.write(step).await.map_err(|error: StoreError| Problem::from(error))?;
    }
    Ok(())
}

/// Blocks a domain no longer. Follows that ended stay ended.
#[utoipa::path(delete, path = "/api/v1/domain_blocks", tag = "Domain blocks", params(DomainForm),
    security(("oauth" = ["write:blocks"])), responses((status = 200, body = Empty)))]
async fn unblock(
    State(state): State<AppState>,
    auth: Auth,
    named: Input<DomainForm>,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:blocks")?.id;
    let domain = domain_block::key(&named.domain)?;
    let done = state.store.write(move |tx| domain_block::unblock(tx, me, &domain)).await;
    done.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(Empty {}))
}

/// What blocking a domain would end.
#[derive(Debug, Serialize, ToSchema)]
struct DomainBlockPreview {
    following_count: usize,
    followers_count: usize,
}

/// How many follows blocking a domain would end.
#[utoipa::path(get, path = "/api/v1/domain_blocks/preview", tag = "Domain blocks", params(DomainForm),
    security(("oauth" = ["read:blocks"])), responses((status = 200, body = DomainBlockPreview)))]
async fn preview(
    State(state): State<AppState>,
    auth: Auth,
    named: Input<DomainForm>,
) -> Result<Json<DomainBlockPreview>, Problem> {
    let me = auth.me("read:blocks")?.id;
    let domain = domain_block::key(&named.domain)?;
    let found = state.store.read(move |tx| domain_block::preview(tx, me, &domain)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(DomainBlockPreview { following_count: found.following, followers_count: found.followers }))
}
