//! The delivery queue, for those who run the server. Waxwing's own: Mastodon
//! has nothing like it in its API.

mod act;
mod letters;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{GivenId, Input};
use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::edge::deliveries::Office;
use crate::edge::deliveries::entities::{
    DeliveryDestination, DeliveryDestinationDetails, DeliveryExplanation, DeliveryHistory, DeliveryJob,
    DeliveryOverview,
};
use crate::model::Permission;
use crate::model::queue::{Breaker, Class, DestinationId, InboxId};
use crate::queue::{Ask, STEP, STEPS, Sort};

pub(super) const READ: &str = "admin:read";
pub(super) const WRITE: &str = "admin:write";
/// Rows of a page: default and most.
const ROWS: (usize, usize) = (50, 500);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(history))
        .routes(routes!(destinations))
        .routes(routes!(destination))
        .routes(routes!(jobs))
        .routes(routes!(explain))
        .merge(act::routes())
        .merge(letters::routes())
}

/// The number of a destination in a path.
pub(super) fn number(text: &str) -> Result<DestinationId, Problem> {
    text.parse().map(DestinationId).map_err(|_| Problem::not_found())
}

fn rows(asked: Option<u32>) -> usize {
    asked.map_or(ROWS.0, |asked| usize::try_from(asked).unwrap_or(ROWS.1).min(ROWS.1))
}

/// The queue as a whole: what waits for others, by urgency; counted a few
/// seconds ago at most, longer with a long queue.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries", tag = "Deliveries",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = DeliveryOverview)))]
async fn overview(State(state): State<AppState>, auth: Auth) -> Result<Json<DeliveryOverview>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    Ok(Json(Office::from(&state).overview().await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Steps {
    /// Seconds in each stretch, from 10, the default, to 3600.
    #[param(minimum = 10, maximum = 3600)]
    step: Option<u32>,
}

/// The last hour, or less right after a start.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/history", tag = "Deliveries", params(Steps),
    security(("oauth" = ["admin:read"])), responses((status = 200, body = DeliveryHistory)))]
async fn history(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<Steps>,
) -> Result<Json<DeliveryHistory>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let step_s = u64::from(asked.step.unwrap_or(10));
    let steps = usize::try_from(step_s / STEP.as_secs()).unwrap_or(STEPS).clamp(1, STEPS);
    Ok(Json(Office::from(&state).history(steps).await?))
}

/// What a list is ordered by; the most of it first.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryOrder {
    /// Jobs that wait.
    #[default]
    Backlog,
    /// Age of the oldest of them.
    Age,
    /// How unwell it is.
    State,
    /// Failures in a row.
    Failures,
    /// Dead letters.
    Dead,
    /// Its name, from a to z.
    Name,
}

/// A destination's state.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryState {
    Closed,
    Open,
    HalfOpen,
    Dormant,
    Dead,
}

/// A destination's sort.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DeliveryClass {
    Remote,
    Local,
    Ingress,
    Push,
    Webhook,
    Mail,
    Web,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    #[param(inline)]
    order: Option<DeliveryOrder>,
    /// Only those in this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Only those of this sort; without it, all but our own work.
    #[param(inline)]
    class: Option<DeliveryClass>,
    /// Only those that an admin holds.
    paused: Option<bool>,
    /// Only those with this in their name.
    q: Option<String>,
    /// Rows, 50 unless said, 500 at most.
    limit: Option<u32>,
    /// Rows to skip.
    offset: Option<u32>,
}

impl Which {
    fn ask(&self) -> Ask {
        Ask {
            sort: match self.order.unwrap_or_default() {
                DeliveryOrder::Backlog => Sort::Backlog,
                DeliveryOrder::Age => Sort::Age,
                DeliveryOrder::State => Sort::State,
                DeliveryOrder::Failures => Sort::Failures,
                DeliveryOrder::Dead => Sort::Dead,
                DeliveryOrder::Name => Sort::Name,
            },
            class: self.class.map(|class| match class {
                DeliveryClass::Remote => Class::Remote,
                DeliveryClass::Local => Class::Local,
                DeliveryClass::Ingress => Class::Ingress,
                DeliveryClass::Push => Class::Push,
                DeliveryClass::Webhook => Class::Webhook,
                DeliveryClass::Mail => Class::Mail,
                DeliveryClass::Web => Class::Web,
            }),
            state: self.state.map(|state| match state {
                DeliveryState::Closed => Breaker::Closed,
                DeliveryState::Open => Breaker::Open,
                DeliveryState::HalfOpen => Breaker::HalfOpen,
                DeliveryState::Dormant => Breaker::Dormant,
                DeliveryState::Dead => Breaker::Dead,
            }),
            only_stopped: self.paused.unwrap_or_default(),
            name: self.q.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_lowercase),
            offset: self.offset.map_or(0, |offset| offset as usize),
            limit: rows(self.limit),
        }
    }
}

/// Destinations of one page.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryDestinations {
    /// How many there are on all pages.
    total: u64,
    /// Those of this page.
    destinations: Vec<DeliveryDestination>,
}

/// Where deliveries go, with what waits there.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/destinations", tag = "Deliveries", params(Which),
    security(("oauth" = ["admin:read"])), responses((status = 200, body = DeliveryDestinations)))]
async fn destinations(
    State(state): State<AppState>,
    auth: Auth,
    asked: Input<Which>,
) -> Result<Json<DeliveryDestinations>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let listed = Office::from(&state).list(&asked.ask()).await?;
    Ok(Json(DeliveryDestinations { total: listed.total as u64, destinations: listed.destinations }))
}

/// One destination with what happened there lately.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/destinations/{id}", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number.")),
    security(("oauth" = ["admin:read"])), responses((status = 200, body = DeliveryDestinationDetails)))]
async fn destination(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
) -> Result<Json<DeliveryDestinationDetails>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let found = Office::from(&state).details(number(&id)?).await?;
    found.map(Json).ok_or_else(Problem::not_found)
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Rows {
    /// Ready jobs, and as many that wait for their retry: 50 unless said, 500 at most.
    limit: Option<u32>,
}

/// Jobs that wait for a destination: first those whose turn comes next, then
/// those that wait for their retry.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/destinations/{id}/jobs", tag = "Deliveries",
    params(("id" = String, Path, description = "Its number."), Rows),
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [DeliveryJob])))]
async fn jobs(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
    asked: Input<Rows>,
) -> Result<Json<Vec<DeliveryJob>>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    Ok(Json(Office::from(&state).jobs(number(&id)?, rows(asked.limit)).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WhichJob {
    /// The job's `act`.
    #[param(value_type = String)]
    act: GivenId,
    /// The job's `inbox`; without it, that of work that has none.
    inbox: Option<u32>,
}

/// Which rule keeps a job from starting.
#[utoipa::path(get, path = "/api/waxwing/v1/deliveries/destinations/{id}/explain", tag = "Deliveries",
    params(("id" = String, Path, description = "The number of the destination."), WhichJob),
    security(("oauth" = ["admin:read"])), responses((status = 200, body = DeliveryExplanation)))]
async fn explain(
    State(state): State<AppState>,
    Path(id): Path<String>,
    auth: Auth,
    asked: Input<WhichJob>,
) -> Result<Json<DeliveryExplanation>, Problem> {
    auth.staff(READ, Permission::ManageFederation)?;
    let inbox = asked.inbox.map_or(InboxId::NONE, InboxId);
    Ok(Json(Office::from(&state).explain(number(&id)?, asked.act.0, inbox).await?))
}
