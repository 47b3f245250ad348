//! A world of servers in virtual time: what healthy ones notice of dead ones
//! under the scheduler, and under the one shared queue that it replaces.
//!
//! The scheduler is the real one, over a pretend store and pretend servers;
//! there is no model of processors or disks. Printed as a table by
//! `examples/queue_simulation.rs`, asserted by a test at a smaller size.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

use super::outcome::{FailureKind, Outcome};
use super::plan::{Input, Load, Output, Plan, Start, Ticket, Window};
use crate::base::{Chance, FixedChance, Id, Timestamp};
use crate::domain::delivery::Fate;
use crate::model::queue::{Destination, DestinationId, InboxId, JobKey, JobKind, JobRow, Lane, OrderKey};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Half of all answers take less.
const ROUND_TRIP_MEDIAN_S: f64 = 0.12;
/// Spread of the logarithm of the round-trip time.
const ROUND_TRIP_SIGMA: f64 = 0.6;
/// When the shared queue tries what failed again: so long, and up to so much later.
const FIFO_RETRY_S: (f64, f64) = (15.0, 5.0);
const JOB_BYTES: u32 = 2048;
const DAY: Duration = Duration::from_secs(86_400);

/// What is wrong with a dead server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It takes the connection and never answers, until the attempt is given
    /// up after this long.
    Hangs(Duration),
    /// It answers 500 after this long.
    Fails(Duration),
}

/// The world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// How many servers.
    pub destinations: u32,
    /// So many of them are dead.
    pub dead: u32,
    /// In this way.
    pub fault: Fault,
    /// Deliveries that arrive each second, for any server alike.
    pub per_second: u32,
    /// Attempts at once.
    pub slots: usize,
    /// How long it goes on.
    pub span: Duration,
    /// Whether no server is known from before.
    pub is_cold: bool,
    /// What the same world comes from.
    pub seed: u64,
}

impl Setting {
    /// The world of the design: 1,000 servers, 600 deliveries a second, 256
    /// slots, three minutes; so many hang for 10 s.
    pub fn of_design(dead: u32) -> Setting {
        Setting {
            destinations: 1000,
            dead,
            fault: Fault::Hangs(Duration::from_secs(10)),
            per_second: 600,
            slots: 256,
            span: Duration::from_secs(180),
            is_cold: false,
            seed: 11,
        }
    }

    fn is_dead(&self, destination: u32) -> bool {
        destination <= self.dead
    }

    fn end(&self) -> Timestamp {
        START.plus(self.span)
    }

    /// How an attempt goes.
    fn attempt(&self, destination: u32, chance: &FixedChance) -> (Duration, Outcome) {
        match self.fault {
            Fault::Hangs(span) if self.is_dead(destination) => {
                (span, Outcome::failed(FailureKind::Timeout, 0, "timeout"))
            }
            Fault::Fails(span) if self.is_dead(destination) => (span, Outcome::of_status(500, None)),
            Fault::Hangs(_) | Fault::Fails(_) => (round_trip(chance), Outcome::Done),
        }
    }

    fn offers(&self, chance: &FixedChance) -> VecDeque<Offer> {
        let mut offers = VecDeque::new();
        let mut at_s = 0.0;
        loop {
            at_s += -(1.0 - chance.unit()).ln() / f64::from(self.per_second);
            let at = START.plus(Duration::from_secs_f64(at_s));
            if at >= self.end() {
                return offers;
            }
            offers
                .push_back(Offer { at, destination: 1 + chance.below(u64::from(self.destinations)) as u32 });
        }
    }
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    /// Healthy deliveries, from enqueued to answered: half took less, seconds.
    pub p50_s: f64,
    /// All but one in a hundred took less, seconds.
    pub p99_s: f64,
    /// The slowest one, seconds.
    pub max_s: f64,
    /// Healthy deliveries that arrived.
    pub delivered: usize,
    /// Healthy deliveries that were left at the end, less those under way.
    pub left: usize,
    /// Attempts at dead servers.
    pub to_dead: usize,
}

