//! Who is compared.

use crate::proxy::{Features, Policy};

/// What chooses.
#[derive(Clone, Copy, Debug)]
pub enum Chooser {
    /// A policy, with these features around it.
    Policy(Policy, Features),
    /// One that sees all queues at every moment, as no real balancer can:
    /// the shortest queue, without any other feature.
    PerfectView,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Its name in the table.
    pub name: &'static str,
    /// What chooses.
    pub chooser: Chooser,
}

impl Contender {
    /// A policy with these features.
    pub const fn new(name: &'static str, policy: Policy, features: Features) -> Contender {
        Contender { name, chooser: Chooser::Policy(policy, features) }
    }

    /// Errors and latency that Netflix published for its edge in 2018, where
    /// this row is of the same mechanisms; nothing elsewhere.
    pub fn published(&self) -> &'static str {
        match self.name {
            "round_robin (original)" => "14,700 / 1,400 ms",
            "netflix, no utilisation" => "123 / 1,200 ms",
            "netflix" => "5 / < 375 ms",
            _ => "",
        }
    }
}

/// All policies; the classic ones bare, so that the choice itself is seen.
pub fn contenders() -> Vec<Contender> {
    let plain = |name, policy| Contender::new(name, policy, Features::NONE);
    let netflix = Features::NETFLIX;
    let all = Features::ALL;
    vec![
        plain("round_robin (original)", Policy::RoundRobin),
        plain("weighted_round_robin", Policy::WeightedRoundRobin),
        plain("random", Policy::Random),
        plain("ip_hash", Policy::IpHash),
        plain("url_hash", Policy::UrlHash),
        plain("least_connections", Policy::LeastConnections),
        plain("weighted_least_connections", Policy::WeightedLeastConnections),
        plain("least_response_time", Policy::LeastResponseTime),
        plain("join_shortest_queue", Policy::JoinShortestQueue),
        plain("p2c_in_flight", Policy::P2cInFlight),
        Contender { name: "JSQ, perfect view", chooser: Chooser::PerfectView },
        Contender::new(
            "netflix, no utilisation",
            Policy::Netflix,
            Features { utilisation: false, ..netflix },
        ),
        Contender::new("netflix", Policy::Netflix, netflix),
        Contender::new("sticky_cookie", Policy::StickyCookie, all),
        Contender::new("p2c, no utilisation", Policy::P2c, Features { utilisation: false, ..all }),
        Contender::new("p2c, no hedge", Policy::P2c, Features { hedge: false, ..all }),
        Contender::new("p2c (default)", Policy::P2c, all),
    ]
}

/// The default policy, and without one feature each.
pub fn ablations() -> Vec<Contender> {
    let all = Features::ALL;
    let p2c = |name, features| Contender::new(name, Policy::P2c, features);
    vec![
        p2c("p2c (default)", all),
        p2c("- utilisation", Features { utilisation: false, ..all }),
        p2c("- latency, age", Features { latency: false, in_flight_age: false, ..all }),
        p2c("- age", Features { in_flight_age: false, ..all }),
        p2c("- probation, ramp", Features { probation: false, ramp_s: 0.0, ..all }),
        p2c("- decay", Features { decay: false, ..all }),
        p2c("- filter, eject", Features { filter: false, eject: false, ..all }),
        p2c("- retry", Features { retry: false, ..all }),
        p2c("- hedge", Features { hedge: false, ..all }),
        p2c("always hedge", Features { hedge_always: true, ..all }),
    ]
}
