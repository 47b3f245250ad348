//! What the other nodes reach, and this one through a pipe: the site without
//! the door, so that a request that was passed on is answered here. What the
//! node that passed it on says of the client is believed: nobody else gets
//! this far ([`NodeTls`](crate::net::tls::NodeTls)).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::io::{DuplexStream, duplex};

use super::Front;
use crate::edge::AppState;
use crate::edge::admin::healthz;
use crate::net::listener::serve_pipe;

/// What a node asks one that it sends nothing.
pub(super) const HEALTH_PATH: &str = "/healthz";
const FOR: &str = "x-forwarded-for";
const NAME: &str = "x-request-id";
/// What a proxy says of its client; all of it is for us and not for handlers.
const TOLD: [&str; 5] = [FOR, "x-forwarded-proto", "x-forwarded-host", "forwarded", NAME];
/// Bytes under way in each direction of a pipe.
const PIPE_BYTES: usize = 64 * 1024;

/// The name that the node at whose door it came gave a request.
#[derive(Debug, Clone)]
pub(in crate::edge) struct Named(pub(in crate::edge) Arc<str>);

/// Names a request for the node that answers it, whatever its client says.
pub(super) fn with_name(headers: &mut HeaderMap, chance: u64) -> Named {
    let name = format!("{chance:016x}");
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(HeaderName::from_static(NAME), name);
    }
    Named(name.into())
}

/// What the node port serves.
pub fn port(state: &AppState, site: Router) -> Router {
    site.layer(from_fn_with_state(state.clone(), believe))
}

/// Middleware: the client is who the other node says it is.
async fn believe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let headers = request.headers_mut();
    let client = headers.get(FOR).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let name = headers.get(NAME).and_then(|value| value.to_str().ok()).map(|name| Named(name.into()));
    TOLD.iter().for_each(|told| drop(headers.remove(*told)));
    let Some(client): Option<IpAddr> = client else {
        // It asks for itself.
        return match request.uri().path() {
            HEALTH_PATH => healthz(State(state)).await.into_response(),
            _ => axum::http::StatusCode::NOT_FOUND.into_response(),
        };
    };
    metrics::counter!("waxwing_node_requests_total").increment(1);
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(SocketAddr::new(client, 0)));
    name.and_then(|name| extensions.insert(name));
    next.run(request).await
}

impl Front {
    /// Makes ways to this node itself.
    pub(super) fn opener(&self) -> Arc<dyn Fn() -> DuplexStream + Send + Sync> {
        let site = self.site.clone();
        Arc::new(move || {
            let (near, far) = duplex(PIPE_BYTES);
            // Without the site, whoever asks finds the pipe closed.
            if let Some(site) = site.read().clone() {
                tokio::spawn(serve_pipe(far, site));
            }
            near
        })
    }

    /// Answers nothing here any more, and lets go of the site.
    pub(super) fn close(&self) {
        *self.site.write() = None;
    }
}
