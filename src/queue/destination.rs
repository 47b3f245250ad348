//! The health of one destination: how much may go there, and when.
//!
//! A pure state machine; time and chance are arguments. It holds
//!
//! * a **cap** on requests under way that grows with success and halves with
//!   trouble (additive increase, multiplicative decrease);
//! * a **token bucket**, slowed by 429 answers;
//! * a **breaker**: after failures in a row nothing is sent for 30 s × 2ⁿ,
//!   then one probe at a time; two good probes close it, and what waited
//!   resumes in stages, because a recovered host that gets everything at
//!   once fails again (misskey#16981).
//!
//! Only what comes back from our own requests counts. Traffic from the host
//! proves nothing about its inbox (mastodon#31118).

#[cfg(test)]
mod tests;

use std::time::Duration;

use super::outcome::{FailureKind, Outcome, RETRY_AFTER, spread};
use crate::base::{Chance, Timestamp};
use crate::model::queue::{Breaker, Class, Destination, SignatureProfile, Steering};

/// Requests under way to one host, at most.
const CAP_MAX: f32 = 16.0;
/// The same of a host with many follows.
const CAP_MAX_BIG: f32 = 32.0;
/// More follows than this are many.
const BIG_FOLLOWS: i64 = 1000;
/// Jobs of our own under way at once.
const LOCAL_CAP: f32 = 8.0;
/// Activities of one host being acted on at once.
const INGRESS_CAP: f32 = 2.0;
/// Requests a second to one host.
const RATE_MAX: f32 = 50.0;
/// Requests that may be saved up.
const BURST: f64 = 100.0;
/// The slowest rate that 429 answers lead to, if there is no end of them.
const RATE_MIN: f32 = 0.2;
/// The slowest rate at all; an admin may ask for it.
const RATE_FLOOR: f32 = 0.01;
/// Rate after recovery; doubles every ten seconds.
const RATE_RESUMED: f32 = 2.0;
/// Growth of the rate each second: after recovery, and after a 429.
const GROWTH_RESUMED: f64 = 1.0718;
const GROWTH_THROTTLED: f64 = 1.05;

/// Failures in a row that open the breaker.
const FAILURES_MAX: u32 = 5;
/// Timeouts in a row that open it.
const TIMEOUTS_MAX: u32 = 3;
/// Half of at least this many within a minute open it, too.
const SAMPLE_MIN: u32 = 20;
const SAMPLE_SPAN: Duration = Duration::from_secs(60);
/// Good probes that close it.
const GOOD_PROBES: u8 = 2;
const OPEN_FIRST: Duration = Duration::from_secs(30);
const OPEN_MAX: Duration = Duration::from_secs(3600);
const OPEN_JITTER: f64 = 0.2;
const HOUR: Duration = Duration::from_secs(3600);
/// Only failures for this long make it dormant, then dead.
const DORMANT_AFTER: Duration = HOUR.saturating_mul(48);
const DEAD_AFTER: Duration = HOUR.saturating_mul(7 * 24);
const DORMANT_PROBE: Duration = HOUR.saturating_mul(6);
const DEAD_PROBE: Duration = HOUR.saturating_mul(7 * 24);
/// A name that does not resolve for this long is dead.
const UNRESOLVED_DEAD_AFTER: Duration = HOUR.saturating_mul(24);
/// A host without a success for this long is unproven.
const PROVEN_FOR: Duration = HOUR.saturating_mul(24);
/// Pause after a 429 that names none, of a host that took others just before.
const PAUSE_LIGHT: Duration = Duration::from_secs(1);
/// Requests between two times of quiet that are worth the second.
const TOOK_MUCH: u32 = 10;
/// Of what it took before then, it is offered this share.
const LIGHT_SHARE: f32 = 0.9;
/// Pause after the next ones; doubles up to the longest.
const PAUSE_FIRST: Duration = Duration::from_secs(30);
const PAUSE_MAX: Duration = Duration::from_secs(900);
/// How long a host may take to begin its answer.
const ANSWER_WITHIN: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(10));
/// A signature other than the usual one is trusted this long.
const PROFILE_FOR: Duration = HOUR.saturating_mul(7 * 24);

/// Whether a job may start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Ready,
    /// Not before then.
    At(Timestamp),
    /// Not before one of its requests ends.
    Busy,
    /// Not before the admin says so.
    Stopped,
}

