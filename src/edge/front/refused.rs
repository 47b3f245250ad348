//! What a client is told where no node answers: in the form that it would get
//! every other problem in.

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, COOKIE, HeaderMap, ORIGIN};
use axum::http::request::Parts;
use axum::http::{Method, Uri};

use super::Named;
use crate::base::{Problem, ProblemKind};
use crate::edge::{AppState, dressed};
use crate::proxy::forward::Refusal;

/// Of a request, what says how its client likes problems. The rest of it goes
/// to another node.
pub(super) struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Asked {
    pub(super) fn of(parts: &Parts) -> Asked {
        let mut headers = HeaderMap::new();
        for name in [ACCEPT, ACCEPT_ENCODING, COOKIE, ORIGIN] {
            if let Some(value) = parts.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Asked { method: parts.method.clone(), uri: parts.uri.clone(), headers }
    }

    /// The request that [`router`] answers.
    pub(super) fn with(self, refusal: Refusal, name: Named) -> Request {
        let mut request = Request::new(Body::empty());
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) =
            (self.method, self.uri, self.headers);
        request.extensions_mut().insert(refusal);
        request.extensions_mut().insert(name);
        request
    }
}

/// Answers what was refused.
pub(super) fn router(state: &AppState) -> Router {
    dressed(state, Router::new().fallback(say))
}

async fn say(Extension(refusal): Extension<Refusal>) -> Problem {
    problem_of(refusal)
}

fn problem_of(refusal: Refusal) -> Problem {
    let problem = match refusal.status() {
        408 => Problem::new(ProblemKind::Timeout, "The request took too long to arrive"),
        413 => Problem::new(ProblemKind::TooLarge, "The request body is too large"),
        502 => Problem::new(
            ProblemKind::BadGateway,
            "The connection broke before there was an answer; see whether it was done before you try again",
        ),
        503 => Problem::new(ProblemKind::Unavailable, "The server is busy; try again in a second"),
        504 => Problem::new(
            ProblemKind::GatewayTimeout,
            "No answer came in time; see whether it was done before you try again",
        ),
        500.. => Problem::new(ProblemKind::Internal, "Something went wrong on our side"),
        _ => Problem::malformed("The request cannot be understood"),
    };
    let problem = problem.because(refusal.reason());
    match refusal.retry_after_s() {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_door_refuses_is_a_problem_of_the_same_status() {
        for (status, is_tried_again) in
            [(400, false), (408, false), (413, false), (502, true), (503, true), (504, true)]
        {
            let problem = problem_of(Refusal::new(status, "words of the proxy"));
            assert_eq!(problem.kind.status(), status);
            assert_eq!(problem.retry_after_s.is_some(), is_tried_again, "{status}");
            assert!(!problem.detail.contains("words of the proxy"), "{status}");
        }
        // What no client of ours sends has no words of its own.
        for (status, told) in [(431, 400), (501, 500), (505, 500)] {
            assert_eq!(problem_of(Refusal::new(status, "")).kind.status(), told);
        }
    }
}
