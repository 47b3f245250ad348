//! What one balancer knows of one upstream. All threads share it; nothing
//! in it is locked, and nothing is allocated after it was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::pool::WEIGHT_MAX;
use super::statistic::{Counts, Flight, IN_FLIGHT_MAX, LastReport, Latency, Reported};
use super::{Dice, LoadReport, Outcome, Tick};

/// What is known is forgotten linearly over this span, Netflix's constant:
/// whoever gets no traffic must become worth a try again.
pub(super) const DECAY_S: f32 = 30.0;
/// So many hard failures in a row eject.
const EJECT_IN_A_ROW: u32 = 5;
/// More than half of at least so many requests failing hard ejects.
const EJECT_REQUESTS_MIN: f32 = 20.0;
/// The first ejection lasts so long; each further one twice as long.
const EJECT_FIRST: Duration = Duration::from_secs(5);
/// The longest ejection.
const EJECT_LONGEST: Duration = Duration::from_secs(60);
/// So long without ejection makes the next one a first one.
const EJECT_FORGIVEN_S: f32 = 60.0;
/// Ejections last this share shorter or longer, by chance, so that many
/// balancers do not all come back at the same moment.
const EJECT_JITTER: f32 = 0.2;
/// Where requests go that the sum below takes as errors with no answers.
const ERROR_PRIOR: f32 = 5.0;

/// An upstream as the configuration or the cluster names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its address, by which it is known from one list to the next.
    pub name: Box<str>,
    /// Its share, 1 to [`WEIGHT_MAX`]; others are brought into that range.
    pub weight: u32,
    /// What its sticky cookie says; see [`sticky_token`](super::sticky_token).
    pub sticky: u64,
}

impl Place {
    /// An upstream of weight 1 without a cookie.
    pub fn new(name: &str) -> Place {
        Place { name: name.into(), weight: 1, sticky: 0 }
    }
}

/// One upstream and what is known of it.
// Two cache lines, so that threads that serve different upstreams do not
// take each other's lines away.
#[repr(align(128))]
#[derive(Debug)]
pub struct Upstream {
    pub(super) flight: Flight,
    pub(super) latency: Latency,
    /// Answers, and answers that are server errors.
    answers: Counts,
    /// Connections that failed, and requests that timed out.
    broken: Counts,
    /// Requests refused: shed, or 503 for another reason.
    refused: Counts,
    reported: LastReport,
    sent_since_report: AtomicU32,
    limit: AtomicU32,
    streams: AtomicU32,
    /// Requests whose bodies still come.
    pub(super) uploads: AtomicU32,
    failed_in_a_row: AtomicU32,
    pub(super) last_answer_us: AtomicU64,
    pub(super) last_sent_us: AtomicU64,
    eject_until_us: AtomicU64,
    ejections: AtomicU32,
    /// It has answered since it was new or ejected; else it is in probation.
    is_proven: AtomicBool,
    is_draining: AtomicBool,
    /// When it said so last, in microseconds.
    drain_heard_us: AtomicU64,
    /// Somebody else says for it that it goes, which is not taken back.
    is_going: AtomicBool,
    /// Somebody else knows that it does not live any more.
    is_lost: AtomicBool,
    /// When the server started, in microseconds; before ours if negative.
    up_since_us: AtomicI64,
    picks: AtomicU64,
    failures: AtomicU64,
    pub(super) id: u32,
    pub(super) place: Place,
}

/// An answer without end to a client; counts until it is dropped.
#[derive(Debug)]
pub struct Streaming(Arc<Upstream>);

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Relaxed);
    }
}

impl Upstream {
    pub(super) fn new(mut place: Place, id: u32, now: Tick) -> Upstream {
        place.weight = place.weight.clamp(1, WEIGHT_MAX);
        Upstream {
            flight: Flight::default(),
            latency: Latency::default(),
            answers: Counts::default(),
            broken: Counts::default(),
            refused: Counts::default(),
            reported: LastReport::default(),
            sent_since_report: AtomicU32::new(0),
            limit: AtomicU32::new(0),
            streams: AtomicU32::new(0),
            uploads: AtomicU32::new(0),
            failed_in_a_row: AtomicU32::new(0),
            last_answer_us: AtomicU64::new(0),
            last_sent_us: AtomicU64::new(0),
            eject_until_us: AtomicU64::new(0),
            ejections: AtomicU32::new(0),
            is_proven: AtomicBool::new(false),
            is_draining: AtomicBool::new(false),
            drain_heard_us: AtomicU64::new(0),
            is_going: AtomicBool::new(false),
            is_lost: AtomicBool::new(false),
            up_since_us: AtomicI64::new(signed(now.as_micros())),
            picks: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            id,
            place,
        }
    }

    /// Its address.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    /// What its sticky cookie says.
    pub fn sticky(&self) -> u64 {
        self.place.sticky
    }

    pub(super) fn weight(&self) -> f32 {
        self.place.weight as f32
    }

    /// Counts an answer without end (SSE, WebSocket) until the value that
    /// is returned is dropped.
    pub fn stream(self: &Arc<Upstream>) -> Streaming {
        self.streams.fetch_add(1, Relaxed);
        Streaming(Arc::clone(self))
    }

