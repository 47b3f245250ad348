//! How far timelines were read (docs: methods/markers).

use std::collections::BTreeMap;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::params::Params;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::marker::{self, MarkerError, TIMELINES};
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Marker;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/v1/markers", get(read).post(write))
}

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

async fn read(State(state): State<AppState>, auth: Auth, params: Params) -> Result<Json<Markers>, Problem> {
    let me = auth.me("read:statuses")?.id;
    let asked = params.list_or_one("timeline");
    let asked: Vec<&'static str> =
        TIMELINES.into_iter().filter(|name| asked.iter().any(|a| a == name)).collect();
    let found = state.store.read(move |tx| marker::get(tx, me, &asked)).await?;
    Ok(Json(found.iter().map(|(name, marker)| (*name, marker.into())).collect()))
}

async fn write(State(state): State<AppState>, auth: Auth, params: Params) -> Result<Json<Markers>, Problem> {
    let me = auth.me("write:statuses")?.id;
    let set = |name: &'static str| {
        let id = params.child(name)?.filled("last_read_id")?;
        Some((name, id))
    };
    let mut markers: Vec<(&'static str, Id)> = Vec::new();
    for (name, id) in TIMELINES.into_iter().filter_map(set) {
        let id = id.parse().map_err(|_| Problem::invalid("`last_read_id` is not an id"))?;
        markers.push((name, id));
    }
    let now = state.now();
    let set = state.store.write(move |tx| marker::set(tx, now, me, &markers)).await?;
    Ok(Json(set.iter().map(|(name, marker)| (*name, marker.into())).collect()))
}
