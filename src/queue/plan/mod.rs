//! The scheduler: which job starts next. Pure: input and time in, orders out.
//!
//! Three levels share the slots fairly: lanes by weight 8:4:1, so that what
//! people wait for goes first and the backlog still moves; within a lane the
//! destinations by deficit round robin, so that one with a long queue gets no
//! more than one with a short; within a destination the senders in turn.
//! Destinations that failed lately or never worked may hold only a share of
//! all slots, so however many of them hang, the others find a free one.
//!
//! It must not know the store, sockets or what a job means.

mod entry;
mod explain;
mod hasten;
mod network;
mod part;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use super::destination::{Gate, Group, Health, Transition};
use super::outcome::{Outcome, Report, fate};
use crate::base::{Chance, Id, Timestamp};
use crate::cluster::ShardSet;
use crate::domain::delivery::Fate;
use crate::model::queue::{
    Class, DeadReason, Destination, DestinationId, History, InboxId, JobKey, JobRow, Lane, Mishap,
    SignatureProfile, Steer, Steering, Turn,
};
use entry::Entry;
pub use explain::{Live, LiveDestination, Why};
use hasten::Usual;
use network::Network;

/// Jobs under way at once, unless configured.
pub const SLOTS: usize = 256;
/// Ready jobs kept in memory, over all destinations.
pub const WINDOW_ROWS_MAX: usize = 65_536;
/// Ready jobs kept in memory for each lane of a destination.
const WINDOW_ROWS: usize = 16;
/// And no fewer than this; more than that many destinations stretch the sum.
const WINDOW_ROWS_MIN: usize = 4;
/// Outcomes that wait to be written; more stop new starts.
const UNSETTLED_MAX: usize = 4096;
/// Bytes a destination may send in one turn.
const QUANTUM: i64 = 16 * 1024;
/// What the smallest job costs.
const COST_MIN: i64 = 512;
/// Shares of the lanes.
const WEIGHTS: [i64; 3] = [8, 4, 1];
/// A destination that waits longer than this keeps no window.
pub(super) const SHED_AFTER: Duration = Duration::from_secs(5);
/// How often what is idle is forgotten and what changed is written down.
const UPKEEP_EVERY: Duration = Duration::from_secs(60);

/// Names a running attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// Jobs may have arrived.
    Woken(Vec<(DestinationId, Lane)>),
    /// The store was asked and answered.
    Loaded(Box<Window>),
    /// An attempt ended.
    Finished(Ticket, Report),
    /// What became of these jobs is in the store.
    Committed(Vec<JobKey>),
    /// Old news of a destination was moved.
    Demoted(DestinationId),
    /// A host was heard from: look whether it is back.
    Heard(DestinationId),
    /// The admin did something.
    Steered(Steer),
    /// These shards are ours from now on, and no others.
    Turned(ShardSet),
    /// News of others may not have arrived: nothing in memory is believed.
    Missed,
    /// Time passed.
    Tick,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output {
    /// Ask the store for the first rows of a destination.
    Load(Load),
    /// Start an attempt.
    Start(Start),
    /// End an attempt: it takes long, and others wait for its slot. It counts
    /// as a timeout.
    Abort(Ticket),
    /// Move old news of a destination out of the way of new ones, but not
    /// these, which are under way; then say [`Input::Demoted`].
    Demote(DestinationId, Vec<(Id, InboxId)>),
    /// Write down what became of a job, then say [`Input::Committed`].
    Settle(JobKey, Fate),
    /// Write down the state of a destination.
    Save(DestinationId, Box<Destination>),
    /// A breaker turned; for logs and metrics.
    Turned(DestinationId, Transition),
    /// Our own network went down, or works again.
    Network(bool),
    /// Note what happened at a destination, for the admin to read.
    Note(DestinationId, History),
}

/// A question to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Of which destination.
    pub destination: DestinationId,
    /// To be given back.
    pub epoch: u32,
    /// Whether its record is wanted, too.
    pub wants_record: bool,
    /// Whether what the admin decided is wanted, too.
    pub wants_steering: bool,
    /// Rows of each lane.
    pub rows_per_lane: usize,
}

