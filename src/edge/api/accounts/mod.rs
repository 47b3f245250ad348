//! Accounts (docs: methods/accounts, methods/profile).

mod act;
mod credentials;
mod look;
mod register;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::edge::{AppState, UPLOAD_MAX_BYTES};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    let uploads = OpenApiRouter::new()
        .routes(routes!(credentials::update))
        .routes(routes!(credentials::profile, credentials::update_own_profile))
        .layer(DefaultBodyLimit::max(UPLOAD_MAX_BYTES));
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(look::several, register::register))
        .routes(routes!(credentials::verify))
        .routes(routes!(credentials::remove_avatar))
        .routes(routes!(credentials::remove_header))
        .routes(routes!(look::lookup))
        .routes(routes!(look::search))
        .routes(routes!(look::relationships))
        .routes(routes!(look::familiar_followers))
        .routes(routes!(look::one))
        .routes(routes!(look::followers))
        .routes(routes!(look::following))
        .routes(routes!(act::follow))
        .routes(routes!(act::unfollow))
        .routes(routes!(act::remove_from_followers))
        .routes(routes!(act::block))
        .routes(routes!(act::unblock))
        .routes(routes!(act::mute))
        .routes(routes!(act::unmute))
        .routes(routes!(act::note))
}
