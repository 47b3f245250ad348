//! What came of the requests of one run: latencies as a whole, by kind of
//! request and second by second, and failures by what they were. Pure; time
//! comes in as spans since an arbitrary start.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::latency::Latencies;
use super::report::data::{KindResult, Round, Slot};

/// Seconds that are kept one by one; what comes later is added to the last.
const SLOTS_MAX: usize = 3600;

/// A kind of request of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As it is called in `--expect 'browse.home.p99<50ms'`.
    pub name: &'static str,
    /// Whether it belongs to the scenario's own figures, or only leads to them.
    pub counts: bool,
}

impl Kind {
    /// One whose latency is the scenario's.
    pub const fn main(name: &'static str) -> Kind {
        Kind { name, counts: true }
    }

    /// One that is needed for the others.
    pub const fn side(name: &'static str) -> Kind {
        Kind { name, counts: false }
    }
}

/// Why a request is not counted as answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// Another status than a good one.
    Status(u16),
    /// No connection.
    Connect,
    /// The connection ended before the answer.
    Broken,
    /// No answer in time.
    Late,
    /// An answer that is not what was asked for.
    Wrong(&'static str),
    /// Never sent: too many were under way already.
    Dropped,
    /// Never sent: the generator had prepared too few.
    Spent,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::Status(status) => write!(f, "status {status}"),
            Flaw::Connect => f.write_str("no connection"),
            Flaw::Broken => f.write_str("connection lost"),
            Flaw::Late => f.write_str("no answer in time"),
            Flaw::Wrong(what) => f.write_str(what),
            Flaw::Dropped => f.write_str("never sent"),
            Flaw::Spent => f.write_str("nothing left to send"),
        }
    }
}

/// A request that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which of the scenario's kinds.
    pub kind: usize,
    /// When it was due.
    pub due: Duration,
    /// When it was begun.
    pub sent: Duration,
    /// When its answer was there.
    pub ended: Duration,
    /// What came of it.
    pub outcome: Result<(), Flaw>,
}

/// Second by second.
#[derive(Default, Clone)]
struct Second {
    due: u64,
    /// Good answers that came in this second, whenever they were due.
    done: u64,
    errors: u64,
    latencies: Option<Box<Latencies>>,
}

/// What is being collected.
pub struct Tally {
    kinds: &'static [Kind],
    /// Requests due before are warm-up, those from the end on are not asked for.
    from: Duration,
    until: Duration,
    /// From when they were due.
    all: Latencies,
    /// From when they were begun: what a closed loop would have seen.
    service: Latencies,
    /// How late they were begun.
    lag: Latencies,
    by_kind: Vec<OfKind>,
    seconds: Vec<Second>,
    failures: BTreeMap<String, u64>,
    due: u64,
    errors: u64,
    dropped: u64,
    spent: u64,
    /// Answers that came within the span, good ones and all of them.
    good: u64,
    answered: u64,
}

#[derive(Default)]
struct OfKind {
    latencies: Latencies,
    errors: u64,
    /// Good answers that came within the span.
    good: u64,
}

impl Tally {
    /// Nothing yet, of the requests that are due within a span.
    pub fn new(kinds: &'static [Kind], from: Duration, until: Duration) -> Tally {
        let seconds = (until.saturating_sub(from).as_secs_f64().ceil() as usize).clamp(1, SLOTS_MAX);
        Tally {
            kinds,
            from,
            until,
            all: Latencies::default(),
            service: Latencies::default(),
            lag: Latencies::default(),
            by_kind: kinds.iter().map(|_| OfKind::default()).collect(),
            seconds: vec![Second::default(); seconds],
            failures: BTreeMap::new(),
            due: 0,
            errors: 0,
            dropped: 0,
            spent: 0,
            good: 0,
            answered: 0,
        }
    }

    /// Notes one that has ended. Those of the warm-up are not counted, but
    /// that they were answered within the span is: how many answers come in a
    /// second does not depend on when they were asked for.
    pub fn note(&mut self, done: &Done) {
        self.note_answer(done);
        if done.due < self.from || done.due >= self.until {
            return;
        }
        let kind = self.kinds[done.kind];
        let took = done.ended.saturating_sub(done.due);
        if done.outcome != Err(Flaw::Dropped) {
            self.lag.record(done.sent.saturating_sub(done.due));
        }
        if let Err(flaw) = &done.outcome {
            *self.failures.entry(format!("{}: {flaw}", kind.name)).or_default() += 1;
            self.by_kind[done.kind].errors += 1;
        } else {
            self.by_kind[done.kind].latencies.record(took);
        }
        if kind.counts {
            self.count(done, took);
        }
    }

    fn note_answer(&mut self, done: &Done) {
        let is_unsent = matches!(done.outcome, Err(Flaw::Dropped | Flaw::Spent));
        if done.ended < self.from || done.ended >= self.until || is_unsent {
            return;
        }
        let is_good = done.outcome.is_ok();
        self.by_kind[done.kind].good += u64::from(is_good);
        if self.kinds[done.kind].counts {
            self.answered += 1;
            self.good += u64::from(is_good);
            self.second(done.ended).done += u64::from(is_good);
        }
    }

    fn second(&mut self, at: Duration) -> &mut Second {
        let nth = at.saturating_sub(self.from).as_secs() as usize;
        let last = self.seconds.len() - 1;
        &mut self.seconds[nth.min(last)]
    }

