//! The owner task: connects the scheduler with the store and the handlers.
//!
//! One task owns the plan and everything in memory. It asks the store for
//! windows of rows, starts each attempt as a task of its own (a panic is an
//! outcome), and writes outcomes down in batches. Nothing is marked as
//! running on disk, so whatever ends this process, the next one finds every
//! job that has no outcome yet.

mod attempt;
mod book;
mod measure;
mod steady;
mod sweep;
#[cfg(test)]
mod tests;
mod windows;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::{AbortHandle, Id as TaskId, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::desk::{Desk, Question};
use super::handler::{Handlers, Ours};
use super::outcome::{FailureKind, Outcome, Report};
use super::plan::{Input, Load, Output, Plan, SLOTS, Start, Ticket};
use crate::base::{Chance, Clock, IdGenerator, Timestamp};
use crate::cluster::{Cluster, Duty, ShardSet};
use crate::model::queue::{Due, Heard, JobKey, Steer, Wake};
use crate::store::{MISSED, Signal, Store};
use book::{Answer, Book};
use steady::Steady;

/// How long a stop waits for attempts under way.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);
/// Pause before the owner task is started again after a panic.
const RESTART_AFTER: Duration = Duration::from_millis(500);
/// Longest sleep.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// And while nothing may be started.
const HELD_SLEEP_MAX: Duration = Duration::from_millis(250);

/// What the worker is made of.
#[derive(Clone)]
pub struct Worker {
    /// Where the jobs are.
    pub store: Store,
    /// What runs them.
    pub handlers: Handlers,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance, for spreading retries.
    pub chance: Arc<dyn Chance>,
    /// Attempts at once, over all destinations.
    pub slots: usize,
    /// Where the admin asks.
    pub desk: Desk,
    /// Which part of the work is ours.
    pub cluster: Cluster,
    /// Fresh ids, for what the queue itself has to do.
    pub ids: Arc<IdGenerator>,
    /// Bytes free where the store is; `None` where nobody knows.
    pub free_bytes: FreeBytes,
}

/// Asks the disk.
pub type FreeBytes = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

impl Worker {
    /// A worker with the usual number of slots and a desk of its own.
    pub fn new(store: Store, handlers: Handlers, clock: Arc<dyn Clock>, chance: Arc<dyn Chance>) -> Worker {
        let desk = Desk::new(store.clone(), clock.clone());
        // Those of a node that no server is.
        let ids = Arc::new(IdGenerator::new(u8::MAX));
        let (cluster, free_bytes) = (Cluster::alone(), Arc::new(|| None));
        Worker { store, handlers, clock, chance, slots: SLOTS, desk, cluster, ids, free_bytes }
    }

    /// Works until `stop`, then lets what runs end for up to [`DRAIN_MAX`].
    /// Should the owner task itself panic, it is started again from disk.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            // Dropped with this future, it takes the owner and its attempts along.
            let mut owner = JoinSet::new();
            owner.spawn(Owner::new(self.clone()).run(stop.clone()));
            match owner.join_next().await {
                Some(Err(panic)) if panic.is_panic() && !stop.is_cancelled() => {
                    error!("the delivery queue panicked; it starts again from the store");
                    tokio::time::sleep(RESTART_AFTER).await;
                }
                Some(Ok(After::StartAgain)) if !stop.is_cancelled() => {
                    warn!("the clock was set to another time altogether; the delivery queue starts again");
                }
                Some(Ok(After::Deposed)) if !stop.is_cancelled() => {
                    info!("this node was taken for dead; its part of the delivery queue is another one now");
                }
                _ => break,
            }
        }
        // Nothing is under way any more.
        self.cluster.done_with(ShardSet::ALL);
    }
}

/// What comes after an owner's end.
enum After {
    Nothing,
    StartAgain,
    /// What is in memory is that of somebody else now.
    Deposed,
}

struct Owner {
    parts: Worker,
    plan: Plan,
    book: Book,
    attempts: JoinSet<Report>,
    tickets: HashMap<TaskId, Running>,
    steady: Steady,
    duties: watch::Receiver<Duty>,
    duty: Duty,
    /// What was said last to be free for others.
    given_back: ShardSet,
}

struct Running {
    ticket: Ticket,
    task: AbortHandle,
    key: JobKey,
    started: Timestamp,
    created_at: Timestamp,
    is_remote: bool,
    ours: Ours,
}

impl Owner {
    fn new(parts: Worker) -> Owner {
        let clock = parts.clock.clone();
        let steady = Steady::new(clock);
        let mut plan = Plan::new(parts.slots, steady.now());
        let mut duties = parts.cluster.duty();
        let duty = *duties.borrow_and_update();
        drop(plan.handle(Input::Turned(duty.mine), steady.now(), &*parts.chance));
        let book = Book::new(parts.store.clone(), parts.ids.clone(), duty, steady.now());
        let (attempts, tickets) = (JoinSet::new(), HashMap::new());
        Owner { parts, plan, book, attempts, tickets, steady, duties, duty, given_back: ShardSet::NONE }
    }

