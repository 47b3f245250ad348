//! Where there are jobs, and which ones may go first: what the owner reads.

use std::collections::{BTreeSet, HashMap};

use super::super::plan::{Load, SHED_AFTER, Window};
use crate::base::{Id, Timestamp};
use crate::model::queue::tables::{ACT, DESTINATION, FOLLOWS_BY_HOST, HELD, JOB, STEERING};
use crate::model::queue::{
    Breaker, Class, Destination, DestinationId, Held, InboxId, JobKey, JobRow, Lane, OrderKey, Steering,
};
use crate::store::{ReadTx, Scan, StoreError};

/// Rows read in one step when looking for work.
const LOOK_ROWS: usize = 16;
/// Rows of a lane looked through for ones that need not wait.
const LANE_ROWS_MAX: usize = 512;

fn first_after(destination: DestinationId) -> JobKey {
    JobKey { destination, lane: Lane::Bulk, act: Id::MAX, inbox: InboxId(u32::MAX) }
}

/// Skips from destination to destination rather than read every row.
pub(super) fn destinations_with_jobs(tx: &ReadTx<'_>) -> Result<Vec<(DestinationId, Lane)>, StoreError> {
    let mut found = BTreeSet::new();
    let mut scan = Scan::all();
    loop {
        let rows = tx.scan(JOB, scan.limit(LOOK_ROWS))?;
        found.extend(rows.iter().map(|(key, _)| key.destination));
        let Some((last, _)) = rows.last() else { break };
        scan = Scan::all().after(&first_after(last.destination));
    }
    // Which lanes does not matter: a load looks at all three.
    Ok(found.into_iter().flat_map(|id| Lane::ALL.map(|lane| (id, lane))).collect())
}

/// The first rows of a destination that need not wait for an earlier one.
pub(super) fn window(tx: &ReadTx<'_>, load: &Load, now: Timestamp) -> Result<Window, StoreError> {
    let id = load.destination;
    let record = if load.wants_record { tx.get(DESTINATION, &id)? } else { None };
    let steering = if load.wants_steering { Some(tx.get(STEERING, &id)?.unwrap_or_default()) } else { None };
    let follows = match &record {
        Some(record) if record.class == Class::Remote => tx.count(FOLLOWS_BY_HOST, &record.authority)?,
        _ => 0,
    };
    let is_left_alone = waits_long(record.as_ref(), steering, now);
    let mut window =
        Window { destination: id, epoch: load.epoch, record, steering, follows, ..Window::default() };
    if is_left_alone {
        // Its rows would be dropped at once; they are read when it is its time.
        window.more = [true; 3];
        return Ok(window);
    }
    for lane in Lane::ALL {
        let mut scan = Scan::prefix(&(id, lane));
        let (mut seen, mut taken) = (0, 0);
        loop {
            let rows = tx.scan(JOB, scan.limit(load.rows_per_lane + 1))?;
            let (count, last) = (rows.len(), rows.last().map(|(key, _)| *key));
            let free = without_held(tx, rows)?;
            let room = load.rows_per_lane - taken;
            window.more[lane.index()] =
                free.len() > room || (count > load.rows_per_lane && free.len() == room);
            taken += free.len().min(room);
            seen += count;
            window.rows.extend(free.into_iter().take(room));
            let Some(last) = last else { break };
            if count <= load.rows_per_lane || taken == load.rows_per_lane || seen >= LANE_ROWS_MAX {
                break;
            }
            scan = Scan::prefix(&(id, lane)).after(&last);
        }
    }
    Ok(window)
}

/// Whether nothing will be sent there soon.
fn waits_long(record: Option<&Destination>, steering: Option<Steering>, now: Timestamp) -> bool {
    let is_stopped = steering.is_some_and(|steering| steering.stopped_at.is_some());
    let until = record.filter(|record| record.class.is_remote()).and_then(|record| {
        let is_open = record.breaker != Breaker::Closed;
        record.open_until.filter(|_| is_open).max(record.paused_until)
    });
    is_stopped || until.is_some_and(|until| until.since(now) > SHED_AFTER)
}

/// Drops rows that wait for an earlier, tried one of their order key.
fn without_held(tx: &ReadTx<'_>, rows: Vec<(JobKey, JobRow)>) -> Result<Vec<(JobKey, JobRow)>, StoreError> {
    let chains: BTreeSet<(DestinationId, OrderKey)> = rows
        .iter()
        .filter(|(_, row)| row.order != OrderKey::NONE)
        .map(|(key, row)| (key.destination, row.order))
        .collect();
    let chains: Vec<_> = chains.into_iter().collect();
    let held: HashMap<OrderKey, Held> = chains
        .iter()
        .zip(tx.get_many(HELD, &chains)?)
        .filter_map(|((_, order), held)| held.map(|held| (*order, held)))
        .collect();
    if held.is_empty() {
        return Ok(rows);
    }
    let acts: BTreeSet<Id> = held.values().flat_map(|held| held.jobs.iter().map(|job| job.act)).collect();
    let acts: Vec<Id> = acts.into_iter().collect();
    // What became pointless is not waited for.
    let pointless: BTreeSet<Id> = acts
        .iter()
        .zip(tx.get_many(ACT, &acts)?)
        .filter(|(_, act)| act.as_ref().is_none_or(|act| act.is_superseded))
        .map(|(id, _)| *id)
        .collect();
    let waits = |key: &JobKey, row: &JobRow| {
        held.get(&row.order).is_some_and(|held| {
            held.jobs.iter().any(|job| job.act < key.act && !pointless.contains(&job.act))
        })
    };
    Ok(rows.into_iter().filter(|(key, row)| !waits(key, row)).collect())
}