/// What keeps a job from starting now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hurdle {
    /// The admin stopped it.
    Stopped,
    /// The breaker is open.
    Breaker {
        /// Until the next probe.
        until: Timestamp,
    },
    /// It asked for quiet.
    Quiet {
        /// That long.
        until: Timestamp,
    },
    /// As many requests are under way as may be.
    Cap {
        /// How many may.
        cap: u32,
    },
    /// Its share of requests a second is used up.
    Rate {
        /// Until the next one.
        until: Timestamp,
    },
}

/// Which share of all slots its jobs may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Any.
    Proven,
    /// No success within a day: one at a time, half of all slots.
    Unproven,
    /// Failed lately: one at a time, an eighth of all slots.
    Suspect,
}

impl Group {
    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Proven => "proven",
            Group::Unproven => "unproven",
            Group::Suspect => "suspect",
        }
    }
}

/// A change of the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Before.
    pub from: Breaker,
    /// After.
    pub to: Breaker,
}

/// The live state of a destination.
#[derive(Debug, Clone)]
pub struct Health {
    /// What is kept between restarts.
    pub record: Destination,
    /// What the admin decided.
    steering: Steering,
    /// Many people here and there follow each other.
    is_big: bool,
    inflight: u32,
    tokens: f64,
    tokens_at: Timestamp,
    growth: f64,
    /// When the last failure that counted was seen. Attempts begun before
    /// it are no new evidence (lemmy#4623).
    failed_at: Option<Timestamp>,
    has_half_failure: bool,
    halved_at: Option<Timestamp>,
    rtt_min_ms: f32,
    sample: Sample,
    /// What it took since it last asked for quiet.
    took: u32,
}

/// Results of the current minute.
#[derive(Debug, Clone, Copy, Default)]
struct Sample {
    since: Timestamp,
    good: u32,
    bad: u32,
}

impl Health {
    /// The state as it is after a restart.
    pub fn new(mut record: Destination, steering: Steering, now: Timestamp) -> Health {
        match record.class {
            Class::Local => record.cap = LOCAL_CAP,
            Class::Ingress => record.cap = INGRESS_CAP,
            Class::Remote | Class::Push | Class::Webhook | Class::Mail | Class::Web => {
                record.cap = if record.cap >= 1.0 { record.cap } else { 1.0 };
                record.rate = if record.rate >= RATE_MIN { record.rate } else { RATE_MAX };
            }
        }
        // The clock may have been wrong when it was written down.
        let not_later = |at: Option<Timestamp>, latest: Timestamp| at.map(|at| at.min(latest));
        record.open_until = not_later(record.open_until, now.plus(DEAD_PROBE * 2));
        record.paused_until = not_later(record.paused_until, now.plus(RETRY_AFTER.1));
        record.last_ok = not_later(record.last_ok, now);
        record.failing_since = not_later(record.failing_since, now);
        record.unresolved_since = not_later(record.unresolved_since, now);
        let tokens = f64::from(record.rate).clamp(1.0, BURST);
        let mut health = Health {
            record,
            steering,
            is_big: false,
            inflight: 0,
            tokens,
            tokens_at: now,
            growth: GROWTH_THROTTLED,
            failed_at: None,
            has_half_failure: false,
            halved_at: None,
            rtt_min_ms: f32::MAX,
            sample: Sample { since: now, ..Sample::default() },
            took: 0,
        };
        health.obey_limits();
        health
    }

    /// Requests under way at once that it may come to.
    fn cap_max(&self) -> f32 {
        let usual = if self.is_big { CAP_MAX_BIG } else { CAP_MAX };
        self.steering.cap_max.map_or(usual, |cap| cap as f32)
    }

    /// Requests a second that it may come to.
    fn rate_max(&self) -> f32 {
        self.steering.rate_max.unwrap_or(RATE_MAX)
    }

    fn obey_limits(&mut self) {
        if self.record.class.is_remote() {
            self.record.cap = self.record.cap.min(self.cap_max()).max(1.0);
            self.record.rate = self.record.rate.min(self.rate_max());
        }
    }

    /// What the admin decided is another now. What was stopped resumes in
    /// stages: what piled up meanwhile would be too much at once.
    pub fn steer(&mut self, steering: Steering, now: Timestamp) {
        let resumes = self.is_stopped() && steering.stopped_at.is_none();
        self.steering = steering;
        if resumes && self.record.class.is_remote() {
            self.resume_slowly();
            self.tokens_at = now;
        }
        self.obey_limits();
    }

