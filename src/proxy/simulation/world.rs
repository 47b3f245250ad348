//! The run of a world: a queue of events in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::contender::{Chooser, Contender};
use super::scenario::Scenario;
use super::server::Server;
use super::tally::Tally;
use super::work::Draw;
use crate::proxy::{Ask, Balancer, Dice, Hedge, LoadReport, Outcome, Pick, Place, Tick};

/// How long clients wait, in microseconds.
const PATIENCE_US: u64 = 1_000_000;
/// One way between balancer and server, in microseconds.
const LINK_US: u64 = 250;
/// How long a fast failure takes, in microseconds.
const FAST_US: u64 = 1000;
/// Balancers look at their pools so often, in microseconds.
const TEND_US: u64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A client's request comes.
    Arrive,
    /// A try reaches its server.
    Reach(usize),
    /// The work of a try is done, unless its server was stalled meanwhile.
    Finish(usize),
    /// The answer to a try is back.
    Reply(usize, Ending),
    /// A client's patience ends.
    Expire(usize),
    /// A balancer considers hedging a try.
    Look(usize),
    /// All balancers look at their pools.
    Tend,
    /// A server stands still for a while.
    Stall(usize, u64),
    /// A server may go on.
    Wake(usize),
    /// Servers come or go.
    Change,
}

/// How a try ends, in an order for the event queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    Good,
    Error,
    Refused,
    Unconnected,
}

impl Ending {
    const fn outcome(self) -> Outcome {
        match self {
            Ending::Good => Outcome::Answered,
            Ending::Error => Outcome::ServerError,
            Ending::Refused => Outcome::Shed,
            Ending::Unconnected => Outcome::Connect,
        }
    }
}

struct Request {
    came: u64,
    balancer: usize,
    ask: Ask,
    tries: Vec<usize>,
    is_over: bool,
}

struct Try {
    request: usize,
    server: usize,
    /// Nobody waits any more.
    is_closed: bool,
    pick: Option<Pick>,
    ends: u64,
    report: Option<LoadReport>,
}

