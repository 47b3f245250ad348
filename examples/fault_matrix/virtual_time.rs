//! The scheduler without store, sockets and clock: hours pass in a second.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use waxwing::base::{FixedChance, Id, Timestamp};
use waxwing::domain::delivery::Fate;
use waxwing::model::queue::{
    Breaker, Class, Destination, DestinationId, InboxId, JobKey, JobKind, JobRow, Lane, OrderKey,
};
use waxwing::queue::{Input, Load, Outcome, Output, Plan, Report, Start, Ticket, Window};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Bytes of a body, for the fair share.
const BYTES: u32 = 1500;

/// What a peer does with an attempt: how long it takes, and how it ends.
pub(crate) type Answer = Box<dyn FnMut(DestinationId, Timestamp) -> (Duration, Outcome) + Send>;

/// A delivery that arrived.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) created: Timestamp,
    pub(crate) at: Timestamp,
}

/// The scheduler in a world that is only told of.
pub(crate) struct Virtual {
    pub(crate) now: Timestamp,
    pub(crate) done: Vec<Done>,
    /// Attempts of any outcome.
    pub(crate) attempts: usize,
    pub(crate) records: HashMap<DestinationId, Destination>,
    plan: Plan,
    chance: FixedChance,
    answer: Answer,
    rows: BTreeMap<JobKey, JobRow>,
    late: BTreeMap<(Timestamp, JobKey), JobRow>,
    running: BTreeMap<(Timestamp, Ticket), (Start, Outcome)>,
    inputs: VecDeque<Input>,
    next_act: u64,
}

impl Virtual {
    pub(crate) fn new(slots: usize, seed: u64, answer: Answer) -> Virtual {
        Virtual {
            now: START,
            done: Vec::new(),
            attempts: 0,
            records: HashMap::new(),
            plan: Plan::new(slots, START),
            chance: FixedChance::new(seed),
            answer,
            rows: BTreeMap::new(),
            late: BTreeMap::new(),
            running: BTreeMap::new(),
            inputs: VecDeque::new(),
            next_act: 1,
        }
    }

    /// Hands over a delivery.
    pub(crate) fn add(&mut self, destination: DestinationId, lane: Lane, ttl: Duration) {
        let key = JobKey { destination, lane, act: Id(self.next_act), inbox: InboxId(destination.0) };
        self.next_act += 1;
        let row = JobRow {
            sender: Id(1 + self.next_act % 50),
            order: OrderKey::NONE,
            attempts: 0,
            panics: 0,
            created_at: self.now,
            expires_at: self.now.plus(ttl),
            bytes: BYTES,
            kind: JobKind::Deliver,
        };
        self.rows.insert(key, row);
        self.inputs.push_back(Input::Woken(vec![(destination, lane)]));
        self.settle_inputs();
    }

    /// Rows that have no outcome yet.
    pub(crate) fn left(&self) -> usize {
        self.rows.len() + self.late.len()
    }

    /// How a destination is seen.
    pub(crate) fn breaker(&self, id: DestinationId) -> Breaker {
        self.records.get(&id).map_or(Breaker::Closed, |record| record.breaker)
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now.plus(span);
        loop {
            let ends = self.running.keys().next().map(|key| key.0);
            let due = self.late.keys().next().map(|key| key.0);
            let next = [ends, due, Some(self.plan.next_wake())].into_iter().flatten().min().unwrap_or(end);
            if next > end {
                break;
            }
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        while let Some(entry) = self.running.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let ((_, ticket), (start, outcome)) = entry.remove_entry();
            if outcome == Outcome::Done {
                self.done.push(Done { created: start.row.created_at, at: self.now });
            }
            self.inputs.push_back(Input::Finished(ticket, Report::from(outcome)));
        }
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let ((_, key), row) = entry.remove_entry();
            self.rows.insert(key, row);
            self.inputs.push_back(Input::Woken(vec![(key.destination, key.lane)]));
        }
        self.inputs.push_back(Input::Tick);
        self.settle_inputs();
    }

    fn settle_inputs(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            for output in self.plan.handle(input, self.now, &self.chance) {
                self.obey(output);
            }
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Load(load) => {
                let window = self.window(&load);
                self.inputs.push_back(Input::Loaded(Box::new(window)));
            }
            Output::Start(start) => {
                self.attempts += 1;
                let (took, outcome) = (self.answer)(start.key.destination, self.now);
                self.running.insert((self.now.plus(took), start.ticket), (start, outcome));
            }
            Output::Settle(key, fate) => {
                self.rows.remove(&key);
                if let Fate::Defer { row, due } = fate {
                    self.late.insert((due, key), row);
                }
                self.inputs.push_back(Input::Committed(vec![key]));
            }
            Output::Save(id, record) => {
                self.records.insert(id, *record);
            }
            Output::Demote(id, busy) => {
                self.demote(id, &busy);
                self.inputs.push_back(Input::Demoted(id));
            }
            _ => {}
        }
    }

    /// Puts what waits in the fresh lane behind what comes.
    fn demote(&mut self, id: DestinationId, busy: &[(Id, InboxId)]) {
        let is_old = |key: &&JobKey| {
            key.destination == id && key.lane == Lane::Fresh && !busy.contains(&(key.act, key.inbox))
        };
        let old: Vec<JobKey> = self.rows.keys().filter(is_old).copied().collect();
        for key in old {
            if let Some(row) = self.rows.remove(&key) {
                self.rows.insert(JobKey { lane: Lane::Bulk, ..key }, row);
            }
        }
    }

    fn window(&self, load: &Load) -> Window {
        let id = load.destination;
        let fresh = || Destination {
            authority: format!("{}.example", id.0),
            class: Class::Remote,
            ..Destination::default()
        };
        let record = load.wants_record.then(|| self.records.get(&id).cloned().unwrap_or_else(fresh));
        let mut window = Window { destination: id, epoch: load.epoch, record, ..Window::default() };
        for lane in Lane::ALL {
            let at = |act, inbox| JobKey { destination: id, lane, act, inbox: InboxId(inbox) };
            let mut rows = self.rows.range(at(Id(0), 0)..=at(Id(u64::MAX), u32::MAX));
            window.rows.extend(rows.by_ref().take(load.rows_per_lane).map(|(key, row)| (*key, row.clone())));
            window.more[lane.index()] = rows.next().is_some();
        }
        window
    }
}
