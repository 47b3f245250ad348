//! Who is waited for: a client whose body still comes, or this server. What a
//! slow telephone takes is no load, and no lateness of ours.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};

/// Says whether somebody wants more of a request's body than has come.
#[derive(Clone, Default)]
pub(super) struct Awaited(Arc<AtomicBool>);

impl Awaited {
    /// Watches the request's body, unless it has none or is watched already.
    pub(super) fn of(request: Request) -> (Request, Awaited) {
        if let Some(known) = request.extensions().get::<Awaited>() {
            let known = known.clone();
            return (request, known);
        }
        let awaited = Awaited::default();
        if request.body().is_end_stream() {
            return (request, awaited);
        }
        let is_awaited = awaited.0.clone();
        let mut request = request.map(|body| Body::new(Watched { body, is_awaited }));
        request.extensions_mut().insert(awaited.clone());
        (request, awaited)
    }

    /// Whether it is the client that is waited for.
    pub(super) fn is_client(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// A body that notes whether it is waited for.
struct Watched {
    body: Body,
    is_awaited: Arc<AtomicBool>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Nobody wants more of it.
        self.is_awaited.store(false, Relaxed);
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.is_awaited.store(frame.is_pending(), Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
