//! Server-sent events: one channel for each request.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, Interval, interval_at};

use super::session::{Said, Session};
use crate::net::hub::News;

/// How often a quiet stream shows that it lives; proxies and clients close
/// connections that are silent for long.
const THUMP_EVERY: Duration = Duration::from_secs(15);

/// The answer that goes on until the client leaves, the token is revoked, or
/// the server stops.
pub(super) fn answer(session: Session) -> Response {
    let mut response = Response::new(Body::from_stream(events(session)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    // Proxies that buffer would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn events(session: Session) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let thumps = interval_at(Instant::now() + THUMP_EVERY, THUMP_EVERY);
    let hello = stream::once(async { Ok(Bytes::from_static(b":)\n")) });
    hello.chain(stream::unfold((session, thumps), |(mut session, mut thumps)| async move {
        let bytes = next(&mut session, &mut thumps).await?;
        Some((Ok(bytes), (session, thumps)))
    }))
}

/// The next bytes to send; nothing at the end.
async fn next(session: &mut Session, thumps: &mut Interval) -> Option<Bytes> {
    loop {
        let news = tokio::select! {
            news = session.news.next() => news?,
            _ = thumps.tick() => return Some(Bytes::from_static(b":thump\n")),
        };
        if news == News::Missed {
            return None;
        }
        if let Some(said) = session.tidings(&news).await {
            return Some(written(&said));
        }
    }
}

/// JSON has no line breaks of its own, so one data line holds it.
fn written(said: &Said) -> Bytes {
    let payload = said.payload.as_deref().unwrap_or("null");
    Bytes::from(format!("event: {}\ndata: {payload}\n\n", said.event))
}
