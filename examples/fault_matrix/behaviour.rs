//! How a peer behaves.

use std::time::{Duration, Instant};

use waxwing::base::Chance;
use waxwing::wire::http_signature::Kind;

/// How the round trips of a healthy peer are spread: log-normal, as those to
/// real servers are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoundTrip {
    pub(crate) median: Duration,
    pub(crate) sigma: f64,
}

impl RoundTrip {
    /// Around 120 ms; one in a hundred takes more than four times that.
    pub(crate) const USUAL: RoundTrip = RoundTrip { median: Duration::from_millis(120), sigma: 0.6 };

    pub(crate) fn draw(&self, chance: &dyn Chance) -> Duration {
        // Box and Muller's way from two even numbers to a normal one.
        let (a, b) = (chance.unit().max(1e-12), chance.unit());
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        self.median.mul_f64((self.sigma * normal).exp())
    }
}

/// What a peer does with what comes.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Takes it after a round trip.
    Well(RoundTrip),
    /// Takes it at once.
    Fast,
    /// Reads it and never answers.
    Hangs,
    /// Answers this at once.
    Says(u16),
    /// 429, with a Retry-After in seconds if there is one.
    TooMany(Option<u64>),
    /// Takes so many a second and answers 429 to the rest.
    Accepts(Bucket),
    /// Well for a while, 500 for a while, from then on.
    Flaps { since: Instant, up: Duration, down: Duration },
    /// Takes the connection and says nothing, not even in TLS.
    Mute,
    /// Answers a byte each second.
    SlowLoris,
    /// Answers 200 and a body without end.
    EndlessBody,
    /// Answers 200 and 100 MB of header lines.
    HugeHead,
    /// 401 to every other kind of signature.
    Knows(Kind),
    /// 202 to everything, but it keeps only what is signed this way.
    KeepsOnly(Kind),
}

/// A rate.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    pub(crate) per_s: f64,
    tokens: f64,
    at: Option<Instant>,
}

impl Bucket {
    pub(crate) fn of(per_s: f64) -> Bucket {
        Bucket { per_s, tokens: per_s, at: None }
    }

    /// Whether one more is taken.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let since = self.at.map_or(Duration::ZERO, |at| now.duration_since(at));
        self.at = Some(now);
        self.tokens = (self.tokens + since.as_secs_f64() * self.per_s).min(self.per_s);
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

/// An answer to a whole request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Never,
    After { wait: Duration, status: u16, retry_after: Option<u64>, keeps: bool },
}

impl Reply {
    fn at_once(status: u16) -> Reply {
        Reply::After { wait: Duration::ZERO, status, retry_after: None, keeps: true }
    }
}

impl Behaviour {
    /// Whether it is below HTTP.
    pub(crate) fn is_raw(&self) -> bool {
        use Behaviour::*;
        matches!(self, Mute | SlowLoris | EndlessBody | HugeHead)
    }

    /// Whether it would take something now.
    pub(crate) fn is_up(&self, now: Instant) -> bool {
        match self {
            Behaviour::Flaps { since, up, down } => {
                let cycle = (*up + *down).as_secs_f64().max(0.001);
                now.duration_since(*since).as_secs_f64() % cycle < up.as_secs_f64()
            }
            Behaviour::Well(_) | Behaviour::Fast => true,
            _ => false,
        }
    }

    /// What it says to a request signed like this.
    pub(crate) fn reply(&mut self, kind: Option<Kind>, now: Instant, chance: &dyn Chance) -> Reply {
        let is_up = self.is_up(now);
        match self {
            Behaviour::Well(trip) => {
                Reply::After { wait: trip.draw(chance), status: 202, retry_after: None, keeps: true }
            }
            Behaviour::Fast => Reply::at_once(202),
            Behaviour::Says(status) => Reply::at_once(*status),
            Behaviour::TooMany(retry_after) => {
                Reply::After { wait: Duration::ZERO, status: 429, retry_after: *retry_after, keeps: false }
            }
            Behaviour::Accepts(bucket) => Reply::at_once(if bucket.take(now) { 202 } else { 429 }),
            Behaviour::Flaps { .. } => Reply::at_once(if is_up { 202 } else { 500 }),
            Behaviour::Knows(known) => Reply::at_once(if kind == Some(*known) { 202 } else { 401 }),
            Behaviour::KeepsOnly(known) => {
                let keeps = kind == Some(*known);
                Reply::After { wait: Duration::ZERO, status: 202, retry_after: None, keeps }
            }
            _ => Reply::Never,
        }
    }
}
