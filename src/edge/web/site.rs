//! The small things at fixed addresses: what this server is, icons, the
//! manifest, rules for robots.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::frame::Visit;
use super::pages::{AboutPage, AboutText};
use super::{assets, show};
use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::api::paragraphs;
use crate::wire::text::escape;

/// A day: these change with the program only, but their names stay.
const FOR_A_DAY: (axum::http::HeaderName, &str) = (CACHE_CONTROL, "public, max-age=86400");

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/about", get(about))
        .route("/assets/{*name}", get(assets::serve))
        .route("/favicon.ico", get(async || icon("icon-180.png")))
        .route("/apple-touch-icon.png", get(async || icon("icon-180.png")))
        .route("/robots.txt", get(robots))
        .route("/manifest.webmanifest", get(manifest))
        .route("/opensearch.xml", get(opensearch))
}

async fn about(visit: Visit) -> Result<Response, Problem> {
    let mut shell = visit.shell("About", &visit.facts().await?);
    shell.head.is_private = false;
    shell.head.canonical = Some(format!("{}/about", visit.state.site.origin));
    let config = &visit.state.config;
    let (contact, rules) = (config.email.clone(), config.rules.clone());
    show(&visit, &AboutPage { shell, contact, rules, texts: texts(&visit.state) })
}

/// The longer texts of the place, as far as there are any.
fn texts(state: &AppState) -> Vec<AboutText> {
    let config = &state.config;
    let terms = config.terms_of_service.as_ref().map(|terms| &terms.text);
    let all = [
        ("more", "More about this place", config.extended_description.as_ref()),
        ("privacy-policy", "Privacy", config.privacy_policy.as_ref()),
        ("terms-of-service", "Terms of service", terms),
    ];
    let text = |(id, title, text): (&'static str, &'static str, Option<&String>)| {
        Some(AboutText { id, title, html: paragraphs(state, text?) })
    };
    all.into_iter().filter_map(text).collect()
}

fn icon(name: &str) -> Response {
    match assets::body(name) {
        Some((body, mime)) => ([(CONTENT_TYPE, mime), FOR_A_DAY], body).into_response(),
        None => Problem::not_found().into_response(),
    }
}

async fn robots() -> Response {
    let rules = "User-agent: *\nDisallow: /search\nDisallow: /settings\nDisallow: /compose\nDisallow: /oauth\nDisallow: /events\n";
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), FOR_A_DAY], rules).into_response()
}

async fn manifest(State(state): State<AppState>) -> Response {
    let icon = |name: &str, sizes: &str, kind: &str| json!({ "src": assets::url(name), "sizes": sizes, "type": kind });
    let manifest = json!({
        "name": state.config.title,
        "short_name": state.config.title,
        "description": state.config.description,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f5f0e8",
        "theme_color": "#f5f0e8",
        "icons": [
            icon("logo.svg", "any", "image/svg+xml"),
            icon("icon-180.png", "180x180", "image/png"),
            icon("icon-512.png", "512x512", "image/png"),
        ],
    });
    ([(CONTENT_TYPE, "application/manifest+json"), FOR_A_DAY], Json(manifest).into_response().into_body())
        .into_response()
}

async fn opensearch(State(state): State<AppState>) -> Response {
    let (title, origin) = (escape(&state.config.title), escape(&state.site.origin));
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/"><ShortName>{title}</ShortName><Description>{title}</Description><Url type="text/html" template="{origin}/search?q={{searchTerms}}"/></OpenSearchDescription>
"#
    );
    ([(CONTENT_TYPE, "application/opensearchdescription+xml"), FOR_A_DAY], body).into_response()
}