    /// So many of its people follow ours.
    pub fn followed_by(mut self, follows: i64) -> Health {
        self.is_big = follows > BIG_FOLLOWS;
        self
    }

    /// Whether the admin stopped it.
    pub fn is_stopped(&self) -> bool {
        self.steering.stopped_at.is_some()
    }

    /// What the admin decided.
    pub fn steering(&self) -> Steering {
        self.steering
    }

    fn resume_slowly(&mut self) {
        (self.record.cap, self.record.rate, self.growth) = (1.0, RATE_RESUMED, GROWTH_RESUMED);
        self.tokens = 1.0;
        self.obey_limits();
    }

    /// Requests under way.
    pub fn inflight(&self) -> u32 {
        self.inflight
    }

    /// Whether jobs are sent there as usual.
    pub fn is_well(&self) -> bool {
        self.record.breaker == Breaker::Closed
    }

    /// Which share of all slots it may take.
    pub fn group(&self, now: Timestamp) -> Group {
        if !self.record.class.is_remote() {
            Group::Proven
        } else if self.record.failures > 0 || !self.is_well() {
            Group::Suspect
        } else if self.record.last_ok.is_none_or(|at| now.since(at) > PROVEN_FOR) {
            Group::Unproven
        } else {
            Group::Proven
        }
    }

    /// Whether a job may start now.
    pub fn gate(&self, now: Timestamp) -> Gate {
        match self.hurdle(now) {
            None => Gate::Ready,
            Some(Hurdle::Stopped) => Gate::Stopped,
            Some(Hurdle::Cap { .. }) => Gate::Busy,
            Some(Hurdle::Breaker { until } | Hurdle::Quiet { until } | Hurdle::Rate { until }) => {
                Gate::At(until)
            }
        }
    }

    /// What keeps a job from starting now, if anything does.
    pub fn hurdle(&self, now: Timestamp) -> Option<Hurdle> {
        if self.is_stopped() {
            return Some(Hurdle::Stopped);
        }
        if !self.record.class.is_remote() {
            let cap = self.record.cap as u32;
            return (self.inflight >= cap).then_some(Hurdle::Cap { cap });
        }
        let open_until = if self.is_well() { None } else { self.record.open_until };
        if let Some(until) = open_until.max(self.record.paused_until).filter(|until| now < *until) {
            let is_open = open_until == Some(until);
            return Some(if is_open { Hurdle::Breaker { until } } else { Hurdle::Quiet { until } });
        }
        let cap = if self.group(now) == Group::Proven { self.record.cap as u32 } else { 1 };
        if self.inflight >= cap {
            return Some(Hurdle::Cap { cap });
        }
        let tokens = self.tokens_now(now).0;
        if tokens >= 1.0 {
            return None;
        }
        let wait_s = (1.0 - tokens) / f64::from(self.record.rate.max(RATE_FLOOR));
        let until = now.plus(Duration::from_secs_f64(wait_s) + Duration::from_millis(1));
        Some(Hurdle::Rate { until })
    }

    /// Asks for one probe at once, such as after the host was heard from. Not
    /// more often than an open breaker would at its first: a host that sends
    /// much and takes nothing is probed no more for it.
    pub fn probe_now(&mut self, now: Timestamp) {
        let is_asleep = matches!(self.record.breaker, Breaker::Open | Breaker::Dormant | Breaker::Dead);
        if is_asleep && self.failed_at.is_none_or(|at| now.since(at) >= OPEN_FIRST) {
            self.record.open_until = None;
        }
    }

    /// Asks for one probe at once, because the admin says so.
    pub fn probe_anyway(&mut self) {
        (self.record.open_until, self.record.paused_until) = (None, None);
    }

    /// A job starts; only after [`Gate::Ready`].
    pub fn start(&mut self, now: Timestamp) -> Option<Transition> {
        self.inflight += 1;
        let (tokens, rate) = self.tokens_now(now);
        (self.tokens, self.tokens_at, self.record.rate) = (tokens - 1.0, now, rate);
        // Dormant and dead ones keep their name during a probe, so that
        // leaving that state takes a success.
        (self.record.breaker == Breaker::Open).then(|| self.turn(Breaker::HalfOpen))
    }

