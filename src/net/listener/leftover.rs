//! Bodies that the handler did not read.
//!
//! Libraries send forms where nothing is asked for, such as `lang=en` with a
//! DELETE. HTTP/1.1 can only go on after the last byte of a request; with an
//! answer that is ahead of the body the connection would be closed, and the
//! client's next request lost with it. So a short rest is read first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Version, header::EXPECT};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use tokio::time::timeout;

/// Bytes that are read of what nobody wanted. More than that costs the
/// connection instead.
pub const LEFTOVER_MAX: u64 = 64 * 1024;
/// How long an answer waits for them.
const LEFTOVER_WAIT: Duration = Duration::from_secs(1);

/// Where a body comes back to that was not read to its end.
#[derive(Default)]
pub(super) struct Leftover(Arc<Mutex<Option<Incoming>>>);

impl Leftover {
    /// The request with a body that may come back. HTTP/2 has no such worry,
    /// and whoever waits for our word before they send gets it by the answer.
    pub(super) fn watch(&self, request: http::Request<Incoming>) -> http::Request<Body> {
        let (head, body) = request.into_parts();
        let is_awaited = head.version < Version::HTTP_2 && is_sent_anyway(&head.headers);
        let body = if is_awaited && !body.is_end_stream() {
            Body::new(Lent { body: Some(body), back: self.0.clone() })
        } else {
            Body::new(body)
        };
        http::Request::from_parts(head, body)
    }

    /// Reads what came back, if it is short and comes soon; `false` if the
    /// connection is of no use after the answer.
    pub(super) async fn drain(self) -> bool {
        let Some(mut body) = self.0.lock().take() else { return true };
        if body.size_hint().lower() > LEFTOVER_MAX {
            return false;
        }
        let mut read = 0;
        let rest = async {
            while read <= LEFTOVER_MAX {
                let Some(Ok(frame)) = body.frame().await else { return true };
                read += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            false
        };
        // Who is too slow loses the connection.
        timeout(LEFTOVER_WAIT, rest).await.unwrap_or(false)
    }
}

fn is_sent_anyway(headers: &HeaderMap) -> bool {
    !headers.contains_key(EXPECT)
}

/// A body in the hands of a handler.
struct Lent {
    body: Option<Incoming>,
    back: Arc<Mutex<Option<Incoming>>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take()
            && !body.is_end_stream()
        {
            *self.back.lock() = Some(body);
        }
    }
}

impl hyper::body::Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(hyper::body::Body::size_hint).unwrap_or_default()
    }
}
