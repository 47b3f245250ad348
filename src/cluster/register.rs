//! The transactions: taking a number, giving signs of life, declaring dead,
//! taking shards and giving them back.

use std::time::Duration;

use super::shards::ShardSet;
use crate::base::{NODE_MAX, Timestamp};
use crate::model::tables::{HOLDINGS, MANDATE, NODE};
use crate::model::{Holdings, Mandate, Node, NodeLoad, NodeState};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// The signal that a node came, drains or went.
pub(super) const TOPIC: &str = "node";
/// The highest number is that of commands that run beside servers.
pub(super) const NUMBERS: u8 = NODE_MAX;
/// Ids are reserved for so long ahead.
const IDS_AHEAD: Duration = Duration::from_secs(30);
/// The number of commands, whose row says up to where they have ids.
const COMMANDS: u8 = NODE_MAX;
/// Time whose ids one command gets: some millions.
const COMMAND_IDS: Duration = Duration::from_secs(1);
/// The one row of [`HOLDINGS`].
const HELD: u8 = 0;

/// A number that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) number: u8,
    /// Ids of this number may be given out from here on,
    pub(super) ids_from: Timestamp,
    /// and up to here.
    pub(super) ids_until: Timestamp,
}

/// Takes a number that nobody has; `None` if there is none. One whose ids
/// are all in the past comes first, then one that nobody ever had.
pub(super) fn claim(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    node: &Node,
) -> Result<Option<Claimed>, StoreError> {
    let rows = rows(tx)?;
    let gone = || rows.iter().filter(|(_, row)| row.state == NodeState::Gone);
    let past = gone().find(|(_, row)| row.ids_until <= now);
    let never = || (0..NUMBERS).find(|number| !rows.iter().any(|(taken, _)| taken == number));
    let soonest = || gone().min_by_key(|(_, row)| row.ids_until);
    let free = past.map(|(number, row)| (*number, row.ids_until));
    let free = free.or_else(|| never().map(|number| (number, Timestamp::default())));
    let free = free.or_else(|| soonest().map(|(number, row)| (*number, row.ids_until)));
    let Some((number, ids_from)) = free else { return Ok(None) };
    let ids_until = ids_from.max(now).plus(IDS_AHEAD);
    let row = Node { beat: 1, state: NodeState::Running, ids_until, beat_at: now, ..node.clone() };
    tx.put(NODE, &number, &row);
    tx.put(MANDATE, &node.boot, &Mandate { node: number });
    tx.signal(TOPIC, Vec::new());
    Ok(Some(Claimed { number, ids_from, ids_until }))
}

/// What a sign of life tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sign {
    pub(super) now: Timestamp,
    pub(super) is_draining: bool,
    pub(super) uptime: Duration,
    pub(super) load: NodeLoad,
    pub(super) news_sent: u64,
    pub(super) index_slot: Option<u8>,
}

/// Gives a sign of life; gives until when ids may be given out, or `None` if
/// we were declared dead.
pub(super) fn beat(
    tx: &mut WriteTx<'_>,
    number: u8,
    boot: u64,
    sign: &Sign,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.get(NODE, &number)?.filter(|row| row.boot == boot && row.state != NodeState::Gone);
    let Some(mut row) = row else { return Ok(None) };
    if !stands(tx, boot)? {
        return Ok(None);
    }
    let state = if sign.is_draining { NodeState::Draining } else { NodeState::Running };
    if row.state != state {
        tx.signal(TOPIC, Vec::new());
    }
    row.state = state;
    row.beat += 1;
    row.beat_at = sign.now;
    row.uptime_s = sign.uptime.as_secs();
    row.load = sign.load;
    row.news_sent = sign.news_sent;
    row.index_slot = sign.index_slot;
    row.ids_until = row.ids_until.max(sign.now.plus(IDS_AHEAD));
    tx.put(NODE, &number, &row);
    Ok(Some(row.ids_until))
}

/// Whether a process has not been declared dead. Where this is read in the
/// transaction that writes, what a dead one writes is never stored.
///
/// # Errors
/// Only the store's.
pub fn stands(tx: &ReadTx<'_>, boot: u64) -> Result<bool, StoreError> {
    Ok(tx.get(MANDATE, &boot)?.is_some())
}

