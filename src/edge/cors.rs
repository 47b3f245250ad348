//! Cross-origin use by web clients: allowed for everything that works with
//! tokens or without any login, and nowhere a cookie counts. Never with
//! credentials.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "Link, Mastodon-Async-Refresh, X-RateLimit-Reset, X-RateLimit-Limit, X-RateLimit-Remaining, X-Request-Id",
);
/// Seconds a browser may remember the permission; more is ignored by some.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const ANYBODY: HeaderValue = HeaderValue::from_static("*");

fn is_open(path: &str) -> bool {
    // Those of a sandbox exist nowhere else.
    const FOLDERS: [&str; 5] = ["/api/", "/.well-known/", "/nodeinfo/", "/media/", "/sandbox/"];
    FOLDERS.iter().any(|folder| path.starts_with(folder))
        || matches!(path, "/oauth/token" | "/oauth/revoke" | "/oauth/userinfo")
}

/// Middleware: answers preflights and marks answers that others may read.
pub(crate) async fn allow(request: Request, next: Next) -> Response {
    if !is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight {
        let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        response.headers_mut().insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        if let Some(wanted) = wanted {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
        response
    } else {
        next.run(request).await
    };
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANYBODY);
    response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    response
}