    async fn run(mut self, stop: CancellationToken) -> After {
        // Listening begins before looking, so that nothing falls in between.
        let mut signals = self.parts.store.subscribe();
        let desk = self.parts.desk.clone();
        let mut questions = desk.questions().await;
        measure::begin();
        self.look_everywhere();
        let after = loop {
            let sleep = self.sleep();
            tokio::select! {
                () = stop.cancelled() => break After::Nothing,
                signal = signals.recv() => match signal {
                    Ok(signal) => self.heard(&signal),
                    Err(RecvError::Lagged(_)) => self.look_everywhere(),
                    Err(RecvError::Closed) => break After::Nothing,
                },
                Some(ended) = self.attempts.join_next_with_id() => self.ended(ended),
                Some(answer) = self.book.next() => self.answered(answer),
                Some(question) = questions.recv() => self.asked(question),
                Ok(()) = self.duties.changed() => {
                    let duty = *self.duties.borrow_and_update();
                    if duty.boot != self.duty.boot {
                        // Nothing of this may be written any more.
                        return After::Deposed;
                    }
                    self.turn_to(duty);
                }
                () = tokio::time::sleep(sleep) => {}
            }
            if self.steady.is_far_off() {
                break After::StartAgain;
            }
            self.feed(Input::Tick);
            self.upkeep();
            self.give_back();
        };
        self.drain().await;
        after
    }

    fn look_everywhere(&mut self) {
        self.book.look_everywhere();
        self.book.promote(self.steady.now());
    }

    /// Takes up what is new, and starts nothing more of what goes.
    fn turn_to(&mut self, duty: Duty) {
        let gained = duty.mine.without(self.duty.mine);
        (self.duty, self.given_back) = (duty, ShardSet::NONE);
        self.feed(Input::Turned(duty.mine));
        self.book.turn_to(duty);
        if !gained.is_empty() {
            self.look_everywhere();
        }
    }

    /// Lets others have the shards that nothing is under way of any more.
    fn give_back(&mut self) {
        if !self.duty.leaving.is_empty() {
            let free = self.duty.leaving.without(self.plan.busy_shards());
            let free = if self.book.is_writing() { ShardSet::NONE } else { free };
            if std::mem::replace(&mut self.given_back, free) != free {
                self.parts.cluster.done_with(free);
            }
        }
    }

    /// Until something is due.
    fn sleep(&self) -> Duration {
        let now = self.steady.now();
        let due = self.plan.next_wake().min(self.book.next_wake(now));
        let longest = if self.parts.cluster.may_act() { SLEEP_MAX } else { HELD_SLEEP_MAX };
        due.since(now).min(longest)
    }

    fn heard(&mut self, signal: &Signal) {
        if let Some(Heard(destination)) = Heard::from_signal(signal) {
            return self.feed(Input::Heard(destination));
        }
        if let Some(Due(due)) = Due::from_signal(signal) {
            return self.book.put_aside(due);
        }
        if let Some(steer) = Steer::from_signal(signal) {
            return self.feed(Input::Steered(steer));
        }
        if signal.topic == MISSED {
            self.feed(Input::Missed);
            return self.look_everywhere();
        }
        let Some(wake) = Wake::from_signal(signal) else { return };
        if wake.lanes.is_empty() {
            self.look_everywhere();
        } else {
            self.feed(Input::Woken(wake.lanes));
        }
    }

    /// Somebody who stopped waiting is no failure.
    fn asked(&self, question: Question) {
        let now = self.steady.now();
        match question {
            Question::Live(reply) => drop(reply.send(self.plan.live(now))),
            Question::Explain(key, reply) => drop(reply.send(self.plan.explain(&key, now))),
        }
    }

    fn upkeep(&mut self) {
        let now = self.steady.now();
        self.book.upkeep(now);
        if self.book.is_time_to_measure(now) {
            let gauges = self.plan.gauges(now);
            measure::gauges(&gauges);
            self.parts.desk.feel(&gauges, self.parts.slots);
            self.book.count_rows();
        }
    }

    fn feed(&mut self, input: Input) {
        let now = self.steady.now();
        self.plan.hold(!self.parts.cluster.may_act());
        let mut loads: Vec<Load> = Vec::new();
        for output in self.plan.handle(input, now, &*self.parts.chance) {
            match output {
                Output::Load(load) => loads.push(load),
                other => self.obey(other, now),
            }
        }
        if !loads.is_empty() {
            self.book.load(&loads, now);
        }
    }

