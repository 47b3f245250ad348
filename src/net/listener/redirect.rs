//! What port 80 answers: the way to HTTPS, and HTTP-01 challenges.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::RwLock;

/// Challenges that may be open at once; a certificate has few names.
const CHALLENGES_MAX: usize = 64;

/// Open HTTP-01 challenges: token to key authorisation (RFC 8555 §8.3).
#[derive(Clone, Default)]
pub struct Challenges(Arc<RwLock<HashMap<String, String>>>);

impl Challenges {
    /// Answers for `token` from now on.
    pub fn insert(&self, token: String, key_authorization: String) {
        let mut open = self.0.write();
        if open.len() >= CHALLENGES_MAX {
            open.clear();
        }
        open.insert(token, key_authorization);
    }

    /// Forgets `token`.
    pub fn remove(&self, token: &str) {
        self.0.write().remove(token);
    }

    /// Forgets all tokens.
    pub(in crate::net) fn clear(&self) {
        self.0.write().clear();
    }

    /// What is answered for a token.
    pub(in crate::net) fn answer(&self, token: &str) -> Option<String> {
        self.0.read().get(token).cloned()
    }
}

/// Our name and the port HTTPS is served on.
#[derive(Debug, Clone)]
pub struct OwnName {
    /// Host, lower case, without port.
    pub host: String,
    /// HTTPS port.
    pub port: u16,
}

/// Redirects our own name to HTTPS, keeping method and path (308), and answers
/// open challenges. Another name gets 421: redirecting it would send people to
/// wherever a forged `Host` says.
pub fn redirect_router(own: OwnName, challenges: Challenges) -> Router {
    Router::new()
        .route("/.well-known/acme-challenge/{token}", get(challenge))
        .with_state(challenges)
        .fallback(move |request: Request| std::future::ready(redirect(&own, &request)))
}

async fn challenge(State(challenges): State<Challenges>, Path(token): Path<String>) -> Response {
    match challenges.answer(&token) {
        Some(answer) => ([(CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        None => (StatusCode::NOT_FOUND, "no such challenge\n").into_response(),
    }
}

fn redirect(own: &OwnName, request: &Request) -> Response {
    // RFC 9112 §3.2.2: the host of an absolute target beats the Host header.
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let Some(asked) = request.uri().host().or(header) else {
        return (StatusCode::BAD_REQUEST, "the request names no host\n").into_response();
    };
    if bare_host(asked) != own.host {
        return (StatusCode::MISDIRECTED_REQUEST, "this name is not served here\n").into_response();
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path } else { "/" };
    let port = if own.port == 443 { String::new() } else { format!(":{}", own.port) };
    match HeaderValue::from_str(&format!("https://{}{port}{path}", own.host)) {
        Ok(to) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, to)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// The host of `host:port` in lower case, without a dot at its end.
fn bare_host(text: &str) -> String {
    let without_port = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => text,
    };
    without_port.trim_end_matches('.').to_ascii_lowercase()
}
