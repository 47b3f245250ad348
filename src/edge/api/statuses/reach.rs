//! How far one's own post has got. Waxwing's own.

use axum::Json;
use axum::extract::State;

use crate::base::{Id, Problem};
use crate::domain::delivery::{self, Reached};
use crate::domain::timeline::load_one;
use crate::edge::AppState;
use crate::edge::api::people::IdPath;
use crate::edge::auth::Auth;
use crate::edge::deliveries::entities::{DeliveryFailure, StatusDeliveries};
use crate::store::StoreError;

/// How many servers have a post of one's own, how many are still tried, and
/// which were given up. To everybody else it is not there.
#[utoipa::path(get, path = "/api/waxwing/v1/statuses/{id}/deliveries", tag = "Deliveries",
    params(("id" = String, Path)),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = StatusDeliveries)))]
pub(super) async fn deliveries(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<StatusDeliveries>, Problem> {
    let me = auth.me("read:statuses")?.id;
    let viewer = auth.viewer_at("read:statuses", &state)?;
    let found = state.store.read(move |tx| {
        let is_mine = load_one(tx, viewer, id)?.is_some_and(|found| found.status.account == me);
        let reached = if is_mine { delivery::reached(tx, id)? } else { None };
        Ok::<_, StoreError>(is_mine.then(|| reached.unwrap_or_default()))
    });
    let reached = found.await?.ok_or_else(Problem::not_found)?;
    Ok(Json(entity(id, &reached)))
}

fn entity(id: Id, reached: &Reached) -> StatusDeliveries {
    let failure = |failure: &delivery::Failure| DeliveryFailure {
        host: failure.host.clone(),
        reason: failure.reason.name().to_owned(),
        at: failure.at.rfc3339(),
    };
    StatusDeliveries {
        id: id.to_string(),
        total: reached.total,
        servers: reached.servers,
        delivered: reached.delivered,
        pending: reached.pending,
        failed: reached.failed,
        failed_hosts: reached.failures.iter().map(failure).collect(),
    }
}