    fn obey(&mut self, output: Output, now: Timestamp) {
        match output {
            Output::Load(load) => self.book.load(&[load], now),
            Output::Start(start) => self.start(start, now),
            Output::Abort(ticket) => self.abort(ticket),
            Output::Settle(key, fate) => {
                measure::fate(&fate);
                self.book.settle(key, fate, now);
            }
            Output::Demote(id, busy) => self.book.demote(id, busy, now),
            Output::Save(id, record) => self.book.save(id, record, now),
            Output::Network(is_up) => {
                measure::network(is_up);
                if is_up {
                    info!("other servers can be reached again");
                } else {
                    error!("most servers cannot be reached: this server's own network seems to be down");
                }
            }
            Output::Note(id, note) => self.book.note(id, note, now),
            Output::Turned(id, turned) => {
                measure::turned(turned);
                info!(destination = id.0, from = turned.from.name(), to = turned.to.name(), "breaker turned");
            }
        }
    }

    fn start(&mut self, start: Start, now: Timestamp) {
        let (ticket, key, created_at) = (start.ticket, start.key, start.row.created_at);
        let is_remote = start.class.is_remote();
        let (store, handlers) = (self.parts.store.clone(), self.parts.handlers.clone());
        let is_overloaded = self.parts.desk.is_overloaded();
        let ours = Ours::default();
        let task = attempt::run(store, handlers, start, now, is_overloaded, ours.clone());
        let task = self.attempts.spawn(task);
        let running = Running { ticket, task, key, started: now, created_at, is_remote, ours };
        self.tickets.insert(running.task.id(), running);
    }

    /// Its end is heard of like any other.
    fn abort(&self, ticket: Ticket) {
        metrics::counter!("waxwing_delivery_ended_early_total").increment(1);
        if let Some(running) = self.tickets.values().find(|running| running.ticket == ticket) {
            running.task.abort();
        }
    }

    fn ended(&mut self, ended: Result<(TaskId, Report), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(running) = self.tickets.remove(&id) else { return };
        let report = match ended {
            Ok((_, report)) => report,
            Err(error) if error.is_panic() => Outcome::Panicked.into(),
            // Nothing but [`Owner::abort`] ends an attempt.
            Err(_) if running.ours.is_so() => {
                Outcome::TryLater { detail: "the store does not answer".into() }.into()
            }
            Err(_) => Outcome::failed(FailureKind::Timeout, 0, "others waited").into(),
        };
        let now = self.steady.now();
        measure::attempt(
            &report.outcome,
            running.key.lane,
            now.since(running.started),
            now.since(running.created_at),
            running.is_remote.then(|| self.parts.desk.hour()),
        );
        match &report.outcome {
            Outcome::Panicked => {
                error!(act = %running.key.act, "a job's handler panicked");
            }
            Outcome::Done | Outcome::Superseded => {}
            outcome => {
                let destination = running.key.destination.0;
                debug!(act = %running.key.act, destination, outcome = outcome.name(), "attempt failed");
            }
        }
        self.feed(Input::Finished(running.ticket, report));
    }

    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Loaded(windows) => {
                windows.into_iter().for_each(|window| self.feed(Input::Loaded(Box::new(window))));
            }
            Answer::Found(lanes) => {
                self.book.looked();
                self.feed(Input::Woken(lanes));
            }
            Answer::Committed(keys) => {
                self.book.committed(self.steady.now());
                self.feed(Input::Committed(keys));
            }
            Answer::Demoted(id) => self.feed(Input::Demoted(id)),
            Answer::Crowded(has_crowds) => self.book.crowded(has_crowds),
            Answer::Forgotten(destinations) => {
                self.book.forgotten();
                metrics::counter!("waxwing_delivery_forgotten_total").increment(destinations as u64);
            }
            Answer::Promoted(promoted) => self.book.promoted(&promoted),
            Answer::Swept(sweep) => self.book.swept(sweep),
            Answer::Counted(counts) => {
                self.book.counted(counts.as_ref());
                if let Some(counts) = counts {
                    self.show(&counts);
                }
            }
            Answer::Nothing => {}
        }
    }

    fn show(&self, counts: &super::Overview) {
        measure::rows(counts);
        self.parts.desk.hour().waiting(waiting(counts));
        self.parts.desk.judge(counts, (self.parts.free_bytes)());
    }

    /// Lets attempts end and writes everything down, within [`DRAIN_MAX`].
    /// What does not end in time simply has no outcome yet.
    async fn drain(mut self) {
        let now = self.steady.now();
        for output in self.plan.drain() {
            self.obey(output, now);
        }
        if tokio::time::timeout(DRAIN_MAX, self.end()).await.is_err() {
            warn!(left = self.attempts.len(), "deliveries under way at the stop will be tried again");
        }
    }

    async fn end(&mut self) {
        loop {
            self.book.flush(self.steady.now());
            if self.attempts.is_empty() && !self.book.is_writing() {
                return;
            }
            tokio::select! {
                Some(ended) = self.attempts.join_next_with_id() => self.ended(ended),
                Some(answer) = self.book.next() => self.answered(answer),
                else => return,
            }
        }
    }
}

/// Jobs that wait, of any sort.
fn waiting(counts: &super::Overview) -> u64 {
    let all = counts.ready.iter().sum::<i64>() + counts.deferred;
    u64::try_from(all).unwrap_or(0)
}
