//! Reports as moderators work on them (docs: methods/admin/reports).

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{PAGE_ADMIN, render};
use crate::base::{Id, Problem};
use crate::domain::moderation::Staff;
use crate::domain::moderation::report::{self, Step, Wanted};
use crate::domain::page::Paged;
use crate::edge::AppState;
use crate::edge::api::page::{PageParams, page, paged};
use crate::edge::api::params::{GivenId, Input};
use crate::edge::api::people::IdPath;
use crate::edge::api::reports::{CategoryWord, rule_numbers};
use crate::edge::auth::Auth;
use crate::model::{Permission, Report};
use crate::store::StoreError;
use crate::wire::mastodon::admin::AdminReport;

const READ: &str = "admin:read:reports";
const WRITE: &str = "admin:write:reports";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, update))
        .routes(routes!(assign_to_self))
        .routes(routes!(unassign))
        .routes(routes!(resolve))
        .routes(routes!(reopen))
}

/// Which reports.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Those that are resolved, rather than those that wait.
    resolved: Option<bool>,
    /// Only by this account.
    #[param(value_type = Option<String>)]
    account_id: Option<GivenId>,
    /// Only about this account.
    #[param(value_type = Option<String>)]
    target_account_id: Option<GivenId>,
}

/// Reports, newest first.
#[utoipa::path(get, path = "/api/v1/admin/reports", tag = "Admin", params(Which, PageParams),
    security(("oauth" = ["admin:read:reports"])), responses((status = 200, body = [AdminReport])))]
async fn list(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    asked: Input<Which>,
) -> Result<Response, Problem> {
    auth.staff(READ, Permission::ManageReports)?;
    let page = page(&asked.params, PAGE_ADMIN)?;
    let wanted = Wanted {
        resolved: asked.resolved.unwrap_or(false),
        account: asked.account_id.map(|id| id.0),
        target: asked.target_account_id.map(|id| id.0),
    };
    let found: Paged<Report> = state.store.read(move |tx| report::list(tx, &wanted, &page)).await?;
    let Paged { items, newest, oldest, has_older } = found;
    let items = render::reports(&state, items).await?;
    Ok(paged(&state.site, &uri, Paged { items, newest, oldest, has_older }))
}

async fn entity(state: &AppState, report: Report) -> Result<Json<AdminReport>, Problem> {
    render::reports(state, vec![report]).await?.pop().map(Json).ok_or_else(Problem::not_found)
}

/// One report.
#[utoipa::path(get, path = "/api/v1/admin/reports/{id}", tag = "Admin", params(("id" = String, Path)),
    security(("oauth" = ["admin:read:reports"])), responses((status = 200, body = AdminReport)))]
async fn show(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminReport>, Problem> {
    auth.staff(READ, Permission::ManageReports)?;
    let found = state.store.read(move |tx| report::get(tx, id)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?.ok_or_else(Problem::not_found)?;
    entity(&state, found).await
}

async fn step(state: AppState, by: Staff, id: Id, step: Step) -> Result<Json<AdminReport>, Problem> {
    let moment = state.moment();
    let report = state.store.write(move |tx| report::take(tx, &mut moment.clone(), by, id, &step)).await?;
    entity(&state, report).await
}

/// What a report is about.
#[derive(Debug, Deserialize, ToSchema)]
struct ReportChange {
    category: Option<CategoryWord>,
    /// Numbers of rules that are broken.
    rule_ids: Option<Vec<String>>,
}

/// Says anew what a report is about.
#[utoipa::path(method(put, patch), path = "/api/v1/admin/reports/{id}", tag = "Admin",
    params(("id" = String, Path)), request_body = ReportChange,
    security(("oauth" = ["admin:write:reports"])), responses((status = 200, body = AdminReport)))]
async fn update(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<ReportChange>,
) -> Result<Json<AdminReport>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageReports)?;
    let rules = sent.rule_ids.as_deref().map(|ids| rule_numbers(&state, ids)).transpose()?;
    step(state, by, id, Step::Recast(sent.category.map(Into::into), rules)).await
}

/// Looks into a report.
#[utoipa::path(post, path = "/api/v1/admin/reports/{id}/assign_to_self", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:reports"])), responses((status = 200, body = AdminReport)))]
async fn assign_to_self(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminReport>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageReports)?;
    step(state, by, id, Step::Assign).await
}

/// Leaves a report to others.
#[utoipa::path(post, path = "/api/v1/admin/reports/{id}/unassign", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:reports"])), responses((status = 200, body = AdminReport)))]
async fn unassign(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminReport>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageReports)?;
    step(state, by, id, Step::Unassign).await
}

/// Is done with a report.
#[utoipa::path(post, path = "/api/v1/admin/reports/{id}/resolve", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:reports"])), responses((status = 200, body = AdminReport)))]
async fn resolve(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminReport>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageReports)?;
    step(state, by, id, Step::Resolve).await
}

/// Takes a report up again.
#[utoipa::path(post, path = "/api/v1/admin/reports/{id}/reopen", tag = "Admin",
    params(("id" = String, Path)),
    security(("oauth" = ["admin:write:reports"])), responses((status = 200, body = AdminReport)))]
async fn reopen(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<AdminReport>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageReports)?;
    step(state, by, id, Step::Reopen).await
}
