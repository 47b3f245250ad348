//! The ways to choose an upstream: one file and one word of the
//! configuration each.

mod features;
mod hashed;
mod ip_hash;
mod join_shortest_queue;
mod least_connections;
mod least_response_time;
mod netflix;
mod p2c;
mod p2c_in_flight;
mod random;
mod round_robin;
mod scan;
mod sticky_cookie;
mod turns;
mod url_hash;
mod weighted_least_connections;
mod weighted_round_robin;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use features::Features;
pub(super) use hashed::hash_table;
pub(super) use p2c::cost as score;
pub(super) use turns::schedule;

use super::pool::Pool;
use super::upstream::Upstream;
use super::{Ask, Dice, Tick};

/// How an upstream is chosen. The names are those of the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Two by chance, then the one that is expected to answer sooner, by its
    /// latency, queue, errors, age and its own word. The default.
    #[default]
    P2c,
    /// What Netflix published of its edge: two by chance, then connection
    /// errors, utilisation and requests under way.
    Netflix,
    /// One after the other.
    RoundRobin,
    /// One after the other, in proportion to weight.
    WeightedRoundRobin,
    /// The fewest requests under way from here.
    LeastConnections,
    /// The fewest requests under way from here for its weight.
    WeightedLeastConnections,
    /// The same one for the same client address.
    IpHash,
    /// The same one for the same path and query.
    UrlHash,
    /// The shortest expected answer of all.
    LeastResponseTime,
    /// The one the client's cookie names; without cookie as `p2c`.
    StickyCookie,
    /// The shortest queue of all by the servers' own reports, corrected by
    /// what was sent since.
    JoinShortestQueue,
    /// By chance, in proportion to weight.
    Random,
    /// Two by chance, then the one with fewer requests under way from here.
    P2cInFlight,
}

impl Policy {
    /// All policies, the default first.
    pub const ALL: [Policy; 13] = [
        Policy::P2c,
        Policy::Netflix,
        Policy::RoundRobin,
        Policy::WeightedRoundRobin,
        Policy::LeastConnections,
        Policy::WeightedLeastConnections,
        Policy::IpHash,
        Policy::UrlHash,
        Policy::LeastResponseTime,
        Policy::StickyCookie,
        Policy::JoinShortestQueue,
        Policy::Random,
        Policy::P2cInFlight,
    ];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::P2c => "p2c",
            Policy::Netflix => "netflix",
            Policy::RoundRobin => "round_robin",
            Policy::WeightedRoundRobin => "weighted_round_robin",
            Policy::LeastConnections => "least_connections",
            Policy::WeightedLeastConnections => "weighted_least_connections",
            Policy::IpHash => "ip_hash",
            Policy::UrlHash => "url_hash",
            Policy::LeastResponseTime => "least_response_time",
            Policy::StickyCookie => "sticky_cookie",
            Policy::JoinShortestQueue => "join_shortest_queue",
            Policy::Random => "random",
            Policy::P2cInFlight => "p2c_in_flight",
        }
    }

    /// What is on by default beside the choice itself.
    pub const fn features(self) -> Features {
        match self {
            Policy::P2c | Policy::StickyCookie => Features::ALL,
            Policy::Netflix => Features::NETFLIX,
            _ => Features::CLASSIC,
        }
    }

    pub(super) const fn is_weighted(self) -> bool {
        matches!(self, Policy::WeightedRoundRobin | Policy::Random)
    }

    pub(super) const fn hashes(self) -> bool {
        matches!(self, Policy::IpHash | Policy::UrlHash)
    }

    pub(super) fn pick<'a>(self, scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
        match self {
            Policy::P2c => p2c::pick(scene, dice),
            Policy::Netflix => netflix::pick(scene, dice),
            Policy::RoundRobin => round_robin::pick(scene),
            Policy::WeightedRoundRobin => weighted_round_robin::pick(scene),
            Policy::LeastConnections => least_connections::pick(scene, dice),
            Policy::WeightedLeastConnections => weighted_least_connections::pick(scene, dice),
            Policy::IpHash => ip_hash::pick(scene),
            Policy::UrlHash => url_hash::pick(scene),
            Policy::LeastResponseTime => least_response_time::pick(scene, dice),
            Policy::StickyCookie => sticky_cookie::pick(scene, dice),
            Policy::JoinShortestQueue => join_shortest_queue::pick(scene, dice),
            Policy::Random => random::pick(scene, dice),
            Policy::P2cInFlight => p2c_in_flight::pick(scene, dice),
        }
        .or_else(|| scan::last_resort(scene))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Policy {
    type Err = String;

    /// Reads a name of the configuration.
    ///
    /// # Errors
    ///
    /// A sentence that names the known policies, for another word.
    fn from_str(name: &str) -> Result<Policy, String> {
        Policy::ALL.into_iter().find(|policy| policy.name() == name).ok_or_else(|| {
            let known: Vec<_> = Policy::ALL.iter().map(|policy| policy.name()).collect();
            format!("no balancing policy is called `{name}`; there are {}", known.join(", "))
        })
    }
}

/// Everything a choice may look at.
pub(super) struct Scene<'a> {
    pub(super) pool: &'a Pool,
    pub(super) now: Tick,
    pub(super) ask: &'a Ask,
    pub(super) features: &'a Features,
    /// Counts the picks, for the policies that take turns.
    pub(super) turn: &'a AtomicU64,
}

impl Scene<'_> {
    /// Whether this request may go there now, by state that is fresher than
    /// the eligible list.
    pub(super) fn may_use(&self, upstream: &Upstream) -> bool {
        self.ask.may_use(upstream.id)
            && !upstream.draining()
            && !(self.features.eject && upstream.is_ejected(self.now))
            && !(self.features.probation && upstream.in_probation() && upstream.in_flight() > 0)
            && !upstream.is_full()
    }
}
