//! The balancer itself: picks, and learns from what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwap;

use super::ask::TRIES_MAX;
use super::policy::{Features, Policy, Scene};
use super::pool::{Pool, UPSTREAMS_MAX};
use super::recent::Recent;
use super::upstream::{Place, Upstream};
use super::{Ask, Budget, Dice, LoadReport, Outcome, Tick};

/// Retries of one request, beside a hedge.
const RETRIES_MAX: usize = 2;
const _: () = assert!(RETRIES_MAX + 2 <= TRIES_MAX);

/// Chooses upstreams. All threads share one (in an `Arc`); nothing in it is
/// locked, and picking, learning and deciding allocate nothing.
#[derive(Debug)]
pub struct Balancer {
    policy: Policy,
    pub(super) features: Features,
    pub(super) pool: ArcSwap<Pool>,
    turn: AtomicU64,
    next_id: AtomicU32,
    pub(super) budget: Budget,
    pub(super) recent: Recent,
    /// One thread computes for all; the others go on with what is there.
    is_rebuilding: AtomicBool,
    extra: AtomicU64,
}

/// A request under way to an upstream. End it with [`Balancer::done`]; if it
/// is only dropped (a task was aborted), nothing is learnt from it.
#[derive(Debug)]
pub struct Pick {
    upstream: Arc<Upstream>,
    sent: Tick,
    is_open: bool,
    /// The request's body still comes, so it is not under way yet.
    is_uploading: bool,
}

impl Pick {
    /// Where to send the request.
    pub fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    /// When it was picked; of an upload, when the upstream had all of it.
    pub fn sent(&self) -> Tick {
        self.sent
    }

    /// Its body comes as fast as the client sends it, which says nothing of
    /// the upstream: until [`end_upload`](Self::end_upload) it is counted
    /// apart, and a telephone on a train makes no node look slow or busy. What
    /// an upload costs, the server's own report knows. Ending meanwhile as
    /// [`Outcome::Timeout`] or [`Outcome::Cancelled`] teaches nothing, and an
    /// answer nothing of how long they take.
    pub fn begin_upload(&mut self) {
        if !self.is_uploading {
            self.is_uploading = true;
            self.upstream.uploads.fetch_add(1, Relaxed);
            self.upstream.flight.end(self.sent);
        }
    }

    /// From this moment it is the upstream that is waited for: its last byte
    /// was written then. A request under way like any other from now on, as
    /// old as that.
    pub fn end_upload(&mut self, at: Tick) {
        if self.is_uploading {
            self.is_uploading = false;
            self.upstream.uploads.fetch_sub(1, Relaxed);
            self.upstream.flight.start(at);
            self.sent = at;
        }
    }
}

impl Drop for Pick {
    fn drop(&mut self) {
        if self.is_uploading {
            self.upstream.uploads.fetch_sub(1, Relaxed);
        } else if self.is_open {
            self.upstream.flight.end(self.sent);
        }
    }
}

impl Balancer {
    /// Over these upstreams, with what the policy has on by default.
    pub fn new(policy: Policy, places: Vec<Place>, now: Tick) -> Balancer {
        Balancer::with_features(policy, policy.features(), places, now)
    }

    /// As [`new`](Self::new), with other features: for the simulation.
    pub fn with_features(policy: Policy, features: Features, places: Vec<Place>, now: Tick) -> Balancer {
        let balancer = Balancer {
            policy,
            features,
            pool: ArcSwap::from_pointee(Pool::new(Vec::new(), policy)),
            turn: AtomicU64::new(0),
            next_id: AtomicU32::new(0),
            budget: Budget::new(now),
            recent: Recent::new(),
            is_rebuilding: AtomicBool::new(false),
            extra: AtomicU64::new(0),
        };
        balancer.set_places(places, now);
        balancer
    }

    /// Which policy picks.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Replaces the list of upstreams. What is known of those that stay
    /// (same name and weight) is kept; requests to those that go finish.
    /// Beyond [`UPSTREAMS_MAX`] the list is cut. Allocates.
    pub fn set_places(&self, mut places: Vec<Place>, now: Tick) {
        places.truncate(UPSTREAMS_MAX);
        self.pool.rcu(|old| {
            let upstreams = places.iter().map(|place| {
                let known = old.upstreams.iter().find(|u| u.place == *place);
                known.map(Arc::clone).unwrap_or_else(|| self.make(place.clone(), now))
            });
            Pool::new(upstreams.collect(), self.policy)
        });
        self.tend(now);
    }

