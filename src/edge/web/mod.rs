//! The pages. They work without JavaScript and are better with it.

use axum::Router;
use axum::response::{Html, IntoResponse, Response};

use super::AppState;
use crate::base::Problem;

/// Every page.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
}

/// What a person sees when something is wrong.
pub(super) fn error_page(_state: &AppState, problem: &Problem) -> Response {
    Html(format!("<!doctype html><title>{0}</title><h1>{0}</h1>", problem.kind.title())).into_response()
}
