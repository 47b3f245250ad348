//! How long a request may take until its answer begins.

use std::pin::pin;
use std::time::Duration;

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::awaited::Awaited;
use crate::base::{Problem, ProblemKind};

/// Longest time until an answer begins. Streams go on after that.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The same where files are uploaded: 40 MB take their time from a telephone.
/// What comes too slowly is ended before (`uploads`).
const UPLOAD_MAX: Duration = Duration::from_secs(600);

/// The same for a file that another server has to send first.
const FETCH_MAX: Duration = Duration::from_secs(120);
/// What a client is told to wait before it asks again, in seconds.
const RETRY_S: u32 = 5;

/// Middleware: ends what takes too long, with 408 if it is the client that has
/// not sent all of its request, and else with 503, which a balancer does not
/// take for a good answer.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let limit = limit(request.method(), request.uri().path());
    end_after(limit, request, next).await
}

async fn end_after(limit: Duration, request: Request, next: Next) -> Response {
    let (request, awaited) = Awaited::of(request);
    // Kept until it was asked who is late.
    let mut answering = pin!(next.run(request));
    match tokio::time::timeout(limit, answering.as_mut()).await {
        Ok(response) => response,
        Err(_) => late(awaited.is_client()).into_response(),
    }
}

fn late(is_clients: bool) -> Problem {
    if is_clients {
        return Problem::new(ProblemKind::Timeout, "The request took too long to arrive");
    }
    Problem::new(ProblemKind::Unavailable, "This took too long; try again later").retry_after(RETRY_S)
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

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::post;
    use futures_util::{StreamExt, stream};
    use tower::ServiceExt;

    use super::*;

    /// The status where nothing more happens than this, and whether it says
    /// when to come again.
    async fn status(body: Body, handler: fn(Bytes) -> bool) -> (StatusCode, bool) {
        let answer = async move |bytes: Bytes| {
            if handler(bytes) { "done".into_response() } else { std::future::pending().await }
        };
        let keep = from_fn(|request, next| end_after(Duration::from_millis(200), request, next));
        let router = Router::new().route("/", post(answer)).layer(keep);
        let response = router.oneshot(Request::post("/").body(body).unwrap()).await.unwrap();
        let problem = response.extensions().get::<std::sync::Arc<Problem>>();
        let says = problem.is_some_and(|problem| problem.retry_after_s.is_some());
        (response.status(), says)
    }

    #[tokio::test]
    async fn who_is_late_is_told_so() {
        let piece = || stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"piece"))]);
        let half = || Body::from_stream(piece().chain(stream::pending()));
        let whole = || Body::from_stream(piece());
        assert_eq!(status(whole(), |_| true).await, (StatusCode::OK, false));
        assert_eq!(status(half(), |_| true).await, (StatusCode::REQUEST_TIMEOUT, false), "the client is");
        assert_eq!(status(whole(), |_| false).await, (StatusCode::SERVICE_UNAVAILABLE, true), "we are");
        assert_eq!(status(Body::empty(), |_| false).await, (StatusCode::SERVICE_UNAVAILABLE, true));
    }
}
