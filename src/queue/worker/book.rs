//! The owner's dealings with the store. Each is a task that comes back with
//! an [`Answer`]; what fails is tried again, for the owner cannot go on
//! without it, and the number of unwritten outcomes stops new starts.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{error, warn};

use super::super::forget::forget_destinations;
use super::super::plan::{Load, Window};
use super::{sweep, windows};
use crate::base::{Id, IdGenerator, Moment, Timestamp};
use crate::cluster::{self, Duty};
use crate::domain::delivery::{self, Bounds, Fate, Overview, Promoted};
use crate::model::queue::{Destination, DestinationId, History, InboxId, JobKey, Lane};
use crate::store::{Store, StoreError};

/// Outcomes written in one transaction.
pub(super) const BATCH_MAX: usize = 256;
/// How long an outcome waits for others to be written with.
pub(super) const BATCH_WAIT: Duration = Duration::from_millis(50);
/// Deferred jobs made ready in one transaction.
const PROMOTE_MAX: usize = 256;
/// Windows read in one step.
const LOADS_MAX: usize = 128;
/// Rows of old news moved in one transaction, and how many such for one order.
const DEMOTE_ROWS: usize = 256;
const DEMOTE_STEPS_MAX: usize = 1000;
/// How often destinations with too many rows are looked for.
const CROWD_EVERY: Duration = Duration::from_secs(300);
/// How often destinations are looked for that nobody needs any more.
const FORGET_EVERY: Duration = Duration::from_secs(600);
/// How often old rows are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How often the gauges are set: whoever looks for the rate that lasts has to
/// see within seconds whether jobs pile up.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// How often retries that other nodes put off are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pause before the store is asked again after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the store said.
pub(super) enum Answer {
    /// Windows for the scheduler.
    Loaded(Vec<Window>),
    /// Where there are jobs.
    Found(Vec<(DestinationId, Lane)>),
    /// These outcomes are written.
    Committed(Vec<JobKey>),
    /// Deferred jobs were made ready.
    Promoted(Promoted),
    /// A part of the rows was looked through; where to go on.
    Swept(Option<JobKey>),
    /// How many rows there are; nothing if they could not be counted.
    Counted(Option<Overview>),
    /// Old news of a destination was moved.
    Demoted(DestinationId),
    /// Whether some destinations have too many rows.
    Crowded(bool),
    /// So many destinations were forgotten.
    Forgotten(usize),
    /// The store is closed.
    Nothing,
}

pub(super) struct Book {
    store: Store,
    duty: Duty,
    ids: Arc<IdGenerator>,
    tasks: JoinSet<Answer>,
    fates: Vec<(JobKey, Fate)>,
    saves: HashMap<DestinationId, Box<Destination>>,
    notes: HashMap<DestinationId, History>,
    flush_at: Option<Timestamp>,
    is_committing: bool,
    commit_began: Timestamp,
    /// When the next deferred job is due.
    due: Option<Timestamp>,
    is_promoting: bool,
    is_looking: bool,
    looks_again: bool,
    sweep_at: Timestamp,
    sweep_from: Option<JobKey>,
    measure_at: Timestamp,
    crowd_at: Timestamp,
    forget_at: Timestamp,
    is_forgetting: bool,
    is_counting: bool,
    /// Destinations with too many rows may be known; so it is at the start.
    has_crowds: bool,
    rows: u64,
}

impl Book {
    pub(super) fn new(store: Store, ids: Arc<IdGenerator>, duty: Duty, now: Timestamp) -> Book {
        Book {
            store,
            duty,
            ids,
            tasks: JoinSet::new(),
            fates: Vec::new(),
            saves: HashMap::new(),
            notes: HashMap::new(),
            flush_at: None,
            is_committing: false,
            commit_began: now,
            due: None,
            is_promoting: false,
            is_looking: false,
            looks_again: false,
            sweep_at: now.plus(SWEEP_EVERY),
            sweep_from: None,
            measure_at: now,
            crowd_at: now.plus(SWEEP_EVERY),
            forget_at: now.plus(FORGET_EVERY),
            is_forgetting: false,
            is_counting: false,
            has_crowds: true,
            rows: 0,
        }
    }

