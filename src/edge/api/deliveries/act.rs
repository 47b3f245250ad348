//! What an admin does to a destination.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::letters::{reason, time};
use super::{WRITE, number};
use crate::base::Problem;
use crate::domain::delivery::admin::{CAP_LIMITS, Letters, RATE_LIMITS, Selection};
use crate::edge::AppState;
use crate::edge::api::params::{GivenId, Input};
use crate::edge::auth::Auth;
use crate::edge::deliveries::entities::DeliveryActed;
use crate::model::Permission;
use crate::model::queue::JobKind;
use crate::queue::Action;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(probe))
        .routes(routes!(limits))
        .routes(routes!(purge))
        .routes(routes!(replay))
}

async fn act(
    state: &AppState,
    auth: &Auth,
    id: &str,
    action: Action,
) -> Result<Json<DeliveryActed>, Problem> {
    auth.staff(WRITE, Permission::ManageFederation)?;
    let jobs = state.desk().act(number(id)?, action).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(DeliveryActed { jobs }))
}

/// Sends nothing there until it is resumed; what is under way may end.
#[utoipa::path(post, path = "/api/waxwing/v1/deliveries/destinations/{id}/pause", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")),
    security(("oauth" = ["admin:write"])), responses((status = 200, body = DeliveryActed)))]
async fn pause(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
) -> Result<Json<DeliveryActed>, Problem> {
    act(&state, &auth, &id, Action::Pause).await
}

/// Sends there again, slowly at first.
#[utoipa::path(post, path = "/api/waxwing/v1/deliveries/destinations/{id}/resume", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")),
    security(("oauth" = ["admin:write"])), responses((status = 200, body = DeliveryActed)))]
async fn resume(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
) -> Result<Json<DeliveryActed>, Problem> {
    act(&state, &auth, &id, Action::Resume).await
}

/// Looks at once whether it is back, with one job.
#[utoipa::path(post, path = "/api/waxwing/v1/deliveries/destinations/{id}/probe", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")),
    security(("oauth" = ["admin:write"])), responses((status = 200, body = DeliveryActed)))]
async fn probe(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
) -> Result<Json<DeliveryActed>, Problem> {
    act(&state, &auth, &id, Action::Probe).await
}

/// Limits in place of what the queue finds out; what is left out is left to it.
#[derive(Debug, Deserialize, ToSchema)]
struct SentLimits {
    /// Requests a second, from 0.01 to 1000.
    #[schema(minimum = 0.01, maximum = 1000)]
    rate_max: Option<f32>,
    /// Requests at once, from 1 to 256.
    #[schema(minimum = 1, maximum = 256)]
    cap_max: Option<u32>,
}

/// Limits what is sent there.
#[utoipa::path(put, path = "/api/waxwing/v1/deliveries/destinations/{id}/limits", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")), request_body = SentLimits,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = DeliveryActed)))]
async fn limits(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
    sent: Input<SentLimits>,
) -> Result<Json<DeliveryActed>, Problem> {
    let outside = |name: &str, least: f32, most: f32| {
        Problem::invalid(format!("Validation failed: `{name}` is not from {least} to {most}"))
    };
    if sent.rate_max.is_some_and(|rate| !(RATE_LIMITS.0..=RATE_LIMITS.1).contains(&rate)) {
        return Err(outside("rate_max", RATE_LIMITS.0, RATE_LIMITS.1));
    }
    if sent.cap_max.is_some_and(|cap| !(CAP_LIMITS.0..=CAP_LIMITS.1).contains(&cap)) {
        return Err(outside("cap_max", CAP_LIMITS.0 as f32, CAP_LIMITS.1 as f32));
    }
    act(&state, &auth, &id, Action::Limit { rate_max: sent.rate_max, cap_max: sent.cap_max }).await
}

/// Which jobs; all that is given must hold.
#[derive(Debug, Deserialize, ToSchema)]
struct PurgeAsked {
    /// By this account; `0` is the server itself.
    sender: Option<String>,
    /// Of this kind of work, such as `deliver`.
    kind: Option<String>,
    /// Written before.
    #[schema(format = DateTime)]
    before: Option<String>,
}

/// Throws away jobs that wait. What is being sent this moment is sent.
#[utoipa::path(post, path = "/api/waxwing/v1/deliveries/destinations/{id}/purge", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")), request_body = PurgeAsked,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = DeliveryActed)))]
async fn purge(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
    asked: Input<PurgeAsked>,
) -> Result<Json<DeliveryActed>, Problem> {
    let kind = asked.kind.as_deref().filter(|kind| !kind.is_empty()).map(|kind| {
        JobKind::from_name(kind)
            .ok_or_else(|| Problem::invalid("Validation failed: `kind` is no kind of work"))
    });
    // Not a `GivenId`: what cannot be read would be `0`, and the server's own
    // work would be thrown away.
    let sender = asked.sender.as_deref().map(|sender| {
        sender.trim().parse().map_err(|_| Problem::invalid("Validation failed: `sender` is no account's id"))
    });
    let chosen = Selection {
        destination: None,
        sender: sender.transpose()?,
        kind: kind.transpose()?,
        before: time("before", asked.before.as_deref())?,
    };
    act(&state, &auth, &id, Action::Purge(chosen)).await
}

/// Which dead letters; all that is given must hold.
#[derive(Debug, Deserialize, ToSchema)]
struct ReplayAsked {
    /// Of this act.
    #[schema(value_type = Option<String>)]
    act: Option<GivenId>,
    /// Given up for this reason.
    reason: Option<String>,
    /// Given up at this time or later.
    #[schema(format = DateTime)]
    from: Option<String>,
    /// Given up before.
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// Tries dead letters again, as if they were written now.
#[utoipa::path(post, path = "/api/waxwing/v1/deliveries/destinations/{id}/replay", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")), request_body = ReplayAsked,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = DeliveryActed)))]
async fn replay(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
    asked: Input<ReplayAsked>,
) -> Result<Json<DeliveryActed>, Problem> {
    let chosen = Letters {
        destination: None,
        act: asked.act.map(|act| act.0),
        reason: reason(asked.reason.as_deref())?,
        from: time("from", asked.from.as_deref())?,
        until: time("until", asked.until.as_deref())?,
    };
    act(&state, &auth, &id, Action::Replay(chosen)).await
}