    /// Tokens and rate as they are now.
    fn tokens_now(&self, now: Timestamp) -> (f64, f32) {
        let span_s = now.since(self.tokens_at).as_secs_f64();
        let rate = f64::from(self.record.rate);
        let grown = (rate * self.growth.powf(span_s.min(3600.0))).min(f64::from(self.rate_max())) as f32;
        ((self.tokens + span_s * rate).min(BURST), grown)
    }

    /// The host says that it takes no more for a while.
    pub fn quiet(&mut self, now: Timestamp, span: Duration) {
        let until = now.plus(span.clamp(RETRY_AFTER.0, RETRY_AFTER.1));
        self.record.paused_until = self.record.paused_until.max(Some(until));
    }

    /// An attempt ended that says nothing about the host.
    pub fn release(&mut self) {
        self.inflight = self.inflight.saturating_sub(1);
    }

    /// What failed since then was our own fault; `true` if anything had been
    /// held against the host.
    pub fn forgive(&mut self, since: Timestamp) -> bool {
        let is_ours = self.record.failing_since.is_some_and(|at| at >= since);
        if is_ours {
            (self.record.failures, self.record.timeouts) = (0, 0);
            (self.record.failing_since, self.record.unresolved_since) = (None, None);
            self.has_half_failure = false;
            if matches!(self.record.breaker, Breaker::Open | Breaker::HalfOpen) {
                self.record.opens = self.record.opens.saturating_sub(1);
                (self.record.breaker, self.record.open_until) = (Breaker::Closed, None);
                self.record.cause.clear();
            }
        }
        is_ours
    }

    /// An attempt begun at `started` ended. Gives what changed of the breaker.
    pub fn finish(
        &mut self,
        now: Timestamp,
        started: Timestamp,
        outcome: &Outcome,
        chance: &dyn Chance,
    ) -> Option<Transition> {
        self.inflight = self.inflight.saturating_sub(1);
        if !self.record.class.is_remote() {
            return None;
        }
        self.record.used_at = Some(now);
        match outcome {
            Outcome::Done => self.succeeded(now, started),
            Outcome::Gone { is_shared: true } => Some(self.gone(now, chance)),
            Outcome::Refused { .. } | Outcome::Gone { .. } => self.answered(),
            Outcome::TooMany { retry_after } => {
                self.throttled(now, *retry_after);
                None
            }
            Outcome::Unavailable { retry_after } => {
                self.throttled(now, Some(*retry_after));
                let is_second_half = std::mem::take(&mut self.has_half_failure);
                self.has_half_failure = !is_second_half;
                if is_second_half {
                    self.failed(now, started, FailureKind::Server, "unavailable", chance)
                } else {
                    None
                }
            }
            Outcome::Failed { kind, detail, .. } => self.failed(now, started, *kind, detail, chance),
            // Somebody is there, but a probe that was not let in proves nothing.
            Outcome::Unauthorized if !self.is_well() => Some(self.open(now, chance)),
            Outcome::Unauthorized
            | Outcome::Superseded
            | Outcome::TryLater { .. }
            | Outcome::Broken { .. }
            | Outcome::Panicked => None,
        }
    }

    fn succeeded(&mut self, now: Timestamp, started: Timestamp) -> Option<Transition> {
        self.measure(now.since(started));
        self.sample_at(now).good += 1;
        self.took = self.took.saturating_add(1);
        self.record.last_ok = Some(now);
        self.record.throttles = 0;
        self.record.unresolved_since = None;
        if self.is_well() {
            let rtt_ms = now.since(started).as_millis() as f32;
            if rtt_ms < 2.0 * self.rtt_min_ms.max(1.0) {
                self.record.cap = (self.record.cap + 1.0 / self.record.cap).min(self.cap_max());
            }
        }
        self.reached()
    }

    /// A refusal is an answer, too, but only a success wakes the dormant.
    fn answered(&mut self) -> Option<Transition> {
        if matches!(self.record.breaker, Breaker::Dormant | Breaker::Dead) {
            return None;
        }
        self.reached()
    }

