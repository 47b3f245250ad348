//! What the admin does with the queue: hold a destination, let it go on, look
//! whether it is back, limit it, throw jobs away, try dead letters again.
//!
//! Each is a function over a transaction. What the admin decided about a
//! destination is a row of its own that the running queue only reads; it hears
//! of a change by a signal, so that all of this works from any process that
//! has the store.

mod census;
mod letters;
mod purge;
#[cfg(test)]
mod tests;

use crate::base::{Id, Timestamp};
use crate::model::queue::tables::{DEFERRED, DESTINATION, DESTINATION_BY_HOST, HELD, HISTORY, JOB, STEERING};
use crate::model::queue::{
    Class, DeferKey, DeferredRow, Destination, DestinationId, History, InboxId, JobKey, JobRow, Lane, Steer,
    Steering,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

pub use census::{Backlog, Census, CensusPlace, census};
pub use letters::{Letters, LettersPage, Replayed, forget_letters, letters, replay};
pub use purge::{PurgePlace, Purged, Selection, purge};

/// Requests a second that an admin may allow: fewest and most.
pub const RATE_LIMITS: (f32, f32) = (0.01, 1000.0);
/// Requests under way that an admin may allow: fewest and most.
pub const CAP_LIMITS: (u32, u32) = (1, 256);
/// Deferred rows looked through for one job, in steps of so many.
const LOOK_STEPS_MAX: usize = 64;
const LOOK_ROWS: usize = 4096;

/// The destination of a host (with its port, unless usual).
///
/// # Errors
/// Only the store's.
pub fn destination_of(
    tx: &ReadTx<'_>,
    class: Class,
    authority: &str,
) -> Result<Option<DestinationId>, StoreError> {
    tx.get(DESTINATION_BY_HOST, &(class as u8, authority.to_owned()))
}

/// What is known of a destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its state when it was last written down.
    pub record: Destination,
    /// What the admin decided.
    pub steering: Steering,
    /// What happened there lately.
    pub history: History,
}

/// Reads what is known of a destination; `None` if there is no such one.
///
/// # Errors
/// Only the store's.
pub fn known(tx: &ReadTx<'_>, id: DestinationId) -> Result<Option<Known>, StoreError> {
    let mut batch = tx.batch();
    let record = batch.get_many(DESTINATION, &[id]);
    let steering = batch.get_many(STEERING, &[id]);
    let history = batch.get_many(HISTORY, &[id]);
    let found = batch.fetch()?;
    let Some(record) = found.take(record)?.pop().flatten() else { return Ok(None) };
    let steering = found.take(steering)?.pop().flatten().unwrap_or_default();
    let history = found.take(history)?.pop().flatten().unwrap_or_default();
    Ok(Some(Known { record, steering, history }))
}

/// Adds what happened at destinations to their histories.
///
/// # Errors
/// Only the store's.
pub fn note(tx: &mut WriteTx<'_>, notes: &[(DestinationId, History)]) -> Result<(), StoreError> {
    let ids: Vec<DestinationId> = notes.iter().map(|(id, _)| *id).collect();
    for ((id, note), kept) in notes.iter().zip(tx.get_many(HISTORY, &ids)?) {
        let mut history = kept.unwrap_or_default();
        history.extend(note.clone());
        tx.put(HISTORY, id, &history);
    }
    Ok(())
}

/// Sends nothing more there until [`resume`]; what is under way may end.
/// `false` if there is no such destination.
///
/// # Errors
/// Only the store's.
pub fn pause(tx: &mut WriteTx<'_>, now: Timestamp, id: DestinationId) -> Result<bool, StoreError> {
    steer(tx, id, |steering| {
        steering.stopped_at.get_or_insert(now);
    })
}

/// Sends there again, slowly at first. `false` if there is no such destination.
///
/// # Errors
/// Only the store's.
pub fn resume(tx: &mut WriteTx<'_>, id: DestinationId) -> Result<bool, StoreError> {
    steer(tx, id, |steering| steering.stopped_at = None)
}

/// Limits a destination in place of what the queue would allow; `None` leaves
/// it to the queue. Limits are brought within [`RATE_LIMITS`] and
/// [`CAP_LIMITS`]. `false` if there is no such destination.
///
/// # Errors
/// Only the store's.
pub fn set_limits(
    tx: &mut WriteTx<'_>,
    id: DestinationId,
    rate_max: Option<f32>,
    cap_max: Option<u32>,
) -> Result<bool, StoreError> {
    let rate_max = rate_max.filter(|rate| rate.is_finite());
    steer(tx, id, |steering| {
        steering.rate_max = rate_max.map(|rate| rate.clamp(RATE_LIMITS.0, RATE_LIMITS.1));
        steering.cap_max = cap_max.map(|cap| cap.clamp(CAP_LIMITS.0, CAP_LIMITS.1));
    })
}

