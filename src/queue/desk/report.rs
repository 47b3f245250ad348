//! The queue in sums, and what an admin does to a destination from wherever
//! they sit: page, API, command line.

use std::collections::BTreeMap;

use super::{Desk, Known};
use crate::base::Timestamp;
use crate::domain::delivery::admin::{self, Letters, PurgePlace, Selection};
use crate::model::queue::{Breaker, DeadKey, DestinationId, Lane};
use crate::queue::hour::Hour;
use crate::store::StoreError;

/// Rows that one transaction of a purge or replay looks at.
const BATCH_ROWS: usize = 1000;

/// The deliveries to others, in sums.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Totals {
    /// Whether the queue runs in this process.
    pub is_running: bool,
    /// Ready jobs by lane.
    pub ready: [u64; 3],
    /// When the oldest ready job of each lane was enqueued.
    pub oldest_ready: [Option<Timestamp>; 3],
    /// Jobs that wait for their retry.
    pub deferred: u64,
    /// Dead letters.
    pub dead: u64,
    /// When the oldest ready or deferred job was enqueued.
    pub oldest: Option<Timestamp>,
    /// Destinations by state; absent states have none.
    pub states: BTreeMap<u8, u64>,
    /// Destinations that the admin holds.
    pub paused: u64,
    /// Attempts under way.
    pub inflight: u64,
    /// Attempts at once, at most.
    pub slots: u64,
    /// There are so many jobs, or so little room on the disk, that what adds
    /// many more and nobody waits for is put off.
    pub is_overloaded: bool,
    /// Since when this server's own network is down.
    pub network_down_since: Option<Timestamp>,
}

impl Totals {
    /// Jobs that are still to be done.
    pub fn waiting(&self) -> u64 {
        self.ready.iter().sum::<u64>() + self.deferred
    }

    /// Destinations in a state.
    pub fn in_state(&self, state: Breaker) -> u64 {
        self.states.get(&(state as u8)).copied().unwrap_or_default()
    }

    fn add(&mut self, known: &Known) {
        let backlog = &known.backlog;
        for lane in Lane::ALL {
            let index = lane.index();
            self.ready[index] += backlog.ready[index];
            self.oldest_ready[index] = earlier(self.oldest_ready[index], backlog.oldest_ready[index]);
        }
        self.deferred += backlog.deferred;
        self.dead += backlog.dead;
        self.oldest = earlier(self.oldest, backlog.oldest);
        *self.states.entry(known.record.breaker as u8).or_default() += 1;
        self.paused += u64::from(known.steering.stopped_at.is_some());
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

/// What an admin does to a destination.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Sends nothing there until it is resumed.
    Pause,
    /// Sends there again, slowly at first.
    Resume,
    /// Looks at once whether it is back.
    Probe,
    /// Limits it in place of what the queue would allow.
    Limit {
        /// Requests a second.
        rate_max: Option<f32>,
        /// Requests under way.
        cap_max: Option<u32>,
    },
    /// Throws its waiting jobs away.
    Purge(Selection),
    /// Tries its dead letters again.
    Replay(Letters),
    /// Throws its dead letters away.
    Forget(Letters),
}

impl Desk {
    /// The last hour.
    pub fn hour(&self) -> &Hour {
        &self.inner.hour
    }

    /// The deliveries to others, in sums; counted a few seconds ago at most,
    /// longer with a long queue.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        let mut totals = Totals { is_overloaded: self.is_overloaded(), ..Totals::default() };
        let known = self.known().await?;
        known.iter().filter(|known| known.record.class.is_remote()).for_each(|known| totals.add(known));
        if let Some(live) = self.live().await {
            totals.is_running = true;
            totals.network_down_since = live.network_down_since;
            totals.inflight = live.inflight.iter().sum::<usize>() as u64;
            totals.slots = live.slots as u64;
        }
        Ok(totals)
    }

    /// Does something to a destination; gives how many jobs it was about,
    /// `None` if there is no such destination.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn act(&self, id: DestinationId, action: Action) -> Result<Option<u64>, StoreError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now());
        if store.read(move |tx| admin::known(tx, id)).await?.is_none() {
            return Ok(None);
        }
        let jobs = match action {
            Action::Pause => store.write(move |tx| admin::pause(tx, now, id)).await.map(|_| 0),
            Action::Resume => store.write(move |tx| admin::resume(tx, id)).await.map(|_| 0),
            Action::Probe => store.write(move |tx| admin::probe(tx, id)).await.map(|_| 0),
            Action::Limit { rate_max, cap_max } => {
                store.write(move |tx| admin::set_limits(tx, id, rate_max, cap_max)).await.map(|_| 0)
            }
            Action::Purge(chosen) => self.purge(Selection { destination: Some(id), ..chosen }).await,
            Action::Replay(chosen) => self.replay(Letters { destination: Some(id), ..chosen }).await,
            Action::Forget(chosen) => self.forget(Letters { destination: Some(id), ..chosen }).await,
        };
        // Whoever looks next sees what was done.
        *self.inner.counted.lock().await = None;
        jobs.map(Some)
    }

    /// Throws jobs away; gives how many.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn purge(&self, chosen: Selection) -> Result<u64, StoreError> {
        let (mut place, mut jobs) = (Some(PurgePlace::default()), 0);
        // Each step begins behind the last row of the one before, so this ends.
        while let Some(at) = place {
            let now = self.inner.clock.now();
            let step =
                move |tx: &mut crate::store::WriteTx<'_>| admin::purge(tx, now, &chosen, at, BATCH_ROWS);
            let purged = self.inner.store.write(step).await?;
            (place, jobs) = (purged.next, jobs + purged.jobs as u64);
        }
        Ok(jobs)
    }

    /// Makes dead letters ready again; gives how many.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while the queue is too full for it; the store's.
    pub async fn replay(&self, chosen: Letters) -> Result<u64, StoreError> {
        if self.is_overloaded() {
            return Err(StoreError::Busy);
        }
        // What dies again while this goes on is not taken a second time.
        let began = self.inner.clock.now();
        let until = Some(chosen.until.map_or(began, |until| until.min(began)));
        let chosen = Letters { until, ..chosen };
        let (mut after, mut jobs) = (None, 0);
        loop {
            let now = self.inner.clock.now();
            let step =
                move |tx: &mut crate::store::WriteTx<'_>| admin::replay(tx, now, &chosen, after, BATCH_ROWS);
            let replayed = self.inner.store.write(step).await?;
            jobs += replayed.jobs as u64;
            match replayed.next {
                next @ Some(_) => after = next,
                None => return Ok(jobs),
            }
        }
    }

    /// Throws dead letters away; gives how many.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn forget(&self, chosen: Letters) -> Result<u64, StoreError> {
        let (mut after, mut jobs): (Option<DeadKey>, u64) = (None, 0);
        loop {
            let step = move |tx: &mut crate::store::WriteTx<'_>| {
                admin::forget_letters(tx, &chosen, after, BATCH_ROWS)
            };
            let forgotten = self.inner.store.write(step).await?;
            jobs += forgotten.jobs as u64;
            match forgotten.next {
                next @ Some(_) => after = next,
                None => return Ok(jobs),
            }
        }
    }
}
