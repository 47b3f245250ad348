//! Custom emojis of this server (docs: methods/custom_emojis).

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Problem;
use crate::domain::emoji;
use crate::edge::AppState;
use crate::model::{LocalEmoji, Site};
use crate::store::StoreError;
use crate::wire::mastodon::Emoji;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The emoji as clients see it.
pub(super) fn entity(site: &Site, emoji: &LocalEmoji) -> Emoji {
    Emoji::local(&emoji::shown(site, emoji), emoji.is_listed, emoji.category.clone())
}

/// Custom emojis that people here may use.
#[utoipa::path(get, path = "/api/v1/custom_emojis", tag = "Instance", responses((status = 200, body = [Emoji])))]
async fn list(State(state): State<AppState>) -> Result<Json<Vec<Emoji>>, Problem> {
    let all = state.store.read(emoji::list).await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(all.iter().map(|emoji| entity(&state.site, emoji)).collect()))
}