/// The answer: ready rows in key order, without those that have to wait for
/// an earlier one of their order key.
#[derive(Debug, Default)]
pub struct Window {
    /// Of which destination.
    pub destination: DestinationId,
    /// As asked.
    pub epoch: u32,
    /// Its record, if wanted and there.
    pub record: Option<Destination>,
    /// What the admin decided, if wanted.
    pub steering: Option<Steering>,
    /// How many of its people follow ours, if its record was wanted.
    pub follows: i64,
    /// The rows.
    pub rows: Vec<(JobKey, JobRow)>,
    /// Whether a lane has more.
    pub more: [bool; 3],
}

/// An attempt to be started.
#[derive(Debug)]
pub struct Start {
    /// To be given back.
    pub ticket: Ticket,
    /// The job.
    pub key: JobKey,
    /// Its row.
    pub row: JobRow,
    /// The destination's host.
    pub authority: String,
    /// The destination's class.
    pub class: Class,
    /// How to sign.
    pub profile: SignatureProfile,
    /// How long the host may take to begin its answer.
    pub answer_within: Duration,
}

struct Running {
    key: JobKey,
    row: JobRow,
    group: Group,
    is_remote: bool,
    started: Timestamp,
    /// When it may be ended because others wait.
    slow_after: Option<Duration>,
    is_ending: bool,
}

/// Numbers for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gauges {
    /// Attempts under way: proven, unproven, suspect.
    pub inflight: [usize; 3],
    /// Jobs shown in windows.
    pub window_rows: usize,
    /// Age of the oldest job shown in each lane, seconds.
    pub oldest_s: [f64; 3],
    /// Destinations that asked for quiet.
    pub paused: usize,
    /// Destinations that are not well.
    pub unwell: usize,
    /// Since when our own network is down.
    pub network_down_since: Option<Timestamp>,
}

/// The scheduler.
pub struct Plan {
    slots: usize,
    entries: HashMap<DestinationId, Entry>,
    rings: [VecDeque<DestinationId>; 3],
    credit: [i64; 3],
    timers: BinaryHeap<Reverse<(Timestamp, DestinationId)>>,
    /// Destinations that wait for a slot of their group: unproven, suspect.
    waiting: [VecDeque<DestinationId>; 2],
    running: BTreeMap<Ticket, Running>,
    usual: Usual,
    network: Network,
    inflight: [usize; 3],
    next_ticket: u64,
    unsettled: usize,
    upkeep_at: Timestamp,
    is_draining: bool,
    /// Destinations of these shards are ours.
    mine: ShardSet,
    /// Nothing may be started for now.
    is_held: bool,
    out: Vec<Output>,
}

impl Plan {
    /// A scheduler with this many slots that knows of no jobs yet.
    pub fn new(slots: usize, now: Timestamp) -> Plan {
        Plan {
            slots: slots.max(8),
            entries: HashMap::new(),
            rings: Default::default(),
            credit: [0; 3],
            timers: BinaryHeap::new(),
            waiting: Default::default(),
            running: BTreeMap::new(),
            usual: Usual::default(),
            network: Network::default(),
            inflight: [0; 3],
            next_ticket: 0,
            unsettled: 0,
            upkeep_at: now.plus(UPKEEP_EVERY),
            is_draining: false,
            mine: ShardSet::ALL,
            is_held: false,
            out: Vec::new(),
        }
    }