impl Measured {
    fn of(mut waits_s: Vec<f64>, left: usize, to_dead: usize) -> Measured {
        waits_s.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (waits_s.len() as f64 * share) as usize;
            waits_s.get(place.min(waits_s.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        Measured { p50_s: at(0.5), p99_s: at(0.99), max_s: at(1.0), delivered: waits_s.len(), left, to_dead }
    }
}

#[derive(Debug, Clone, Copy)]
struct Offer {
    at: Timestamp,
    destination: u32,
}

/// Log-normal, as round trips over the internet roughly are.
fn round_trip(chance: &FixedChance) -> Duration {
    let radius = (-2.0 * (1.0 - chance.unit()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * chance.unit()).cos();
    Duration::from_secs_f64(ROUND_TRIP_MEDIAN_S * (ROUND_TRIP_SIGMA * normal).exp())
}

/// The world under the scheduler.
pub fn scheduled(setting: &Setting) -> Measured {
    let mut world = World::new(setting);
    let mut offers = setting.offers(&FixedChance::new(setting.seed));
    loop {
        let next = [offers.front().map(|offer| offer.at), world.next()].into_iter().flatten().min();
        let Some(next) = next.filter(|at| *at < setting.end()) else { break };
        world.advance(next);
        while let Some(offer) = offers.pop_front_if(|offer| offer.at <= world.now) {
            world.offer(offer);
        }
    }
    let under_way = world.running.values().filter(|start| !setting.is_dead(start.key.destination.0)).count();
    let ready = world.ready.iter().filter(|(id, _)| !setting.is_dead(**id));
    let left = ready.map(|(_, rows)| rows.len()).sum::<usize>() - under_way;
    Measured::of(world.waits_s, left, world.to_dead)
}

/// The scheduler over a pretend store and pretend servers.
struct World<'a> {
    setting: &'a Setting,
    plan: Plan,
    chance: FixedChance,
    now: Timestamp,
    next_act: u64,
    ready: HashMap<u32, BTreeMap<JobKey, JobRow>>,
    deferred: BTreeMap<(Timestamp, JobKey), JobRow>,
    records: HashMap<DestinationId, Destination>,
    running: HashMap<Ticket, Start>,
    ends: BinaryHeap<Reverse<(Timestamp, Ticket)>>,
    outcomes: HashMap<Ticket, Outcome>,
    waits_s: Vec<f64>,
    to_dead: usize,
}

impl<'a> World<'a> {
    fn new(setting: &'a Setting) -> World<'a> {
        let proven = Destination { last_ok: Some(START), cap: 2.0, rate: 50.0, ..Destination::default() };
        let known = if setting.is_cold { 0..0 } else { 0..setting.destinations };
        World {
            setting,
            plan: Plan::new(setting.slots, START),
            chance: FixedChance::new(setting.seed ^ 0x5eed),
            now: START,
            next_act: 0,
            ready: HashMap::new(),
            deferred: BTreeMap::new(),
            records: known.map(|number| (DestinationId(number + 1), proven.clone())).collect(),
            running: HashMap::new(),
            ends: BinaryHeap::new(),
            outcomes: HashMap::new(),
            waits_s: Vec::new(),
            to_dead: 0,
        }
    }

    /// When something happens by itself.
    fn next(&self) -> Option<Timestamp> {
        let end = self.ends.peek().map(|Reverse((at, _))| *at);
        let due = self.deferred.keys().next().map(|(at, _)| *at);
        let wake = self.plan.next_wake().max(self.now.plus(Duration::from_millis(1)));
        [end, due, Some(wake)].into_iter().flatten().min()
    }

    fn advance(&mut self, to: Timestamp) {
        self.now = self.now.max(to);
        self.feed(Input::Tick);
        while let Some(entry) = self.deferred.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let ((_, key), row) = entry.remove_entry();
            self.insert(key, row);
        }
        while let Some(Reverse((at, ticket))) = self.ends.peek().copied()
            && at <= self.now
        {
            self.ends.pop();
            self.end(ticket);
        }
    }

    fn end(&mut self, ticket: Ticket) {
        let (Some(start), Some(outcome)) = (self.running.remove(&ticket), self.outcomes.remove(&ticket))
        else {
            return;
        };
        if outcome == Outcome::Done {
            self.waits_s.push(self.now.since(start.row.created_at).as_secs_f64());
        }
        self.feed(Input::Finished(ticket, outcome.into()));
    }

    fn offer(&mut self, offer: Offer) {
        self.next_act += 1;
        let (act, inbox) = (Id(self.next_act), InboxId(offer.destination));
        let key = JobKey { destination: DestinationId(offer.destination), lane: Lane::Fresh, act, inbox };
        let row = JobRow {
            sender: Id(1 + self.next_act % 50),
            order: OrderKey::NONE,
            attempts: 0,
            panics: 0,
            created_at: offer.at,
            expires_at: offer.at.plus(DAY),
            bytes: JOB_BYTES,
            kind: JobKind::Deliver,
        };
        self.insert(key, row);
    }

    fn insert(&mut self, key: JobKey, row: JobRow) {
        self.ready.entry(key.destination.0).or_default().insert(key, row);
        self.feed(Input::Woken(vec![(key.destination, key.lane)]));
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.plan.handle(input, self.now, &self.chance) {
                inputs.extend(self.obey(output));
            }
        }
    }

    fn obey(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Load(load) => return Some(Input::Loaded(Box::new(self.window(&load)))),
            Output::Start(start) => self.start(start),
            Output::Settle(key, fate) => {
                let rows = self.ready.entry(key.destination.0).or_default();
                match fate {
                    Fate::Keep(row) => drop(rows.insert(key, row)),
                    Fate::Done | Fate::Dropped | Fate::Dead { .. } => drop(rows.remove(&key)),
                    Fate::Defer { row, due } => {
                        rows.remove(&key);
                        self.deferred.insert((due, key), row);
                    }
                }
                return Some(Input::Committed(vec![key]));
            }
            Output::Save(id, record) => drop(self.records.insert(id, *record)),
            // Nothing gets that old here.
            Output::Demote(..) => {}
            Output::Abort(ticket) => {
                // It ends again when it would have, and is not known by then.
                let outcome = Outcome::failed(FailureKind::Timeout, 0, "ended early");
                self.outcomes.insert(ticket, outcome);
                self.ends.push(Reverse((self.now.plus(Duration::from_millis(1)), ticket)));
            }
            Output::Turned(..) | Output::Note(..) | Output::Network(_) => {}
        }
        None
    }

