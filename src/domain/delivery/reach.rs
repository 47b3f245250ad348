//! How far a post has got: how many inboxes have it, how many are still
//! tried, which were given up.
//!
//! Nothing is counted when a delivery succeeds. The queue counts the rows that
//! point at an act anyway, so what was meant to be sent, less what still
//! points there, was sent. Only what falls away unsent is counted, in the
//! transaction that drops its row: this is right after any crash.

use super::{ACT, ACT_ROWS, Sent};
use crate::base::{Id, Timestamp};
use crate::model::queue::tables::{DEAD, DEAD_BY_ACT, DESTINATION, LOGGED, REACH, UNSENT};
use crate::model::queue::{
    ActivityKind, DeadKey, DeadReason, DeadRow, Destination, DestinationId, InboxId, OrderKey, Reach,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Failures of one post that are counted.
const FAILED_MAX: usize = 20_000;
/// Failures that are named.
pub const NAMED_MAX: usize = 100;

/// Where a post has got to. Counted by inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reached {
    /// Inboxes it was meant for.
    pub total: u64,
    /// Servers that these are of. Nearly always the same number: a server
    /// without a shared inbox has one for each of its people.
    pub servers: u64,
    /// Those that have it.
    pub delivered: u64,
    /// Those that are still tried, or get it once their server is back.
    pub pending: u64,
    /// Those that were given up.
    pub failed: u64,
    /// The hosts of up to [`NAMED_MAX`] of those, each once.
    pub failures: Vec<Failure>,
}

/// A host that did not get a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The host, with the port unless it is the usual one.
    pub host: String,
    /// Why.
    pub reason: DeadReason,
    /// When it was given up.
    pub at: Timestamp,
}

/// Remembers which act brings a post to others, and to how many.
pub(super) fn follow(tx: &mut WriteTx<'_>, status: Id, sent: &Sent) {
    let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
    let (total, servers, asleep) = (count(sent.inboxes), count(sent.servers), count(sent.asleep));
    tx.put(REACH, &OrderKey::of(status), &Reach { act: sent.act, total, servers, asleep });
}

/// Remembers that so many inboxes get an act after all whose server was asleep.
///
/// # Errors
/// Only the store's.
pub(super) fn woken(tx: &mut WriteTx<'_>, acts: &[(Id, OrderKey, usize)]) -> Result<(), StoreError> {
    let orders: Vec<OrderKey> = acts.iter().map(|(_, order, _)| *order).collect();
    for ((act, order, inboxes), reach) in acts.iter().zip(tx.get_many(REACH, &orders)?) {
        if let Some(reach) = reach.filter(|reach| reach.act == *act) {
            let awake = u32::try_from(*inboxes).unwrap_or(u32::MAX);
            tx.put(REACH, order, &Reach { asleep: reach.asleep.saturating_sub(awake), ..reach });
        }
    }
    Ok(())
}

/// How far a local post has got; `None` if it was sent to nobody.
///
/// # Errors
/// Only the store's.
pub fn reached(tx: &ReadTx<'_>, status: Id) -> Result<Option<Reached>, StoreError> {
    let order = OrderKey::of(status);
    let Some(Reach { act, total, servers, asleep }) = tx.get(REACH, &order)? else { return Ok(None) };
    let mut batch = tx.batch();
    let (rows, unsent) = (batch.count_many(ACT_ROWS, &[act]), batch.count_many(UNSENT, &[order]));
    let logged = batch.get_many(LOGGED, &[act]);
    let found = batch.fetch()?;
    let count = |counts: Vec<i64>| u64::try_from(counts[0]).unwrap_or(0);
    let (rows, unsent) = (count(found.counts(rows)), count(found.counts(unsent)));
    // The list of those that are asleep counts as one row.
    let is_logged = found.take(logged)?[0].is_some();
    let left = rows.saturating_sub(u64::from(is_logged));
    let (total, asleep) = (u64::from(total), u64::from(asleep));
    let dead = tx.scan(DEAD_BY_ACT, Scan::prefix(&(act,)).limit(FAILED_MAX))?;
    let given_up = dead.len() as u64;
    // Without the list nobody remembers them any more: they were away too long.
    let (waiting, missed) = if is_logged { (asleep, 0) } else { (0, asleep) };
    Ok(Some(Reached {
        total,
        servers: u64::from(servers),
        delivered: total.saturating_sub(asleep + left + unsent),
        pending: left.saturating_sub(given_up) + waiting,
        failed: given_up + unsent + missed,
        failures: failures(tx, dead.into_iter().map(|(key, ())| key))?,
    }))
}

type DeadPlace = (Id, DestinationId, Timestamp, InboxId);

fn failures(tx: &ReadTx<'_>, dead: impl Iterator<Item = DeadPlace>) -> Result<Vec<Failure>, StoreError> {
    let mut keys: Vec<DeadKey> =
        dead.map(|(act, destination, died, inbox)| DeadKey { destination, died, act, inbox }).collect();
    keys.dedup_by_key(|key| key.destination);
    keys.truncate(NAMED_MAX);
    let destinations: Vec<DestinationId> = keys.iter().map(|key| key.destination).collect();
    let mut batch = tx.batch();
    let (letters, hosts) = (batch.get_many(DEAD, &keys), batch.get_many(DESTINATION, &destinations));
    let found = batch.fetch()?;
    let found = found.take(letters)?.into_iter().zip(found.take(hosts)?);
    let failure = |(key, (letter, host)): (&DeadKey, (Option<DeadRow>, Option<Destination>))| {
        Some(Failure { host: host?.authority, reason: letter?.reason, at: key.died })
    };
    Ok(keys.iter().zip(found).filter_map(failure).collect())
}

/// Counts rows of acts that fell away unsent. Only those that bring a post
/// somewhere: nobody asks after the others.
///
/// # Errors
/// Only the store's.
pub(super) fn unsent(tx: &mut WriteTx<'_>, rows: &[(Id, i64)]) -> Result<(), StoreError> {
    let acts: Vec<Id> = rows.iter().map(|(act, _)| *act).collect();
    let posts: Vec<(Id, i64, OrderKey)> = rows
        .iter()
        .zip(tx.get_many(ACT, &acts)?)
        .filter_map(|((id, rows), act)| Some((*id, *rows, act?)))
        .filter(|(_, _, act)| act.kind == ActivityKind::Create)
        .map(|(id, rows, act)| (id, rows, act.order))
        .collect();
    let orders: Vec<OrderKey> = posts.iter().map(|(_, _, order)| *order).collect();
    for ((id, rows, order), reach) in posts.iter().zip(tx.get_many(REACH, &orders)?) {
        // A post that is deleted leaves nothing to be asked after.
        if reach.is_some_and(|reach| reach.act == *id) {
            tx.add(UNSENT, order, *rows);
        }
    }
    Ok(())
}
