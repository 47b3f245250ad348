//! The loopback listener for whoever runs the machine: `/healthz` and
//! `/metrics`. Not reachable from outside.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::AppState;
use crate::base::Problem;
use crate::store::StoreError;

/// Gives the metrics in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// The admin listener's routes.
pub fn router(state: AppState, metrics: RenderMetrics) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .with_state(state)
        .route("/metrics", get(move || async move { text(metrics()) }))
}

/// `ok` when the store takes reads.
async fn healthz(State(state): State<AppState>) -> Result<&'static str, Problem> {
    state.store.read(|_| Ok::<_, StoreError>(())).await?;
    Ok("ok\n")
}

fn text(body: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body)
}
