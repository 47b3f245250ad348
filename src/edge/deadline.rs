//! How long a request may take until its answer begins.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Longest time until an answer begins. Streams go on after that.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The same where files are uploaded: 40 MB take their time from a telephone.
/// What comes too slowly is ended before (`uploads`).
const UPLOAD_MAX: Duration = Duration::from_secs(600);

/// The same for a file that another server has to send first.
const FETCH_MAX: Duration = Duration::from_secs(120);

/// Middleware: ends what takes too long with 408.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let limit = limit(request.method(), request.uri().path());
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

fn limit(method: &Method, path: &str) -> Duration {
    let takes_files = matches!(path, "/api/v1/media" | "/api/v2/media" | "/compose");
    if method == Method::POST && takes_files {
        UPLOAD_MAX
    } else if path.starts_with("/media/proxy/") {
        FETCH_MAX
    } else {
        ANSWER_MAX
    }
}
