//! What becomes of a job's row: done, deferred, dead. The one place that
//! keeps rows, reference counts, order index and totals together.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{reach, recipients};
use crate::base::{Id, Timestamp};
use crate::model::queue::tables::{
    ACT, ACT_BY_ORDER, ACT_ROWS, DEAD, DEAD_BY_ACT, DEAD_BY_TIME, DEFERRED, DEFERRED_AT, HELD, JOB, ROWS,
    rows,
};
use crate::model::queue::{
    DeadKey, DeadReason, DeadRow, DeferKey, DeferredRow, DestinationId, Held, HeldJob, InboxId, JobKey,
    JobRow, Lane, OrderKey, Wake,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A retry older than this leaves the lanes of fresh news.
pub const FRESH_FOR: Duration = Duration::from_secs(600);
/// Dead letters are kept this long.
const DEAD_FOR: Duration = Duration::from_secs(14 * 24 * 3600);
/// And no more than this many.
const DEAD_MAX_ROWS: i64 = 200_000;

/// What an attempt means for its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is done.
    Done,
    /// It fell away unsent: it became pointless, or is not wanted any more.
    Dropped,
    /// It stays ready, as counted now.
    Keep(JobRow),
    /// It is tried again when due.
    Defer {
        /// The row with its attempts counted.
        row: JobRow,
        /// When.
        due: Timestamp,
    },
    /// It is given up.
    Dead {
        /// The row with its attempts counted.
        row: JobRow,
        /// Why.
        reason: DeadReason,
        /// The last HTTP status, 0 if there was none.
        http_status: u16,
        /// What went wrong; cut to [`DeadRow::ERROR_MAX_BYTES`].
        error: String,
    },
}

/// Marks a job as done in the transaction of its own effects, so that it
/// happens exactly once. `false`: it was done before, so change nothing.
///
/// # Errors
/// Only the store's.
pub fn finish(tx: &mut WriteTx<'_>, job: &JobKey) -> Result<bool, StoreError> {
    // `now` is used for dead letters only.
    Ok(settle(tx, Timestamp::default(), &[(*job, Fate::Done)])? == 1)
}

/// Writes down what became of jobs; gives how many were still there. A row
/// that is gone was finished by its handler and is left alone.
///
/// # Errors
/// Only the store's.
pub fn settle(tx: &mut WriteTx<'_>, now: Timestamp, fates: &[(JobKey, Fate)]) -> Result<usize, StoreError> {
    let keys: Vec<JobKey> = fates.iter().map(|(key, _)| *key).collect();
    let found = tx.get_many(JOB, &keys)?;
    let there: Vec<(&JobKey, &JobRow, &Fate)> = fates
        .iter()
        .zip(&found)
        .filter_map(|((key, fate), row)| row.as_ref().map(|row| (key, row, fate)))
        .collect();
    let mut books = Books::default();
    for (key, _, fate) in &there {
        match fate {
            Fate::Keep(row) => tx.put(JOB, key, row),
            Fate::Done => {
                tx.delete(JOB, key);
                books.move_row(key.lane as u8, None);
                books.release(key.act);
            }
            Fate::Dropped => {
                tx.delete(JOB, key);
                books.move_row(key.lane as u8, None);
                books.lose(key.act);
            }
            Fate::Defer { row, due } => {
                tx.delete(JOB, key);
                let late =
                    DeferKey { due: *due, destination: key.destination, act: key.act, inbox: key.inbox };
                tx.put(DEFERRED, &late, &DeferredRow { row: row.clone(), lane: key.lane });
                tx.add(DEFERRED_AT, &key.destination, 1);
                books.move_row(key.lane as u8, Some(rows::DEFERRED));
            }
            Fate::Dead { row, reason, http_status, error } => {
                tx.delete(JOB, key);
                let error = cut(error, DeadRow::ERROR_MAX_BYTES).to_owned();
                let dead = DeadRow {
                    row: row.clone(),
                    lane: key.lane,
                    reason: *reason,
                    http_status: *http_status,
                    error,
                };
                bury(tx, now, key, &dead);
                books.move_row(key.lane as u8, Some(rows::DEAD));
            }
        }
    }
    let gone: Vec<InboxId> = there
        .iter()
        .filter(|(_, _, fate)| matches!(fate, Fate::Dead { reason: DeadReason::Gone, .. }))
        .map(|(key, _, _)| key.inbox)
        .collect();
    recipients::mark_gone(tx, &gone, now)?;
    hold(tx, &there)?;
    books.close(tx, there.iter().map(|(key, row, _)| (key.act, row.order)).collect())?;
    Ok(there.len())
}

fn bury(tx: &mut WriteTx<'_>, died: Timestamp, key: &JobKey, dead: &DeadRow) {
    let (destination, act, inbox) = (key.destination, key.act, key.inbox);
    tx.put(DEAD, &DeadKey { destination, died, act, inbox }, dead);
    tx.put(DEAD_BY_TIME, &(died, destination, act, inbox), &());
    tx.put(DEAD_BY_ACT, &(act, destination, died, inbox), &());
}

