use std::collections::BTreeMap;

use super::*;
use crate::base::{FixedChance, Id};
use crate::domain::delivery::FRESH_FOR;
use crate::model::queue::{Breaker, InboxId, JobKind, OrderKey};
use crate::queue::{FailureKind, Outcome};

pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A scheduler over a pretend store, in virtual time.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) now: Timestamp,
    pub(super) chance: FixedChance,
    pub(super) ready: BTreeMap<JobKey, JobRow>,
    pub(super) deferred: BTreeMap<(Timestamp, JobKey), JobRow>,
    pub(super) dead: Vec<(JobKey, DeadReason)>,
    pub(super) records: BTreeMap<DestinationId, Destination>,
    pub(super) running: BTreeMap<Ticket, Start>,
    pub(super) attempts: usize,
    aborted: Vec<Ticket>,
    loads: usize,
    next_act: u64,
}

pub(super) struct NewJob {
    pub(super) destination: u32,
    pub(super) lane: Lane,
    pub(super) sender: u64,
    pub(super) order: u64,
}

impl World {
    pub(super) fn new(slots: usize, seed: u64) -> World {
        World {
            plan: Plan::new(slots, START),
            now: START,
            chance: FixedChance::new(seed),
            ready: BTreeMap::new(),
            deferred: BTreeMap::new(),
            dead: Vec::new(),
            records: BTreeMap::new(),
            running: BTreeMap::new(),
            attempts: 0,
            aborted: Vec::new(),
            loads: 0,
            next_act: 0,
        }
    }

    /// A destination that worked just now, with this many requests at once.
    fn proven(mut self, destination: u32, cap: f32) -> World {
        let record = Destination { last_ok: Some(START), cap, rate: 50.0, ..Destination::default() };
        self.records.insert(DestinationId(destination), record);
        self
    }

    pub(super) fn add(&mut self, job: &NewJob) -> Id {
        self.next_act += 1;
        let key = JobKey {
            destination: DestinationId(job.destination),
            lane: job.lane,
            act: Id(self.next_act),
            inbox: InboxId(job.destination),
        };
        let row = JobRow {
            sender: Id(job.sender),
            order: OrderKey(job.order),
            attempts: 0,
            panics: 0,
            created_at: self.now,
            expires_at: self.now.plus(Duration::from_secs(86_400)),
            bytes: 1024,
            kind: JobKind::Deliver,
        };
        self.ready.insert(key, row);
        self.feed(Input::Woken(vec![(key.destination, key.lane)]));
        key.act
    }

    fn add_many(&mut self, count: usize, destination: u32, lane: Lane, sender: u64) {
        for _ in 0..count {
            self.add(&NewJob { destination, lane, sender, order: 0 });
        }
    }

