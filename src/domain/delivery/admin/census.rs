//! How many jobs each destination has: counted when somebody asks, in pages,
//! since keeping the numbers would cost every fan-out a row for each server.

use std::collections::HashMap;

use crate::base::Timestamp;
use crate::model::queue::tables::{DEAD, DEFERRED, JOB};
use crate::model::queue::{DeadKey, DeferKey, DestinationId, JobKey, Lane};
use crate::store::{ReadTx, Scan, StoreError};

/// The jobs of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Ready jobs by lane.
    pub ready: [u64; 3],
    /// Jobs that wait for their retry.
    pub deferred: u64,
    /// Dead letters.
    pub dead: u64,
    /// When the oldest ready or deferred one was enqueued.
    pub oldest: Option<Timestamp>,
    /// When the oldest ready one of each lane was enqueued.
    pub oldest_ready: [Option<Timestamp>; 3],
}

impl Backlog {
    /// Jobs that are still to be done.
    pub fn waiting(&self) -> u64 {
        self.ready.iter().sum::<u64>() + self.deferred
    }

    fn saw(&mut self, created_at: Timestamp) {
        self.oldest = Some(self.oldest.map_or(created_at, |oldest| oldest.min(created_at)));
    }

    fn saw_ready(&mut self, lane: Lane, created_at: Timestamp) {
        let index = lane.index();
        self.ready[index] += 1;
        let oldest = &mut self.oldest_ready[index];
        *oldest = Some(oldest.map_or(created_at, |oldest| oldest.min(created_at)));
        self.saw(created_at);
    }
}

/// The jobs of all destinations that have any.
pub type Census = HashMap<DestinationId, Backlog>;

/// Where the count goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CensusPlace {
    /// Among ready jobs.
    Ready(Option<JobKey>),
    /// Among deferred ones.
    Deferred(Option<DeferKey>),
    /// Among dead letters.
    Dead(Option<DeadKey>),
}

impl Default for CensusPlace {
    fn default() -> CensusPlace {
        CensusPlace::Ready(None)
    }
}

/// Counts the next `rows` rows, beginning at the default place; gives where to
/// go on, `None` after the last.
///
/// # Errors
/// Only the store's.
pub fn census(
    tx: &ReadTx<'_>,
    counts: &mut Census,
    place: CensusPlace,
    rows: usize,
) -> Result<Option<CensusPlace>, StoreError> {
    Ok(match place {
        CensusPlace::Ready(after) => {
            let page = tx.scan(JOB, after_key(after).limit(rows))?;
            for (key, row) in &page {
                let backlog = counts.entry(key.destination).or_default();
                backlog.saw_ready(key.lane, row.created_at);
            }
            let last = page.last().filter(|_| page.len() == rows).map(|(key, _)| *key);
            Some(last.map_or(CensusPlace::Deferred(None), |key| CensusPlace::Ready(Some(key))))
        }
        CensusPlace::Deferred(after) => {
            let page = tx.scan(DEFERRED, after_key(after).limit(rows))?;
            for (key, deferred) in &page {
                let backlog = counts.entry(key.destination).or_default();
                backlog.deferred += 1;
                backlog.saw(deferred.row.created_at);
            }
            let last = page.last().filter(|_| page.len() == rows).map(|(key, _)| *key);
            Some(last.map_or(CensusPlace::Dead(None), |key| CensusPlace::Deferred(Some(key))))
        }
        CensusPlace::Dead(after) => {
            let page = tx.scan(DEAD, after_key(after).limit(rows))?;
            for (key, _) in &page {
                counts.entry(key.destination).or_default().dead += 1;
            }
            page.last().filter(|_| page.len() == rows).map(|(key, _)| CensusPlace::Dead(Some(*key)))
        }
    })
}

fn after_key<K: crate::store::Key>(after: Option<K>) -> Scan<K> {
    after.iter().fold(Scan::all(), |scan, key| scan.after(key))
}
