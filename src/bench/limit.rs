//! How much a server holds: doubles the rate until the objective breaks, then
//! halves the gap between what held and what did not. Pure: it says which
//! rate is next and hears what came of it.

use std::fmt;

use super::metric::short;
use super::report::data::{Limit, Round, Step};

/// Rates that are tried at most.
pub const STEPS_MAX: usize = 16;
/// What held and what did not lie this near in the end.
const NEAR: f64 = 1.08;
/// A server that answers fewer than this share of what it is asked is behind,
/// whatever its latencies say so far.
const KEPT_UP: f64 = 0.95;

/// What has to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// 99 of 100 requests are answered within so many milliseconds.
    pub p99_ms: f64,
    /// No more than this share of them fails.
    pub errors: f64,
}

impl Default for Objective {
    fn default() -> Objective {
        Objective { p99_ms: 250.0, errors: 0.001 }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p99 ≤ {} ms, errors ≤ {} %", short(self.p99_ms), short(self.errors * 100.0))
    }
}

impl Objective {
    /// Reads `p99<=250ms,errors<=0.1%`; what is left out stays as it is.
    ///
    /// # Errors
    /// What cannot be understood.
    pub fn parse(text: &str) -> Result<Objective, String> {
        let mut objective = Objective::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part
                .split_once(['<', '≤'])
                .map(|(name, value)| (name.trim(), value.trim_start_matches('=').trim()))
                .ok_or_else(|| format!("`{part}` is no bound: write `p99<=250ms,errors<=0.1%`"))?;
            let number =
                |unit: &str| value.strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok());
            match (name, number("ms"), number("%")) {
                ("p99", Some(ms), _) if ms > 0.0 => objective.p99_ms = ms,
                ("errors", _, Some(percent)) if percent >= 0.0 => objective.errors = percent / 100.0,
                _ => return Err(format!("`{part}` is no bound: write `p99<=250ms,errors<=0.1%`")),
            }
        }
        Ok(objective)
    }

    /// Whether it held.
    pub fn holds(&self, round: &Round) -> bool {
        round.latency.count > 0
            && round.latency.p99 <= self.p99_ms
            && round.error_share() <= self.errors
            && round.rate_per_s >= KEPT_UP * round.offered_per_s
    }
}

/// The search as it stands.
#[derive(Debug, Clone)]
pub struct Search {
    objective: Objective,
    /// The rate to begin with.
    first: f64,
    /// No rate above this is tried.
    most: f64,
    held: Option<f64>,
    broke: Option<f64>,
    steps: Vec<Step>,
}

impl Search {
    /// Begins at a rate.
    pub fn new(objective: Objective, first: f64, most: f64) -> Search {
        Search { objective, first: first.min(most), most, held: None, broke: None, steps: Vec::new() }
    }

    /// The next rate to try; `None` when it is known well enough.
    pub fn next_rate(&self) -> Option<f64> {
        if self.steps.len() >= STEPS_MAX {
            return None;
        }
        match (self.held, self.broke) {
            (None, None) => Some(self.first),
            (Some(held), None) => (held < self.most).then(|| (held * 2.0).min(self.most)),
            // Not even the first one held: far less, down to one a second.
            (None, Some(broke)) => (broke > 1.0).then(|| (broke / 4.0).max(1.0)),
            (Some(held), Some(broke)) => (broke / held > NEAR).then(|| (held * broke).sqrt()),
        }
    }

    /// What came of a rate; gives whether the objective held.
    pub fn hear(&mut self, rate: f64, round: &Round) -> bool {
        let held = self.objective.holds(round);
        if held {
            self.held = Some(self.held.map_or(rate, |best| best.max(rate)));
        } else {
            self.broke = Some(self.broke.map_or(rate, |least| least.min(rate)));
        }
        // Noise may let a higher rate hold than one that broke; the lower one counts.
        if let (Some(best), Some(least)) = (self.held, self.broke)
            && best >= least
        {
            self.held = self
                .steps
                .iter()
                .filter(|s| s.held && s.offered_per_s < least)
                .map(|s| s.offered_per_s)
                .reduce(f64::max);
        }
        self.steps.push(Step {
            offered_per_s: rate,
            rate_per_s: round.rate_per_s,
            p50: round.latency.p50,
            p99: round.latency.p99,
            errors: round.error_share(),
            held,
            cpu: round.used.cpu,
        });
        held
    }

