//! Looks through the rows now and then: for jobs whose time is over, for what
//! was kept long enough, and for destinations with too many rows.

use std::collections::BTreeMap;

use tracing::warn;

use crate::base::{Moment, Timestamp};
use crate::domain::delivery::{self, Fate};
use crate::domain::inbox::order;
use crate::domain::tombstone;
use crate::model::queue::tables::JOB;
use crate::model::queue::{DeadReason, DestinationId, JobKey, JobRow};
use crate::store::{Scan, Store, StoreError};

/// Rows looked at in one step.
const SWEEP_ROWS: usize = 4096;
/// Rows of each sort forgotten in one transaction, and how many such in one sweep.
const TIDY_ROWS: usize = 256;
const TIDY_STEPS_MAX: usize = 100;

/// Counts the ready rows of each destination and leaves out those with too
/// many; whether there are any.
pub(super) async fn look_for_crowds(store: &Store, moment: Moment) -> Result<bool, StoreError> {
    let (mut counts, mut after): (BTreeMap<DestinationId, u64>, Option<JobKey>) = (BTreeMap::new(), None);
    // Each step begins behind the last row of the one before, so this ends.
    loop {
        let page: Vec<(JobKey, JobRow)> = store
            .read(move |tx| {
                let scan = after.as_ref().map_or_else(Scan::all, |after| Scan::all().after(after));
                tx.scan(JOB, scan.limit(SWEEP_ROWS))
            })
            .await?;
        page.iter().for_each(|(key, _)| *counts.entry(key.destination).or_default() += 1);
        after = page.last().filter(|_| page.len() == SWEEP_ROWS).map(|(key, _)| *key);
        if after.is_none() {
            break;
        }
    }
    // Our own work is not left out anywhere.
    counts.retain(|id, rows| *id != DestinationId::LOCAL && *rows >= delivery::DESTINATION_ROWS_MAX / 2);
    store.write(move |tx| delivery::crowd(tx, &mut moment.clone(), &counts)).await
}

/// Gives up some of the jobs whose time is over at destinations that nobody
/// can reach, and forgets old dead letters, seen activities and what is
/// long gone.
pub(super) async fn sweep(store: Store, from: Option<JobKey>, now: Timestamp) -> Option<JobKey> {
    let page: Result<Vec<(JobKey, JobRow)>, StoreError> = store
        .read(move |tx| {
            let scan = from.as_ref().map_or_else(Scan::all, |from| Scan::all().after(from));
            tx.scan(JOB, scan.limit(SWEEP_ROWS))
        })
        .await;
    let page = page.inspect_err(|error| warn!(%error, "old deliveries were not looked for")).ok()?;
    let next = page.last().filter(|_| page.len() == SWEEP_ROWS).map(|(key, _)| *key);
    let expired: Vec<(JobKey, Fate)> = page
        .into_iter()
        .filter(|(_, row)| row.expires_at <= now)
        .map(|(key, row)| {
            let error = "expired before it could be sent".to_owned();
            (key, Fate::Dead { row, reason: DeadReason::Expired, http_status: 0, error })
        })
        .collect();
    let buried: Result<usize, StoreError> = store.write(move |tx| delivery::settle(tx, now, &expired)).await;
    if let Err(error) = buried {
        warn!(%error, "old deliveries were not given up");
    }
    if let Err(error) = tidy(&store, now).await {
        warn!(%error, "old deliveries were not cleared away");
    }
    next
}

/// Forgets what is kept for a while only, in steps, so that others get
/// their turn.
async fn tidy(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    for _ in 0..TIDY_STEPS_MAX {
        let forgotten: [usize; 4] = store
            .write(move |tx| {
                Ok::<_, StoreError>([
                    delivery::prune_dead(tx, now, TIDY_ROWS)?,
                    order::forget_seen(tx, now, TIDY_ROWS)?,
                    tombstone::prune(tx, now, TIDY_ROWS)?,
                    delivery::forget_left_out(tx, now, TIDY_ROWS)?,
                ])
            })
            .await?;
        if forgotten.iter().all(|rows| *rows < TIDY_ROWS) {
            break;
        }
    }
    Ok(())
}