    pub(super) fn begin(&self, now: Tick) {
        self.flight.start(now);
        self.sent_since_report.fetch_add(1, Relaxed);
        self.picks.fetch_add(1, Relaxed);
        self.last_sent_us.fetch_max(now.as_micros(), Relaxed);
    }

    /// Takes in what the server says of itself. Whether that changes who may
    /// be picked.
    pub(super) fn hear(&self, now: Tick, report: &LoadReport) -> bool {
        self.reported.set(now, report.rif, report.utilisation);
        self.sent_since_report.store(0, Relaxed);
        if let Some(limit) = report.limit {
            self.limit.store(u32::from(limit), Relaxed);
        }
        if let Some(uptime_s) = report.uptime_s {
            let since = signed(now.as_micros()) - i64::from(uptime_s) * 1_000_000;
            self.up_since_us.store(since, Relaxed);
        }
        self.set_draining(now, report.is_draining)
    }

    /// Sets or ends the wish for no new requests. Whether that is news.
    pub(super) fn set_draining(&self, now: Tick, is_draining: bool) -> bool {
        if is_draining {
            self.drain_heard_us.fetch_max(now.as_micros(), Relaxed);
        }
        self.is_draining.swap(is_draining, Relaxed) != is_draining
    }

    /// It wants nothing new any more. Whether that is news.
    pub(super) fn send_off(&self) -> bool {
        !self.is_going.swap(true, Relaxed)
    }

    /// Whether it says itself that it wants nothing new, and for how many
    /// seconds it has not said so again.
    pub(super) fn drain_heard(&self, now: Tick) -> Option<f32> {
        let heard = Tick::from_micros(self.drain_heard_us.load(Relaxed));
        self.is_draining.load(Relaxed).then(|| now.secs_since(heard))
    }

