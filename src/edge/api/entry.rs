//! Who may ask goes before what is asked: a request without a token that an
//! operation needs is told so, also where what it sent cannot be understood.
//! Otherwise a stranger would learn how forms are made that are not theirs,
//! and a client whose login ended would look for a mistake in its request.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::OpenApi;

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;

/// The scopes of which each operation needs one, by path; operations that
/// anybody may ask for are not in it.
pub(super) type Needed = HashMap<String, HashMap<Method, Vec<String>>>;

/// Reads what the description says of itself.
pub(super) fn needed(api: &OpenApi) -> Needed {
    let document = serde_json::to_value(api).unwrap_or_default();
    let mut needed = Needed::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let ways = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
            let is_open = ways.is_empty() || ways.iter().any(|way| way.get("oauth").is_none());
            if let (false, Ok(method)) = (is_open, method.to_uppercase().parse()) {
                let scopes = ways.iter().filter_map(|way| way["oauth"].as_array()).flatten();
                let scopes = scopes.filter_map(|scope| Some(scope.as_str()?.to_owned())).collect();
                needed.entry(path.clone()).or_default().insert(method, scopes);
            }
        }
    }
    needed
}

/// Middleware: an answer that finds fault with what was sent goes only to
/// those who may send it.
pub(super) async fn first(
    State((state, needed)): State<(AppState, Arc<Needed>)>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let operations = path.and_then(|path| needed.get(path.as_str()));
    let Some(scopes) = operations.and_then(|all| all.get(request.method())) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    // Known already, from where requests are counted.
    let auth = Auth::from_request_parts(&mut parts, &state).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let finds_fault = matches!(
        response.status(),
        StatusCode::BAD_REQUEST
            | StatusCode::UNPROCESSABLE_ENTITY
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::PAYLOAD_TOO_LARGE
    );
    if !finds_fault {
        return response;
    }
    match auth.and_then(|auth| admitted(&auth, scopes)) {
        Ok(()) => response,
        Err(problem) => problem.into_response(),
    }
}

fn admitted(auth: &Auth, scopes: &[String]) -> Result<(), Problem> {
    auth.bearer()?;
    match scopes.iter().map(|scope| auth.allowed(scope).map(drop)).reduce(Result::or) {
        Some(admitted) => admitted,
        None => Ok(()),
    }
}