    /// The next answer; `None` if nothing was asked.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        match self.tasks.join_next().await? {
            Ok(answer) => Some(answer),
            // The owner cannot go on without the answer: it starts anew.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Some(Answer::Nothing),
        }
    }

    /// What is done by one node for all may be ours now, or not any more.
    pub(super) fn turn_to(&mut self, duty: Duty) {
        self.duty = duty;
    }

    /// When something of the book's own is due.
    pub(super) fn next_wake(&self, now: Timestamp) -> Timestamp {
        let flush_at = self.flush_at.filter(|_| !self.is_committing);
        let due = self.due.filter(|_| !self.is_promoting && self.duty.has_chores());
        let first = self.sweep_at.min(self.measure_at).min(self.crowd_at).min(self.forget_at);
        [flush_at, due].into_iter().flatten().fold(first, Timestamp::min).max(now)
    }

    pub(super) fn upkeep(&mut self, now: Timestamp) {
        let is_full = self.fates.len() >= BATCH_MAX;
        if is_full || self.flush_at.is_some_and(|at| at <= now) {
            self.flush(now);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.promote(now);
        }
        if now >= self.sweep_at {
            self.sweep_at = now.plus(SWEEP_EVERY);
            if self.duty.has_chores() {
                self.sweep(now);
            }
        }
        if now >= self.crowd_at {
            self.crowd_at = now.plus(CROWD_EVERY);
            if self.duty.has_chores() {
                self.crowd(now);
            }
        }
        if now >= self.forget_at {
            self.forget_at = now.plus(FORGET_EVERY);
            if self.duty.has_chores() {
                self.forget(now);
            }
        }
    }

    pub(super) fn is_time_to_measure(&mut self, now: Timestamp) -> bool {
        let is_time = now >= self.measure_at;
        if is_time {
            self.measure_at = now.plus(MEASURE_EVERY);
        }
        is_time
    }

    /// Whether outcomes are still on their way to the disk.
    pub(super) fn is_writing(&self) -> bool {
        self.is_committing || !self.fates.is_empty() || !self.saves.is_empty() || !self.notes.is_empty()
    }

    pub(super) fn settle(&mut self, key: JobKey, fate: Fate, now: Timestamp) {
        self.fates.push((key, fate));
        self.flush_at.get_or_insert(now.plus(BATCH_WAIT));
    }

    pub(super) fn save(&mut self, id: DestinationId, record: Box<Destination>, now: Timestamp) {
        self.saves.insert(id, record);
        self.flush_at.get_or_insert(now.plus(BATCH_WAIT));
    }

    /// What happened at a destination; written with the next batch.
    pub(super) fn note(&mut self, id: DestinationId, note: History, now: Timestamp) {
        self.notes.entry(id).or_default().extend(note);
        self.flush_at.get_or_insert(now.plus(BATCH_WAIT));
    }

    /// Writes what waits, unless the batch before is still being written:
    /// then this one only grows.
    pub(super) fn flush(&mut self, now: Timestamp) {
        if self.is_committing || !self.is_writing() {
            return;
        }
        (self.is_committing, self.commit_began) = (true, now);
        let rest = self.fates.split_off(self.fates.len().min(BATCH_MAX));
        let fates = std::mem::replace(&mut self.fates, rest);
        // One id each: a destination that is well again catches up.
        let chosen: Vec<_> = self.saves.keys().take(BATCH_MAX).copied().collect();
        let saves: Vec<_> = chosen.into_iter().filter_map(|id| self.saves.remove_entry(&id)).collect();
        let moment = Moment { now, ids: self.ids.reserve(now, BATCH_MAX as u16) };
        let notes: Vec<_> = self.notes.drain().collect();
        self.flush_at = (!self.fates.is_empty() || !self.saves.is_empty()).then_some(now);
        for (_, fate) in &fates {
            if let Fate::Defer { due, .. } = fate {
                self.due = Some(self.due.map_or(*due, |first| first.min(*due)));
            }
        }
        metrics::histogram!("waxwing_delivery_batch_rows").record(fates.len() as f64);
        let keys = fates.iter().map(|(key, _)| *key).collect();
        let (store, boot) = (self.store.clone(), self.duty.boot);
        self.tasks.spawn(async move {
            let written = insist("write outcomes of deliveries", || {
                let (fates, saves, notes) = (fates.clone(), saves.clone(), notes.clone());
                let moment = moment.clone();
                store.write(move |tx| {
                    // Whoever was taken for dead has no say any more: others
                    // do these deliveries by now.
                    if let Some(boot) = boot
                        && !cluster::stands(tx, boot)?
                    {
                        return Ok(false);
                    }
                    delivery::keep_destinations(tx, &mut moment.clone(), &saves)?;
                    delivery::admin::note(tx, &notes)?;
                    delivery::settle(tx, now, &fates)?;
                    Ok::<_, StoreError>(true)
                })
            })
            .await;
            match written {
                Some(true) => Answer::Committed(keys),
                Some(false) => {
                    metrics::counter!("waxwing_delivery_fenced_total").increment(keys.len() as u64);
                    Answer::Nothing
                }
                None => Answer::Nothing,
            }
        });
    }

    pub(super) fn committed(&mut self, now: Timestamp) {
        self.is_committing = false;
        let took_s = now.since(self.commit_began).as_secs_f64();
        metrics::histogram!("waxwing_delivery_commit_seconds").record(took_s);
    }

    /// Asks for windows. Many are many questions, so that the first can be
    /// worked on while the last are read.
    pub(super) fn load(&mut self, loads: &[Load], now: Timestamp) {
        for loads in loads.chunks(LOADS_MAX) {
            let (store, loads) = (self.store.clone(), Arc::<[Load]>::from(loads));
            self.tasks.spawn(async move {
                let windows = insist("read deliveries", || {
                    let loads = loads.clone();
                    store.read(move |tx| {
                        loads.iter().map(|load| windows::window(tx, load, now)).collect::<Result<Vec<_>, _>>()
                    })
                })
                .await;
                windows.map_or(Answer::Nothing, Answer::Loaded)
            });
        }
    }

    /// Looks for all destinations that have jobs.
    pub(super) fn look_everywhere(&mut self) {
        if self.is_looking {
            self.looks_again = true;
            return;
        }
        self.is_looking = true;
        let store = self.store.clone();
        self.tasks.spawn(async move {
            let found = insist("look for deliveries", || store.read(windows::destinations_with_jobs)).await;
            found.map_or(Answer::Nothing, Answer::Found)
        });
    }

    pub(super) fn looked(&mut self) {
        self.is_looking = false;
        if std::mem::take(&mut self.looks_again) {
            self.look_everywhere();
        }
    }

    /// Makes deferred jobs ready that are due.
    pub(super) fn promote(&mut self, now: Timestamp) {
        if self.is_promoting || !self.duty.has_chores() {
            return;
        }
        self.is_promoting = true;
        // A retry that is deferred meanwhile sets it again. What other nodes
        // defer, nobody tells; so it is looked.
        self.due = self.duty.boot.map(|_| now.plus(LOOK_EVERY));
        let store = self.store.clone();
        let may_be_empty = self.duty.boot.is_some();
        self.tasks.spawn(async move {
            if may_be_empty {
                let first = insist("look for deliveries", || store.read(delivery::next_due)).await;
                let next_due = first.flatten();
                if next_due.is_none_or(|due| due > now) {
                    return Answer::Promoted(Promoted { jobs: 0, next_due });
                }
            }
            let promoted = insist("resume deliveries", || {
                store.write(move |tx| delivery::promote_due(tx, now, PROMOTE_MAX))
            })
            .await;
            promoted.map_or(Answer::Nothing, Answer::Promoted)
        });
    }

    /// A job that is due then was put aside by somebody else.
    pub(super) fn put_aside(&mut self, due: Timestamp) {
        self.due = Some(self.due.map_or(due, |known| known.min(due)));
    }

    pub(super) fn promoted(&mut self, promoted: &Promoted) {
        self.is_promoting = false;
        self.due = [self.due, promoted.next_due].into_iter().flatten().min();
    }

    fn sweep(&mut self, now: Timestamp) {
        let (store, from) = (self.store.clone(), self.sweep_from.take());
        self.tasks.spawn(async move { Answer::Swept(sweep::sweep(store, from, now).await) });
    }

    pub(super) fn swept(&mut self, from: Option<JobKey>) {
        self.sweep_from = from;
    }

    /// Moves old news of a destination out of the way of new ones.
    pub(super) fn demote(&mut self, id: DestinationId, busy: Vec<(Id, InboxId)>, now: Timestamp) {
        let (store, busy) = (self.store.clone(), Arc::new(BTreeSet::from_iter(busy)));
        self.tasks.spawn(async move {
            // What is left after the last step is found again by the next window.
            for _ in 0..DEMOTE_STEPS_MAX {
                let more = insist("put off old deliveries", || {
                    let busy = busy.clone();
                    store.write(move |tx| delivery::demote(tx, now, id, &busy, DEMOTE_ROWS))
                });
                match more.await {
                    Some(true) => {}
                    Some(false) => break,
                    None => return Answer::Nothing,
                }
            }
            Answer::Demoted(id)
        });
    }

    pub(super) fn counted(&mut self, rows: Option<&Overview>) {
        self.is_counting = false;
        if let Some(rows) = rows {
            self.rows = rows.ready.iter().copied().sum::<i64>().max(0) as u64;
        }
    }

    /// Looks for destinations with too many rows, where that can be.
    fn crowd(&mut self, now: Timestamp) {
        let can_be = self.rows > delivery::DESTINATION_ROWS_MAX;
        if !can_be && !self.has_crowds {
            return;
        }
        let moment = Moment { now, ids: self.ids.reserve(now, delivery::CROWD_MAX as u16) };
        let (store, has_crowds) = (self.store.clone(), self.has_crowds);
        self.tasks.spawn(async move {
            let crowds = sweep::look_for_crowds(&store, moment).await;
            let crowds = crowds.inspect_err(|error| warn!(%error, "long queues were not looked for"));
            Answer::Crowded(crowds.unwrap_or(has_crowds))
        });
    }

    pub(super) fn crowded(&mut self, has_crowds: bool) {
        self.has_crowds = has_crowds;
    }

    /// Forgets destinations that nobody needs any more.
    fn forget(&mut self, now: Timestamp) {
        if std::mem::replace(&mut self.is_forgetting, true) {
            return;
        }
        let store = self.store.clone();
        self.tasks.spawn(async move {
            let forgotten = forget_destinations(&store, now, &Bounds::USUAL).await;
            let forgotten = forgotten.inspect_err(|error| warn!(%error, "unused destinations were kept"));
            Answer::Forgotten(forgotten.unwrap_or(0))
        });
    }

    pub(super) fn forgotten(&mut self) {
        self.is_forgetting = false;
    }

    pub(super) fn count_rows(&mut self) {
        // A store that takes long is not asked again meanwhile.
        if std::mem::replace(&mut self.is_counting, true) {
            return;
        }
        let store = self.store.clone();
        self.tasks.spawn(async move {
            let counted: Result<Overview, StoreError> = store.read(delivery::overview).await;
            Answer::Counted(counted.ok())
        });
    }
}

/// Tries until it works; `None` once the store is closed.
async fn insist<T, F>(what: &str, mut attempt: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match attempt().await {
            Ok(value) => return Some(value),
            Err(StoreError::Closed) => return None,
            Err(StoreError::Busy) => {}
            Err(error) => error!(%error, "the queue cannot {what}; it tries again"),
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}