    pub(super) fn set_lost(&self, is_lost: bool) {
        self.is_lost.store(is_lost, Relaxed);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Relaxed)
    }

    /// Whether it has answered nobody since then.
    pub(super) fn is_silent_since(&self, then: Tick) -> bool {
        self.last_answer_us.load(Relaxed) <= then.as_micros()
    }

    /// Takes in the end of a try that was sent then; `None`: its body still
    /// came, and nobody knows how long the upstream takes. Whether that
    /// changes who may be picked.
    pub(super) fn learn(&self, now: Tick, sent: Option<Tick>, outcome: Outcome) -> bool {
        let Some(sent) = sent else { return self.learn_of_upload(now, outcome) };
        self.flight.end(sent);
        let took_us = now.micros_since(sent) as f32;
        if outcome.is_failure() {
            self.failures.fetch_add(1, Relaxed);
        }
        match outcome {
            Outcome::Answered => {
                self.latency.add(now, took_us);
                return self.learn_answer(now);
            }
            // A wait in vain is at least as long as it was. Other failures
            // say nothing of latency: fast ones would attract traffic.
            Outcome::Timeout => {
                self.broken.add(now, true);
                self.latency.add_at_least(now, took_us);
            }
            Outcome::Cancelled => self.latency.add_at_least(now, took_us),
            other => self.learn_failure(now, other),
        }
        false
    }

    fn learn_of_upload(&self, now: Tick, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Answered => return self.learn_answer(now),
            // It was the client that was waited for.
            Outcome::Timeout | Outcome::Cancelled => {}
            other => {
                self.failures.fetch_add(1, Relaxed);
                self.learn_failure(now, other);
            }
        }
        false
    }

    /// A failure that says the same however long it took.
    fn learn_failure(&self, now: Tick, outcome: Outcome) {
        match outcome {
            Outcome::ServerError => {
                self.answered(now);
                self.answers.add(now, true);
            }
            Outcome::Connect | Outcome::Reset => self.broken.add(now, false),
            Outcome::Shed | Outcome::Unavailable => {
                self.answered(now);
                self.refused.add(now, false);
            }
            Outcome::Answered | Outcome::Timeout | Outcome::Cancelled => {}
        }
    }

    fn answered(&self, now: Tick) {
        self.last_answer_us.fetch_max(now.as_micros(), Relaxed);
    }

    fn learn_answer(&self, now: Tick) -> bool {
        self.answered(now);
        self.answers.add(now, false);
        if self.failed_in_a_row.load(Relaxed) != 0 {
            self.failed_in_a_row.store(0, Relaxed);
        }
        if self.ejections.load(Relaxed) > 0 && self.calm_s(now) > EJECT_FORGIVEN_S {
            self.ejections.store(0, Relaxed);
        }
        !self.is_proven.load(Relaxed) && !self.is_proven.swap(true, Relaxed)
    }

    /// Seconds since the last ejection ended.
    fn calm_s(&self, now: Tick) -> f32 {
        now.secs_since(Tick::from_micros(self.eject_until_us.load(Relaxed)))
    }

    /// Counts a hard failure; whether it should be ejected for it.
    pub(super) fn is_broken(&self, now: Tick) -> bool {
        let in_a_row = self.failed_in_a_row.fetch_add(1, Relaxed) + 1;
        let is_back = self.ejections.load(Relaxed) > 0 && !self.is_proven.load(Relaxed);
        if in_a_row >= EJECT_IN_A_ROW || is_back {
            return true;
        }
        let [ok, errors] = self.answers.read(now);
        let [unconnected, _] = self.broken.read(now);
        let hard = errors + unconnected;
        let all = ok + hard;
        all >= EJECT_REQUESTS_MIN && hard > all / 2.0
    }

    /// Takes it out for a while; then it is in probation.
    pub(super) fn eject(&self, now: Tick, dice: &mut Dice) {
        let times = self.ejections.fetch_add(1, Relaxed).min(8);
        let span = EJECT_FIRST.saturating_mul(1 << times).min(EJECT_LONGEST);
        let span = span.mul_f32(1.0 + EJECT_JITTER * (2.0 * dice.unit() - 1.0));
        self.eject_until_us.store(now.plus(span).as_micros(), Relaxed);
        self.is_proven.store(false, Relaxed);
        self.failed_in_a_row.store(0, Relaxed);
        self.answers.clear();
        self.broken.clear();
        self.refused.clear();
    }

    /// Ends an ejection early; it goes on in probation.
    pub(super) fn readmit(&self, now: Tick) {
        self.eject_until_us.fetch_min(now.as_micros(), Relaxed);
    }

    pub(super) fn is_ejected(&self, now: Tick) -> bool {
        self.eject_until_us.load(Relaxed) > now.as_micros()
    }

    /// Seconds until its ejection ends.
    pub(super) fn ejected_for_s(&self, now: Tick) -> Option<f32> {
        let until = Tick::from_micros(self.eject_until_us.load(Relaxed));
        Some(until.secs_since(now)).filter(|left| *left > 0.0)
    }

    pub(super) fn draining(&self) -> bool {
        self.is_draining.load(Relaxed) || self.is_going.load(Relaxed)
    }

    pub(super) fn in_probation(&self) -> bool {
        !self.is_proven.load(Relaxed)
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.flight.count()
    }

    pub(super) fn is_full(&self) -> bool {
        self.in_flight() >= IN_FLIGHT_MAX
    }

    pub(super) fn streams(&self) -> u32 {
        self.streams.load(Relaxed)
    }

    pub(super) fn uploads(&self) -> u32 {
        self.uploads.load(Relaxed)
    }

    pub(super) fn picks(&self) -> u64 {
        self.picks.load(Relaxed)
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    pub(super) fn report(&self, now: Tick) -> Option<Reported> {
        self.reported.read(now)
    }

    pub(super) fn sent_since_report(&self) -> f32 {
        self.sent_since_report.load(Relaxed) as f32
    }

    /// How many it takes at a time, if it says so.
    pub(super) fn limit(&self) -> Option<f32> {
        let limit = self.limit.load(Relaxed);
        (limit > 0).then_some(limit as f32)
    }

    /// Seconds since the server started.
    pub(super) fn age_s(&self, now: Tick) -> f32 {
        let age = signed(now.as_micros()) - self.up_since_us.load(Relaxed);
        age.max(0) as f32 / 1e6
    }

    /// The share of requests that fail, 0 to 1, careful where there were
    /// few; forgotten by and by.
    pub(super) fn error_share(&self, now: Tick, decays: bool) -> f32 {
        let [unconnected, timeouts] = self.broken.read(now);
        let [refusals, _] = self.refused.read(now);
        let [ok, server_errors] = self.answers.read(now);
        let errors = unconnected + timeouts + refusals + server_errors;
        if errors == 0.0 {
            return 0.0;
        }
        let left = if decays { left_of(self.quiet_s(now)) } else { 1.0 };
        errors / (ok + errors + ERROR_PRIOR) * left
    }

    /// Seconds since anything was counted.
    fn quiet_s(&self, now: Tick) -> f32 {
        [&self.answers, &self.broken, &self.refused]
            .into_iter()
            .map(|counts| counts.last(now).1)
            .fold(f32::INFINITY, f32::min)
    }

    /// Netflix's client health: the rolling share of connection-related
    /// errors, falling to nothing in a straight line while nothing is sent.
    pub(super) fn connection_error_share(&self, now: Tick, decays: bool) -> f32 {
        let ([unconnected, timeouts], broken_s) = self.broken.last(now);
        if unconnected + timeouts == 0.0 {
            return 0.0;
        }
        let ([ok, server_errors], answers_s) = self.answers.last(now);
        let quiet_s = self.quiet_s(now);
        // Both as they were at the last event.
        let fade = |age_s: f32| (-(age_s - quiet_s).max(0.0) / 5.0).exp();
        let errors = (unconnected + timeouts) * fade(broken_s);
        let all = (ok + server_errors) * fade(answers_s) + errors;
        let left = if decays { left_of(quiet_s) } else { 1.0 };
        errors / all.max(1.0) * left
    }
}

/// What is left of a statistic after so many seconds: 1 to 0 in a line.
pub(super) fn left_of(age_s: f32) -> f32 {
    (1.0 - age_s / DECAY_S).max(0.0)
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}
