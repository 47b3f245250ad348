//! The posts of a filter.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::v2::own;
use crate::base::Problem;
use crate::domain::filter;
use crate::edge::AppState;
use crate::edge::api::params::{GivenId, Input};
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::wire::mastodon::{Empty, FilterStatus};

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct GivenStatus {
    status_id: GivenId,
}

/// The posts of a filter.
#[utoipa::path(get, path = "/api/v2/filters/{id}/statuses", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["read:filters"])), responses((status = 200, body = Vec<FilterStatus>)))]
pub(super) async fn list(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Vec<FilterStatus>>, Problem> {
    let me = auth.me("read:filters")?.id;
    Ok(Json(own(&state, me, id).await?.statuses.iter().map(FilterStatus::from).collect()))
}

/// Adds a post to a filter.
#[utoipa::path(post, path = "/api/v2/filters/{id}/statuses", tag = "Filters", params(("id" = String, Path)),
    request_body = GivenStatus,
    security(("oauth" = ["write:filters"])), responses((status = 200, body = FilterStatus)))]
pub(super) async fn create(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
    sent: Input<GivenStatus>,
) -> Result<Json<FilterStatus>, Problem> {
    let me = auth.me("write:filters")?.id;
    let (moment, status) = (state.moment(), sent.status_id.0);
    let made =
        state.store.write(move |tx| filter::add_status(tx, &mut moment.clone(), me, id, status)).await?;
    Ok(Json(FilterStatus::from(&made)))
}

/// One post of a filter.
#[utoipa::path(get, path = "/api/v2/filters/statuses/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["read:filters"])), responses((status = 200, body = FilterStatus)))]
pub(super) async fn one(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<FilterStatus>, Problem> {
    let me = auth.me("read:filters")?.id;
    let all = state.store.read(move |tx| filter::list(tx, me)).await?;
    let row = all.iter().flat_map(|filter| &filter.statuses).find(|row| row.id == id);
    row.map(|row| Json(FilterStatus::from(row))).ok_or_else(Problem::not_found)
}

/// Takes a post out of a filter.
#[utoipa::path(delete, path = "/api/v2/filters/statuses/{id}", tag = "Filters", params(("id" = String, Path)),
    security(("oauth" = ["write:filters"])), responses((status = 200, body = Empty)))]
pub(super) async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:filters")?.id;
    state.store.write(move |tx| filter::delete_status(tx, me, id)).await?;
    Ok(Json(Empty {}))
}
