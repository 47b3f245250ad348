//! Accounts (docs: methods/accounts, methods/profile).

mod act;
mod credentials;
mod look;
mod register;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post};

use crate::edge::{AppState, UPLOAD_MAX_BYTES};

pub(super) fn routes() -> Router<AppState> {
    let update =
        patch(credentials::update).put(credentials::update).layer(DefaultBodyLimit::max(UPLOAD_MAX_BYTES));
    let profile = get(credentials::profile)
        .patch(credentials::update)
        .put(credentials::update)
        .layer(DefaultBodyLimit::max(UPLOAD_MAX_BYTES));
    Router::new()
        .route("/api/v1/accounts", get(look::several).post(register::register))
        .route("/api/v1/accounts/verify_credentials", get(credentials::verify))
        .route("/api/v1/accounts/update_credentials", update)
        .route("/api/v1/profile", profile)
        .route("/api/v1/profile/avatar", delete(credentials::remove_avatar))
        .route("/api/v1/profile/header", delete(credentials::remove_header))
        .route("/api/v1/accounts/lookup", get(look::lookup))
        .route("/api/v1/accounts/search", get(look::search))
        .route("/api/v1/accounts/relationships", get(look::relationships))
        .route("/api/v1/accounts/familiar_followers", get(look::familiar_followers))
        .route("/api/v1/accounts/{id}", get(look::one))
        .route("/api/v1/accounts/{id}/followers", get(look::followers))
        .route("/api/v1/accounts/{id}/following", get(look::following))
        .route("/api/v1/accounts/{id}/follow", post(act::follow))
        .route("/api/v1/accounts/{id}/unfollow", post(act::unfollow))
        .route("/api/v1/accounts/{id}/remove_from_followers", post(act::remove_from_followers))
        .route("/api/v1/accounts/{id}/block", post(act::block))
        .route("/api/v1/accounts/{id}/unblock", post(act::unblock))
        .route("/api/v1/accounts/{id}/mute", post(act::mute))
        .route("/api/v1/accounts/{id}/unmute", post(act::unmute))
        .route("/api/v1/accounts/{id}/note", post(act::note))
}
