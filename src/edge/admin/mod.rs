//! The loopback listener for whoever runs the machine: `/healthz` and
//! `/metrics`. Not reachable from outside.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::{AppState, roster};
use crate::base::Problem;
use crate::store::StoreError;

/// Gives the process's metrics in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// The admin listener's routes.
pub fn router(state: AppState, metrics: RenderMetrics) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route(
            "/metrics",
            get(move |State(state): State<AppState>| async move { scraped(&state, metrics()).await }),
        )
        .with_state(state)
}

/// `ok` when the store takes reads.
pub(super) async fn healthz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    state.store.read(|_| Ok::<_, StoreError>(())).await?;
    Ok("ok\n")
}

/// The process's metrics, and those of the queue's destinations and the nodes.
async fn scraped(state: &AppState, mut metrics: String) -> Result<Response, Problem> {
    metrics.push_str(&state.desk().exposition().await?);
    metrics.push_str(&roster::exposition(state));
    Ok(text(metrics).into_response())
}

fn text(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body)
}