/// Keeps the list of tried jobs that later ones of their order key wait for.
fn hold(tx: &mut WriteTx<'_>, there: &[(&JobKey, &JobRow, &Fate)]) -> Result<(), StoreError> {
    let chains: Vec<(DestinationId, OrderKey)> = there
        .iter()
        .filter(|(_, row, fate)| {
            // A first attempt that succeeded was never held.
            row.order != OrderKey::NONE && (row.attempts > 0 || matches!(fate, Fate::Defer { .. }))
        })
        .map(|(key, row, _)| (key.destination, row.order))
        .collect();
    let mut held: BTreeMap<_, Held> = chains
        .iter()
        .copied()
        .zip(tx.get_many(HELD, &chains)?)
        .map(|(chain, held)| (chain, held.unwrap_or_default()))
        .collect();
    for (key, row, fate) in there {
        let Some(held) = held.get_mut(&(key.destination, row.order)) else { continue };
        let job = HeldJob { act: key.act, inbox: key.inbox };
        match fate {
            Fate::Defer { .. } if !held.jobs.contains(&job) && held.jobs.len() < Held::MAX => {
                held.jobs.push(job)
            }
            Fate::Done | Fate::Dropped | Fate::Dead { .. } => held.jobs.retain(|other| *other != job),
            Fate::Defer { .. } | Fate::Keep(_) => {}
        }
    }
    for (chain, held) in held {
        if held.jobs.is_empty() {
            tx.delete(HELD, &chain);
        } else {
            tx.put(HELD, &chain, &held);
        }
    }
    Ok(())
}

/// Row totals and references to acts, written once at the end.
#[derive(Default)]
pub(super) struct Books {
    totals: BTreeMap<u8, i64>,
    released: BTreeMap<Id, i64>,
    /// Of those, the ones that fell away unsent.
    lost: BTreeMap<Id, i64>,
}

impl Books {
    pub(super) fn move_row(&mut self, from: u8, to: Option<u8>) {
        *self.totals.entry(from).or_default() -= 1;
        if let Some(to) = to {
            *self.totals.entry(to).or_default() += 1;
        }
    }

    pub(super) fn release(&mut self, act: Id) {
        *self.released.entry(act).or_default() += 1;
    }

    fn lose(&mut self, act: Id) {
        self.release(act);
        *self.lost.entry(act).or_default() += 1;
    }

    /// Deletes acts that no row points at any more.
    pub(super) fn close(
        self,
        tx: &mut WriteTx<'_>,
        orders: BTreeMap<Id, OrderKey>,
    ) -> Result<(), StoreError> {
        if !self.lost.is_empty() {
            reach::unsent(tx, &self.lost.into_iter().collect::<Vec<_>>())?;
        }
        for (of, change) in self.totals {
            tx.add(ROWS, &of, change);
        }
        let acts: Vec<Id> = self.released.keys().copied().collect();
        for (act, rows) in &self.released {
            tx.add(ACT_ROWS, act, -rows);
        }
        let mut batch = tx.batch();
        let ticket = batch.count_many(ACT_ROWS, &acts);
        let left = batch.fetch()?.counts(ticket);
        for (act, _) in acts.iter().zip(left).filter(|(_, left)| *left <= 0) {
            tx.delete(ACT, act);
            tx.forget(ACT_ROWS, act);
            if let Some(order) = orders.get(act).filter(|order| **order != OrderKey::NONE) {
                tx.delete(ACT_BY_ORDER, &(*order, *act));
            }
        }
        Ok(())
    }
}

/// What [`promote_due`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Promoted {
    /// Jobs that became ready.
    pub jobs: usize,
    /// When the next one is due, as far as it was looked.
    pub next_due: Option<Timestamp>,
}

/// When the next deferred job is due.
///
/// # Errors
/// Only the store's.
pub fn next_due(tx: &ReadTx<'_>) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.scan(DEFERRED, Scan::all().limit(1))?.first().map(|(key, _)| key.due))
}

/// Makes up to `limit` deferred jobs ready that are due, and wakes the worker.
///
/// # Errors
/// Only the store's.
pub fn promote_due(tx: &mut WriteTx<'_>, now: Timestamp, limit: usize) -> Result<Promoted, StoreError> {
    let first = tx.scan(DEFERRED, Scan::all().limit(limit + 1))?;
    let next_due = first.iter().find(|(key, _)| key.due > now).map(|(key, _)| key.due);
    let mut due: Vec<_> = first.into_iter().filter(|(key, _)| key.due <= now).collect();
    let next_due = if due.len() > limit { Some(now) } else { next_due };
    due.truncate(limit);
    let mut wake = Wake::default();
    for (key, deferred) in &due {
        let is_old = now.since(deferred.row.created_at) > FRESH_FOR;
        let lane = if is_old { Lane::Bulk } else { deferred.lane };
        tx.delete(DEFERRED, key);
        let ready = JobKey { destination: key.destination, lane, act: key.act, inbox: key.inbox };
        tx.put(JOB, &ready, &deferred.row);
        tx.add(DEFERRED_AT, &key.destination, -1);
        tx.add(ROWS, &rows::DEFERRED, -1);
        tx.add(ROWS, &(lane as u8), 1);
        wake.lanes.push((key.destination, lane));
    }
    if !wake.lanes.is_empty() {
        wake.lanes.sort();
        wake.lanes.dedup();
        wake.emit(tx);
    }
    Ok(Promoted { jobs: due.len(), next_due })
}

