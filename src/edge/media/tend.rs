//! Removing what nothing shows any more: uploads whose day is over, and what
//! a crash left behind.

use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::names;
use crate::base::{Id, Problem};
use crate::domain::cache::{self, Budget};
use crate::domain::media;
use crate::edge::AppState;
use crate::model::queue::Job;
use crate::model::{Media, MediaState};
use crate::queue::{Attempt, Handler, Outcome, Report};
use crate::store::StoreError;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// Uploads removed at one look; more wait for the next.
const STEP_MAX: usize = 100;

/// Looks again and again until the server stops.
pub async fn tend(state: AppState, stop: CancellationToken) {
    if let Err(problem) = drop_strays(&state).await {
        warn!(%problem, "uploads that a crash left behind are kept until the next start");
    }
    loop {
        // One node does it for all.
        if state.cluster.duty().borrow().has_chores() {
            if let Err(problem) = sweep(&state).await {
                warn!(%problem, "expired uploads are kept for another minute");
            }
            if let Err(problem) = prune(&state).await {
                warn!(%problem, "cached files are kept for another minute");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// [`sweep`] after something that is done already: what fails now is swept
/// away later.
pub(crate) async fn sweep_quietly(state: &AppState) {
    if let Err(problem) = sweep(state).await {
        tracing::warn!(%problem, "files of deleted posts are kept for now");
    }
}

/// Removes uploads whose time is up, with their files; gives how many.
///
/// # Errors
/// When the store or the files cannot be reached.
pub async fn sweep(state: &AppState) -> Result<usize, Problem> {
    let now = state.now();
    let expired = state.store.read(move |tx| media::expired(tx, now, STEP_MAX)).await?;
    let mut removed: Vec<Id> = Vec::new();
    // Files first: a record that is left finds them again, a file finds nobody.
    for media in &expired {
        remove_files(state, media).await?;
        removed.push(media.id());
    }
    let count = removed.len();
    let forgotten = state.store.write(move |tx| media::forget(tx, now, &removed)).await;
    forgotten.map_err(|error: StoreError| Problem::from(error))?;
    Ok(count)
}

/// Removes all files of an upload.
///
/// # Errors
/// When the files cannot be reached.
pub(super) async fn remove_files(state: &AppState, media: &Media) -> Result<(), Problem> {
    let known = [media.attachment.file.clone(), media.attachment.preview.clone()];
    let is_ready = media.state == MediaState::Ready;
    let guessed = if is_ready { Vec::new() } else { names::possible(&media.stem) };
    for name in known.into_iter().flatten().chain(guessed) {
        state.files.delete(&name).await?;
    }
    Ok(())
}

/// The handler of [`Job::RemoveFiles`]; a file that is gone needs no removing.
pub fn remover(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            let Job::RemoveFiles { names } = &attempt.act.job else {
                return Report::from(Outcome::Broken { detail: "no files".into() });
            };
            for name in names {
                if let Err(problem) = state.files.delete(name).await {
                    return Outcome::TryLater { detail: problem.to_string() }.into();
                }
            }
            Outcome::Done.into()
        }
        .boxed()
    }
}

/// Removes files of other servers that are too many or too old; gives how
/// many.
///
/// # Errors
/// When the store or the files cannot be reached.
pub async fn prune(state: &AppState) -> Result<usize, Problem> {
    let (now, budget) = (state.now(), budget(state));
    let going = state.store.read(move |tx| cache::surplus(tx, now, budget, STEP_MAX)).await?;
    for (_, file) in &going {
        state.files.delete(&file.name).await?;
    }
    let count = going.len();
    if count > 0 {
        let dropped = state.store.write(move |tx| cache::drop_all(tx, &going)).await;
        dropped.map_err(|error: StoreError| Problem::from(error))?;
    }
    Ok(count)
}

fn budget(state: &AppState) -> Budget {
    Budget { bytes_max: state.config.media_cache_bytes, unused_max: state.config.media_cache_age }
}

/// Removes a file that nobody will ask for.
pub(super) async fn remove_quietly(state: &AppState, name: &str) {
    if let Err(problem) = state.files.delete(name).await {
        warn!(%problem, "a file is left that nobody needs; it only takes room");
    }
}

/// Uploads that were written just before a crash and have no record. Old
/// ones only: others may be about to get theirs.
async fn drop_strays(state: &AppState) -> Result<(), Problem> {
    let now = state.now();
    for file in state.files.list(names::incoming_folder()).await? {
        if now.since(file.written) > media::UNSHOWN_FOR * 2 {
            state.files.delete(&file.name).await?;
        }
    }
    Ok(())
}
