//! How often the API may be asked: by person, by token, and by address where
//! no person asks. The answer tells how the closest limit stands, in
//! Mastodon's headers (docs: api/rate-limits); a request too many is refused
//! before anything is done for it.
//!
//! Finds out whose token it is, once; handlers are given that.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;

use super::AppState;
use super::auth::{Auth, ClientIp, seconds};
use super::problem::is_api;
use crate::base::{Id, Limited, Problem, ProblemKind, RateLimits};
use crate::domain::throttle::{Limiter, Source, Standing};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Requests to the API, counted. Each remembers a bounded number of keys.
pub(crate) struct Counters {
    user: Mutex<Limiter<Id>>,
    token: Mutex<Limiter<Id>>,
    address: Mutex<Limiter<Source>>,
    media: Mutex<Limiter<Id>>,
    removal: Mutex<Limiter<Id>>,
}

impl Counters {
    /// Nothing was asked yet.
    pub(crate) fn new(limits: &RateLimits) -> Counters {
        let by_id = |limited| Mutex::new(Limiter::new(limits.of(limited)));
        Counters {
            user: by_id(Limited::User),
            token: by_id(Limited::Token),
            address: Mutex::new(Limiter::new(limits.of(Limited::Address))),
            media: by_id(Limited::Media),
            removal: by_id(Limited::Removal),
        }
    }

    /// Its limiters, for what other nodes tell.
    pub(super) fn by_id(&self) -> [&Mutex<Limiter<Id>>; 4] {
        [&self.user, &self.token, &self.media, &self.removal]
    }

    /// The one by address.
    pub(super) fn by_address(&self) -> &Mutex<Limiter<Source>> {
        &self.address
    }

    /// Counts a request; gives the limit that is nearest to its end. What
    /// one limit refuses does not count for the others, so that an app that
    /// runs wild leaves its person's other apps alone.
    fn count(&self, now: Duration, asks: &Asks, source: Source) -> Option<Standing> {
        let special = match asks.special {
            Some(Limited::Media) => Some(&self.media),
            Some(Limited::Removal) => Some(&self.removal),
            _ => None,
        };
        let limiters =
            [(special, asks.person), (Some(&self.token), asks.token), (Some(&self.user), asks.person)];
        let limiters: Vec<_> = limiters.into_iter().filter_map(|(limiter, id)| limiter.zip(id)).collect();
        let mut nearest = None;
        for (done, (limiter, id)) in limiters.iter().enumerate() {
            let standing = limiter.lock().count(now, *id);
            if is_refused(standing) {
                take_back(&limiters[..done]);
                return standing;
            }
            nearest = nearer(nearest, standing);
        }
        if asks.person.is_some() {
            return nearest;
        }
        let standing = self.address.lock().count(now, source);
        if is_refused(standing) {
            take_back(&limiters);
            return standing;
        }
        nearer(nearest, standing)
    }
}

fn is_refused(standing: Option<Standing>) -> bool {
    standing.is_some_and(|standing| standing.wait.is_some())
}

fn nearer(a: Option<Standing>, b: Option<Standing>) -> Option<Standing> {
    a.into_iter().chain(b).min_by_key(|standing| standing.remaining)
}

fn take_back(counted: &[(&Mutex<Limiter<Id>>, Id)]) {
    counted.iter().for_each(|(limiter, id)| limiter.lock().refund(id));
}

/// Who asks for what, as far as it is counted.
struct Asks {
    person: Option<Id>,
    token: Option<Id>,
    special: Option<Limited>,
}

/// Whether a request is limited more than others.
fn special(method: &Method, path: &str) -> Option<Limited> {
    let rest = path.strip_prefix("/api/v1/statuses/");
    match *method {
        Method::POST if matches!(path, "/api/v1/media" | "/api/v2/media") => Some(Limited::Media),
        Method::DELETE if rest.is_some_and(|rest| !rest.contains('/')) => Some(Limited::Removal),
        Method::POST if rest.is_some_and(|rest| rest.ends_with("/unreblog")) => Some(Limited::Removal),
        _ => None,
    }
}

/// Middleware: counts requests to the API, refuses one too many, and tells
/// how the limit stands.
pub(crate) async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !is_api(request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let Ok(ip) = ClientIp::from_request_parts(&mut parts, &state).await;
    let auth = match Auth::from_request_parts(&mut parts, &state).await {
        Ok(auth) => auth,
        Err(problem) => return problem.into_response(),
    };
    let special = special(&parts.method, parts.uri.path());
    let bearer = auth.bearer().ok();
    let token = bearer.map(|bearer| bearer.token.id);
    let asks = Asks { person: bearer.and_then(|bearer| bearer.token.account), token, special };
    parts.extensions.insert(auth);
    let standing = state.gates().requests.count(state.clock.monotonic(), &asks, ip.source());
    let mut response = match standing.and_then(|standing| standing.wait) {
        Some(wait) => {
            Problem::new(ProblemKind::TooMany, "Too many requests").retry_after(seconds(wait)).into_response()
        }
        None => next.run(Request::from_parts(parts, body)).await,
    };
    if let Some(standing) = standing {
        tell(&state, standing, &mut response);
    }
    response
}

/// Writes the headers. A refusal, also one by another limit further in, says
/// when to come back; any other answer says when the allowance is whole.
fn tell(state: &AppState, standing: Standing, response: &mut Response) {
    let refused = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let inner = response.extensions().get::<Arc<Problem>>().and_then(|problem| problem.retry_after_s);
    let wait = standing.wait.or(inner.map(|wait_s| Duration::from_secs(wait_s.into())));
    let remaining = if refused { 0 } else { standing.remaining };
    let reset = state.now().plus(wait.filter(|_| refused).unwrap_or(standing.whole_in));
    let headers = response.headers_mut();
    headers.insert(LIMIT, standing.limit.into());
    headers.insert(REMAINING, remaining.into());
    if let Ok(reset) = HeaderValue::from_str(&reset.rfc3339_micros()) {
        headers.insert(RESET, reset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_and_removals_are_known() {
        let cases = [
            (Method::POST, "/api/v1/media", Some(Limited::Media)),
            (Method::POST, "/api/v2/media", Some(Limited::Media)),
            (Method::GET, "/api/v1/media/1", None),
            (Method::DELETE, "/api/v1/statuses/1", Some(Limited::Removal)),
            (Method::POST, "/api/v1/statuses/1/unreblog", Some(Limited::Removal)),
            (Method::POST, "/api/v1/statuses/1/reblog", None),
            (Method::DELETE, "/api/v1/lists/1", None),
        ];
        for (method, path, expected) in cases {
            assert_eq!(special(&method, path), expected, "{method} {path}");
        }
    }
}
