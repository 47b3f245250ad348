//! A name for each request, in the log and in the answer.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::AppState;
use super::front::Named;

/// Names one request; hexadecimal. Given where it comes in, on this node or the
/// one that passed it on; a client cannot choose it.
#[derive(Debug, Clone, Default)]
pub struct RequestId(Arc<str>);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Middleware: names the request, opens its log span, and tells the client.
pub(crate) async fn name(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let given = request.extensions().get::<Named>().map(|named| named.0.clone());
    let id = RequestId(given.unwrap_or_else(|| format!("{:016x}", state.chance.u64()).into()));
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", id = %id, method = %request.method());
    let mut response = next.run(request).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}