    pub(super) fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.plan.handle(input, self.now, &self.chance) {
                self.obey(output, &mut inputs);
            }
        }
    }

    fn obey(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Load(load) => {
                self.loads += 1;
                inputs.push_back(Input::Loaded(Box::new(self.window(load))));
            }
            Output::Start(start) => {
                self.attempts += 1;
                assert!(self.ready.contains_key(&start.key), "{:?} is not in the store", start.key);
                self.running.insert(start.ticket, start);
            }
            Output::Settle(key, fate) => {
                match fate {
                    Fate::Done | Fate::Dropped => drop(self.ready.remove(&key)),
                    Fate::Keep(row) => drop(self.ready.insert(key, row)),
                    Fate::Defer { row, due } => {
                        self.ready.remove(&key);
                        self.deferred.insert((due, key), row);
                    }
                    Fate::Dead { reason, .. } => {
                        self.ready.remove(&key);
                        self.dead.push((key, reason));
                    }
                }
                inputs.push_back(Input::Committed(vec![key]));
            }
            Output::Save(id, record) => drop(self.records.insert(id, *record)),
            Output::Demote(id, busy) => {
                let is_old = |key: &JobKey, row: &JobRow| {
                    (key.destination, key.lane) == (id, Lane::Fresh)
                        && !busy.contains(&(key.act, key.inbox))
                        && self.now.since(row.created_at) > FRESH_FOR
                };
                let old: Vec<_> = self.ready.extract_if(.., |key, row| is_old(key, row)).collect();
                self.ready
                    .extend(old.into_iter().map(|(key, row)| (JobKey { lane: Lane::Bulk, ..key }, row)));
                inputs.push_back(Input::Demoted(id));
            }
            Output::Abort(ticket) => self.aborted.push(ticket),
            Output::Turned(..) | Output::Note(..) | Output::Network(_) => {}
        }
    }

    fn window(&self, load: Load) -> Window {
        let record = self.records.get(&load.destination).cloned().filter(|_| load.wants_record);
        let mut window =
            Window { destination: load.destination, epoch: load.epoch, record, ..Window::default() };
        let held: Vec<_> = self
            .deferred
            .keys()
            .map(|(_, key)| {
                (key, self.deferred.iter().find(|((_, k), _)| k == key).map(|(_, row)| row.order))
            })
            .collect();
        for lane in Lane::ALL {
            let lower = JobKey { destination: load.destination, lane, act: Id::ZERO, inbox: InboxId(0) };
            let upper = JobKey { act: Id::MAX, ..lower };
            let mut rows = self.ready.range(lower..upper).filter(|(key, row)| {
                row.order == OrderKey::NONE
                    || !held.iter().any(|(other, order)| {
                        *order == Some(row.order)
                            && other.destination == key.destination
                            && other.act < key.act
                    })
            });
            window.rows.extend(rows.by_ref().take(load.rows_per_lane).map(|(key, row)| (*key, row.clone())));
            window.more[lane.index()] = rows.next().is_some();
        }
        window
    }

    pub(super) fn advance(&mut self, span: Duration) {
        self.now = self.now.plus(span);
        let due: Vec<_> = self.deferred.range(..=(self.now, LAST)).map(|(key, _)| *key).collect();
        let mut lanes = Vec::new();
        for key in due {
            let row = self.deferred.remove(&key).unwrap();
            self.ready.insert(key.1, row);
            lanes.push((key.1.destination, key.1.lane));
        }
        self.feed(Input::Woken(lanes));
    }

    pub(super) fn finish(&mut self, ticket: Ticket, outcome: Outcome) {
        self.running.remove(&ticket).unwrap();
        self.feed(Input::Finished(ticket, outcome.into()));
    }

    fn finish_all(&mut self, outcome: &Outcome) {
        for ticket in self.running.keys().copied().collect::<Vec<_>>() {
            self.finish(ticket, outcome.clone());
        }
    }

    fn running_to(&self, destination: u32) -> usize {
        self.running.values().filter(|start| start.key.destination.0 == destination).count()
    }

    fn running_acts(&self) -> Vec<Id> {
        self.running.values().map(|start| start.key.act).collect()
    }
}

const LAST: JobKey =
    JobKey { destination: DestinationId(u32::MAX), lane: Lane::Bulk, act: Id::MAX, inbox: InboxId(u32::MAX) };

#[test]
fn a_job_starts_when_it_arrives_and_leaves_when_done() {
    let mut world = World::new(8, 1);
    world.add_many(1, 1, Lane::Fresh, 1);
    assert_eq!(world.running.len(), 1);
    world.finish_all(&Outcome::Done);
    assert!(world.ready.is_empty());
    assert_eq!(world.plan.running(), 0);
}

#[test]
fn a_destination_gets_no_more_than_its_cap() {
    let mut world = World::new(100, 1).proven(1, 4.0);
    world.add_many(50, 1, Lane::Fresh, 1);
    assert_eq!(world.running_to(1), 4);
}

#[test]
fn everything_is_sent_once_however_long_the_queue() {
    let mut world = World::new(64, 1).proven(1, 16.0).proven(2, 3.0);
    for round in 0..200 {
        world.add_many(1, 1 + round % 2, Lane::ALL[(round % 3) as usize], u64::from(round));
    }
    while !world.ready.is_empty() {
        world.advance(Duration::from_millis(500));
        world.finish_all(&Outcome::Done);
    }
    assert_eq!(world.attempts, 200);
    assert!(world.loads < 200, "{} loads", world.loads);
}

#[test]
fn lanes_share_by_weight() {
    // One slot at a time, every lane of many destinations full.
    let mut world = World::new(8, 1);
    for destination in 1..=60 {
        world = world.proven(destination, 16.0);
        for lane in Lane::ALL {
            world.add_many(10, destination, lane, 1);
        }
    }
    let mut sent = [0usize; 3];
    for _ in 0..100 {
        for ticket in world.running.keys().copied().collect::<Vec<_>>() {
            sent[world.running[&ticket].key.lane.index()] += 1;
            world.finish(ticket, Outcome::Done);
        }
        world.advance(Duration::from_millis(10));
    }
    let all: usize = sent.iter().sum();
    assert!(sent[0] > sent[1] && sent[1] > sent[2], "{sent:?}");
    assert!(sent[2] * 20 > all, "the slowest lane starves: {sent:?}");
}

