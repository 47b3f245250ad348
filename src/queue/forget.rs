//! Forgets destinations that nobody needs any more, in steps.

use crate::base::Timestamp;
use crate::domain::delivery::{self, Bounds, Unused};
use crate::model::queue::tables::DESTINATION;
use crate::model::queue::{Destination, DestinationId};
use crate::store::{Scan, Store, StoreError};

/// Destinations read in one step.
const LOOK_ROWS: usize = 4096;
/// Destinations looked at more closely in one transaction.
const STEP_ROWS: usize = 64;

/// Forgets what [`Bounds`] allow to; gives how many destinations.
///
/// # Errors
/// Only the store's.
pub async fn forget_destinations(
    store: &Store,
    now: Timestamp,
    bounds: &Bounds,
) -> Result<usize, StoreError> {
    let Unused { ids, silent, surplus } = delivery::unused(look(store).await?, now, bounds);
    let before = Timestamp::from_millis(now.as_millis() - bounds.spared_for.as_millis() as i64);
    let (mut seen, mut forgotten) = (0, 0);
    while seen < ids.len() && (seen < silent || forgotten < surplus) {
        let wanted = silent.saturating_sub(seen).max(surplus.saturating_sub(forgotten)).min(STEP_ROWS);
        let step: Vec<DestinationId> = ids[seen..].iter().take(wanted).copied().collect();
        seen += step.len();
        // Most that are busy are found without holding up those who write.
        let idle = store.read(move |tx| delivery::idle(tx, &step)).await?;
        let idle: Vec<DestinationId> = idle.into_iter().map(|(id, _)| id).collect();
        if !idle.is_empty() {
            forgotten += store.write(move |tx| delivery::forget_unused(tx, &idle, before)).await?;
        }
        tokio::task::yield_now().await;
    }
    Ok(forgotten)
}

/// All destinations and when they were last used.
async fn look(store: &Store) -> Result<Vec<(Timestamp, DestinationId)>, StoreError> {
    let (mut all, mut after): (Vec<_>, Option<DestinationId>) = (Vec::new(), None);
    // Each step begins behind the last row of the one before, so this ends.
    loop {
        let scan = after.iter().fold(Scan::all(), |scan, id| scan.after(id)).limit(LOOK_ROWS);
        let page: Vec<(DestinationId, Destination)> =
            store.read(move |tx| tx.scan(DESTINATION, scan)).await?;
        after = page.last().filter(|_| page.len() == LOOK_ROWS).map(|(id, _)| *id);
        all.extend(page.iter().map(|(id, record)| (delivery::used_at(record), *id)));
        if after.is_none() {
            return Ok(all);
        }
    }
}
