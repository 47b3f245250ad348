//! How a person likes to post and read (docs: methods/preferences).

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::base::Problem;
use crate::edge::AppState;
use crate::edge::auth::Auth;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/api/v1/preferences", get(preferences))
}

async fn preferences(auth: Auth) -> Result<Json<Value>, Problem> {
    let defaults = auth.me("read:accounts")?.user.defaults;
    Ok(Json(json!({
        "posting:default:visibility": defaults.visibility.word(),
        "posting:default:sensitive": defaults.sensitive,
        "posting:default:language": defaults.language,
        "posting:default:quote_policy": "public",
        "reading:expand:media": "default",
        "reading:expand:spoilers": false,
        "reading:autoplay:gifs": false,
    })))
}
