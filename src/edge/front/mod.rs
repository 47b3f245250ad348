//! The front door over all nodes: a request that comes to any of them is
//! answered by the one that the balancer picks, itself included.
//!
//! [`door`] is what the public listener serves; it passes requests on over
//! [`forward`](crate::proxy::forward) and knows nothing of what they ask for.
//! [`port`] is what the other nodes reach: the site itself, without this door,
//! so that a request passes at most one. A node that is alone has the site
//! behind its door and nothing in between.
//!
//! Must not know handlers.

mod door;
mod keep;
mod port;
mod refused;
mod routes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use parking_lot::RwLock;

use crate::base::{Chance, Clock, derived_key};
use crate::cluster::{Cluster, NodeKey, Peer};
use crate::net::tls::NodeTls;
use crate::proxy::forward::{Settings, Shared, Worker, shared};
use crate::proxy::{Dice, Policy, StickyKey, UpstreamView};

pub use door::door;
pub use keep::{DRAIN_LINGER, keep};
pub(super) use port::Named;
pub use port::port;

use super::MEDIA_MAX_BYTES;
use super::load::Load;
use routes::Boots;

/// How long another node may take until its answer begins: a little longer
/// than the longest that any request may take ([`super::deadline`]).
const ANSWER_MAX: Duration = Duration::from_secs(125);
/// How long a connection to another node may take; they are near.
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// Makes the numbers of sticky cookies; another use of the nodes' secret than
/// TLS is.
const STICKY_PURPOSE: &[u8] = b"waxwing sticky 1";
/// Who has no name in the list of nodes.
const MYSELF: &str = "here";

/// Clients send `Idempotency-Key` with much, but only posting remembers it: to
/// make a list or to report twice is twice.
fn keeps_key(path: &[u8]) -> bool {
    path.strip_suffix(b"/").unwrap_or(path) == b"/api/v1/statuses"
}

/// The balancer over the nodes, and what it takes to reach them.
pub struct Front {
    cluster: Cluster,
    tls: NodeTls,
    worker: Arc<Worker>,
    shared: Arc<Shared>,
    /// Makes the numbers of sticky cookies, the same on all nodes.
    sticky: StickyKey,
    boots: Boots,
    /// Says whether this node wants nothing new.
    load: Load,
    /// There is somebody to pass requests on to.
    has_others: AtomicBool,
    /// The site as this node answers it, once it is served.
    site: Arc<RwLock<Option<Router>>>,
}

/// How the nodes stand, as the balancer of this one sees it.
#[derive(Debug, Clone)]
pub struct FrontView {
    /// How the node that answers is chosen.
    pub policy: Policy,
    /// Requests that came to this node's door and were balanced.
    pub requests: u64,
    /// Retries and hedges among what was sent.
    pub extra_requests: u64,
    /// Extra requests that are allowed at this moment.
    pub budget_left: u32,
    /// The nodes, this one included, by number.
    pub peers: Vec<PeerView>,
}

/// A node and what the balancer knows of it.
#[derive(Debug, Clone)]
pub struct PeerView {
    /// What its row says.
    pub peer: Peer,
    /// What was seen of it; `None` as long as nothing is sent there.
    pub upstream: Option<UpstreamView>,
    /// How many connections to it in a row could not be made from here.
    pub missed: u32,
}

impl Front {
    /// For a node that shares its store; `None` for one that has it alone.
    /// Nobody is known until [`keep`] runs.
    pub(super) fn new(
        cluster: &Cluster,
        policy: Policy,
        load: &Load,
        clock: &Arc<dyn Clock>,
        chance: &Arc<dyn Chance>,
    ) -> Option<Front> {
        Some(Front::with_key(cluster, cluster.key()?, policy, load, clock, chance))
    }