    fn reached(&mut self) -> Option<Transition> {
        (self.record.failures, self.record.timeouts) = (0, 0);
        self.has_half_failure = false;
        self.record.failing_since = None;
        self.record.unresolved_since = None;
        if self.is_well() {
            return None;
        }
        self.record.open_until = None;
        self.record.good_probes += 1;
        if self.record.good_probes < GOOD_PROBES {
            // The second probe may follow at once.
            return (self.record.breaker != Breaker::HalfOpen).then(|| self.turn(Breaker::HalfOpen));
        }
        (self.record.opens, self.record.good_probes) = (0, 0);
        self.resume_slowly();
        self.record.cause.clear();
        Some(self.turn(Breaker::Closed))
    }

    /// It says of itself that it is gone for good.
    fn gone(&mut self, now: Timestamp, chance: &dyn Chance) -> Transition {
        self.failed_at = Some(now);
        self.record.failing_since.get_or_insert(now);
        self.record.good_probes = 0;
        self.record.cause = "the shared inbox is gone".into();
        self.record.open_until = Some(now.plus(spread(DEAD_PROBE, OPEN_JITTER, chance)));
        self.turn(Breaker::Dead)
    }

    fn throttled(&mut self, now: Timestamp, retry_after: Option<Duration>) {
        // Answers to what was under way together are one complaint.
        let is_news = self.record.paused_until.is_none_or(|paused| paused <= now);
        if !is_news && retry_after.is_none() {
            return;
        }
        // One that takes most of what comes only needs a little less of it.
        let goodput = self.goodput(now);
        let took_since = self.record.last_ok.is_some_and(|ok| Some(ok) > self.record.paused_until);
        let is_light = retry_after.is_none() && took_since;
        let doubled = PAUSE_FIRST.saturating_mul(1 << self.record.throttles.min(5)).min(PAUSE_MAX);
        let unasked = if is_light { PAUSE_LIGHT } else { doubled };
        let pause = retry_after.map_or(unasked, |asked| asked.clamp(RETRY_AFTER.0, RETRY_AFTER.1));
        let until = now.plus(pause);
        let is_paced = is_news && retry_after.is_some() && self.is_paced(now);
        self.record.paused_until = self.record.paused_until.max(Some(until));
        if is_news {
            self.record.throttles = self.record.throttles.saturating_add(u8::from(!is_light));
            if !is_paced {
                let share = if is_light { LIGHT_SHARE } else { 0.5 };
                // What it took says little of a host that is seldom written to.
                let least = RATE_RESUMED / f32::from(1_u16 << self.record.throttles.min(8));
                let goodput = goodput.unwrap_or(self.record.rate);
                self.record.rate = (goodput * share).max(least).max(RATE_MIN).min(self.rate_max());
                self.growth = GROWTH_THROTTLED;
            }
            (self.tokens, self.tokens_at) = (1.0, until);
            self.halve_cap(now);
        }
    }

    /// Whether a host that says when to come again sets the pace by that alone:
    /// it has not complained lately, or took nothing or much since it did. Who
    /// takes a little and complains again wants less at a time, too.
    fn is_paced(&mut self, now: Timestamp) -> bool {
        let is_first = self.record.paused_until.is_none_or(|until| now.since(until) > SAMPLE_SPAN);
        let took = std::mem::take(&mut self.took);
        is_first || took == 0 || took >= TOOK_MUCH
    }

    /// Successes a second in the current minute.
    fn goodput(&self, now: Timestamp) -> Option<f32> {
        let span_s = now.since(self.sample.since).as_secs_f32();
        (span_s >= 1.0 && self.sample.good > 0).then(|| self.sample.good as f32 / span_s)
    }

    fn failed(
        &mut self,
        now: Timestamp,
        started: Timestamp,
        kind: FailureKind,
        detail: &str,
        chance: &dyn Chance,
    ) -> Option<Transition> {
        if self.failed_at.is_some_and(|seen| started < seen) {
            return None;
        }
        self.failed_at = Some(now);
        self.sample_at(now).bad += 1;
        self.halve_cap(now);
        self.record.failures = self.record.failures.saturating_add(1);
        self.record.timeouts = if kind == FailureKind::Timeout { self.record.timeouts + 1 } else { 0 };
        self.record.good_probes = 0;
        self.record.failing_since.get_or_insert(now);
        match kind {
            FailureKind::Unresolved => {
                self.record.unresolved_since.get_or_insert(now);
            }
            // These need not have got as far as the name.
            FailureKind::Resolver | FailureKind::Timeout => {}
            FailureKind::Connection | FailureKind::Tls | FailureKind::Server => {
                self.record.unresolved_since = None;
            }
        }
        self.record.cause = detail.chars().take(100).collect();
        let sample = self.sample;
        let is_half_bad = sample.good + sample.bad >= SAMPLE_MIN && sample.bad >= sample.good;
        let opens = !self.is_well()
            || self.record.failures >= FAILURES_MAX
            || self.record.timeouts >= TIMEOUTS_MAX
            || is_half_bad;
        opens.then(|| self.open(now, chance))
    }

