//! How a person likes to post and read (docs: methods/preferences).

use axum::Json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;
use crate::wire::mastodon::Preferences;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(preferences))
}

/// What the person has set.
#[utoipa::path(get, path = "/api/v1/preferences", tag = "Preferences",
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Preferences)))]
async fn preferences(auth: Auth) -> Result<Json<Preferences>, Problem> {
    let me = auth.me("read:accounts")?;
    Ok(Json(Preferences::from(&me.user.defaults)))
}