    fn with_key(
        cluster: &Cluster,
        key: &NodeKey,
        policy: Policy,
        load: &Load,
        clock: &Arc<dyn Clock>,
        chance: &Arc<dyn Chance>,
    ) -> Front {
        let settings = Settings {
            policy,
            connect_timeout: CONNECT_MAX,
            answer_timeout: ANSWER_MAX,
            body_max_bytes: MEDIA_MAX_BYTES as u64,
            health_path: port::HEALTH_PATH.to_owned(),
            keeps_key,
            ..Settings::default()
        };
        let shared = shared(settings, Vec::new(), clock.clone());
        Front {
            cluster: cluster.clone(),
            tls: NodeTls::new(&key.0),
            worker: Arc::new(Worker::new(shared.clone(), Dice::seeded(chance.u64()))),
            shared,
            sticky: StickyKey::new(&derived_key(&key.0, STICKY_PURPOSE)),
            boots: Boots::default(),
            load: load.clone(),
            has_others: AtomicBool::new(false),
            site: Arc::default(),
        }
    }

    /// How the nodes stand.
    pub fn view(&self) -> FrontView {
        let now = self.shared.now();
        let seen = self.shared.balancer.view(now);
        let peers = self.cluster.peers().borrow().clone();
        let peers = peers.iter().map(|peer| PeerView {
            upstream: seen.iter().find(|upstream| *upstream.name == *peer.address).cloned(),
            peer: peer.clone(),
            missed: self.shared.missed(&peer.address),
        });
        FrontView {
            policy: self.shared.balancer.policy(),
            requests: self.shared.requests.load(Ordering::Relaxed),
            extra_requests: self.shared.balancer.extra_requests(),
            budget_left: self.shared.balancer.budget_left(now),
            peers: peers.collect(),
        }
    }

    /// What the node port is served with.
    pub fn tls(&self) -> Arc<rustls::ServerConfig> {
        self.tls.server.clone()
    }

    /// Whether there is somebody to pass requests on to.
    pub fn has_others(&self) -> bool {
        self.has_others.load(Ordering::Relaxed)
    }

    /// From now on nothing new is wanted here; the others are told.
    fn drain(&self) {
        self.load.drain();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FixedChance, ManualClock, Timestamp};
    use crate::cluster::Duty;
    use crate::config::BALANCE;
    use crate::model::NodeLoad;
    use crate::proxy::{Ask, Health, Outcome};

    fn front() -> Front {
        front_by(&ManualClock::at(Timestamp::from_secs(1)))
    }

    fn front_by(clock: &ManualClock) -> Front {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let chance: Arc<dyn Chance> = Arc::new(FixedChance::new(1));
        let (cluster, load) = (Cluster::staged(Duty::ALONE), Load::new(clock.clone()));
        Front::with_key(&cluster, &NodeKey([1; 32]), Policy::P2c, &load, &clock, &chance)
    }

    fn peer(number: u8, boot: u64) -> Peer {
        Peer {
            node: Some(number),
            boot,
            address: format!("10.0.0.{number}:7443"),
            age: Duration::from_secs(boot),
            is_draining: false,
            version: String::new(),
            load: NodeLoad::default(),
            is_me: number == 1,
        }
    }

    /// What is known: each address with its requests so far, and how it stands.
    fn known(front: &Front) -> Vec<(String, u64, Health)> {
        let seen = front.shared.balancer.view(front.shared.now());
        seen.into_iter().map(|one| (one.name.into(), one.picks, one.health)).collect()
    }

    fn ask_each_once(front: &Front) {
        let now = front.shared.now();
        let mut ask = Ask::new(now.plus(ANSWER_MAX));
        let picks: Vec<_> =
            (0..3).filter_map(|_| front.shared.balancer.pick(now, &mut Dice::seeded(1), &mut ask)).collect();
        assert_eq!(picks.len(), 3);
        for pick in picks {
            front.shared.balancer.done(now, pick, crate::proxy::Outcome::Answered, &mut Dice::seeded(1));
        }
    }

    #[test]
    fn a_node_alone_has_nobody_to_pass_on_to() {
        let front = front();
        front.follow(&[]);
        assert_eq!((front.has_others(), known(&front).len()), (false, 1), "itself");
        front.follow(&[peer(1, 5)]);
        assert!(!front.has_others());
        front.follow(&[peer(1, 5), peer(2, 6)]);
        assert!(front.has_others());
    }