/// All rows of nodes, without that of commands.
pub(super) fn rows(tx: &ReadTx<'_>) -> Result<Vec<(u8, Node)>, StoreError> {
    let mut rows = tx.scan(NODE, Scan::all())?;
    rows.retain(|(number, _): &(u8, Node)| *number < NUMBERS);
    Ok(rows)
}

/// Ids for one command: each gets a span of time of its own, behind that of
/// the one before. It gives no signs of life and holds nothing, so its row is
/// that of one that is gone.
pub(super) fn claim_for_command(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<Claimed, StoreError> {
    let row = tx.get(NODE, &COMMANDS)?.unwrap_or_default();
    let ids_from = row.ids_until.max(now);
    let ids_until = ids_from.plus(COMMAND_IDS);
    tx.put(NODE, &COMMANDS, &Node { state: NodeState::Gone, ids_until, ..row });
    Ok(Claimed { number: COMMANDS, ids_from, ids_until })
}

/// Who holds what.
pub(super) fn holdings(tx: &ReadTx<'_>) -> Result<Holdings, StoreError> {
    Ok(tx.get(HOLDINGS, &HELD)?.unwrap_or_default())
}

/// Declares a process dead, unless it has given a sign since; whether it was
/// declared dead now.
pub(super) fn depose(tx: &mut WriteTx<'_>, number: u8, seen: &Node) -> Result<bool, StoreError> {
    let row = tx.get(NODE, &number)?;
    let is_same = |row: &Node| (row.boot, row.beat) == (seen.boot, seen.beat) && row.state != NodeState::Gone;
    let Some(row) = row.filter(is_same) else { return Ok(false) };
    tx.put(NODE, &number, &Node { state: NodeState::Gone, ..row });
    tx.delete(MANDATE, &seen.boot);
    tx.signal(TOPIC, Vec::new());
    Ok(true)
}

/// Takes shards that are still with the holder that was seen, if that one is
/// gone and we are not; gives what is held then.
pub(super) fn take(tx: &mut WriteTx<'_>, boot: u64, wanted: &[(u16, u64)]) -> Result<Holdings, StoreError> {
    let mut held = holdings(tx)?;
    let mut boots: Vec<u64> =
        wanted.iter().map(|(_, holder)| *holder).filter(|holder| *holder != 0).collect();
    boots.sort_unstable();
    boots.dedup();
    boots.push(boot);
    let found = tx.get_many(MANDATE, &boots)?;
    let stands = |boot: u64| boots.iter().zip(&found).any(|(its, row)| *its == boot && row.is_some());
    if !stands(boot) {
        return Ok(held);
    }
    let free: Vec<u16> = wanted
        .iter()
        .filter(|(shard, holder)| held.holder(*shard) == *holder && (*holder == 0 || !stands(*holder)))
        .map(|(shard, _)| *shard)
        .collect();
    if !free.is_empty() {
        free.iter().for_each(|shard| held.give(*shard, boot));
        held.epoch += 1;
        tx.put(HOLDINGS, &HELD, &held);
    }
    Ok(held)
}

/// Gives shards back; gives what is held then.
pub(super) fn release(tx: &mut WriteTx<'_>, boot: u64, shards: ShardSet) -> Result<Holdings, StoreError> {
    let mut held = holdings(tx)?;
    let ours: Vec<u16> = shards.iter().filter(|shard| held.holder(*shard) == boot).collect();
    if !ours.is_empty() {
        ours.iter().for_each(|shard| held.give(*shard, 0));
        held.epoch += 1;
        tx.put(HOLDINGS, &HELD, &held);
        tx.signal(TOPIC, Vec::new());
    }
    Ok(held)
}

/// Goes, and gives everything back. `ids_until` is a time before which all
/// ids are that were given out.
pub(super) fn leave(
    tx: &mut WriteTx<'_>,
    number: u8,
    boot: u64,
    ids_until: Timestamp,
) -> Result<(), StoreError> {
    release(tx, boot, ShardSet::ALL)?;
    tx.delete(MANDATE, &boot);
    if let Some(row) = tx.get(NODE, &number)?.filter(|row| row.boot == boot) {
        tx.put(NODE, &number, &Node { state: NodeState::Gone, ids_until, ..row });
        tx.signal(TOPIC, Vec::new());
    }
    Ok(())
}
