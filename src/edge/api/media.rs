//! Uploads (docs: methods/media).

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::{Input, Params, clearable};
use super::people::IdPath;
use crate::base::{Id, Problem};
use crate::domain::media::{self, Described};
use crate::edge::auth::Auth;
use crate::edge::media::{Incoming, When, keep, new_preview, sweep};
use crate::edge::{AppState, MEDIA_MAX_BYTES};
use crate::model::{Media, MediaState};
use crate::wire::mastodon::{Empty, MediaAttachment};

const SCOPE: &str = "write:media";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(upload))
        .routes(routes!(upload_later))
        .routes(routes!(read, update, delete))
        .layer(DefaultBodyLimit::max(MEDIA_MAX_BYTES))
}

/// A file, and what is to be said of it.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // the files are read from the form; this documents them
struct Upload {
    /// The file.
    #[schema(value_type = String, format = Binary, required)]
    #[serde(skip)]
    file: (),
    /// A picture to show in its place.
    #[schema(value_type = Option<String>, format = Binary)]
    #[serde(skip)]
    thumbnail: (),
    /// What it shows, in words.
    description: Option<String>,
    /// Focal point: `x,y`, each from -1 to 1.
    focus: Option<String>,
}

type Answer = Result<(StatusCode, Json<MediaAttachment>), Problem>;

fn answer(state: &AppState, media: &Media, waiting: StatusCode) -> Answer {
    let status = match media.state {
        MediaState::Ready => StatusCode::OK,
        MediaState::Processing => waiting,
        MediaState::Failed => {
            return Err(Problem::invalid("Error processing thumbnail for uploaded media"));
        }
    };
    Ok((status, Json(MediaAttachment::new(&state.site, &media.attachment))))
}

/// Uploads a file; the answer comes when it is ready.
#[utoipa::path(post, path = "/api/v1/media", tag = "Media",
    request_body(content = Upload, content_type = "multipart/form-data"),
    security(("oauth" = ["write:media"])), responses((status = 200, body = MediaAttachment)))]
async fn upload(State(state): State<AppState>, auth: Auth, request: Request) -> Answer {
    take(&state, &auth, request, When::Now).await
}

/// Uploads a file; the answer comes at once.
#[utoipa::path(post, path = "/api/v2/media", tag = "Media",
    request_body(content = Upload, content_type = "multipart/form-data"),
    security(("oauth" = ["write:media"])), responses(
        (status = 200, body = MediaAttachment, description = "It is ready."),
        (status = 202, body = MediaAttachment, description = "It is being made ready; `url` is null.")))]
async fn upload_later(State(state): State<AppState>, auth: Auth, request: Request) -> Answer {
    take(&state, &auth, request, When::Later).await
}

async fn take(state: &AppState, auth: &Auth, request: Request, when: When) -> Answer {
    let me = auth.me(SCOPE)?.id;
    // Before the body is read: so many bodies are in memory at once.
    let (request, _place) = state.gates().uploads.admit(me, request).await?;
    let given = Input::<Upload>::from_request(request, state).await?;
    let file = |name: &str| given.params.file(name).map(|file| file.bytes.clone());
    let incoming = Incoming {
        file: file("file").unwrap_or_default(),
        thumbnail: file("thumbnail"),
        description: given.description.clone(),
        focus: given.focus.as_deref().and_then(media::focus),
    };
    let media = keep(state, me, incoming, when).await?;
    answer(state, &media, StatusCode::ACCEPTED)
}

async fn own(state: &AppState, me: Id, id: Id) -> Result<Media, Problem> {
    let now = state.now();
    Ok(state.store.read(move |tx| media::own(tx, now, me, id)).await?)
}

/// An upload that no post shows yet.
#[utoipa::path(get, path = "/api/v1/media/{id}", tag = "Media", params(("id" = String, Path)),
    security(("oauth" = ["write:media"])), responses(
        (status = 200, body = MediaAttachment, description = "It is ready."),
        (status = 206, body = MediaAttachment, description = "It is still being made ready.")))]
async fn read(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth) -> Answer {
    let media = own(&state, auth.me(SCOPE)?.id, id).await?;
    answer(&state, &media, StatusCode::PARTIAL_CONTENT)
}

/// What is to change; a picture `thumbnail` may come with it as a file.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = MediaChange)]
struct Change {
    /// What it shows, in words; blank for none.
    #[serde(default, deserialize_with = "clearable")]
    description: Option<String>,
    /// Focal point: `x,y`, each from -1 to 1.
    focus: Option<String>,
}

/// Describes an upload that no post shows yet.
#[utoipa::path(method(put, patch), path = "/api/v1/media/{id}", tag = "Media",
    params(("id" = String, Path)), request_body = Change,
    security(("oauth" = ["write:media"])), responses(
        (status = 200, body = MediaAttachment),
        (status = 206, body = MediaAttachment, description = "It is still being made ready.")))]
async fn update(State(state): State<AppState>, IdPath(id): IdPath, auth: Auth, request: Request) -> Answer {
    let me = auth.me(SCOPE)?.id;
    let mut media = own(&state, me, id).await?;
    let (request, _place) = state.gates().uploads.admit(me, request).await?;
    let given = Input::<Change>::from_request(request, &state).await?;
    if let Some(thumbnail) = thumbnail(&given.params) {
        media = new_preview(&state, me, &media, thumbnail).await?;
    }
    let focus = given.focus.as_deref().and_then(media::focus);
    let change = Described { id, description: given.description.clone(), focus };
    if change != (Described { id, ..Described::default() }) {
        let now = state.now();
        media = state.store.write(move |tx| media::describe(tx, now, me, &change)).await?;
    }
    answer(&state, &media, StatusCode::PARTIAL_CONTENT)
}

fn thumbnail(params: &Params) -> Option<bytes::Bytes> {
    params.file("thumbnail").map(|file| file.bytes.clone())
}

/// Removes an upload that no post shows.
#[utoipa::path(delete, path = "/api/v1/media/{id}", tag = "Media", params(("id" = String, Path)),
    security(("oauth" = ["write:media"])), responses((status = 200, body = Empty)))]
async fn delete(
    State(state): State<AppState>,
    IdPath(id): IdPath,
    auth: Auth,
) -> Result<Json<Empty>, Problem> {
    let (me, now) = (auth.me(SCOPE)?.id, state.now());
    state.store.write(move |tx| media::delete(tx, now, me, id)).await?;
    sweep(&state).await?;
    Ok(Json(Empty {}))
}