    #[test]
    fn who_stays_is_known_and_who_began_anew_is_on_probation() {
        let front = front();
        front.follow(&[peer(1, 50), peer(2, 60), peer(3, 70)]);
        ask_each_once(&front);
        front.follow(&[peer(1, 50), peer(2, 61), peer(3, 70)]);
        let at = |number: u8| format!("10.0.0.{number}:7443");
        let expected =
            [(at(1), 1, Health::Healthy), (at(2), 0, Health::Probation), (at(3), 1, Health::Healthy)];
        assert_eq!(known(&front), expected);
    }

    /// A request under way to a node; whether it is given up a little later,
    /// after this was seen of the nodes.
    fn is_given_up(seen: &[Vec<Peer>]) -> bool {
        let front = front();
        front.follow(&[peer(1, 50), peer(2, 60)]);
        let now = front.shared.now();
        let pick = (0..100)
            .filter_map(|seed| {
                let mut ask = Ask::new(now.plus(ANSWER_MAX));
                front.shared.balancer.pick(now, &mut Dice::seeded(seed), &mut ask)
            })
            .find(|pick| pick.upstream().name() == peer(2, 60).address)
            .expect("each gets its part");
        seen.iter().for_each(|peers| front.follow(peers));
        front.shared.balancer.is_hopeless(now.plus(Duration::from_secs(20)), &pick, now)
    }

    #[test]
    fn only_who_is_gone_without_a_word_is_not_waited_for() {
        let mut leaving = peer(2, 60);
        leaving.is_draining = true;
        let mut unseen = peer(2, 0);
        unseen.node = None;
        let me = || peer(1, 50);
        for (case, seen, expected) in [
            ("it is there", vec![vec![me(), peer(2, 60)]], false),
            ("it is gone", vec![vec![me()]], true),
            ("it said goodbye", vec![vec![me(), leaving], vec![me()]], false),
            ("another one is at its place", vec![vec![me(), peer(2, 61)]], true),
            ("listed by hand, it is gone", vec![vec![me(), unseen.clone()]], true),
            ("and comes back", vec![vec![me(), unseen], vec![me(), peer(2, 60)]], false),
            ("we ourselves were taken for dead", vec![vec![peer(1, 51), peer(2, 60)]], false),
        ] {
            assert_eq!(is_given_up(&seen), expected, "{case}");
        }
    }

    #[test]
    fn nothing_that_is_under_way_here_is_given_up() {
        let front = front();
        front.follow(&[peer(1, 50)]);
        let (now, mut ask) = (front.shared.now(), Ask::new(front.shared.now().plus(ANSWER_MAX)));
        let pick = front.shared.balancer.pick(now, &mut Dice::seeded(1), &mut ask).unwrap();
        for seen in [vec![peer(1, 51)], vec![], vec![peer(1, 52)]] {
            front.follow(&seen);
            assert!(!front.shared.balancer.is_hopeless(now.plus(ANSWER_MAX), &pick, now));
        }
    }

    /// Answers one request at whoever is picked; where that was.
    fn exchange(front: &Front, dice: &mut Dice) -> Box<str> {
        let now = front.shared.now();
        let mut ask = Ask::new(now.plus(ANSWER_MAX));
        let pick = front.shared.balancer.pick(now, dice, &mut ask).expect("somebody answers");
        let name = pick.upstream().name().into();
        front.shared.balancer.done(now.plus(TEN_MS), pick, Outcome::Answered, dice);
        name
    }

    const TEN_MS: Duration = Duration::from_millis(10);

