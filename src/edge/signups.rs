//! Forgetting sign-ups that nobody confirmed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::AppState;
use crate::base::Id;
use crate::domain::user;
use crate::store::StoreError;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);
/// People looked at in one step.
const STEP_ROWS: usize = 500;

/// Looks again and again until the server stops.
pub async fn tend(state: AppState, stop: CancellationToken) {
    loop {
        match sweep(&state).await {
            Ok(0) => {}
            Ok(forgotten) => info!(forgotten, "forgot sign-ups that nobody confirmed"),
            Err(error) => warn!(%error, "sign-ups that nobody confirmed are kept for another hour"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Forgets everybody who did not confirm their address in time; gives how many.
///
/// # Errors
/// Only the store's.
pub async fn sweep(state: &AppState) -> Result<usize, StoreError> {
    let (now, mut forgotten) = (state.now(), 0);
    let mut after: Option<Id> = None;
    // Each step begins behind the last row of the one before, so this ends.
    loop {
        let (stale, next) = state.store.read(move |tx| user::unconfirmed(tx, now, after, STEP_ROWS)).await?;
        for id in stale {
            let is_gone: bool = state.store.write(move |tx| user::forget_unconfirmed(tx, now, id)).await?;
            forgotten += usize::from(is_gone);
        }
        after = next;
        if after.is_none() {
            return Ok(forgotten);
        }
    }
}
