//! The admin's desk: what the running queue can be asked, together with what
//! the store knows. What an admin *does* is [`crate::domain::delivery::admin`].

mod exposition;
mod report;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

pub use report::{Action, Totals};

use super::destination::{Group, Health, Hurdle};
use super::hour::Hour;
use super::plan::{Gauges, Live, Why};
use crate::base::{Clock, Id, Timestamp};
use crate::domain::delivery::Overview;
use crate::domain::delivery::admin::{self, Backlog, Census, CensusPlace, Whereabouts};
use crate::model::queue::tables::{DESTINATION, STEERING};
use crate::model::queue::{Breaker, Class, Destination, DestinationId, InboxId, JobKey, Steering};
use crate::store::{Scan, Store, StoreError};

/// Questions that wait for the queue.
const QUESTIONS_MAX: usize = 64;
/// More jobs than this are too many.
pub const ROWS_MAX: i64 = 5_000_000;
/// Less room on the disk than this is too little.
pub const FREE_MIN_BYTES: u64 = 1 << 30;
/// How long the queue may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Rows counted in one step.
const STEP_ROWS: usize = 4096;
/// What the queue said of itself is good for this long; it says it every five
/// seconds.
const PULSE_FOR: Duration = Duration::from_secs(15);
/// A count is good for this long, or for this many times what it took.
const COUNT_FOR: Duration = Duration::from_secs(5);
const COUNT_TIMES: u32 = 20;

/// Asks the running queue; cheap to clone.
#[derive(Clone)]
pub struct Desk {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    questions: mpsc::Sender<Question>,
    /// The worker's end; a worker that starts again takes it over.
    inbox: Mutex<mpsc::Receiver<Question>>,
    counted: Mutex<Option<Counted>>,
    hour: Hour,
    is_overloaded: AtomicBool,
    pulse: parking_lot::Mutex<Option<(Duration, Pulse)>>,
}

/// How busy the running queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// Attempts under way.
    pub inflight: usize,
    /// Attempts at once, at most.
    pub slots: usize,
    /// Since when our own network is down.
    pub network_down_since: Option<Timestamp>,
}

#[derive(Clone)]
struct Counted {
    at: Duration,
    took: Duration,
    known: Arc<Vec<Known>>,
}

struct Known {
    id: DestinationId,
    record: Destination,
    steering: Steering,
    backlog: Backlog,
}

/// A question to the worker.
pub(super) enum Question {
    /// How is it?
    Live(oneshot::Sender<Live>),
    /// What keeps this job from starting?
    Explain(JobKey, oneshot::Sender<Why>),
}

/// A destination, for the admin.
#[derive(Debug, Clone, PartialEq)]
pub struct DestinationView {
    /// Its number.
    pub id: DestinationId,
    /// Its state, as new as it can be had.
    pub record: Destination,
    /// What the admin decided.
    pub steering: Steering,
    /// Its jobs, counted a few seconds ago at most (longer with a long queue).
    pub backlog: Backlog,
    /// Requests under way.
    pub inflight: u32,
    /// Which share of all slots it may take; `None` while it is not in memory.
    pub group: Option<Group>,
}

/// What a list is ordered by; the most of it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Jobs that are still to be done.
    #[default]
    Backlog,
    /// Age of the oldest of them.
    Age,
    /// How unwell it is.
    State,
    /// Failures in a row.
    Failures,
    /// Dead letters.
    Dead,
    /// Its name, from a to z.
    Name,
}

/// Which destinations are asked for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// In this order.
    pub sort: Sort,
    /// Of this class; `None`: of any but our own work.
    pub class: Option<Class>,
    /// In this state.
    pub state: Option<Breaker>,
    /// Only those that the admin paused.
    pub only_stopped: bool,
    /// With this in their name.
    pub name: Option<String>,
    /// Leave out so many.
    pub offset: usize,
    /// Give so many at most.
    pub limit: usize,
}