    #[test]
    fn a_node_that_was_killed_comes_back_through_probation_and_warm_up() {
        let (first, third) = (peer(1, 50), peer(3, 70));
        let young = Peer { age: Duration::from_secs(1), ..peer(2, 61) };
        let dead = Peer { node: Some(9), age: Duration::from_secs(300), ..peer(2, 60) };
        let everybody = [first.clone(), young.clone(), third.clone()];
        for (case, seen) in [
            ("it is back before anybody missed it", vec![vec![first.clone(), dead, young, third.clone()]]),
            ("it was missed", vec![vec![first.clone(), third.clone()]]),
        ] {
            // Every door of every node sees the same: each is a front like this.
            let clock = ManualClock::at(Timestamp::from_secs(1));
            let (front, mut dice) = (front_by(&clock), Dice::seeded(3));
            front.follow(&[first.clone(), peer(2, 60), third.clone()]);
            ask_each_once(&front);
            clock.advance(Duration::from_secs(200));
            front.shared.balancer.tend(front.shared.now());
            assert_eq!(known(&front)[1].2, Health::Healthy, "{case}");
            // Killed, and begun again.
            seen.iter().for_each(|peers| front.follow(peers));
            front.follow(&everybody);
            let state = || {
                let (address, requests, health) = known(&front).remove(1);
                assert_eq!(address, peer(2, 0).address);
                (requests, health)
            };
            assert_eq!(state(), (0, Health::Probation), "{case}");
            // One request until it has answered.
            let now = front.shared.now();
            let picks: Vec<_> = (0..500)
                .filter_map(|_| {
                    let mut ask = Ask::new(now.plus(ANSWER_MAX));
                    front.shared.balancer.pick(now, &mut dice, &mut ask)
                })
                .collect();
            assert_eq!(picks.len(), 500);
            assert_eq!(state(), (1, Health::Probation), "{case}");
            for pick in picks {
                front.shared.balancer.done(now.plus(TEN_MS), pick, Outcome::Answered, &mut dice);
            }
            // Then few, and its share only when it is warm.
            assert_eq!(state().1, Health::Warming, "{case}");
            let mut share = || {
                clock.advance(Duration::from_secs(1));
                front.shared.balancer.tend(front.shared.now());
                let names: Vec<_> = (0..300).map(|_| exchange(&front, &mut dice)).collect();
                names.iter().filter(|name| ***name == *peer(2, 0).address).count()
            };
            let cold = share();
            assert!(cold < 60, "{case}: {cold} of 300 while it is cold");
            clock.advance(Duration::from_secs(120));
            let warm = share();
            assert_eq!(state().1, Health::Healthy, "{case}");
            assert!(warm > 80, "{case}: {warm} of 300 when it is warm");
        }
    }

    #[test]
    fn of_two_at_one_address_the_younger_lives() {
        let front = front();
        front.follow(&[peer(1, 50), peer(2, 60), peer(3, 70)]);
        let mut dead = peer(4, 60);
        (dead.address, dead.age) = (peer(2, 0).address, Duration::from_secs(60));
        let mut young = peer(2, 61);
        young.age = Duration::from_secs(1);
        front.follow(&[peer(1, 50), young, peer(3, 70), dead]);
        assert_eq!(known(&front).len(), 3);
    }

    #[test]
    fn who_drains_gets_nothing_new() {
        let front = front();
        let mut leaving = peer(2, 60);
        leaving.is_draining = true;
        front.follow(&[peer(1, 50), leaving.clone(), peer(3, 70)]);
        assert_eq!(known(&front)[1].2, Health::Draining);
        front.drain();
        front.follow(&[peer(1, 50), leaving, peer(3, 70)]);
        assert_eq!(known(&front)[0].2, Health::Draining, "also this node itself");
        for seed in 0..50 {
            let now = front.shared.now();
            let mut ask = Ask::new(now.plus(ANSWER_MAX));
            let pick = front.shared.balancer.pick(now, &mut Dice::seeded(seed), &mut ask).unwrap();
            assert_eq!(pick.upstream().name(), "10.0.0.3:7443");
        }
    }

    #[test]
    fn the_names_of_the_config_are_those_of_the_balancer() {
        assert_eq!(BALANCE, Policy::ALL.map(Policy::name));
    }
}
