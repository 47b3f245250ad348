//! Mail addresses (docs: methods/emails). They are taken as they are: this
//! server sends no mail, so nobody has to confirm one.

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(confirm)).routes(routes!(check))
}

/// Refused: nobody waits for a confirmation.
#[utoipa::path(post, path = "/api/v1/emails/confirmations", tag = "Accounts",
    security(("oauth" = ["write:accounts"])), responses())]
async fn confirm(auth: Auth) -> Result<(), Problem> {
    auth.me("write:accounts")?;
    Err(Problem::forbidden("This method is only available while the e-mail is awaiting confirmation"))
}

/// Whether the address is confirmed, which it is.
#[utoipa::path(get, path = "/api/v1/emails/check_confirmation", tag = "Accounts",
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = bool, content_type = "application/json")))]
async fn check(auth: Auth) -> Result<Json<bool>, Problem> {
    auth.me("read:accounts")?;
    Ok(Json(true))
}