    fn start(&mut self, start: Start) {
        let destination = start.key.destination.0;
        self.to_dead += usize::from(self.setting.is_dead(destination));
        let (span, outcome) = self.setting.attempt(destination, &self.chance);
        self.ends.push(Reverse((self.now.plus(span), start.ticket)));
        self.outcomes.insert(start.ticket, outcome);
        self.running.insert(start.ticket, start);
    }

    fn window(&self, load: &Load) -> Window {
        let record = self.records.get(&load.destination).cloned().filter(|_| load.wants_record);
        let mut window =
            Window { destination: load.destination, epoch: load.epoch, record, ..Window::default() };
        if let Some(rows) = self.ready.get(&load.destination.0) {
            let shown = rows.iter().take(load.rows_per_lane);
            window.rows = shown.map(|(key, row)| (*key, row.clone())).collect();
            // All of them are in the one lane.
            window.more[Lane::Fresh.index()] = rows.len() > window.rows.len();
        }
        window
    }
}

/// The world under one queue, first in first out, with failures put back at
/// its end after a while.
pub fn shared_fifo(setting: &Setting) -> Measured {
    let chance = FixedChance::new(setting.seed ^ 0x5eed);
    let mut offers = setting.offers(&FixedChance::new(setting.seed));
    let mut queue: VecDeque<Offer> = VecDeque::new();
    let mut retries: BTreeMap<(Timestamp, u64), Offer> = BTreeMap::new();
    let mut ends: BTreeMap<(Timestamp, u64), Offer> = BTreeMap::new();
    let (mut number, mut waits_s, mut to_dead) = (0, Vec::new(), 0);
    loop {
        let first = |events: &BTreeMap<(Timestamp, u64), Offer>| events.keys().next().map(|key| key.0);
        let times = [offers.front().map(|offer| offer.at), first(&retries), first(&ends)];
        let Some(now) = times.into_iter().flatten().min().filter(|at| *at < setting.end()) else { break };
        while let Some(offer) = offers.pop_front_if(|offer| offer.at <= now) {
            queue.push_back(offer);
        }
        while let Some(entry) = retries.first_entry().filter(|entry| entry.key().0 <= now) {
            queue.push_back(entry.remove());
        }
        while let Some(entry) = ends.first_entry().filter(|entry| entry.key().0 <= now) {
            let offer = entry.remove();
            if setting.is_dead(offer.destination) {
                number += 1;
                let wait_s = FIFO_RETRY_S.0 + FIFO_RETRY_S.1 * chance.unit();
                retries.insert((now.plus(Duration::from_secs_f64(wait_s)), number), offer);
            } else {
                waits_s.push(now.since(offer.at).as_secs_f64());
            }
        }
        while ends.len() < setting.slots
            && let Some(offer) = queue.pop_front()
        {
            number += 1;
            to_dead += usize::from(setting.is_dead(offer.destination));
            let (span, _) = setting.attempt(offer.destination, &chance);
            ends.insert((now.plus(span), number), offer);
        }
    }
    let left = queue.iter().filter(|offer| !setting.is_dead(offer.destination)).count();
    Measured::of(waits_s, left, to_dead)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fifth of the design's world, for a third of the time.
    fn small(dead: u32, seed: u64) -> Setting {
        Setting {
            destinations: 200,
            per_second: 120,
            slots: 52,
            span: Duration::from_secs(60),
            seed,
            ..Setting::of_design(dead)
        }
    }

    #[test]
    fn healthy_servers_do_not_notice_dead_ones() {
        for seed in [11, 12] {
            let alone = scheduled(&small(0, seed));
            for dead in [1, 4, 20, 60] {
                let setting = small(dead, seed);
                let (beside, fifo) = (scheduled(&setting), shared_fifo(&setting));
                println!("seed {seed}, {dead} of 200 dead: {beside:?}; shared queue: {fifo:?}");
                assert!(beside.p99_s < 1.15 * alone.p99_s + 0.05, "seed {seed}, {dead} dead: {beside:?}");
                assert!(beside.p50_s < 1.1 * alone.p50_s + 0.01, "seed {seed}, {dead} dead: {beside:?}");
                assert_eq!(beside.left, 0, "seed {seed}, {dead} dead");
                assert!(beside.to_dead < 8 * dead as usize, "seed {seed}, {dead} dead: {beside:?}");
                assert!(
                    dead < 20 || fifo.p99_s > 10.0 * beside.p99_s,
                    "a shared queue should suffer: {fifo:?}"
                );
            }
        }
    }

    #[test]
    fn servers_that_fail_fast_are_asked_a_few_times() {
        let setting = Setting { fault: Fault::Fails(Duration::from_millis(50)), ..small(60, 11) };
        let (beside, fifo) = (scheduled(&setting), shared_fifo(&setting));
        assert!(beside.to_dead <= 8 * 60, "{beside:?}");
        assert!(fifo.to_dead > 3 * beside.to_dead, "{fifo:?} and {beside:?}");
    }

    #[test]
    fn a_cold_start_beside_dead_servers_is_soon_over() {
        for dead in [20, 60] {
            let setting = Setting { is_cold: true, ..small(dead, 11) };
            let measured = scheduled(&setting);
            println!("cold start, {dead} of 200 dead: {measured:?}");
            assert!(measured.max_s < 5.0, "{dead} dead: {measured:?}");
            assert_eq!(measured.left, 0, "{dead} dead: {measured:?}");
        }
    }
}
