//! Requests in, answers out: the Mastodon API, federation, pages, and the
//! admin listener. Translates; every rule is in `domain`. Must not know
//! which storage engine is in use.

pub mod admin;
mod api;
mod auth;
mod awaited;
mod compose;
mod cors;
mod deadline;
pub mod deliveries;
pub mod federation;
mod find;
pub mod front;
mod gates;
mod load;
pub mod media;
pub mod nodes;
mod problem;
mod profile;
mod rate_limit;
mod request_id;
pub mod roster;
pub mod sandbox;
pub mod scheduled;
pub mod signups;
mod state;
mod trends;
mod uploads;
pub mod web;
pub mod webhooks;
mod well_known;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::set_header::SetResponseHeaderLayer;

pub use request_id::RequestId;
pub use state::{AppState, Parts};

use crate::base::limits::{BODY_MAX_BYTES, FILM_MAX_BYTES, IMAGE_MAX_BYTES};
use crate::config::Tls;

/// Bytes of a form around the pictures it carries.
const FORM_MAX_BYTES: usize = 64 * 1024;
/// Largest form of a profile: an avatar and a header.
pub(crate) const UPLOAD_MAX_BYTES: usize = 2 * IMAGE_MAX_BYTES + FORM_MAX_BYTES;
/// Largest form of a film or sound with a picture to show in its place, and
/// the largest body of any request.
pub(crate) const MEDIA_MAX_BYTES: usize = FILM_MAX_BYTES + IMAGE_MAX_BYTES + FORM_MAX_BYTES;
/// For answers that bring no policy of their own: nothing may be loaded.
const NOTHING_LOADS: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// One year, as browsers' preload lists ask for at least.
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Everything that is served on the site's address.
pub fn router(state: &AppState) -> Router {
    let routes = Router::new()
        .merge(api::routes(state))
        .merge(federation::routes())
        .merge(media::routes())
        .merge(web::routes())
        .merge(sandbox::routes(state))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(state.clone());
    let answered = routes
        .layer(from_fn_with_state(state.clone(), federation::negotiate))
        .layer(from_fn_with_state(state.clone(), rate_limit::count))
        .layer(from_fn_with_state(state.clone(), auth::bars::refuse))
        .layer(from_fn(deadline::keep))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(RequestBodyLimitLayer::new(MEDIA_MAX_BYTES));
    let worded = worded(state, answered).layer(from_fn_with_state(state.load().clone(), load::tell));
    // Clients ask for paths with and without a slash at the end. The layer has
    // to see the request before routing does.
    let secured = secured(state, worded);
    Router::new().fallback_service(NormalizePathLayer::trim_trailing_slash().layer(secured))
}

/// Answers that come from no node, in the same dress as all others.
pub(crate) fn dressed(state: &AppState, routes: Router) -> Router {
    secured(state, worded(state, routes))
}

/// Names requests, and says what went wrong in the form the asker likes.
fn worded(state: &AppState, routes: Router) -> Router {
    routes
        .layer(from_fn_with_state(state.clone(), problem::render))
        .layer(from_fn(cors::allow))
        .layer(from_fn(keep_private))
        .layer(from_fn_with_state(state.clone(), request_id::name))
}

/// What browsers may make of an answer.
fn secured(state: &AppState, routes: Router) -> Router {
    let answered = routes
        .layer(CompressionLayer::new().compress_when(is_worth_compressing()))
        .layer(header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .layer(header(REFERRER_POLICY, HeaderValue::from_static("same-origin")))
        .layer(header(CONTENT_SECURITY_POLICY, NOTHING_LOADS));
    if matches!(state.config.tls, Tls::Acme(_)) {
        answered.layer(header(STRICT_TRANSPORT_SECURITY, ONE_YEAR))
    } else {
        answered
    }
}

/// Text; pictures, films and sounds are compressed already.
fn is_worth_compressing() -> impl Predicate {
    let is_film = NotForContentType::const_new("video/");
    DefaultPredicate::new().and(is_film).and(NotForContentType::const_new("audio/"))
}

/// Middleware: what the API answers is for whoever asks, and nobody on the way
/// keeps it, unless its handler says so.
async fn keep_private(request: Request, next: Next) -> Response {
    let is_api = problem::is_api(request.uri().path());
    let mut response = next.run(request).await;
    if is_api {
        let own = HeaderValue::from_static("private, no-store");
        response.headers_mut().entry(CACHE_CONTROL).or_insert(own);
    }
    response
}

fn header(name: HeaderName, value: HeaderValue) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, value)
}
