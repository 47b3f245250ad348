//! Looking back at a year, which this server does not do (docs:
//! methods/annual_reports), and answers that follow later, which it never
//! gives (methods/async_refreshes).

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::{Account, Status};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(state))
        .routes(routes!(generate))
        .routes(routes!(read))
        .routes(routes!(async_refresh))
}

/// Years looked back at: none.
#[derive(Debug, Serialize, ToSchema)]
struct AnnualReports {
    #[schema(value_type = Vec<Object>)]
    annual_reports: [(); 0],
    #[schema(value_type = Vec<Account>)]
    accounts: Vec<Account>,
    #[schema(value_type = Vec<Status>)]
    statuses: Vec<Status>,
}

/// Whether a year can be looked back at.
#[derive(Debug, Serialize, ToSchema)]
struct AnnualReportState {
    #[schema(example = "ineligible")]
    state: &'static str,
}

/// Reports: none.
#[utoipa::path(get, path = "/api/v1/annual_reports", tag = "Annual reports",
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = AnnualReports)))]
async fn list(auth: Auth) -> Result<Json<AnnualReports>, Problem> {
    auth.me("read:accounts")?;
    Ok(Json(AnnualReports { annual_reports: [], accounts: Vec::new(), statuses: Vec::new() }))
}

/// One report, which there is not.
#[utoipa::path(get, path = "/api/v1/annual_reports/{id}", tag = "Annual reports",
    params(("id" = String, Path)), security(("oauth" = ["read:accounts"])),
    responses())]
async fn show(auth: Auth) -> Result<(), Problem> {
    auth.me("read:accounts")?;
    Err(Problem::not_found())
}

/// Whether there is one, or could be: no.
#[utoipa::path(get, path = "/api/v1/annual_reports/{id}/state", tag = "Annual reports",
    params(("id" = String, Path)), security(("oauth" = ["read:accounts"])),
    responses((status = 200, body = AnnualReportState)))]
async fn state(auth: Auth) -> Result<Json<AnnualReportState>, Problem> {
    auth.me("read:accounts")?;
    Ok(Json(AnnualReportState { state: "ineligible" }))
}

/// Nothing is made.
#[utoipa::path(post, path = "/api/v1/annual_reports/{id}/generate", tag = "Annual reports",
    params(("id" = String, Path)), security(("oauth" = ["write:accounts"])),
    responses())]
async fn generate(auth: Auth) -> Result<(), Problem> {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// There is none to be read.
#[utoipa::path(post, path = "/api/v1/annual_reports/{id}/read", tag = "Annual reports",
    params(("id" = String, Path)), security(("oauth" = ["write:accounts"])),
    responses())]
async fn read(auth: Auth) -> Result<(), Problem> {
    auth.me("write:accounts")?;
    Err(Problem::not_found())
}

/// Every answer is whole at once, so there is none to wait for.
#[utoipa::path(get, path = "/api/v1_alpha/async_refreshes/{id}", tag = "Async refreshes",
    params(("id" = String, Path)), security(("oauth" = ["read"])),
    responses())]
async fn async_refresh(auth: Auth) -> Result<(), Problem> {
    auth.me("read")?;
    Err(Problem::not_found())
}