#[test]
fn a_long_queue_does_not_delay_another_destination() {
    let mut world = World::new(8, 1).proven(1, 16.0).proven(2, 16.0);
    world.add_many(500, 1, Lane::Fresh, 1);
    world.add_many(1, 2, Lane::Fresh, 1);
    // One turn is 16 KiB, sixteen of these jobs.
    for _ in 0..20 {
        let ticket = *world.running.keys().next().unwrap();
        world.finish(ticket, Outcome::Done);
    }
    let left = world.ready.keys().filter(|key| key.destination.0 == 2).count();
    assert!(left == 0 || world.running_to(2) == 1);
}

#[test]
fn senders_take_turns() {
    let mut world = World::new(8, 1).proven(1, 1.0);
    world.add_many(10, 1, Lane::Fresh, 1);
    world.add_many(2, 1, Lane::Fresh, 2);
    let mut order = Vec::new();
    for _ in 0..5 {
        let (ticket, start) = world.running.iter().next().unwrap();
        order.push(start.row.sender.0);
        let ticket = *ticket;
        world.finish(ticket, Outcome::Superseded);
    }
    assert_eq!(order.iter().filter(|sender| **sender == 2).count(), 2, "{order:?}");
}

#[test]
fn one_order_key_goes_one_after_another() {
    let mut world = World::new(8, 1).proven(1, 16.0);
    let chained: Vec<Id> = (0..3)
        .map(|_| world.add(&NewJob { destination: 1, lane: Lane::Interactive, sender: 1, order: 9 }))
        .collect();
    let free = world.add(&NewJob { destination: 1, lane: Lane::Interactive, sender: 1, order: 8 });
    assert_eq!(world.running_acts(), [chained[0], free]);
    world.finish(*world.running.keys().next().unwrap(), Outcome::Done);
    assert_eq!(world.running_acts(), [free, chained[1]]);
}

#[test]
fn a_failed_job_holds_those_behind_it() {
    let mut world = World::new(8, 1).proven(1, 16.0);
    let first = world.add(&NewJob { destination: 1, lane: Lane::Fresh, sender: 1, order: 9 });
    let second = world.add(&NewJob { destination: 1, lane: Lane::Fresh, sender: 1, order: 9 });
    let other = world.add(&NewJob { destination: 1, lane: Lane::Fresh, sender: 1, order: 0 });
    assert_eq!(world.running_acts(), [first, other]);
    world.finish(*world.running.keys().next().unwrap(), Outcome::of_status(500, None));
    assert_eq!(world.running_acts(), [other]);
    world.finish_all(&Outcome::Done);
    assert!(world.running.is_empty());
    world.advance(Duration::from_secs(40));
    assert_eq!(world.running_acts(), [first]);
    world.finish_all(&Outcome::Done);
    assert_eq!(world.running_acts(), [second]);
}

#[test]
fn unknown_destinations_hold_half_the_slots_at_most() {
    let mut world = World::new(64, 1);
    for destination in 1..=100 {
        world.add_many(2, destination, Lane::Fresh, 1);
    }
    assert_eq!(world.running.len(), 32);
    world = world.proven(200, 16.0);
    world.add_many(16, 200, Lane::Fresh, 1);
    assert_eq!(world.running_to(200), 16);
    // Those that waited get the slots that come free.
    world.finish_all(&Outcome::Done);
    world.advance(Duration::from_millis(1));
    assert!(world.running.len() >= 32);
}

#[test]
fn failing_destinations_hold_an_eighth_of_the_slots_at_most() {
    let mut world = World::new(64, 1);
    for destination in 1..=100 {
        world = world.proven(destination, 4.0);
        world.add_many(12, destination, Lane::Fresh, 1);
    }
    let mut most = 0;
    for _ in 0..40 {
        world.advance(Duration::from_millis(100));
        world.finish_all(&Outcome::of_status(500, None));
        let suspect = world.plan.gauges(world.now).inflight[Group::Suspect as usize];
        most = most.max(suspect);
    }
    assert_eq!(most, 8);
}