    fn open(&mut self, now: Timestamp, chance: &dyn Chance) -> Transition {
        let failing_for = self.record.failing_since.map_or(Duration::ZERO, |since| now.since(since));
        let unresolved_for = self.record.unresolved_since.map_or(Duration::ZERO, |since| now.since(since));
        let (state, span) = if failing_for >= DEAD_AFTER || unresolved_for >= UNRESOLVED_DEAD_AFTER {
            (Breaker::Dead, DEAD_PROBE)
        } else if failing_for >= DORMANT_AFTER {
            (Breaker::Dormant, DORMANT_PROBE)
        } else {
            (Breaker::Open, OPEN_FIRST.saturating_mul(1 << self.record.opens.min(12)).min(OPEN_MAX))
        };
        self.record.opens = self.record.opens.saturating_add(1);
        self.record.good_probes = 0;
        self.record.open_until = Some(now.plus(spread(span, OPEN_JITTER, chance)));
        self.turn(state)
    }

    fn turn(&mut self, to: Breaker) -> Transition {
        let from = std::mem::replace(&mut self.record.breaker, to);
        Transition { from, to }
    }

    /// At most once for each round trip.
    fn halve_cap(&mut self, now: Timestamp) {
        let rtt = Duration::from_millis(self.record.rtt_ms.max(1.0) as u64);
        if self.halved_at.is_none_or(|at| now.since(at) >= rtt) {
            self.halved_at = Some(now);
            self.record.cap = (self.record.cap / 2.0).max(1.0);
        }
    }

    fn sample_at(&mut self, now: Timestamp) -> &mut Sample {
        if now.since(self.sample.since) >= SAMPLE_SPAN {
            self.sample = Sample { since: now, good: 0, bad: 0 };
        }
        &mut self.sample
    }

    /// Round-trip estimate of RFC 6298.
    fn measure(&mut self, rtt: Duration) {
        let rtt_ms = rtt.as_secs_f32() * 1000.0;
        let record = &mut self.record;
        if record.rtt_ms <= 0.0 {
            (record.rtt_ms, record.rtt_variation_ms) = (rtt_ms, rtt_ms / 2.0);
        } else {
            let off = (record.rtt_ms - rtt_ms).abs();
            record.rtt_variation_ms = 0.75 * record.rtt_variation_ms + 0.25 * off;
            record.rtt_ms = 0.875 * record.rtt_ms + 0.125 * rtt_ms;
        }
        // The minimum creeps up, so that a host that moved away may be slower.
        self.rtt_min_ms = (self.rtt_min_ms * 1.01).min(rtt_ms);
    }

    /// How long the host may take to begin its answer.
    pub fn answer_within(&self) -> Duration {
        let Some(p95_ms) = self.usual_ms() else { return ANSWER_WITHIN.1 };
        Duration::from_secs_f32(4.0 * p95_ms / 1000.0).clamp(ANSWER_WITHIN.0, ANSWER_WITHIN.1)
    }

    /// What nearly all its answers take, in ms; `None` if it never answered.
    pub fn usual_ms(&self) -> Option<f32> {
        let record = &self.record;
        (record.rtt_ms > 0.0).then_some(record.rtt_ms + 2.0 * record.rtt_variation_ms)
    }

    /// The signature to knock with first.
    pub fn profile(&self, now: Timestamp) -> SignatureProfile {
        match self.record.profile_seen {
            Some(seen) if now.since(seen) < PROFILE_FOR => self.record.profile,
            _ => SignatureProfile::default(),
        }
    }

    /// Remembers the signature the host accepted; `true` if that is news.
    pub fn accepted(&mut self, now: Timestamp, profile: SignatureProfile) -> bool {
        let is_news = self.profile(now) != profile;
        (self.record.profile, self.record.profile_seen) = (profile, Some(now));
        is_news
    }
}
