//! Network addresses that are shut out (docs: methods/admin/ip_blocks).

use std::net::IpAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use ipnet::IpNet;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listed;
use crate::base::{Id, Problem};
use crate::domain::moderation::{Staff, barred};
use crate::edge::AppState;
use crate::edge::api::page::PageParams;
use crate::edge::api::params::{Input, Params};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::edge::nodes::{self, Forget};
use crate::model::{IpBlock, IpSeverity, Permission};
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::admin_blocks::AdminIpBlock;

const READ: &str = "admin:read:ip_blocks";
const WRITE: &str = "admin:write:ip_blocks";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, update, destroy))
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = IpBlockSeverity)]
enum SeverityWord {
    SignUpRequiresApproval,
    SignUpBlock,
    NoAccess,
}

impl From<SeverityWord> for IpSeverity {
    fn from(word: SeverityWord) -> IpSeverity {
        match word {
            SeverityWord::SignUpRequiresApproval => IpSeverity::SignUpNeedsApproval,
            SeverityWord::SignUpBlock => IpSeverity::NoSignUp,
            SeverityWord::NoAccess => IpSeverity::NoAccess,
        }
    }
}

/// Blocks, newest first.
#[utoipa::path(get, path = "/api/v1/admin/ip_blocks", tag = "Admin", params(PageParams),
    security(("oauth" = ["admin:read:ip_blocks"])), responses((status = 200, body = [AdminIpBlock])))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageBlocks)?;
    listed(&state, &uri, &params, barred::list_ip, |block| AdminIpBlock::from(block)).await
}

async fn one(state: &AppState, id: Id) -> Result<IpBlock, Problem> {
    let found = state.store.read(move |tx| barred::get_ip(tx, id)).await;
    found.map_err(|error: StoreError| Problem::from(error))?.ok_or_else(Problem::not_found)
}

/// One block.
#[utoipa::path(get, path = "/api/v1/admin/ip_blocks/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:read:ip_blocks"])), responses((status = 200, body = AdminIpBlock)))]
async fn show(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminIpBlock>, Problem> {
    auth.staff(READ, Permission::ManageBlocks)?;
    Ok(Json((&one(&state, id).await?).into()))
}

/// What is to be blocked.
#[derive(Debug, Deserialize, ToSchema)]
struct NewIpBlock {
    /// An address, or a range such as `10.0.0.0/8`.
    ip: String,
    severity: SeverityWord,
    comment: Option<String>,
    /// Seconds until it ends; never without.
    expires_in: Option<u64>,
}

/// What of a block is to change.
#[derive(Debug, Deserialize, ToSchema)]
struct IpBlockChange {
    ip: Option<String>,
    severity: Option<SeverityWord>,
    comment: Option<String>,
    expires_in: Option<u64>,
}

/// A range as it is kept; one address is a range of one.
fn range(text: &str) -> Result<String, Problem> {
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let net = net.ok_or_else(|| Problem::invalid("Validation failed: Ip is not a valid address or range"))?;
    Ok(net.trunc().to_string())
}

async fn save(state: &AppState, by: Staff, block: IpBlock) -> Result<Json<AdminIpBlock>, Problem> {
    let (moment, kept) = (state.moment(), block.clone());
    state.store.write(move |tx| barred::save_ip(tx, &mut moment.clone(), by, &kept)).await?;
    nodes::forget(state, Forget::Bars);
    Ok(Json((&block).into()))
}

/// Shuts a range of addresses out.
#[utoipa::path(post, path = "/api/v1/admin/ip_blocks", tag = "Admin", request_body = NewIpBlock,
    security(("oauth" = ["admin:write:ip_blocks"])), responses((status = 200, body = AdminIpBlock)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewIpBlock>,
) -> Result<Json<AdminIpBlock>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageBlocks)?;
    let mut moment = state.moment();
    let block = IpBlock {
        id: moment.id(),
        range: range(&sent.ip)?,
        severity: sent.severity.into(),
        comment: sent.comment.clone().unwrap_or_default(),
        created_at: moment.now,
        expires_at: sent.expires_in.map(|seconds| moment.now.plus(Duration::from_secs(seconds))),
    };
    save(&state, by, block).await
}

/// Changes a block.
#[utoipa::path(method(put, patch), path = "/api/v1/admin/ip_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)), request_body = IpBlockChange,
    security(("oauth" = ["admin:write:ip_blocks"])), responses((status = 200, body = AdminIpBlock)))]
async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<IpBlockChange>,
) -> Result<Json<AdminIpBlock>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageBlocks)?;
    let mut block = one(&state, id).await?;
    if let Some(ip) = &sent.ip {
        block.range = range(ip)?;
    }
    block.severity = sent.severity.map_or(block.severity, IpSeverity::from);
    block.comment = sent.comment.clone().unwrap_or(block.comment);
    if let Some(seconds) = sent.expires_in {
        block.expires_at = Some(state.now().plus(Duration::from_secs(seconds)));
    }
    save(&state, by, block).await
}

/// Ends a block.
#[utoipa::path(delete, path = "/api/v1/admin/ip_blocks/{id}", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:ip_blocks"])), responses((status = 200, body = Empty)))]
async fn destroy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageBlocks)?;
    let moment = state.moment();
    state.store.write(move |tx| barred::remove_ip(tx, &mut moment.clone(), by, id)).await?;
    nodes::forget(&state, Forget::Bars);
    Ok(Json(Empty {}))
}
