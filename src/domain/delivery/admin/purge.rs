//! Throwing jobs away, in bounded batches.

use crate::base::{Id, Timestamp};
use crate::domain::delivery::rows::{Fate, drop_deferred, settle};
use crate::model::queue::tables::{DEFERRED, JOB};
use crate::model::queue::{DeferKey, DestinationId, JobKey, JobKind, JobRow, Steer};
use crate::store::{Scan, StoreError, WriteTx};

/// Which jobs. All that is given must hold; our own work is never thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selection {
    /// Of this destination.
    pub destination: Option<DestinationId>,
    /// By this account.
    pub sender: Option<Id>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// Enqueued before.
    pub before: Option<Timestamp>,
}

impl Selection {
    fn takes(&self, destination: DestinationId, row: &JobRow) -> bool {
        destination != DestinationId::LOCAL
            && self.destination.is_none_or(|wanted| wanted == destination)
            && self.sender.is_none_or(|wanted| wanted == row.sender)
            && self.kind.is_none_or(|wanted| wanted == row.kind)
            && self.before.is_none_or(|before| row.created_at < before)
    }
}

/// Where the work goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurgePlace {
    /// Among ready jobs.
    Ready(Option<JobKey>),
    /// Among deferred ones.
    Deferred(Option<DeferKey>),
}

impl Default for PurgePlace {
    fn default() -> PurgePlace {
        PurgePlace::Ready(None)
    }
}

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Jobs that were thrown away.
    pub jobs: usize,
    /// Where to go on; `None` when all were looked at.
    pub next: Option<PurgePlace>,
}

/// Looks at the next `rows` rows, beginning at the default place, and throws
/// away those that are selected. What is being sent this moment is sent.
///
/// # Errors
/// Only the store's.
pub fn purge(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    selection: &Selection,
    place: PurgePlace,
    rows: usize,
) -> Result<Purged, StoreError> {
    let purged = match place {
        PurgePlace::Ready(after) => purge_ready(tx, now, selection, after, rows)?,
        PurgePlace::Deferred(after) => purge_deferred(tx, selection, after, rows)?,
    };
    Ok(purged)
}

fn purge_ready(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    selection: &Selection,
    after: Option<JobKey>,
    rows: usize,
) -> Result<Purged, StoreError> {
    let scan = selection.destination.map_or_else(Scan::all, |id| Scan::prefix(&(id,)));
    let page = tx.scan(JOB, after.iter().fold(scan, |scan, key| scan.after(key)).limit(rows))?;
    let last = page.last().filter(|_| page.len() == rows).map(|(key, _)| *key);
    let chosen: Vec<(JobKey, Fate)> = page
        .into_iter()
        .filter(|(key, row)| selection.takes(key.destination, row))
        .map(|(key, _)| (key, Fate::Dropped))
        .collect();
    let jobs = settle(tx, now, &chosen)?;
    tell(tx, chosen.iter().map(|(key, _)| key.destination));
    let next = last.map_or(PurgePlace::Deferred(None), |key| PurgePlace::Ready(Some(key)));
    Ok(Purged { jobs, next: Some(next) })
}

fn purge_deferred(
    tx: &mut WriteTx<'_>,
    selection: &Selection,
    after: Option<DeferKey>,
    rows: usize,
) -> Result<Purged, StoreError> {
    let page = tx.scan(DEFERRED, after.iter().fold(Scan::all(), |scan, key| scan.after(key)).limit(rows))?;
    let last = page.last().filter(|_| page.len() == rows).map(|(key, _)| *key);
    let chosen: Vec<_> =
        page.into_iter().filter(|(key, deferred)| selection.takes(key.destination, &deferred.row)).collect();
    drop_deferred(tx, &chosen)?;
    tell(tx, chosen.iter().map(|(key, _)| key.destination));
    Ok(Purged { jobs: chosen.len(), next: last.map(|key| PurgePlace::Deferred(Some(key))) })
}

fn tell(tx: &mut WriteTx<'_>, destinations: impl Iterator<Item = DestinationId>) {
    let mut destinations: Vec<DestinationId> = destinations.collect();
    destinations.sort();
    destinations.dedup();
    if !destinations.is_empty() {
        Steer::Purged(destinations).emit(tx);
    }
}
