//! How far timelines were read (docs: methods/markers).

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{GivenId, Input, one_or_more};
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::marker::{self, MarkerError, TIMELINES};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Marker;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read, write))
}

/// By timeline: `home`, `notifications`.
type Markers = BTreeMap<&'static str, Marker>;

impl From<MarkerError> for Problem {
    fn from(error: MarkerError) -> Problem {
        match error {
            MarkerError::Stale => {
                Problem::new(ProblemKind::Conflict, "Conflict during update, please try again")
            }
            MarkerError::Store(error) => error.into(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// `home`, `notifications` or both.
    #[serde(default, deserialize_with = "one_or_more")]
    #[param(rename = "timeline[]")]
    timeline: Vec<String>,
}

/// How far the person has read.
#[utoipa::path(get, path = "/api/v1/markers", tag = "Markers", params(Which),
    security(("oauth" = ["read:statuses"])), responses((status = 200, body = Markers)))]
async fn read(
    State(state): State<AppState>,
    auth: Auth,
    which: Input<Which>,
) -> Result<Json<Markers>, Problem> {
    let me = auth.me("read:statuses")?.id;
    let asked: Vec<&'static str> =
        TIMELINES.into_iter().filter(|name| which.timeline.iter().any(|asked| asked == name)).collect();
    let found = state.store.read(move |tx| marker::get(tx, me, &asked)).await?;
    Ok(Json(found.iter().map(|(name, marker)| (*name, marker.into())).collect()))
}

/// The last item that was read.
#[derive(Debug, Deserialize, ToSchema)]
struct Position {
    last_read_id: Option<GivenId>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct Positions {
    home: Option<Position>,
    notifications: Option<Position>,
}

/// Moves the markers forward.
#[utoipa::path(post, path = "/api/v1/markers", tag = "Markers", request_body = Positions,
    security(("oauth" = ["write:statuses"])), responses(
        (status = 200, body = Markers),
        (status = 409, description = "Somebody read further in the meantime.")))]
async fn write(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<Positions>,
) -> Result<Json<Markers>, Problem> {
    let me = auth.me("write:statuses")?.id;
    let position = |given: &Option<Position>| given.as_ref()?.last_read_id.map(|id| id.0);
    let [home, notifications] = TIMELINES;
    let given = [(home, position(&sent.home)), (notifications, position(&sent.notifications))];
    let markers: Vec<(&'static str, Id)> =
        given.into_iter().filter_map(|(name, id)| Some((name, id?))).collect();
    if markers.iter().any(|(_, id)| *id == Id::ZERO) {
        return Err(Problem::invalid("Validation failed: `last_read_id` is not an id"));
    }
    let now = state.now();
    let set = state.store.write(move |tx| marker::set(tx, now, me, &markers)).await?;
    Ok(Json(set.iter().map(|(name, marker)| (*name, marker.into())).collect()))
}
