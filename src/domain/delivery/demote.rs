//! Old news: rows that waited in the lane of fresh ones until they were none,
//! because their server was down or slow. They make room for what is new.

use std::collections::{BTreeMap, BTreeSet};

use super::CHAIN_MAX;
use super::rows::FRESH_FOR;
use crate::base::{Id, Timestamp};
use crate::model::queue::tables::{ACT_BY_ORDER, JOB, ROWS};
use crate::model::queue::{DestinationId, InboxId, JobKey, JobRow, Lane, OrderKey, OrderedAct};
use crate::store::{Scan, StoreError, WriteTx};

/// Inboxes of one destination that an act goes to, as far as it is looked.
const INBOXES_MAX: usize = 64;

/// Moves up to `limit` rows of a destination that are older than ten minutes
/// from the lane of fresh news to the bulk lane, and whatever must not
/// overtake them; `true` if there may be more. Those under way (`busy`) stay.
///
/// # Errors
/// Only the store's.
pub fn demote(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    destination: DestinationId,
    busy: &BTreeSet<(Id, InboxId)>,
    limit: usize,
) -> Result<bool, StoreError> {
    let seen_max = limit + busy.len();
    let page = tx.scan(JOB, Scan::prefix(&(destination, Lane::Fresh)).limit(seen_max))?;
    let is_full = page.len() == seen_max;
    let may_move = |key: &JobKey| !busy.contains(&(key.act, key.inbox));
    let mut moving: BTreeMap<JobKey, JobRow> = page
        .into_iter()
        .filter(|(key, row)| may_move(key) && now.since(row.created_at) > FRESH_FOR)
        .collect();
    let chains: BTreeMap<OrderKey, Id> = moving
        .iter()
        .rev()
        .filter(|(_, row)| row.order != OrderKey::NONE)
        .map(|(key, row)| (row.order, key.act))
        .collect();
    for (order, first) in chains {
        for later in later_acts(tx, order, first)? {
            let rows = Scan::prefix(&(destination, Lane::Fresh, later)).limit(INBOXES_MAX);
            moving.extend(tx.scan(JOB, rows)?.into_iter().filter(|(key, _)| may_move(key)));
        }
    }
    for (key, row) in &moving {
        tx.delete(JOB, key);
        tx.put(JOB, &JobKey { lane: Lane::Bulk, ..*key }, row);
    }
    let count = moving.len() as i64;
    tx.add(ROWS, &(Lane::Fresh as u8), -count);
    tx.add(ROWS, &(Lane::Bulk as u8), count);
    slow_down(tx, &moving)?;
    Ok(is_full && count > 0)
}

fn later_acts(tx: &WriteTx<'_>, order: OrderKey, first: Id) -> Result<Vec<Id>, StoreError> {
    let later = Scan::prefix(&(order,)).after(&(order, first)).limit(CHAIN_MAX);
    Ok(tx.scan(ACT_BY_ORDER, later)?.into_iter().map(|((_, act), _)| act).collect())
}

/// What follows these takes the bulk lane, too.
fn slow_down(tx: &mut WriteTx<'_>, moved: &BTreeMap<JobKey, JobRow>) -> Result<(), StoreError> {
    let ordered = moved.iter().filter(|(_, row)| row.order != OrderKey::NONE);
    let keys: BTreeSet<(OrderKey, Id)> = ordered.map(|(key, row)| (row.order, key.act)).collect();
    let keys: Vec<(OrderKey, Id)> = keys.into_iter().collect();
    for (key, known) in keys.iter().zip(tx.get_many(ACT_BY_ORDER, &keys)?) {
        if let Some(known) = known {
            tx.put(ACT_BY_ORDER, key, &OrderedAct { lane: Lane::Bulk, ..known });
        }
    }
    Ok(())
}