    /// Takes one input; gives what is to be done now.
    pub fn handle(&mut self, input: Input, now: Timestamp, chance: &dyn Chance) -> Vec<Output> {
        match input {
            Input::Woken(lanes) => self.woken(&lanes, now),
            Input::Loaded(window) => self.loaded(*window, now),
            Input::Finished(ticket, report) => self.finished(ticket, &report, now, chance),
            Input::Committed(keys) => self.committed(&keys, now),
            Input::Demoted(destination) => self.demoted(destination, now),
            Input::Heard(destination) => self.heard(destination, now),
            Input::Steered(steer) => self.steered(&steer, now),
            Input::Turned(mine) => self.turned(mine, now),
            Input::Missed => self.missed(now),
            Input::Tick => {}
        }
        self.tick(now);
        self.probe_network(now);
        self.pump(now);
        self.hasten(now);
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due at the latest.
    pub fn next_wake(&self) -> Timestamp {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        [timer, self.hasten_at(), self.network.next_wake()]
            .into_iter()
            .flatten()
            .fold(self.upkeep_at, Timestamp::min)
    }

    /// No more starts from now on; what runs may end.
    pub fn drain(&mut self) -> Vec<Output> {
        self.is_draining = true;
        self.save_dirty();
        std::mem::take(&mut self.out)
    }

    /// Attempts under way.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Numbers for the metrics.
    pub fn gauges(&self, now: Timestamp) -> Gauges {
        let network_down_since = self.network.down_since();
        let mut gauges = Gauges { inflight: self.inflight, network_down_since, ..Gauges::default() };
        for entry in self.entries.values() {
            gauges.window_rows += entry.rows();
            for lane in Lane::ALL {
                let age_s = entry.oldest(lane).map_or(0.0, |at| now.since(at).as_secs_f64());
                gauges.oldest_s[lane.index()] = gauges.oldest_s[lane.index()].max(age_s);
            }
            if let Some(health) = &entry.health {
                gauges.unwell += usize::from(!health.is_well());
                gauges.paused += usize::from(health.record.paused_until.is_some_and(|until| until > now));
            }
        }
        gauges
    }

    fn woken(&mut self, lanes: &[(DestinationId, Lane)], now: Timestamp) {
        for (id, lane) in lanes {
            if !self.is_mine(*id) {
                continue;
            }
            self.entries.entry(*id).or_default().woken(*lane);
            self.consider(*id, now);
        }
    }

    fn loaded(&mut self, window: Window, now: Timestamp) {
        let id = window.destination;
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.is_loading = false;
        if entry.health.is_none() {
            let class = if id == DestinationId::LOCAL { Class::Local } else { Class::Remote };
            let fresh = || Destination { class, ..Destination::default() };
            let record = window.record.clone().unwrap_or_else(fresh);
            let health = Health::new(record, window.steering.unwrap_or_default(), now);
            entry.health = Some(health.followed_by(window.follows));
        } else if let (Some(health), Some(steering)) = (&mut entry.health, window.steering) {
            health.steer(steering, now);
        }
        if entry.epoch == window.epoch {
            entry.fill(window);
        } else {
            // The snapshot may show jobs that are finished by now.
            entry.is_stale = true;
        }
        self.consider(id, now);
    }

    fn finished(&mut self, ticket: Ticket, report: &Report, now: Timestamp, chance: &dyn Chance) {
        let Some(running) = self.running.remove(&ticket) else { return };
        self.inflight[running.group as usize] -= 1;
        let is_our_fault = self.check_network(now, ticket, &running, &report.outcome);
        let Running { key, row, started, .. } = running;
        let id = key.destination;
        let is_mine = self.is_mine(id);
        if is_our_fault {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.health.as_mut().into_iter().for_each(Health::release);
                entry.put_back(key, row);
            }
            return;
        }
        if let Some(entry) = self.entries.get_mut(&id)
            && let Some(health) = &mut entry.health
        {
            let was_ok = health.record.last_ok.is_some();
            // Whoever has it next should know.
            let mut is_news = !is_mine;
            is_news |= report.profile.is_some_and(|profile| health.accepted(now, profile));
            let turned = health.finish(now, started, &report.outcome, chance);
            if report.outcome == Outcome::Done && health.record.class.is_remote() {
                self.usual.answered(now.since(started));
            }
            is_news |= turned.is_some() || was_ok != health.record.last_ok.is_some();
            report.quiet_for.into_iter().for_each(|span| health.quiet(now, span));
            is_news |= health.record.paused_until.is_some_and(|until| until > now);
            entry.is_dirty = true;
            let fate = fate(&report.outcome, health.record.class, health.is_well(), &row, now, chance);
            if is_news {
                entry.is_dirty = false;
                self.out.push(Output::Save(id, Box::new(health.record.clone())));
            }
            let note = note(now, &report.outcome, turned, &health.record.cause);
            self.out.extend(note.map(|note| Output::Note(id, note)));
            self.out.extend(turned.map(|turned| Output::Turned(id, turned)));
            match fate {
                None => entry.put_back(key, row),
                Some(fate) => {
                    if matches!(fate, Fate::Defer { .. }) {
                        entry.deferred(&key);
                    }
                    self.unsettled += 1;
                    self.out.push(Output::Settle(key, fate));
                }
            }
        }
        self.consider(id, now);
        self.release_waiting(now);
    }

