//! One place that turns a [`Problem`] into an answer: JSON for the API,
//! problem documents for other programs, a page for people. Causes are
//! logged here, once, and never sent.

use std::any::Any;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::{error, warn};

use super::AppState;
use super::request_id::RequestId;
use super::web;
use super::web::view::Theme;
use crate::base::{Problem, ProblemKind};
use crate::store::StoreError;

/// How to log in to the API (RFC 6750 §3).
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"Waxwing\", error=\"invalid_token\"");
/// Seconds a client should wait when the writer lane is full.
const BUSY_RETRY_S: u32 = 1;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Busy | StoreError::Conflict => {
                Problem::new(ProblemKind::Unavailable, "The server is busy; try again in a second")
                    .retry_after(BUSY_RETRY_S)
                    .because(error)
            }
            StoreError::DiskFull(_)
            | StoreError::Engine(_)
            | StoreError::Database(_)
            | StoreError::Cancelled(_)
            | StoreError::Closed => Problem::new(
                ProblemKind::Unavailable,
                "The server cannot keep anything just now; try again later",
            )
            .retry_after(30)
            .because(error),
            other => Problem::internal(other),
        }
    }
}

/// The problem rides in the response's extensions until [`render`] knows who
/// asked and how they like it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = status_of(self.kind).into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

fn status_of(kind: ProblemKind) -> StatusCode {
    StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// What the answer to this request looks like when it is a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Mastodon's `{"error": …}`.
    Api,
    /// RFC 9457.
    Document,
    /// A page in these colours.
    Page(Theme),
}

/// Whether a path is one of the API, whose refusals are `{"error": …}`.
pub(crate) fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/userinfo")
}

fn form(path: &str, headers: &HeaderMap) -> Form {
    if is_api(path) {
        return Form::Api;
    }
    let accept = headers.get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") { Form::Page(web::theme(headers)) } else { Form::Document }
}

/// Middleware: renders every problem, and every bare error status that a
/// library answered with.
pub(crate) async fn render(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let form = form(request.uri().path(), request.headers());
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let response = next.run(request).await;
    let problem = response.extensions().get::<Arc<Problem>>().cloned().or_else(|| bare(&response));
    match problem {
        Some(problem) => {
            log(&problem, &id);
            answer(&state, &problem, form, response)
        }
        None => response,
    }
}

/// An error answer that no handler of ours wrote a body for: routing, body
/// limits and extractors answer so.
fn bare(response: &Response) -> Option<Arc<Problem>> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let plain =
        response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !plain {
        return None;
    }
    Some(Arc::new(match status {
        StatusCode::NOT_FOUND => Problem::new(ProblemKind::NotFound, "There is nothing at this address"),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new(ProblemKind::MethodNotAllowed, "This address does not take that method")
        }
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ProblemKind::TooLarge, "The request body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new(ProblemKind::UnsupportedMediaType, "This address does not take that content type")
        }
        StatusCode::REQUEST_TIMEOUT => Problem::new(ProblemKind::Timeout, "The request took too long"),
        StatusCode::UNPROCESSABLE_ENTITY => Problem::invalid("The request is not valid"),
        StatusCode::TOO_MANY_REQUESTS => Problem::new(ProblemKind::TooMany, "Too many requests"),
        StatusCode::SERVICE_UNAVAILABLE => Problem::new(ProblemKind::Unavailable, "Try again later"),
        status if status.is_server_error() => {
            Problem::new(ProblemKind::Internal, "Something went wrong on our side")
        }
        _ => Problem::malformed("The request cannot be understood"),
    }))
}

fn log(problem: &Problem, id: &RequestId) {
    let cause = problem.source.as_deref().map(ToString::to_string).unwrap_or_default();
    match problem.kind {
        ProblemKind::Internal => error!(request_id = %id, cause, "request failed: {}", problem.detail),
        ProblemKind::Unavailable => warn!(request_id = %id, cause, "request put off: {}", problem.detail),
        _ => {}
    }
}

fn answer(state: &AppState, problem: &Problem, form: Form, from: Response) -> Response {
    let status = status_of(problem.kind);
    let mut response = match form {
        Form::Api => Json(json!({ "error": problem.detail })).into_response(),
        Form::Document => document(problem),
        Form::Page(theme) => web::error_page(state, problem, theme),
    };
    *response.status_mut() = status;
    // Headers such as Allow and WWW-Authenticate stay; what described the old body goes.
    for (name, value) in from.headers() {
        if !matches!(name.as_str(), "content-type" | "content-length" | "content-security-policy") {
            response.headers_mut().append(name, value.clone());
        }
    }
    if form == Form::Api && problem.kind == ProblemKind::Unauthenticated {
        response.headers_mut().insert(WWW_AUTHENTICATE, BEARER);
    }
    if let Some(seconds) = problem.retry_after_s {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn document(problem: &Problem) -> Response {
    let mut body = json!({
        "title": problem.kind.title(),
        "status": problem.kind.status(),
        "detail": problem.detail,
    });
    if let Some(hint) = &problem.hint {
        body["hint"] = json!(hint);
    }
    let mut response = Json(body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// What a handler that panicked answers; the panic itself is in the log.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let message = cause
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a handler panicked".into());
    metrics::counter!("waxwing_handler_panics_total").increment(1);
    Problem::internal(message).into_response()
}