    fn count(&mut self, done: &Done, took: Duration) {
        self.due += 1;
        let second = self.second(done.due);
        second.due += 1;
        match &done.outcome {
            Ok(()) => {
                second.latencies.get_or_insert_default().record(took);
                self.all.record(took);
                self.service.record(done.ended.saturating_sub(done.sent));
            }
            Err(flaw) => {
                second.errors += 1;
                self.errors += 1;
                self.dropped += u64::from(*flaw == Flaw::Dropped);
                self.spent += u64::from(*flaw == Flaw::Spent);
            }
        }
    }

    /// Good answers, failures, and the percentile so far, for the live view.
    pub fn glance(&self) -> Glance {
        Glance { done: self.good, errors: self.errors, p50: self.all.ms(0.5), p99: self.all.ms(0.99) }
    }

    /// Everything, as far as the requests tell it; of the machine nothing yet.
    pub fn round(&self) -> Round {
        let seconds = self.until.saturating_sub(self.from).as_secs_f64().max(0.001);
        Round {
            offered_per_s: self.due as f64 / seconds,
            rate_per_s: self.good as f64 / seconds,
            seconds,
            requests: self.due,
            answered: self.answered,
            errors: self.errors,
            dropped: self.dropped,
            spent: self.spent,
            latency: self.all.percentiles(),
            service: self.service.percentiles(),
            lag_p99_ms: self.lag.ms(0.99),
            kinds: self.kind_results(seconds),
            slots: self.slots(),
            failures: self.failures.clone(),
            ..Round::default()
        }
    }

    fn kind_results(&self, seconds: f64) -> Vec<KindResult> {
        self.kinds
            .iter()
            .zip(&self.by_kind)
            .map(|(kind, of)| KindResult {
                name: kind.name.to_owned(),
                counts: kind.counts,
                rate_per_s: of.good as f64 / seconds,
                errors: of.errors,
                latency: of.latencies.percentiles(),
            })
            .collect()
    }

    fn slots(&self) -> Vec<Slot> {
        let slot = |(nth, second): (usize, &Second)| {
            let ms = |share| second.latencies.as_ref().map(|latencies| latencies.ms(share));
            let (due, done, errors) = (second.due, second.done, second.errors);
            Slot { at_s: nth as u64, due, done, errors, p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) }
        };
        self.seconds.iter().enumerate().map(slot).collect()
    }
}

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Glance {
    /// Good answers.
    pub done: u64,
    /// Failures.
    pub errors: u64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: &[Kind] = &[Kind::main("home"), Kind::side("post")];

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn done(kind: usize, due: u64, sent: u64, ended: u64) -> Done {
        Done { kind, due: ms(due), sent: ms(sent), ended: ms(ended), outcome: Ok(()) }
    }

    #[test]
    fn latency_counts_from_when_a_request_was_due() {
        let mut tally = Tally::new(KINDS, ms(0), ms(2000));
        tally.note(&done(0, 100, 600, 610));
        let round = tally.round();
        assert_eq!(round.latency.p50.round(), 510.0);
        assert_eq!(round.service.p50.round(), 10.0);
        assert_eq!(round.lag_p99_ms.round(), 500.0);
        assert_eq!(round.rate_per_s, 0.5);
    }

    #[test]
    fn what_is_answered_after_the_end_is_no_rate() {
        let mut tally = Tally::new(KINDS, ms(1000), ms(2000));
        // Ten are asked for; four answers come in time, six much later. One
        // of the warm-up is answered within the span.
        for nth in 0..10 {
            tally.note(&done(0, 1000 + nth, 1000 + nth, if nth < 4 { 1500 } else { 6500 }));
        }
        tally.note(&done(0, 900, 900, 1100));
        tally.note(&Done { outcome: Err(Flaw::Spent), ..done(0, 1100, 1100, 1100) });
        let round = tally.round();
        assert_eq!((round.requests, round.latency.count, round.answered), (11, 10, 5));
        assert_eq!((round.rate_per_s, round.kinds[0].rate_per_s, round.slots[0].done), (5.0, 5.0, 5));
        assert_eq!((round.errors, round.spent), (1, 1));
    }

    #[test]
    fn the_warm_up_and_what_is_beside_the_point_do_not_count() {
        let mut tally = Tally::new(KINDS, ms(1000), ms(3000));
        tally.note(&done(0, 999, 999, 1500));
        tally.note(&done(0, 3000, 3000, 3001));
        tally.note(&done(1, 1000, 1000, 1900));
        let round = tally.round();
        assert_eq!((round.requests, round.kinds[1].latency.count), (0, 1));
    }

    #[test]
    fn failures_are_told_apart_and_have_no_latency() {
        let mut tally = Tally::new(KINDS, ms(0), ms(1000));
        for outcome in [Err(Flaw::Status(503)), Err(Flaw::Status(503)), Err(Flaw::Dropped)] {
            tally.note(&Done { outcome, ..done(0, 1, 1, 900) });
        }
        tally.note(&done(0, 1, 1, 3));
        let round = tally.round();
        assert_eq!((round.errors, round.dropped, round.requests), (3, 1, 4));
        assert_eq!(round.failures["home: status 503"], 2);
        assert_eq!(round.latency.max.round(), 2.0);
        assert_eq!((round.slots[0].due, round.slots[0].errors), (4, 3));
    }

    #[test]
    fn seconds_are_kept_apart() {
        let mut tally = Tally::new(KINDS, ms(500), ms(3500));
        tally.note(&done(0, 600, 600, 610));
        tally.note(&done(0, 2600, 2600, 2700));
        let slots = tally.round().slots;
        assert_eq!(slots.len(), 3);
        assert_eq!(
            (slots[0].p50.map(f64::round), slots[1].p50, slots[2].p50.map(f64::round)),
            (Some(10.0), None, Some(100.0))
        );
    }
}