/// The answer to an [`Ask`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    /// How many there are, on all pages.
    pub total: usize,
    /// Those of this page.
    pub destinations: Vec<DestinationView>,
}

impl Desk {
    /// A desk for the queue of this store; hand it to the worker.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Desk {
        let (questions, inbox) = mpsc::channel(QUESTIONS_MAX);
        let (inbox, counted) = (Mutex::new(inbox), Mutex::new(None));
        let (is_overloaded, pulse) = (AtomicBool::new(false), parking_lot::Mutex::new(None));
        let hour = Hour::new(clock.clone());
        let inner = Inner { store, clock, questions, inbox, counted, hour, is_overloaded, pulse };
        Desk { inner: Arc::new(inner) }
    }

    /// Whether there are so many jobs, or so little room, that what adds many
    /// more and nobody waits for is to be refused (503).
    pub fn is_overloaded(&self) -> bool {
        self.inner.is_overloaded.load(Ordering::Relaxed)
    }

    /// Judges the rows there are and the bytes that are free.
    pub(super) fn judge(&self, rows: &Overview, free_bytes: Option<u64>) {
        let count = rows.ready.iter().sum::<i64>() + rows.deferred;
        let is_full = free_bytes.is_some_and(|free| free < FREE_MIN_BYTES);
        let is_overloaded = count > ROWS_MAX || is_full;
        let was = self.inner.is_overloaded.swap(is_overloaded, Ordering::Relaxed);
        metrics::gauge!("waxwing_delivery_overloaded").set(if is_overloaded { 1.0 } else { 0.0 });
        if is_overloaded && !was {
            tracing::error!(
                rows = count,
                free_bytes,
                "the delivery queue is full: it takes only what somebody waits for until there is room"
            );
        } else if was && !is_overloaded {
            tracing::info!(rows = count, "the delivery queue takes everything again");
        }
    }

    /// Notes how busy the queue is.
    pub(super) fn feel(&self, gauges: &Gauges, slots: usize) {
        let inflight = gauges.inflight.iter().sum();
        let pulse = Pulse { inflight, slots, network_down_since: gauges.network_down_since };
        *self.inner.pulse.lock() = Some((self.inner.clock.monotonic(), pulse));
    }

    /// How busy the queue was a few seconds ago; `None` while it does not run.
    /// Costs nothing, so it may be asked at any time.
    pub fn pulse(&self) -> Option<Pulse> {
        let (at, pulse) = (*self.inner.pulse.lock())?;
        (self.inner.clock.monotonic().saturating_sub(at) < PULSE_FOR).then_some(pulse)
    }

    /// The worker's end of it.
    pub(super) async fn questions(&self) -> MutexGuard<'_, mpsc::Receiver<Question>> {
        self.inner.inbox.lock().await
    }

    /// The scheduler as it is now; `None` if it does not run or is too busy.
    pub async fn live(&self) -> Option<Live> {
        self.ask(Question::Live).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        // Free: no worker listens, and none would answer.
        if self.inner.inbox.try_lock().is_ok() {
            return None;
        }
        let (reply, answer) = oneshot::channel();
        self.inner.questions.try_send(question(reply)).ok()?;
        tokio::time::timeout(ANSWER_MAX, answer).await.ok()?.ok()
    }

    /// Which rule keeps the job of an act for an inbox from starting.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn explain(
        &self,
        destination: DestinationId,
        act: Id,
        inbox: InboxId,
    ) -> Result<Why, StoreError> {
        let found = self.inner.store.read(move |tx| admin::find(tx, destination, act, inbox)).await?;
        Ok(match found {
            Whereabouts::Nowhere => Why::Nowhere,
            Whereabouts::Deferred(key) => Why::Deferred { due: key.due },
            Whereabouts::Ready { waits: Some(act), .. } => Why::Order { act },
            Whereabouts::Ready { key, .. } => {
                match self.ask(|reply| Question::Explain(key, reply)).await.unwrap_or(Why::Unseen) {
                    Why::Unseen => {
                        let written = self.written_hurdle(destination).await?;
                        written.map_or(Why::Unseen, Why::Destination)
                    }
                    why => why,
                }
            }
        })
    }

    /// What the store says that keeps the jobs of a destination, where the
    /// queue that sends there is another node's or does not run: that it is
    /// stopped, or asked again later. What is under way there is not known.
    async fn written_hurdle(&self, id: DestinationId) -> Result<Option<Hurdle>, StoreError> {
        let known = self.inner.store.read(move |tx| admin::known(tx, id)).await?;
        let now = self.inner.clock.now();
        let hurdle = known.and_then(|known| Health::new(known.record, known.steering, now).hurdle(now));
        Ok(hurdle.filter(|hurdle| !matches!(hurdle, Hurdle::Cap { .. } | Hurdle::Rate { .. })))
    }

    /// Destinations with their jobs.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn list(&self, ask: &Ask) -> Result<Listing, StoreError> {
        let known = self.known().await?;
        let live = self.live().await.unwrap_or_default();
        let live: HashMap<DestinationId, _> = live.destinations.iter().map(|live| (live.id, live)).collect();
        let mut views: Vec<DestinationView> = known
            .iter()
            .map(|known| DestinationView {
                id: known.id,
                record: live.get(&known.id).map_or(&known.record, |live| &live.record).clone(),
                steering: known.steering,
                backlog: known.backlog,
                inflight: live.get(&known.id).map_or(0, |live| live.inflight),
                group: live.get(&known.id).map(|live| live.group),
            })
            .filter(|view| ask.takes(view))
            .collect();
        ask.sort(&mut views);
        let total = views.len();
        let destinations = views.into_iter().skip(ask.offset).take(ask.limit).collect();
        Ok(Listing { total, destinations })
    }

    /// One destination; `None` if there is no such one.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn destination(&self, id: DestinationId) -> Result<Option<DestinationView>, StoreError> {
        let Some(known) = self.inner.store.read(move |tx| admin::known(tx, id)).await? else {
            return Ok(None);
        };
        let counted = self.known().await?;
        let backlog = counted.iter().find(|known| known.id == id).map(|known| known.backlog);
        let live = self.live().await.unwrap_or_default();
        let live = live.destinations.into_iter().find(|live| live.id == id);
        Ok(Some(DestinationView {
            id,
            inflight: live.as_ref().map_or(0, |live| live.inflight),
            group: live.as_ref().map(|live| live.group),
            record: live.map_or(known.record, |live| live.record),
            steering: known.steering,
            backlog: backlog.unwrap_or_default(),
        }))
    }

    /// All destinations with their jobs, counted lately. Counting a long queue
    /// takes a while, so it is done the less often the longer it takes.
    async fn known(&self) -> Result<Arc<Vec<Known>>, StoreError> {
        let mut counted = self.inner.counted.lock().await;
        let now = self.inner.clock.monotonic();
        if let Some(counted) = &*counted
            && now.saturating_sub(counted.at) < COUNT_FOR.max(counted.took * COUNT_TIMES)
        {
            return Ok(counted.known.clone());
        }
        let known = Arc::new(self.count().await?);
        let at = self.inner.clock.monotonic();
        *counted = Some(Counted { at, took: at.saturating_sub(now), known: known.clone() });
        Ok(known)
    }

    async fn count(&self) -> Result<Vec<Known>, StoreError> {
        let mut census = self.census().await?;
        let steerings: Vec<(DestinationId, Steering)> =
            self.inner.store.read(|tx| tx.scan(STEERING, Scan::all())).await?;
        let steerings: HashMap<DestinationId, Steering> = steerings.into_iter().collect();
        let mut known = Vec::new();
        let mut after: Option<DestinationId> = None;
        // Each step begins behind the last row of the one before, so this ends.
        loop {
            let scan = after.iter().fold(Scan::all(), |scan, id| scan.after(id)).limit(STEP_ROWS);
            let page: Vec<(DestinationId, Destination)> =
                self.inner.store.read(move |tx| tx.scan(DESTINATION, scan)).await?;
            after = page.last().map(|(id, _)| *id);
            let is_last = page.len() < STEP_ROWS;
            known.extend(page.into_iter().map(|(id, record)| Known {
                id,
                record,
                steering: steerings.get(&id).copied().unwrap_or_default(),
                backlog: census.remove(&id).unwrap_or_default(),
            }));
            if is_last {
                return Ok(known);
            }
        }
    }

    /// Counts all rows, in steps, so that others get their turn.
    async fn census(&self) -> Result<Census, StoreError> {
        let mut census = Census::new();
        let mut place = Some(CensusPlace::default());
        while let Some(at) = place {
            let counted = self.inner.store.read(move |tx| {
                let next = admin::census(tx, &mut census, at, STEP_ROWS)?;
                Ok::<_, StoreError>((census, next))
            });
            (census, place) = counted.await?;
            tokio::task::yield_now().await;
        }
        Ok(census)
    }
}