    fn make(&self, place: Place, now: Tick) -> Arc<Upstream> {
        Arc::new(Upstream::new(place, self.next_id.fetch_add(1, Relaxed), now))
    }

    /// Looks at all upstreams: who may be picked, how fast the pool is. To be
    /// called once a second.
    pub fn tend(&self, now: Tick) {
        if self.is_rebuilding.swap(true, Relaxed) {
            return;
        }
        self.pool.load().rebuild(now, &self.features);
        self.is_rebuilding.store(false, Relaxed);
    }

    /// Chooses an upstream that this request was not sent to yet, counts it
    /// as under way there, and notes it in `ask`. `None` if there is none.
    pub fn pick(&self, now: Tick, dice: &mut Dice, ask: &mut Ask) -> Option<Pick> {
        if ask.tried.is_empty() {
            self.budget.earn(now);
        } else {
            self.extra.fetch_add(1, Relaxed);
        }
        let pool = self.pool.load();
        let scene = Scene { pool: &pool, now, ask, features: &self.features, turn: &self.turn };
        let upstream = Arc::clone(self.policy.pick(&scene, dice)?);
        upstream.begin(now);
        ask.tried.add(upstream.id);
        Some(Pick { upstream, sent: now, is_open: true, is_uploading: false })
    }

    /// Takes in what an upstream says of itself ([`LoadReport::parse`]).
    /// Call it before [`done`](Self::done).
    pub fn report(&self, now: Tick, pick: &Pick, report: &LoadReport) {
        if pick.upstream.hear(now, report) {
            self.tend(now);
        }
    }

    /// The upstream wants no new requests (GOAWAY of HTTP/2), or does again.
    pub fn set_draining(&self, now: Tick, upstream: &Upstream, is_draining: bool) {
        if upstream.set_draining(now, is_draining) {
            self.tend(now);
        }
    }

    /// It wants none any more, whatever it says itself; by name, for who hears
    /// of it elsewhere. One that is gone wants nothing anyway.
    pub fn drain(&self, now: Tick, name: &str) {
        let pool = self.pool.load();
        let found = pool.upstreams.iter().find(|upstream| upstream.name() == name);
        if found.is_some_and(|upstream| upstream.send_off()) {
            self.tend(now);
        }
    }

    /// Takes in how a try ended: for an answer, when its headers came. An
    /// answer without end is counted by [`Upstream::stream`] from then on.
    pub fn done(&self, now: Tick, mut pick: Pick, outcome: Outcome, dice: &mut Dice) {
        pick.is_open = false;
        let sent = (!pick.is_uploading).then_some(pick.sent);
        if let (Outcome::Answered, Some(sent)) = (outcome, sent) {
            self.recent.add(now.micros_since(sent));
        }
        let mut is_news = pick.upstream.learn(now, sent, outcome);
        if self.features.eject && outcome.is_hard() {
            is_news |= self.consider_ejecting(now, &pick.upstream, dice);
        }
        if is_news {
            self.tend(now);
        }
    }

    pub(super) fn consider_ejecting(&self, now: Tick, upstream: &Upstream, dice: &mut Dice) -> bool {
        let ejects = upstream.is_broken(now) && !upstream.is_ejected(now) && self.pool.load().may_eject();
        if ejects {
            upstream.eject(now, dice);
        }
        ejects
    }

    /// Whether a request that failed is to be sent to another upstream, which
    /// [`pick`](Self::pick) then chooses; takes from the budget. Only before
    /// any byte of an answer went to the client.
    pub fn may_retry(&self, now: Tick, ask: &Ask, outcome: Outcome) -> bool {
        let is_safe = outcome.is_unprocessed() || (ask.is_idempotent && outcome.is_failure());
        self.features.retry
            && is_safe
            && ask.is_replayable
            && ask.tried.len() <= RETRIES_MAX
            && now < ask.deadline
            && self.has_another(now, ask)
            && self.budget.take(now)
    }

    /// Whether there is a sound upstream that this request was not sent to.
    pub(super) fn has_another(&self, now: Tick, ask: &Ask) -> bool {
        self.pool.load().upstreams.iter().any(|u| ask.may_use(u.id) && !u.draining() && !u.is_ejected(now))
    }

    /// Retries and hedges so far, for the metrics.
    pub fn extra_requests(&self) -> u64 {
        self.extra.load(Relaxed)
    }

    /// Extra requests that the budget allows at this moment.
    pub fn budget_left(&self, now: Tick) -> u32 {
        self.budget.left(now)
    }
}
