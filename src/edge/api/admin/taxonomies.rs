//! Review of hashtags and trends (docs: methods/admin/trends). Nothing waits
//! for review here: what trends is computed and shown, so the lists are empty
//! and there is nothing to approve or refuse.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::model::Permission;

const READ: &str = "admin:read";
const WRITE: &str = "admin:write";

/// Nothing of this kind waits.
#[derive(Debug, Serialize, ToSchema)]
struct Nothing {}

type None = Result<Json<[Nothing; 0]>, Problem>;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(tags))
        .routes(routes!(tag, change_tag))
        .routes(routes!(trending_links))
        .routes(routes!(publishers))
        .routes(routes!(trending_statuses))
        .routes(routes!(trending_tags))
        .routes(routes!(approve_link))
        .routes(routes!(reject_link))
        .routes(routes!(approve_publisher))
        .routes(routes!(reject_publisher))
        .routes(routes!(approve_status))
        .routes(routes!(reject_status))
        .routes(routes!(approve_tag))
        .routes(routes!(reject_tag))
}

fn none(auth: &Auth) -> None {
    auth.staff(READ, Permission::ManageTaxonomies)?;
    Ok(Json([]))
}

fn refuse(auth: &Auth) -> Result<(), Problem> {
    auth.staff(WRITE, Permission::ManageTaxonomies)?;
    Err(Problem::not_found())
}

/// Hashtags that were reviewed.
#[utoipa::path(get, path = "/api/v1/admin/tags", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Nothing])))]
async fn tags(auth: Auth) -> None {
    none(&auth)
}

/// Links that wait for review.
#[utoipa::path(get, path = "/api/v1/admin/trends/links", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Nothing])))]
async fn trending_links(auth: Auth) -> None {
    none(&auth)
}

/// Publishers that wait for review.
#[utoipa::path(get, path = "/api/v1/admin/trends/links/publishers", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Nothing])))]
async fn publishers(auth: Auth) -> None {
    none(&auth)
}

/// Posts that wait for review.
#[utoipa::path(get, path = "/api/v1/admin/trends/statuses", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Nothing])))]
async fn trending_statuses(auth: Auth) -> None {
    none(&auth)
}

/// Hashtags that wait for review.
#[utoipa::path(get, path = "/api/v1/admin/trends/tags", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Nothing])))]
async fn trending_tags(auth: Auth) -> None {
    none(&auth)
}

/// One hashtag that was reviewed: there is none.
#[utoipa::path(get, path = "/api/v1/admin/tags/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:read"])), responses())]
async fn tag(auth: Auth) -> Result<(), Problem> {
    auth.staff(READ, Permission::ManageTaxonomies)?;
    Err(Problem::not_found())
}

/// Reviews a hashtag: there is none.
#[utoipa::path(method(put, patch), path = "/api/v1/admin/tags/{id}", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn change_tag(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Approves a link: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/links/{id}/approve", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn approve_link(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Refuses a link: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/links/{id}/reject", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn reject_link(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Approves a publisher: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/links/publishers/{id}/approve", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn approve_publisher(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Refuses a publisher: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/links/publishers/{id}/reject", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn reject_publisher(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Approves a post: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/statuses/{id}/approve", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn approve_status(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Refuses a post: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/statuses/{id}/reject", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn reject_status(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Approves a hashtag: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/tags/{id}/approve", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn approve_tag(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}

/// Refuses a hashtag: none waits.
#[utoipa::path(post, path = "/api/v1/admin/trends/tags/{id}/reject", tag = "Admin",
    params(("id" = String, Path)), security(("oauth" = ["admin:write"])), responses())]
async fn reject_tag(auth: Auth) -> Result<(), Problem> {
    refuse(&auth)
}