pub(super) struct World<'a> {
    scenario: &'a Scenario,
    seed: u64,
    now: u64,
    number: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    servers: Vec<Server>,
    members: Vec<usize>,
    balancers: Vec<Balancer>,
    dice: Vec<Dice>,
    requests: Vec<Request>,
    tries: Vec<Try>,
    tally: Tally,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario, contender: &Contender, seed: u64) -> World<'a> {
        let balancers = match contender.chooser {
            Chooser::PerfectView => 0,
            Chooser::Policy(..) => scenario.balancers,
        };
        let make = |_| match contender.chooser {
            Chooser::Policy(policy, features) => {
                Some(Balancer::with_features(policy, features, Vec::new(), Tick::default()))
            }
            Chooser::PerfectView => None,
        };
        World {
            scenario,
            seed,
            now: 0,
            number: 0,
            events: BinaryHeap::new(),
            servers: scenario.servers.iter().cloned().map(Server::new).collect(),
            members: Vec::new(),
            balancers: (0..balancers).filter_map(make).collect(),
            dice: (0..scenario.balancers as u64).map(|index| Dice::seeded(seed ^ (index << 32))).collect(),
            requests: Vec::new(),
            tries: Vec::new(),
            tally: Tally::default(),
        }
    }

    pub(super) fn run(mut self) -> Tally {
        self.prepare();
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            self.now = at;
            self.happen(event);
        }
        self.tally
    }

    fn prepare(&mut self) {
        self.change();
        self.at(0, Event::Tend);
        self.at(0, Event::Arrive);
        for index in 0..self.servers.len() {
            let plan = self.servers[index].plan.clone();
            for edge in [plan.lives.from_s, plan.lives.to_s] {
                if edge > 0.0 && edge < self.scenario.seconds {
                    self.at((edge * 1e6) as u64, Event::Change);
                }
            }
            for stall in plan.stalls {
                let end = (stall.to_s * 1e6) as u64;
                self.at((stall.from_s * 1e6) as u64, Event::Stall(index, end));
            }
            for busy in plan.busy_elsewhere {
                self.at((busy.to_s * 1e6) as u64, Event::Wake(index));
            }
        }
    }

    fn at(&mut self, at: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((at, self.number, event)));
    }

    fn tick(&self) -> Tick {
        Tick::from_micros(self.now)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive => self.arrive(),
            Event::Reach(attempt) => self.reach(attempt),
            Event::Finish(attempt) => self.finish(attempt),
            Event::Reply(attempt, ending) => self.reply(attempt, ending),
            Event::Expire(request) => self.expire(request),
            Event::Look(attempt) => self.look(attempt),
            Event::Tend => self.tend(),
            Event::Stall(server, end) => self.stall(server, end),
            Event::Wake(server) => self.work(server),
            Event::Change => self.change(),
        }
    }

    fn is_open(&self) -> bool {
        (self.now as f64) < self.scenario.seconds * 1e6
    }

    fn arrive(&mut self) {
        if !self.is_open() {
            return;
        }
        let id = self.requests.len();
        let draw = Draw::new(self.seed, id);
        let surge = self.scenario.surge.filter(|(span, _)| span.has(self.now));
        let per_s = self.scenario.requests_per_s * surge.map_or(1.0, |(_, factor)| factor);
        self.at(self.now + draw.gap_us(per_s), Event::Arrive);
        self.at(self.now + PATIENCE_US, Event::Expire(id));
        self.requests.push(Request {
            came: self.now,
            balancer: draw.balancer(self.scenario.balancers),
            ask: self.ask(draw),
            tries: Vec::new(),
            is_over: false,
        });
        self.tally.requests += 1;
        self.send(id);
    }

    fn ask(&self, draw: Draw) -> Ask {
        let mut ask = Ask::new(self.tick().plus_micros(PATIENCE_US));
        ask.is_idempotent = draw.is_idempotent(self.scenario.idempotent);
        ask.address_hash = draw.client();
        ask.url_hash = draw.page();
        ask.sticky = Some(draw.client() % self.servers.len() as u64);
        ask
    }

    /// Sends a request to one more server, if there is one.
    fn send(&mut self, id: usize) {
        let Some((server, pick)) = self.choose(id) else {
            if !self.has_open_try(id) {
                self.fail(id);
            }
            return;
        };
        let attempt = self.tries.len();
        if !self.requests[id].tries.is_empty() {
            self.tally.extra += 1;
        } else if let Some(pick) = &pick {
            let request = &self.requests[id];
            let look = self.balancers[request.balancer].first_look(pick, &request.ask);
            if let Some(look) = look {
                self.at(look.as_micros(), Event::Look(attempt));
            }
        }
        self.tries.push(Try { request: id, server, is_closed: false, pick, ends: 0, report: None });
        self.requests[id].tries.push(attempt);
        self.at(self.now + LINK_US, Event::Reach(attempt));
    }

    fn choose(&mut self, id: usize) -> Option<(usize, Option<Pick>)> {
        if self.balancers.is_empty() {
            let now = self.now;
            // Equals take turns by the request's number.
            let key = |index: &&usize| (self.servers[**index].load(now), (**index + id) % 64);
            return self.members.iter().min_by_key(key).map(|server| (*server, None));
        }
        let tick = self.tick();
        let request = &mut self.requests[id];
        let dice = &mut self.dice[request.balancer];
        let pick = self.balancers[request.balancer].pick(tick, dice, &mut request.ask)?;
        let server = usize::try_from(pick.upstream().sticky()).unwrap_or(usize::MAX);
        Some((server, Some(pick)))
    }

    fn reach(&mut self, attempt: usize) {
        let index = self.tries[attempt].server;
        let now = self.now;
        let server = &mut self.servers[index];
        if server.plan.down.is_some_and(|span| span.has(now)) {
            self.tally.met_broken += 1;
            self.at(now + LINK_US, Event::Reply(attempt, Ending::Unconnected));
        } else if server.plan.fails_fast.is_some_and(|span| span.has(now)) {
            self.tally.met_broken += 1;
            self.at(now + FAST_US + LINK_US, Event::Reply(attempt, Ending::Error));
        } else if server.take(attempt) {
            self.work(index);
        } else {
            self.tries[attempt].report = Some(server.report(now));
            self.at(now + LINK_US, Event::Reply(attempt, Ending::Refused));
        }
    }

    /// Begins what a server has slots for.
    fn work(&mut self, index: usize) {
        while let Some(attempt) = self.servers[index].next(self.now) {
            // Work that nobody waits for is not begun.
            if self.tries[attempt].is_closed {
                continue;
            }
            let request = self.tries[attempt].request;
            let nth = self.requests[request].tries.iter().position(|t| *t == attempt).unwrap_or(0);
            let work = Draw::new(self.seed, request).work_us(nth, self.scenario.heavy);
            let ends = self.now + (work * self.servers[index].slowness()) as u64;
            self.tries[attempt].ends = ends;
            self.servers[index].working.push(attempt);
            self.at(ends, Event::Finish(attempt));
        }
    }

    fn stall(&mut self, index: usize, end: u64) {
        self.servers[index].stalled_until = end;
        for &attempt in &self.servers[index].working {
            self.tries[attempt].ends += end - self.now;
        }
        self.at(end, Event::Wake(index));
    }

    fn finish(&mut self, attempt: usize) {
        let ends = self.tries[attempt].ends;
        if self.now < ends {
            return self.at(ends, Event::Finish(attempt));
        }
        let index = self.tries[attempt].server;
        self.servers[index].finish(attempt);
        self.tries[attempt].report = Some(self.servers[index].report(self.now));
        self.at(self.now + LINK_US, Event::Reply(attempt, Ending::Good));
        self.work(index);
    }

    fn reply(&mut self, attempt: usize, ending: Ending) {
        if self.tries[attempt].is_closed {
            return;
        }
        let id = self.tries[attempt].request;
        let tick = self.tick();
        let outcome = ending.outcome();
        if let (Some(report), Some(pick)) = (self.tries[attempt].report, &self.tries[attempt].pick) {
            self.balancers[self.requests[id].balancer].report(tick, pick, &report);
        }
        self.close(attempt, outcome);
        if outcome == Outcome::Answered {
            return self.succeed(id);
        }
        if self.has_open_try(id) {
            return;
        }
        let request = &self.requests[id];
        let retries = self.balancers.get(request.balancer);
        if retries.is_some_and(|balancer| balancer.may_retry(tick, &request.ask, outcome)) {
            self.send(id);
        } else {
            self.fail(id);
        }
    }

    fn has_open_try(&self, id: usize) -> bool {
        self.requests[id].tries.iter().any(|attempt| !self.tries[*attempt].is_closed)
    }

    /// Ends a try and lets its balancer learn.
    fn close(&mut self, attempt: usize, outcome: Outcome) {
        let tick = self.tick();
        let closed = &mut self.tries[attempt];
        closed.is_closed = true;
        if let Some(pick) = closed.pick.take() {
            let balancer = self.requests[closed.request].balancer;
            self.balancers[balancer].done(tick, pick, outcome, &mut self.dice[balancer]);
        }
    }

    fn close_all(&mut self, id: usize, outcome: Outcome) {
        for nth in 0..self.requests[id].tries.len() {
            let attempt = self.requests[id].tries[nth];
            if !self.tries[attempt].is_closed {
                self.close(attempt, outcome);
            }
        }
    }

    fn succeed(&mut self, id: usize) {
        self.requests[id].is_over = true;
        self.tally.answered(self.now - self.requests[id].came);
        self.close_all(id, Outcome::Cancelled);
    }

    fn fail(&mut self, id: usize) {
        self.requests[id].is_over = true;
        self.tally.failed += 1;
    }

    fn expire(&mut self, id: usize) {
        if !self.requests[id].is_over {
            self.close_all(id, Outcome::Timeout);
            self.fail(id);
        }
    }

    fn look(&mut self, attempt: usize) {
        let Try { request, is_closed: false, pick: Some(pick), .. } = &self.tries[attempt] else { return };
        let id = *request;
        let request = &self.requests[id];
        match self.balancers[request.balancer].hedge(self.tick(), pick, &request.ask) {
            Hedge::Send => self.send(id),
            Hedge::LookAgain(at) => self.at(at.as_micros(), Event::Look(attempt)),
            Hedge::Never => {}
        }
    }

    fn tend(&mut self) {
        let tick = self.tick();
        self.balancers.iter().for_each(|balancer| balancer.tend(tick));
        if self.is_open() {
            self.at(self.now + TEND_US, Event::Tend);
        }
    }

    /// Tells all balancers which servers there are.
    fn change(&mut self) {
        let now = self.now;
        let lives = |index: &usize| self.servers[*index].plan.lives.has(now);
        self.members = (0..self.servers.len()).filter(lives).collect();
        let place =
            |index: &usize| Place { sticky: *index as u64, ..Place::new(&format!("server-{index}:80")) };
        let places: Vec<Place> = self.members.iter().map(place).collect();
        let tick = self.tick();
        self.balancers.iter().for_each(|balancer| balancer.set_places(places.clone(), tick));
    }
}
