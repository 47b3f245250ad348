//! What one forwarding thread has: resting connections to upstreams, and its
//! dice. Several threads may share one, where there are not as many.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::time::timeout;

use super::link::Link;
use super::server::Route;
use super::settings::{FRESH_REST_MAX, Settings, UPSTREAM_REST_MAX, UPSTREAM_RESTING_MAX};
use super::target::Target;
use crate::base::Clock;
use crate::proxy::{Ask, Balancer, Dice, Outcome, Pick, Tick, Upstream};

/// What all workers of a proxy share.
pub struct Shared {
    /// Who picks.
    pub balancer: Balancer,
    /// How it is forwarded.
    pub settings: Settings,
    pub(super) targets: ArcSwap<HashMap<Box<str>, Arc<Target>>>,
    pub(super) clock: Arc<dyn Clock>,
    /// Requests of clients so far.
    pub requests: AtomicU64,
}

impl Shared {
    /// The time as the balancer has it.
    pub fn now(&self) -> Tick {
        let since = self.clock.monotonic();
        Tick::from_micros(since.as_secs() * 1_000_000 + u64::from(since.subsec_micros()))
    }

    /// Forwards to these from now on. What is known of those that stay is
    /// kept, with their connections; requests to those that go finish.
    pub fn set_routes(&self, routes: Vec<Route>) {
        let known = self.targets.load_full();
        let places = routes.iter().map(|route| route.place.clone()).collect();
        let targets = routes.into_iter().map(|Route { place, target }| {
            let target = known.get(&place.name).map_or_else(|| Arc::new(target), Arc::clone);
            (place.name, target)
        });
        self.targets.store(Arc::new(targets.collect()));
        self.balancer.set_places(places, self.now());
    }

    /// How many connections in a row could not be made to an upstream.
    pub fn missed(&self, name: &str) -> u32 {
        self.targets.load().get(name).map_or(0, |target| target.missed())
    }

    pub(super) fn target(&self, upstream: &Upstream) -> io::Result<Arc<Target>> {
        let targets = self.targets.load();
        let found = targets.get(upstream.name()).map(Arc::clone);
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the upstream is gone"))
    }
}

/// One forwarding thread.
pub struct Worker {
    pub(super) shared: Arc<Shared>,
    // A link is too large to be moved about; each has its place for life.
    #[expect(clippy::vec_box, reason = "links are handed out and taken back in their boxes")]
    resting: Mutex<HashMap<u32, Vec<Box<Link>>>>,
    dice: Mutex<Dice>,
}

impl Worker {
    /// A worker with chance of its own.
    pub fn new(shared: Arc<Shared>, dice: Dice) -> Worker {
        Worker { shared, resting: Mutex::default(), dice: Mutex::new(dice) }
    }

    pub(super) fn now(&self) -> Tick {
        self.shared.now()
    }

    pub(super) fn pick(&self, ask: &mut Ask) -> Option<Pick> {
        self.shared.balancer.pick(self.now(), &mut self.dice.lock(), ask)
    }

    pub(super) fn done(&self, pick: Pick, outcome: Outcome) {
        self.shared.balancer.done(self.now(), pick, outcome, &mut self.dice.lock());
    }

    /// A connection that rested, or a new one. What must not be sent twice
    /// goes over one that rested but a moment.
    pub(super) async fn link(&self, upstream: &Upstream, may_repeat: bool) -> io::Result<Box<Link>> {
        match self.rested(upstream.id, may_repeat) {
            Some(link) => Ok(link),
            None => self.new_link(upstream).await,
        }
    }

    pub(super) async fn new_link(&self, upstream: &Upstream) -> io::Result<Box<Link>> {
        let target = self.shared.target(upstream)?;
        let connected = timeout(self.shared.settings.connect_timeout, target.connect()).await;
        Ok(Box::new(Link::new(connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??)))
    }

    fn rested(&self, id: u32, may_repeat: bool) -> Option<Box<Link>> {
        let mut all = self.resting.lock();
        let links = all.get_mut(&id)?;
        let now = self.now();
        while let Some(mut link) = links.pop() {
            let is_fresh = now.micros_since(link.rests_since) < micros(FRESH_REST_MAX);
            if now < link.rests_until && (may_repeat || is_fresh) && link.is_quiet() {
                link.begin();
                return Some(link);
            }
        }
        None
    }

    /// Takes a connection back whose exchange is over.
    pub(super) fn give_back(&self, id: u32, mut link: Box<Link>) {
        if !link.may_rest() {
            return;
        }
        let now = self.now();
        let rest = match link.head.keep_alive_s {
            // The upstream counts from an earlier moment than we do.
            Some(seconds) => Duration::from_secs(u64::from(seconds.saturating_sub(1))).min(UPSTREAM_REST_MAX),
            None => UPSTREAM_REST_MAX,
        };
        (link.rests_since, link.rests_until) = (now, now.plus(rest));
        let mut all = self.resting.lock();
        let links = all.entry(id).or_default();
        if links.len() < UPSTREAM_RESTING_MAX {
            links.push(link);
        }
    }

    /// Closes connections that rested too long or were closed by the other
    /// side. To be called once a second.
    pub fn sweep(&self) {
        let now = self.now();
        let mut all = self.resting.lock();
        all.retain(|_, links| {
            links.retain_mut(|link| now < link.rests_until && link.is_quiet());
            !links.is_empty()
        });
    }

    /// Closes all resting connections.
    pub fn close_resting(&self) {
        self.resting.lock().clear();
    }
}

pub(super) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