impl Ask {
    fn takes(&self, view: &DestinationView) -> bool {
        self.class.map_or(view.record.class != Class::Local, |class| class == view.record.class)
            && self.state.is_none_or(|state| state == view.record.breaker)
            && (!self.only_stopped || view.steering.stopped_at.is_some())
            && self.name.as_ref().is_none_or(|name| view.record.authority.contains(name.as_str()))
    }

    fn sort(&self, views: &mut [DestinationView]) {
        use std::cmp::Reverse;
        let name = |view: &DestinationView| view.record.authority.clone();
        match self.sort {
            Sort::Backlog => views.sort_by_cached_key(|view| (Reverse(view.backlog.waiting()), name(view))),
            Sort::Age => views
                .sort_by_cached_key(|view| (view.backlog.oldest.is_none(), view.backlog.oldest, name(view))),
            Sort::State => {
                views.sort_by_cached_key(|view| (Reverse(view.record.breaker as u8), name(view)));
            }
            Sort::Failures => views.sort_by_cached_key(|view| (Reverse(view.record.failures), name(view))),
            Sort::Dead => views.sort_by_cached_key(|view| (Reverse(view.backlog.dead), name(view))),
            Sort::Name => views.sort_by_cached_key(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;

    #[tokio::test]
    async fn a_queue_that_says_nothing_does_not_run() {
        let clock = ManualClock::at(Timestamp::from_secs(1_800_000_000));
        let desk = Desk::new(Store::memory(), Arc::new(clock.clone()));
        assert_eq!(desk.pulse(), None);
        desk.feel(&Gauges { inflight: [3, 2, 1], ..Gauges::default() }, 256);
        assert_eq!(desk.pulse().map(|pulse| (pulse.inflight, pulse.slots)), Some((6, 256)));
        clock.advance(PULSE_FOR);
        assert_eq!(desk.pulse(), None);
    }

    #[tokio::test]
    async fn too_many_jobs_and_too_little_room_are_both_too_much() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
        let desk = Desk::new(Store::memory(), clock);
        let rows = |ready: i64, deferred: i64| Overview { ready: [0, ready, 0], deferred, dead: 9 };
        for (rows, free, expected) in [
            (rows(0, 0), None, false),
            (rows(ROWS_MAX, 1), None, true),
            (rows(ROWS_MAX, 0), Some(FREE_MIN_BYTES), false),
            (rows(0, 0), Some(FREE_MIN_BYTES - 1), true),
        ] {
            desk.judge(&rows, free);
            assert_eq!(desk.is_overloaded(), expected, "{rows:?}, {free:?}");
        }
    }
}
