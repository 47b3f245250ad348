//! Avatars and headers: drawn anew, cut to shape, kept as pictures of posts
//! are.

use axum::body::Bytes;
use tokio::task::spawn_blocking;

use super::names;
use super::upload::unreadable;
use crate::base::limits::IMAGE_MAX_BYTES;
use crate::base::{Problem, ProblemKind};
use crate::edge::AppState;
use crate::model::Picture;
use crate::wire::media::picture::{self, Shape};

/// Keeps an uploaded picture of a profile under a random name.
///
/// # Errors
/// 413 when it is too large, 422 when it is no picture we can read.
pub(crate) async fn keep(state: &AppState, upload: Bytes, shape: Shape) -> Result<Picture, Problem> {
    if upload.len() > IMAGE_MAX_BYTES {
        return Err(Problem::new(ProblemKind::TooLarge, "The picture is too large"));
    }
    let permit = state.gates().pictures.clone().acquire_owned().await.map_err(Problem::internal)?;
    let work = spawn_blocking(move || {
        let _permit = permit;
        picture::portrait(&upload, shape)
    });
    let drawn = work.await.map_err(Problem::internal)?.map_err(unreadable)?;
    let name = names::original(&names::stem(&*state.chance), drawn.format);
    state.files.put(&name, drawn.bytes).await?;
    Ok(Picture::Local(name))
}

/// Removes a picture that no profile shows any more.
pub(crate) async fn forget(state: &AppState, picture: Option<&Picture>) {
    if let Some(Picture::Local(name)) = picture
        && let Err(problem) = state.files.delete(name).await
    {
        tracing::warn!(%problem, "an old picture could not be removed; it only takes room");
    }
}