    fn committed(&mut self, keys: &[JobKey], now: Timestamp) {
        self.unsettled = self.unsettled.saturating_sub(keys.len());
        for key in keys {
            if let Some(entry) = self.entries.get_mut(&key.destination) {
                entry.committed(key);
                self.consider(key.destination, now);
            }
        }
    }

    fn demoted(&mut self, id: DestinationId, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.is_loading = false;
            self.consider(id, now);
        }
    }

    fn heard(&mut self, id: DestinationId, now: Timestamp) {
        if let Some(health) = self.entries.get_mut(&id).and_then(|entry| entry.health.as_mut()) {
            health.probe_now(now);
            self.consider(id, now);
        }
    }

    fn steered(&mut self, steer: &Steer, now: Timestamp) {
        match steer {
            Steer::Changed(id) => {
                if let Some(entry) = self.entries.get_mut(id) {
                    entry.wants_steering = true;
                    self.consider(*id, now);
                }
            }
            Steer::Probe(id) => {
                if let Some(health) = self.entries.get_mut(id).and_then(|entry| entry.health.as_mut()) {
                    health.probe_anyway();
                    self.consider(*id, now);
                }
            }
            Steer::Purged(ids) if ids.is_empty() => {
                let all: Vec<DestinationId> = self.entries.keys().copied().collect();
                all.into_iter().for_each(|id| self.read_again(id, now));
            }
            Steer::Purged(ids) => ids.iter().for_each(|id| self.read_again(*id, now)),
        }
    }

    /// Rows were taken away behind its back.
    fn read_again(&mut self, id: DestinationId, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.distrust();
            self.consider(id, now);
        }
    }

    /// Puts a destination where it belongs: into the rings, to sleep until a
    /// time, or back to the store for rows. `true` if it is in a ring.
    fn consider(&mut self, id: DestinationId, now: Timestamp) -> bool {
        let window_rows = self.window_rows();
        let is_mine = self.is_mine(id);
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        if !is_mine {
            entry.let_go();
            return false;
        }
        if entry.health.is_none() || entry.wants_steering {
            self.out.extend(ask(entry, id, window_rows).map(Output::Load));
        }
        let Some(health) = &entry.health else { return false };
        if self.network.down_since().is_some() && health.record.class.is_remote() {
            // All are looked at again when it is over.
            return false;
        }
        match health.gate(now) {
            Gate::At(until) => {
                if until.since(now) > SHED_AFTER {
                    entry.shed();
                }
                if entry.timer.is_none_or(|timer| until < timer || timer <= now) {
                    entry.timer = Some(until);
                    self.timers.push(Reverse((until, id)));
                }
                return false;
            }
            Gate::Stopped => {
                entry.shed();
                return false;
            }
            Gate::Busy => return false,
            Gate::Ready => {}
        }
        if entry.has_old_news(now) {
            let busy = entry.begin_demoting();
            self.out.push(Output::Demote(id, busy));
            return false;
        }
        if entry.wants_load() {
            self.out.extend(ask(entry, id, window_rows).map(Output::Load));
        }
        for lane in Lane::ALL {
            let index = lane.index();
            if entry.has_rows(lane) && !entry.in_ring[index] && !entry.waits_for_slot {
                entry.in_ring[index] = true;
                self.rings[index].push_back(id);
            }
        }
        entry.in_ring.contains(&true)
    }

    /// Rows for each lane, so that all windows together stay bounded.
    fn window_rows(&self) -> usize {
        (WINDOW_ROWS_MAX / Lane::ALL.len() / self.entries.len().max(1)).clamp(WINDOW_ROWS_MIN, WINDOW_ROWS)
    }

    fn tick(&mut self, now: Timestamp) {
        while let Some(&Reverse((at, id))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            if let Some(entry) = self.entries.get_mut(&id)
                && entry.timer == Some(at)
            {
                entry.timer = None;
                self.consider(id, now);
            }
        }
        if now >= self.upkeep_at {
            self.upkeep_at = now.plus(UPKEEP_EVERY);
            self.save_dirty();
            self.entries.retain(|_, entry| !entry.is_idle());
            self.release_waiting(now);
        }
    }

    fn save_dirty(&mut self) {
        for (id, entry) in &mut self.entries {
            if std::mem::take(&mut entry.is_dirty)
                && let Some(health) = &entry.health
                && health.record.class.is_remote()
            {
                self.out.push(Output::Save(*id, Box::new(health.record.clone())));
            }
        }
    }

    /// Lets destinations that wait for a slot of their group try again.
    fn release_waiting(&mut self, now: Timestamp) {
        for group in [Group::Unproven, Group::Suspect] {
            let index = group as usize - 1;
            let mut free = limit(self.slots, group).saturating_sub(self.inflight[group as usize]);
            while free > 0
                && let Some(id) = self.waiting[index].pop_front()
            {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.waits_for_slot = false;
                }
                free -= usize::from(self.consider(id, now));
            }
        }
    }

    /// Starts as many jobs as may start.
    fn pump(&mut self, now: Timestamp) {
        while !self.is_draining
            && !self.is_held
            && self.running.len() < self.slots
            && self.unsettled < UNSETTLED_MAX
        {
            let Some(lane) = self.next_lane() else { break };
            self.serve(lane, now);
        }
    }

    /// The lane whose turn it is.
    fn next_lane(&mut self) -> Option<Lane> {
        if self.rings.iter().all(VecDeque::is_empty) {
            return None;
        }
        loop {
            let ready = |lane: &&Lane| !self.rings[lane.index()].is_empty() && self.credit[lane.index()] > 0;
            if let Some(lane) = Lane::ALL.iter().find(ready) {
                return Some(*lane);
            }
            for (index, ring) in self.rings.iter().enumerate() {
                // A lane without work saves nothing up.
                self.credit[index] =
                    if ring.is_empty() { 0 } else { self.credit[index] + WEIGHTS[index] * QUANTUM };
            }
        }
    }

    /// Gives the first destination of a lane its turn.
    fn serve(&mut self, lane: Lane, now: Timestamp) {
        let Some(&id) = self.rings[lane.index()].front() else { return };
        if !self.is_mine(id) {
            return self.leave_ring(id, lane);
        }
        let Some(health) = self.entries.get(&id).and_then(|entry| entry.health.as_ref()) else {
            return self.leave_ring(id, lane);
        };
        let is_cut_off = self.network.down_since().is_some() && health.record.class.is_remote();
        if is_cut_off || health.gate(now) != Gate::Ready {
            self.leave_ring(id, lane);
            self.consider(id, now);
            return;
        }
        let group = health.group(now);
        if group != Group::Proven && self.inflight[group as usize] >= limit(self.slots, group) {
            return self.wait_for_slot(id, group);
        }
        let Some((key, row)) = self.entries.get_mut(&id).and_then(|entry| entry.pick(lane)) else {
            return self.leave_ring(id, lane);
        };
        if row.expires_at <= now {
            self.unsettled += 1;
            self.out.push(Output::Settle(key, expired(row)));
            return;
        }
        if self.start(key, row, group, now) {
            self.rings[lane.index()].rotate_left(1);
        }
    }

    /// Orders an attempt; `true` if the destination's turn is over.
    fn start(&mut self, key: JobKey, row: JobRow, group: Group, now: Timestamp) -> bool {
        let (id, index, window_rows) = (key.destination, key.lane.index(), self.window_rows());
        let Some(entry) = self.entries.get_mut(&id) else { return true };
        let cost = i64::from(row.bytes).max(COST_MIN);
        if entry.deficit[index] <= 0 {
            entry.deficit[index] += QUANTUM;
        }
        entry.deficit[index] -= cost;
        let turn_is_over = entry.deficit[index] <= 0;
        let Some(health) = entry.health.as_mut() else { return true };
        let turned = health.start(now);
        if let Some(Transition { from, to }) = turned {
            let turns = vec![Turn { at: now, from, to, cause: "a probe".into() }];
            self.out.push(Output::Note(id, History { turns, mishaps: Vec::new() }));
        }
        let start = Start {
            ticket: Ticket(self.next_ticket),
            key,
            row: row.clone(),
            authority: health.record.authority.clone(),
            class: health.record.class,
            profile: health.profile(now),
            answer_within: health.answer_within(),
        };
        let slow_after = self.usual.slow_after(health);
        let is_remote = health.record.class.is_remote();
        let running =
            Running { key, row: row.clone(), group, is_remote, started: now, slow_after, is_ending: false };
        if entry.wants_load() {
            self.out.extend(ask(entry, id, window_rows).map(Output::Load));
        }
        self.next_ticket += 1;
        self.credit[index] -= cost;
        self.inflight[group as usize] += 1;
        self.running.insert(start.ticket, running);
        self.out.extend(turned.map(|turned| Output::Turned(id, turned)));
        self.out.push(Output::Start(start));
        turn_is_over
    }

    fn leave_ring(&mut self, id: DestinationId, lane: Lane) {
        self.rings[lane.index()].pop_front();
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.in_ring[lane.index()] = false;
        }
    }

    /// Takes a destination out of all rings until its group has a free slot.
    fn wait_for_slot(&mut self, id: DestinationId, group: Group) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.in_ring = [false; 3];
            entry.waits_for_slot = true;
        }
        self.rings.iter_mut().for_each(|ring| ring.retain(|other| *other != id));
        self.waiting[group as usize - 1].push_back(id);
    }
}

