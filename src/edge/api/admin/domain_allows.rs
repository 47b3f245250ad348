//! Servers that are explicitly welcome (docs: methods/admin/domain_allows).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listed;
use crate::base::Problem;
use crate::domain::moderation::server;
use crate::edge::AppState;
use crate::edge::api::page::PageParams;
use crate::edge::api::params::{Input, Params};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::model::Permission;
use crate::store::StoreError;
use crate::wire::mastodon::Empty;
use crate::wire::mastodon::admin::AdminDomainAllow;

const READ: &str = "admin:read:domain_allows";
const WRITE: &str = "admin:write:domain_allows";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, destroy))
}

/// Welcome servers, newest first.
#[utoipa::path(get, path = "/api/v1/admin/domain_allows", tag = "Admin", params(PageParams),
    security(("oauth" = ["admin:read:domain_allows"])), responses((status = 200, body = [AdminDomainAllow])))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    listed(&state, &uri, &params, server::allows, |allow| AdminDomainAllow::from(allow)).await
}

/// One welcome server.
#[utoipa::path(get, path = "/api/v1/admin/domain_allows/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:read:domain_allows"])), responses((status = 200, body = AdminDomainAllow)))]
async fn show(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminDomainAllow>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let found = state.store.read(move |tx| server::get_allow(tx, id)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    found.map(|allow| Json((&allow).into())).ok_or_else(Problem::not_found)
}

/// A server that is to be welcome.
#[derive(Debug, Deserialize, ToSchema)]
struct NewDomainAllow {
    domain: String,
}

/// Welcomes a server.
#[utoipa::path(post, path = "/api/v1/admin/domain_allows", tag = "Admin", request_body = NewDomainAllow,
    security(("oauth" = ["admin:write:domain_allows"])), responses((status = 200, body = AdminDomainAllow)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewDomainAllow>,
) -> Result<Json<AdminDomainAllow>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageFederation)?;
    let domain = server::clean_name(&sent.domain)
        .ok_or_else(|| Problem::invalid("Validation failed: Domain is not a valid domain name"))?;
    let moment = state.moment();
    let allow = state.store.write(move |tx| server::allow(tx, &mut moment.clone(), by, &domain)).await?;
    Ok(Json((&allow).into()))
}

/// Takes a welcome back.
#[utoipa::path(delete, path = "/api/v1/admin/domain_allows/{id}", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:domain_allows"])), responses((status = 200, body = Empty)))]
async fn destroy(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageFederation)?;
    let moment = state.moment();
    state.store.write(move |tx| server::disallow(tx, &mut moment.clone(), by, id)).await?;
    Ok(Json(Empty {}))
}
