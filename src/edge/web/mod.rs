//! The pages. They work without JavaScript and are better with it.

pub mod assets;
pub mod pages;
mod ui;
pub mod view;

use axum::Router;
use axum::response::{Html, IntoResponse, Response};

use super::AppState;
use crate::base::Problem;

/// What a page may load and where its forms may go: only this server, but
/// pictures, films and sounds of posts also from others over HTTPS.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' https: data:; media-src 'self' https:; connect-src 'self'; font-src 'self'; \
    manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
}

/// What a person sees when something is wrong.
pub(super) fn error_page(_state: &AppState, problem: &Problem) -> Response {
    Html(format!("<!doctype html><title>{0}</title><h1>{0}</h1>", problem.kind.title())).into_response()
}
