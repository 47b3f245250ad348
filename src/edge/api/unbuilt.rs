//! What clients ask for at start-up and this server does not have: the honest
//! answer is an empty list. A 404 makes several of them show an error.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;

/// Empty for everybody.
const PUBLIC: [&str; 9] = [
    "/api/v1/custom_emojis",
    "/api/v1/trends",
    "/api/v1/trends/links",
    "/api/v1/trends/statuses",
    "/api/v1/trends/tags",
    "/api/v1/directory",
    "/api/v1/accounts/{id}/featured_tags",
    "/api/v1/accounts/{id}/endorsements",
    "/api/v1/accounts/{id}/identity_proofs",
];

/// Empty for people, with the scope it takes.
const PERSONAL: [(&str, &str); 14] = [
    ("/api/v1/announcements", "read:accounts"),
    ("/api/v1/lists", "read:lists"),
    ("/api/v1/accounts/{id}/lists", "read:lists"),
    ("/api/v1/suggestions", "read:accounts"),
    ("/api/v2/suggestions", "read:accounts"),
    ("/api/v1/endorsements", "read:accounts"),
    ("/api/v1/featured_tags", "read:accounts"),
    ("/api/v1/featured_tags/suggestions", "read:accounts"),
    ("/api/v1/followed_tags", "read:follows"),
    ("/api/v1/domain_blocks", "read:blocks"),
    ("/api/v1/conversations", "read:statuses"),
    ("/api/v1/scheduled_statuses", "read:statuses"),
    ("/api/v1/tags/suggestions", "read:follows"),
    ("/api/v1/notifications/requests", "read:notifications"),
];

pub(super) fn routes() -> Router<AppState> {
    let router = PUBLIC.into_iter().fold(Router::new(), |router, path| router.route(path, get(nothing)));
    let router = PERSONAL.into_iter().fold(router, |router, (path, scope)| {
        router.route(path, get(async move |auth: Auth| nothing_for(&auth, scope)))
    });
    router
        .route("/api/v1/annual_reports", get(annual_reports))
        .route("/api/v1/instance/translation_languages", get(async || Json(json!({}))))
}

async fn nothing() -> Json<[Value; 0]> {
    Json([])
}

fn nothing_for(auth: &Auth, scope: &'static str) -> Result<Json<[Value; 0]>, Problem> {
    auth.me(scope)?;
    Ok(Json([]))
}

async fn annual_reports(auth: Auth) -> Result<Json<Value>, Problem> {
    auth.me("read:accounts")?;
    Ok(Json(json!({ "annual_reports": [], "accounts": [], "statuses": [] })))
}