    /// Takes back what was thought to hold: it did not hold for longer.
    pub fn doubt(&mut self, rate: f64) {
        self.broke = Some(rate);
        self.held = self
            .steps
            .iter()
            .filter(|step| step.held && step.offered_per_s < rate)
            .map(|step| step.offered_per_s)
            .reduce(f64::max);
    }

    /// The highest rate that held.
    pub fn held(&self) -> Option<f64> {
        self.held
    }

    /// What was found; what gave way is for others to say.
    pub fn found(mut self) -> Limit {
        self.steps.sort_by(|a, b| a.offered_per_s.total_cmp(&b.offered_per_s));
        Limit {
            objective: self.objective.to_string(),
            held_per_s: self.held.unwrap_or_default(),
            broke_per_s: self.broke,
            culprit: String::new(),
            evidence: String::new(),
            steps: self.steps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;

    /// A server that holds so many a second, and then falls behind.
    fn round(rate: f64, holds: f64) -> Round {
        let p99 = if rate <= holds { 20.0 } else { 900.0 };
        Round {
            offered_per_s: rate,
            rate_per_s: rate.min(holds),
            requests: 1000,
            latency: Percentiles { count: 1000, p99, ..Percentiles::default() },
            ..Round::default()
        }
    }

    fn search(holds: f64) -> Limit {
        let mut search = Search::new(Objective::default(), 100.0, 100_000.0);
        while let Some(rate) = search.next_rate() {
            search.hear(rate, &round(rate, holds));
        }
        search.found()
    }

    #[test]
    fn the_limit_is_found_within_a_tenth() {
        for holds in [3.0, 40.0, 137.0, 1000.0, 7777.0, 60_000.0] {
            let found = search(holds);
            assert!(found.held_per_s <= holds && found.held_per_s * 1.1 > holds, "{holds}: {found:?}");
            assert!(found.broke_per_s.is_some_and(|broke| broke > holds));
            assert!(found.steps.len() <= STEPS_MAX);
        }
    }

    #[test]
    fn a_server_that_holds_everything_has_no_limit() {
        let found = search(f64::INFINITY);
        assert_eq!((found.held_per_s, found.broke_per_s), (100_000.0, None));
    }

    #[test]
    fn a_server_that_holds_nothing_holds_nothing() {
        let found = search(0.0);
        assert_eq!(found.held_per_s, 0.0);
    }

    #[test]
    fn errors_and_falling_behind_break_the_objective_too() {
        let objective = Objective::default();
        let good = round(100.0, 200.0);
        assert!(objective.holds(&good));
        assert!(!objective.holds(&Round { errors: 2, ..good.clone() }));
        assert!(!objective.holds(&Round { rate_per_s: 90.0, ..good.clone() }));
        assert!(!objective.holds(&Round { latency: Percentiles::default(), ..good }));
    }

    #[test]
    fn what_did_not_hold_for_longer_is_taken_back() {
        let mut search = Search::new(Objective::default(), 100.0, 1000.0);
        for rate in [100.0, 200.0] {
            search.hear(rate, &round(rate, 500.0));
        }
        search.doubt(200.0);
        assert_eq!(search.held(), Some(100.0));
    }

    #[test]
    fn an_objective_is_read() {
        let read = Objective::parse("p99<=100ms, errors<1%").unwrap();
        assert_eq!(read, Objective { p99_ms: 100.0, errors: 0.01 });
        assert_eq!(Objective::parse("").unwrap(), Objective::default());
        assert_eq!(Objective::default().to_string(), "p99 ≤ 250 ms, errors ≤ 0.10 %");
        for bad in ["p99", "p99<fast", "p98<3ms", "errors<3ms"] {
            assert!(Objective::parse(bad).is_err(), "{bad}");
        }
    }
}