/// Slots a group may hold. These two shares kept the 99th percentile of
/// healthy destinations flat in a simulation with 300 dead of 1000.
fn limit(slots: usize, group: Group) -> usize {
    match group {
        Group::Proven => slots,
        Group::Unproven => slots / 2,
        Group::Suspect => slots / 8,
    }
}

fn ask(entry: &mut Entry, id: DestinationId, window_rows: usize) -> Option<Load> {
    if entry.is_loading {
        return None;
    }
    (entry.is_loading, entry.is_stale) = (true, false);
    let wants_record = entry.health.is_none();
    Some(Load {
        destination: id,
        epoch: entry.epoch,
        wants_record,
        wants_steering: std::mem::take(&mut entry.wants_steering) || wants_record,
        rows_per_lane: window_rows + entry.busy_rows(),
    })
}

/// What the admin should read of an attempt; `None` if it went well.
fn note(at: Timestamp, outcome: &Outcome, turned: Option<Transition>, cause: &str) -> Option<History> {
    let mishap =
        outcome.is_mishap().then(|| Mishap { at, words: outcome.words(), http_status: outcome.status() });
    let turn = turned.map(|Transition { from, to }| Turn { at, from, to, cause: cause.to_owned() });
    (mishap.is_some() || turn.is_some())
        .then(|| History { turns: turn.into_iter().collect(), mishaps: mishap.into_iter().collect() })
}

fn expired(row: JobRow) -> Fate {
    Fate::Dead {
        row,
        reason: DeadReason::Expired,
        http_status: 0,
        error: "expired before it could be sent".into(),
    }
}