#[test]
fn a_paused_destination_gets_nothing_until_the_pause_ends() {
    let mut world = World::new(8, 1).proven(1, 4.0);
    world.add_many(10, 1, Lane::Fresh, 1);
    let retry_after = Some(Duration::from_secs(20));
    world.finish_all(&Outcome::TooMany { retry_after });
    assert!(world.running.is_empty());
    assert_eq!(world.ready.len(), 10, "no job is lost or put off");
    world.advance(Duration::from_millis(19_990));
    assert!(world.running.is_empty());
    world.advance(Duration::from_millis(20));
    assert_eq!(world.running.len(), 1);
}

#[test]
fn an_expired_job_is_not_sent() {
    let mut world = World::new(8, 1);
    world.add_many(3, 1, Lane::Fresh, 1);
    world.advance(Duration::from_secs(90_000));
    world.finish_all(&Outcome::Done);
    assert_eq!(world.attempts, 1);
    assert_eq!(world.dead.len(), 2);
    assert!(world.dead.iter().all(|(_, reason)| *reason == DeadReason::Expired));
}

#[test]
fn a_stale_snapshot_is_not_believed() {
    let mut plan = Plan::new(8, START);
    let chance = FixedChance::new(1);
    let mut world = World::new(8, 1);
    world.add_many(1, 1, Lane::Fresh, 1);
    let (key, row) = world.ready.pop_first().unwrap();
    let window = |epoch| Window {
        destination: key.destination,
        epoch,
        rows: vec![(key, row.clone())],
        ..Window::default()
    };
    plan.handle(Input::Woken(vec![(key.destination, key.lane)]), START, &chance);
    plan.handle(Input::Loaded(Box::new(window(0))), START, &chance);
    // Asked again while the first one runs; the answer is late.
    plan.handle(Input::Finished(Ticket(0), Outcome::Done.into()), START, &chance);
    plan.handle(Input::Woken(vec![(key.destination, key.lane)]), START, &chance);
    plan.handle(Input::Committed(vec![key]), START, &chance);
    let out = plan.handle(Input::Loaded(Box::new(window(0))), START, &chance);
    assert!(!out.iter().any(|output| matches!(output, Output::Start(_))), "sent twice");
    assert!(out.iter().any(|output| matches!(output, Output::Load(load) if load.epoch == 1)));
}

#[test]
fn idle_destinations_are_forgotten() {
    let mut world = World::new(64, 1);
    for destination in 1..=30 {
        world.add_many(1, destination, Lane::Fresh, 1);
    }
    world.finish_all(&Outcome::Done);
    world.advance(Duration::from_secs(61));
    assert!(world.plan.entries.is_empty());
    assert!(world.records[&DestinationId(7)].last_ok.is_some());
}

#[test]
fn nothing_starts_while_draining() {
    let mut world = World::new(8, 1).proven(1, 4.0);
    world.plan.drain();
    world.add_many(3, 1, Lane::Fresh, 1);
    assert!(world.running.is_empty());
}

#[test]
fn slow_attempts_make_room_while_others_wait() {
    let mut world = World::new(16, 1);
    world.add_many(1, 100, Lane::Fresh, 1);
    world.advance(Duration::from_millis(100));
    world.finish_all(&Outcome::Done);
    for destination in 1..=8 {
        world.add_many(1, destination, Lane::Fresh, 1);
    }
    assert_eq!(world.running.len(), 8);
    world.advance(Duration::from_secs(5));
    assert!(world.aborted.is_empty(), "nobody waits");
    world.plan.hold(true);
    for destination in 9..=11 {
        world.add_many(1, destination, Lane::Fresh, 1);
    }
    world.advance(Duration::from_secs(2));
    assert!(world.aborted.is_empty(), "nobody could have their slots");
    world.plan.hold(false);
    world.advance(Duration::from_millis(100));
    assert_eq!(world.aborted.len(), 3);
    world.advance(Duration::from_secs(1));
    assert_eq!(world.aborted.len(), 3, "one for each that waits");
    for ticket in std::mem::take(&mut world.aborted) {
        world.finish(ticket, Outcome::failed(FailureKind::Timeout, 0, "slow"));
    }
    assert_eq!((world.running.len(), world.running_to(9), world.running_to(11)), (8, 1, 1));
}