/// Drops up to `limit` dead letters that are too old or too many, the oldest
/// first; gives how many.
///
/// # Errors
/// Only the store's.
pub fn prune_dead(tx: &mut WriteTx<'_>, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let surplus = usize::try_from(tx.count(ROWS, &rows::DEAD)? - DEAD_MAX_ROWS).unwrap_or(0);
    let cutoff = now.minus(DEAD_FOR);
    let old: Vec<_> = tx
        .scan(DEAD_BY_TIME, Scan::all().limit(limit))?
        .into_iter()
        .enumerate()
        .filter(|(place, (key, ()))| *place < surplus || key.0 < cutoff)
        .map(|(_, (key, ()))| key)
        .collect();
    let keys: Vec<DeadKey> = old
        .iter()
        .map(|&(died, destination, act, inbox)| DeadKey { destination, died, act, inbox })
        .collect();
    for key in &old {
        tx.delete(DEAD_BY_TIME, key);
    }
    let letters = tx.get_many(DEAD, &keys)?;
    let there: Vec<(DeadKey, DeadRow)> =
        keys.iter().zip(letters).filter_map(|(key, letter)| letter.map(|letter| (*key, letter))).collect();
    drop_dead(tx, &there)?;
    Ok(keys.len())
}

/// Forgets these dead letters.
pub(super) fn drop_dead(tx: &mut WriteTx<'_>, letters: &[(DeadKey, DeadRow)]) -> Result<(), StoreError> {
    let mut books = Books::default();
    for (key, _) in letters {
        dig_up(tx, key);
        books.move_row(rows::DEAD, None);
        books.lose(key.act);
    }
    books.close(tx, letters.iter().map(|(key, letter)| (key.act, letter.row.order)).collect())
}

fn dig_up(tx: &mut WriteTx<'_>, key: &DeadKey) {
    tx.delete(DEAD, key);
    tx.delete(DEAD_BY_TIME, &(key.died, key.destination, key.act, key.inbox));
    tx.delete(DEAD_BY_ACT, &(key.act, key.destination, key.died, key.inbox));
}

/// Makes dead letters ready again, as if they were enqueued now.
pub(super) fn revive(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    letters: &[(DeadKey, DeadRow)],
) -> Result<(), StoreError> {
    let acts: Vec<Id> = letters.iter().map(|(key, _)| key.act).collect();
    let mut books = Books::default();
    let mut wake = Wake::default();
    for ((key, letter), act) in letters.iter().zip(tx.get_many(ACT, &acts)?) {
        dig_up(tx, key);
        // Its letter kept the act; one without it can only be forgotten.
        let Some(act) = act else {
            books.move_row(rows::DEAD, None);
            continue;
        };
        let expires_at = now.plus(act.kind.ttl());
        let row = JobRow { attempts: 0, panics: 0, created_at: now, expires_at, ..letter.row.clone() };
        let (destination, lane) = (key.destination, Lane::Bulk);
        tx.put(JOB, &JobKey { destination, lane, act: key.act, inbox: key.inbox }, &row);
        books.move_row(rows::DEAD, Some(lane as u8));
        wake.lanes.push((destination, lane));
    }
    wake.lanes.sort();
    wake.lanes.dedup();
    if !wake.lanes.is_empty() {
        wake.emit(tx);
    }
    books.close(tx, BTreeMap::new())
}

/// Throws away jobs that wait for their retry.
pub(super) fn drop_deferred(
    tx: &mut WriteTx<'_>,
    deferred: &[(DeferKey, DeferredRow)],
) -> Result<(), StoreError> {
    let ready = |key: &DeferKey, lane: Lane| JobKey {
        destination: key.destination,
        lane,
        act: key.act,
        inbox: key.inbox,
    };
    let keys: Vec<JobKey> = deferred.iter().map(|(key, row)| ready(key, row.lane)).collect();
    let mut books = Books::default();
    for (key, _) in deferred {
        tx.delete(DEFERRED, key);
        tx.add(DEFERRED_AT, &key.destination, -1);
        books.move_row(rows::DEFERRED, None);
        books.lose(key.act);
    }
    let there: Vec<(&JobKey, &JobRow, &Fate)> =
        keys.iter().zip(deferred).map(|(key, (_, deferred))| (key, &deferred.row, &Fate::Done)).collect();
    hold(tx, &there)?;
    books.close(tx, deferred.iter().map(|(key, deferred)| (key.act, deferred.row.order)).collect())
}

fn cut(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
