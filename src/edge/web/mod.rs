//! The pages. They work without JavaScript and are better with it.
//!
//! A handler reads by the rules in `domain`, turns what they give into plain
//! views (`load`), and prints a template (`pages`). Buttons are forms; they
//! lead back to where their sender was (`go`).

pub mod api_docs;
pub mod assets;
mod authorize;
mod compose;
mod deliveries;
mod edit;
mod emoji;
mod events;
mod feed;
mod filters;
mod frame;
mod go;
mod hidden;
mod joining;
mod listing;
mod lists;
mod load;
mod mailed;
mod nodes;
mod notifications;
pub mod pages;
mod profile;
mod quotes;
mod record;
mod requests;
mod scheduled;
mod search;
mod security;
mod session;
mod settings;
mod site;
mod status;
mod timelines;
mod ui;
pub mod view;
mod webhooks;

pub(crate) use self::authorize::document as authorize_document;
pub(super) use self::frame::theme;

use askama::Template;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, VARY};
use axum::response::{IntoResponse, Response};
use tower_http::set_header::SetResponseHeaderLayer;

use self::frame::Visit;
use self::pages::ErrorPage;
use self::view::{Head, Shell, Theme};
use super::AppState;
use crate::base::Problem;
use crate::domain::census::Census;

/// What a page may load and where its forms may go: only this server, which
/// passes on what others show.
pub const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; media-src 'self'; connect-src 'self'; font-src 'self'; \
    manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page.
pub(super) fn routes() -> Router<AppState> {
    let pages = Router::new()
        .merge(timelines::routes())
        .merge(compose::routes())
        .merge(status::routes())
        .merge(quotes::routes())
        .merge(edit::routes())
        .merge(scheduled::routes())
        .merge(lists::routes())
        .merge(hidden::routes())
        .merge(requests::routes())
        .merge(filters::routes())
        .merge(profile::routes())
        .merge(notifications::routes())
        .merge(search::routes())
        .merge(session::routes())
        .merge(mailed::routes())
        .merge(settings::routes())
        .merge(security::routes())
        .merge(joining::routes())
        .merge(deliveries::routes())
        .merge(nodes::routes())
        .merge(webhooks::routes())
        .merge(record::routes())
        .merge(authorize::routes())
        .merge(events::routes())
        .merge(feed::routes())
        .merge(site::routes());
    dressed(pages)
}

/// Pages with the headers that every page has.
fn dressed(pages: Router<AppState>) -> Router<AppState> {
    let fallback =
        |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    pages
        .layer(fallback(CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        // Pages belong to their reader; the browser asks again each time.
        .layer(fallback(CACHE_CONTROL, "private, no-cache"))
        .layer(fallback(VARY, "Cookie, Accept"))
}

/// Prints a page; a notice that it showed is not shown again.
fn show(visit: &Visit, page: &impl Template) -> Result<Response, Problem> {
    let response = pages::render(page)?;
    if visit.has_notice() {
        return Ok((go::forget_notice(&visit.state.site), response).into_response());
    }
    Ok(response)
}

/// One segment of a path or value of a query.
fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An address in full, for previews elsewhere.
fn absolute(origin: &str, url: &str) -> String {
    if url.starts_with('/') { format!("{origin}{url}") } else { url.to_owned() }
}

/// What a person sees when something is wrong.
pub(super) fn error_page(state: &AppState, problem: &Problem, theme: Theme) -> Response {
    let shell = Shell {
        title: problem.kind.title().to_owned(),
        site: frame::site(state, Census::default()),
        viewer: None,
        here: "/".to_owned(),
        csrf: String::new(),
        theme,
        notice: None,
        head: Head { is_private: true, ..Head::default() },
    };
    let (status, detail) = (problem.kind.status(), problem.detail.clone());
    let page = ErrorPage { shell, status, detail, hint: problem.hint.clone() };
    let mut response = match pages::render(&page) {
        Ok(response) => response,
        Err(_) => problem.kind.title().into_response(),
    };
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    response
}
