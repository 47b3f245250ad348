//! What clients reach.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::Response;
use tower::ServiceExt;

use super::port::{port, with_name};
use super::refused;
use crate::config::Scheme;
use crate::edge::auth::ClientIp;
use crate::edge::web::assets;
use crate::edge::{AppState, roster};
use crate::net::listener::Keep;
use crate::proxy::forward::{Caller, forward};

#[derive(Clone)]
struct Door {
    state: AppState,
    site: Router,
    /// What is said where no node answers.
    refused: Router,
}

/// What the public listener serves: the site, by way of the balancer where
/// there may be other nodes.
pub fn door(state: &AppState, site: Router) -> Router {
    let Some(front) = state.front() else { return site };
    *front.site.write() = Some(port(state, site.clone()));
    let refused = refused::router(state);
    Router::new().fallback(pass).with_state(Door { state: state.clone(), site, refused })
}

async fn pass(State(door): State<Door>, request: Request) -> Response {
    let front = door.state.front().filter(|front| front.has_others());
    let Some(front) = front.filter(|_| !stays(request.uri().path())) else {
        return answer_here(door.site, request).await;
    };
    let (mut parts, body) = request.into_parts();
    let Ok(ip) = ClientIp::from_request_parts(&mut parts, &door.state).await;
    let is_https = door.state.config.public_url.scheme == Scheme::Https;
    // What the client says of others was weighed just now; only what came of
    // it goes on.
    let mut caller = Caller::new(ip.0, is_https, false);
    if let Some(keep) = parts.extensions.get::<Keep>() {
        caller = caller.holding(Arc::new(keep.clone()), keep.cutting());
    }
    let name = with_name(&mut parts.headers, door.state.chance.u64());
    let asked = refused::Asked::of(&parts);
    match forward(&front.worker, &caller, Request::from_parts(parts, body)).await {
        Ok(answer) => answer.map(Body::new),
        Err(refusal) => answer_here(door.refused, asked.with(refusal, name)).await,
    }
}

async fn answer_here(site: Router, request: Request) -> Response {
    let Ok(response) = site.oneshot(request).await;
    response
}

/// Live news. A stream lasts for hours: passed on, it would end with either of
/// two nodes, and the balancer would learn nothing from how long it took.
const STREAMS: [&str; 2] = ["/api/v1/streaming", "/events"];

/// What every node has in its program, where a way through the network would
/// only make it later; streams; and how this door sees the nodes, which
/// another does not know.
fn stays(path: &str) -> bool {
    let is_at =
        |place: &str| path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    [assets::PREFIX].into_iter().chain(STREAMS).chain(roster::PLACES).any(is_at)
}

#[cfg(test)]
mod tests {
    use super::stays;

    #[test]
    fn streams_and_assets_are_answered_here() {
        for path in ["/assets/app.js", "/api/v1/streaming", "/api/v1/streaming/user", "/events"] {
            assert!(stays(path), "{path}");
        }
        for path in ["/", "/eventsource", "/api/v1/timelines/home", "/api/v1/streamings", "/@ana"] {
            assert!(!stays(path), "{path}");
        }
    }
}
