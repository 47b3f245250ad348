//! Adding custom emojis. Mastodon has no API for it; this one is Waxwing's
//! own, in the same style.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Problem;
use crate::domain::emoji;
use crate::edge::AppState;
use crate::edge::api::custom_emojis::entity;
use crate::edge::api::params::Input;
use crate::edge::auth::Auth;
use crate::edge::media::keep_portrait;
use crate::model::{LocalEmoji, Permission, Picture};
use crate::store::StoreError;
use crate::wire::mastodon::Emoji;
use crate::wire::media::picture::Shape;

const READ: &str = "admin:read";
const WRITE: &str = "admin:write";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(destroy))
}

/// All custom emojis of this server.
#[utoipa::path(get, path = "/api/v1/admin/custom_emojis", tag = "Admin",
    security(("oauth" = ["admin:read"])), responses((status = 200, body = [Emoji])))]
async fn list(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<Emoji>>, Problem> {
    auth.staff(READ, Permission::ManageCustomEmojis)?;
    let all = state.store.read(emoji::list).await.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(all.iter().map(|emoji| entity(&state.site, emoji)).collect()))
}

/// A custom emoji. One with the same shortcode gives way.
#[derive(Debug, Deserialize, ToSchema)]
struct NewEmoji {
    /// 2 to 64 letters, digits and underscores.
    shortcode: String,
    category: Option<String>,
    /// Whether lists of emojis show it.
    visible_in_picker: Option<bool>,
    /// JPEG, PNG, GIF or WebP, as a file of a multipart form; of a moving
    /// one the first picture is kept.
    #[serde(default, rename = "image")]
    #[schema(format = Binary, value_type = String)]
    _image: Option<String>,
}

/// Adds a custom emoji.
#[utoipa::path(post, path = "/api/v1/admin/custom_emojis", tag = "Admin", request_body = NewEmoji,
    security(("oauth" = ["admin:write"])), responses((status = 200, body = Emoji)))]
async fn create(
    State(state): State<AppState>,
    auth: Auth,
    sent: Input<NewEmoji>,
) -> Result<Json<Emoji>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageCustomEmojis)?;
    if !LocalEmoji::is_shortcode(&sent.shortcode) {
        let rule = "Validation failed: Shortcode has 2 to 64 letters a-z, digits and underscores";
        return Err(Problem::invalid(rule));
    }
    let upload = sent.params.file("image").ok_or_else(|| {
        Problem::invalid("Validation failed: Image can't be blank; it is a file of a multipart form")
    })?;
    let Picture::Local(picture) = keep_portrait(&state, upload.bytes.clone(), Shape::Emoji).await? else {
        return Err(Problem::internal("a fresh picture is not ours"));
    };
    let new = LocalEmoji {
        shortcode: sent.shortcode.clone(),
        picture,
        category: sent.category.clone(),
        is_listed: sent.visible_in_picker.unwrap_or(true),
        created_at: state.now(),
    };
    let (kept, moment) = (new.clone(), state.moment());
    // The old picture stays: posts that were written with it show it.
    state.store.write(move |tx| emoji::save(tx, &mut moment.clone(), by, &kept)).await?;
    Ok(Json(entity(&state.site, &new)))
}

/// Removes a custom emoji. Posts that were written with it keep it.
#[utoipa::path(delete, path = "/api/v1/admin/custom_emojis/{shortcode}", tag = "Admin",
    params(("shortcode" = String, Path)), security(("oauth" = ["admin:write"])),
    responses((status = 200, body = Emoji)))]
async fn destroy(
    State(state): State<AppState>,
    Path(shortcode): Path<String>,
    auth: Auth,
) -> Result<Json<Emoji>, Problem> {
    let by = auth.staff(WRITE, Permission::ManageCustomEmojis)?;
    let moment = state.moment();
    let gone = state.store.write(move |tx| emoji::remove(tx, &mut moment.clone(), by, &shortcode)).await?;
    Ok(Json(entity(&state.site, &gone)))
}