#[test]
fn where_all_are_slow_nobody_is_ended_early() {
    let mut world = World::new(16, 1);
    world.add_many(1, 100, Lane::Fresh, 1);
    world.advance(Duration::from_secs(2));
    world.finish_all(&Outcome::Done);
    for destination in 1..=12 {
        world.add_many(1, destination, Lane::Fresh, 1);
    }
    world.advance(Duration::from_secs(6));
    assert!(world.aborted.is_empty());
}

#[test]
fn new_posts_do_not_wait_behind_the_backlog_of_an_outage() {
    let mut world = World::new(64, 1).proven(1, 1.0);
    let down = Outcome::of_status(500, None);
    world.add_many(2000, 1, Lane::Fresh, 1);
    for _ in 0..3600 {
        world.finish_all(&down);
        world.advance(Duration::from_secs(1));
    }
    let new = world.add(&NewJob { destination: 1, lane: Lane::Fresh, sender: 2, order: 0 });
    let mut waited = 0;
    while world.ready.keys().any(|key| key.act == new) {
        assert!(waited < 8, "it is as slow as the backlog");
        world.advance(Duration::from_secs(1));
        waited += usize::from(world.plan.running() > 0);
        world.finish_all(&Outcome::Done);
    }
    assert!(world.ready.len() > 1900, "the backlog goes on slowly");
    assert!(world.ready.keys().all(|key| key.lane == Lane::Bulk));
}

fn servfail() -> Outcome {
    Outcome::failed(FailureKind::Resolver, 0, "try again")
}

#[test]
fn when_nobody_can_be_reached_nobody_is_blamed() {
    let mut world = World::new(64, 1);
    for destination in 1..=20 {
        world = world.proven(destination, 4.0);
        world.add_many(30, destination, Lane::Fresh, 1);
    }
    world.finish_all(&servfail());
    assert!(world.plan.network.down_since().is_some());
    // Those that were started before it was noticed.
    world.finish_all(&servfail());
    let before = world.attempts;
    for _ in 0..60 {
        world.advance(Duration::from_secs(1));
        assert!(world.running.len() <= 1, "one at a time");
        world.finish_all(&servfail());
    }
    assert!((30..=61).contains(&(world.attempts - before)), "{}", world.attempts - before);
    assert!(matches!(world.plan.explain(world.ready.keys().next().unwrap(), world.now), Why::Network { .. }));
    // One answer, and everything goes on as if nothing had been.
    world.advance(Duration::from_secs(1));
    world.finish_all(&Outcome::Done);
    assert!(world.running.len() > 10, "{}", world.running.len());
    for _ in 0..600 {
        world.finish_all(&Outcome::Done);
        world.advance(Duration::from_millis(100));
    }
    assert!(world.ready.is_empty() && world.deferred.is_empty());
    assert!(world.dead.is_empty());
    world.advance(Duration::from_secs(60));
    assert!(world.records.values().all(|record| record.failing_since.is_none() && record.opens == 0));
}

#[test]
fn a_third_that_cannot_be_reached_is_their_own_fault() {
    let mut world = World::new(64, 1);
    for destination in 1..=30 {
        world = world.proven(destination, 1.0);
        world.add_many(8, destination, Lane::Fresh, 1);
    }
    for _ in 0..20 {
        for (ticket, start) in
            world.running.iter().map(|(t, s)| (*t, s.key.destination.0)).collect::<Vec<_>>()
        {
            world.finish(ticket, if start <= 10 { servfail() } else { Outcome::Done });
        }
        world.advance(Duration::from_secs(1));
    }
    assert!(world.plan.network.down_since().is_none());
    let open = world.records.values().filter(|record| record.breaker != Breaker::Closed).count();
    assert!(open > 0, "their breakers open");
}

#[test]
fn names_that_are_gone_do_not_look_like_our_fault() {
    let mut world = World::new(64, 1);
    for destination in 1..=20 {
        world = world.proven(destination, 1.0);
        world.add_many(3, destination, Lane::Fresh, 1);
    }
    world.finish_all(&Outcome::failed(FailureKind::Unresolved, 0, "no such name"));
    assert!(world.plan.network.down_since().is_none());
}

#[test]
fn dead_servers_alone_do_not_look_like_our_fault() {
    let mut world = World::new(64, 1);
    for destination in 1..=30 {
        world.add_many(3, destination, Lane::Fresh, 1);
    }
    for _ in 0..10 {
        world.finish_all(&servfail());
        world.advance(Duration::from_secs(1));
        assert!(world.plan.network.down_since().is_none());
    }
}