/// Looks at once whether a destination is back, however lately it failed.
/// `false` if there is no such destination.
///
/// # Errors
/// Only the store's.
pub fn probe(tx: &mut WriteTx<'_>, id: DestinationId) -> Result<bool, StoreError> {
    let is_known = tx.get(DESTINATION, &id)?.is_some();
    if is_known {
        Steer::Probe(id).emit(tx);
    }
    Ok(is_known)
}

fn steer(
    tx: &mut WriteTx<'_>,
    id: DestinationId,
    change: impl FnOnce(&mut Steering),
) -> Result<bool, StoreError> {
    let Some(Known { mut steering, .. }) = known(tx, id)? else { return Ok(false) };
    change(&mut steering);
    if steering.is_default() {
        tx.delete(STEERING, &id);
    } else {
        tx.put(STEERING, &id, &steering);
    }
    Steer::Changed(id).emit(tx);
    Ok(true)
}

/// Ready jobs of a destination in the order of their lanes and ages, after a
/// key; at most `rows`.
///
/// # Errors
/// Only the store's.
pub fn jobs(
    tx: &ReadTx<'_>,
    id: DestinationId,
    after: Option<JobKey>,
    rows: usize,
) -> Result<Vec<(JobKey, JobRow)>, StoreError> {
    let scan = Scan::prefix(&(id,)).limit(rows);
    tx.scan(JOB, after.iter().fold(scan, |scan, key| scan.after(key)))
}

/// Jobs of a destination that wait for their retry, the next one first; at most
/// `rows`. Looks through so many of all destinations' and no more.
///
/// # Errors
/// Only the store's.
pub fn deferred(
    tx: &ReadTx<'_>,
    id: DestinationId,
    rows: usize,
) -> Result<Vec<(DeferKey, DeferredRow)>, StoreError> {
    let (mut found, mut scan) = (Vec::new(), Scan::all());
    for _ in 0..LOOK_STEPS_MAX {
        let page = tx.scan(DEFERRED, scan.limit(LOOK_ROWS))?;
        let next = page.last().filter(|_| page.len() == LOOK_ROWS).map(|(key, _)| *key);
        found.extend(page.into_iter().filter(|(key, _)| key.destination == id).take(rows - found.len()));
        match next.filter(|_| found.len() < rows) {
            Some(last) => scan = Scan::all().after(&last),
            None => break,
        }
    }
    Ok(found)
}

/// Where a job is.
#[derive(Debug, Clone, PartialEq)]
pub enum Whereabouts {
    /// Ready. `waits` is the earlier, tried job of its order key, if it has to
    /// wait for one.
    Ready {
        /// Its key.
        key: JobKey,
        /// Its row.
        row: JobRow,
        /// The act of the job it waits for.
        waits: Option<Id>,
    },
    /// It waits for its retry.
    Deferred(DeferKey),
    /// Done, given up, or never there.
    Nowhere,
}

/// Finds the job of an act for an inbox at a destination.
///
/// # Errors
/// Only the store's.
pub fn find(
    tx: &ReadTx<'_>,
    destination: DestinationId,
    act: Id,
    inbox: InboxId,
) -> Result<Whereabouts, StoreError> {
    let keys = Lane::ALL.map(|lane| JobKey { destination, lane, act, inbox });
    let rows = tx.get_many(JOB, &keys)?;
    if let Some((key, row)) = keys.into_iter().zip(rows).find_map(|(key, row)| row.map(|row| (key, row))) {
        let held = tx.get(HELD, &(destination, row.order))?.unwrap_or_default();
        let waits = held.jobs.iter().map(|job| job.act).filter(|other| *other < act).min();
        return Ok(Whereabouts::Ready { key, row, waits });
    }
    let mut scan = Scan::all();
    for _ in 0..LOOK_STEPS_MAX {
        let page = tx.scan(DEFERRED, scan.limit(LOOK_ROWS))?;
        let is_it = |key: &DeferKey| (key.destination, key.act, key.inbox) == (destination, act, inbox);
        if let Some((key, _)) = page.iter().find(|(key, _)| is_it(key)) {
            return Ok(Whereabouts::Deferred(*key));
        }
        let Some((last, _)) = page.last() else { break };
        scan = Scan::all().after(last);
    }
    Ok(Whereabouts::Nowhere)
}
