//! How much a server holds: doubles the rate until the objective breaks, then
//! halves the gap between what held and what did not. Where requests leave
//! jobs, a rate is held only if those are done as fast as they come: quick
//! answers alone would be those of a server that falls ever further behind.
//! How many jobs a broken rate got done tells where to look next. Pure: it
//! says which rate is next and hears what came of it.

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
/// What is tried of the rate whose jobs were done while more came, and how
/// many times as much as held next to that: chance and the requests themselves
/// take their share.
const LASTING: f64 = 0.96;
const MORE: f64 = 1.2;
/// Requests of a step that tell its 99th percentile.
const ENOUGH: f64 = 100.0;
/// A step is made so many times as long at most for their sake.
const LONGER_MAX: f64 = 4.0;
/// Requests that a step has in any case, if it takes no longer than this.
const LEAST: f64 = 10.0;
const LEAST_S_MAX: f64 = 20.0;

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
            let number = |unit: &str| {
                let number = value.strip_suffix(unit)?.trim().parse::<f64>().ok()?;
                number.is_finite().then_some(number)
            };
            let ms = number("ms").or_else(|| number("s").map(|seconds| seconds * 1000.0));
            match (name, ms, number("%")) {
                ("p99", Some(ms), _) if ms > 0.0 => objective.p99_ms = ms,
                ("errors", _, Some(percent)) if (0.0..=100.0).contains(&percent) => {
                    objective.errors = percent / 100.0;
                }
                _ => return Err(format!("`{part}` is no bound: write `p99<=250ms,errors<=0.1%`")),
            }
        }
        Ok(objective)
    }

    /// Whether it held.
    pub fn holds(&self, round: &Round) -> bool {
        // Those that were just asked for may still be under way in the end.
        let under_way = round.offered_per_s * self.p99_ms / 1000.0 + 1.0;
        let asked = round.offered_per_s * round.seconds;
        let missing = asked - round.rate_per_s * round.seconds;
        round.latency.count > 0
            && round.latency.p99 <= self.p99_ms
            && round.error_share() <= self.errors
            && missing <= under_way.max((1.0 - KEPT_UP) * asked)
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
    /// The rate whose jobs were done, of the lowest one at which too many came.
    lasting: Option<f64>,
    /// Rates that were tried, without those that were tried again for longer.
    tried: usize,
    steps: Vec<Step>,
}

impl Search {
    /// Begins at a rate.
    pub fn new(objective: Objective, first: f64, most: f64) -> Search {
        Search {
            objective,
            first: first.min(most),
            most,
            held: None,
            broke: None,
            lasting: None,
            tried: 0,
            steps: Vec::new(),
        }
    }

    /// The next rate to try; `None` when it is known well enough.
    pub fn next_rate(&self) -> Option<f64> {
        if self.tried >= STEPS_MAX {
            return None;
        }
        match (self.held, self.broke) {
            (None, None) => Some(self.first),
            (Some(held), None) => (held < self.most).then(|| (held * 2.0).min(self.most)),
            // Not even the first one held: far less, down to one a second.
            (None, Some(broke)) => {
                let less = self.lasting.map_or(broke / 4.0, |rate| (rate * LASTING).min(broke / NEAR));
                (broke > 1.0).then(|| less.max(1.0))
            }
            (Some(held), Some(broke)) => (broke / held > NEAR).then(|| self.between(held, broke)),
        }
    }

    fn between(&self, held: f64, broke: f64) -> f64 {
        let middle = (held * broke).sqrt();
        match self.lasting {
            None => middle,
            Some(lasting) if lasting * LASTING > held => lasting * LASTING,
            // It holds more than was thought, if little.
            Some(_) => middle.min(held * MORE),
        }
    }

    /// What came of a rate; gives whether the objective held. `why` is what
    /// is said of a round whose jobs pile up.
    pub fn hear(&mut self, rate: f64, round: &Round, why: &str) -> bool {
        let held = self.objective.holds(round) && round.keeps_up();
        self.tried += 1;
        self.steps.push(step(rate, round, held, why));
        if held {
            self.held = Some(self.held.map_or(rate, |best| best.max(rate)));
        } else {
            self.break_at(rate, round);
        }
        // Noise may let a higher rate hold than one that broke; the lower one counts.
        if let (Some(best), Some(least)) = (self.held, self.broke)
            && best >= least
        {
            self.take_back(least, "only once: less did not");
        }
        held
    }

    /// It held for longer, too.
    pub fn confirm(&mut self, rate: f64, round: &Round) {
        self.steps.push(step(rate, round, true, ""));
    }

    /// Takes back what was thought to hold: it did not hold for longer.
    pub fn doubt(&mut self, rate: f64, round: &Round, why: &str) {
        self.break_at(rate, round);
        self.take_back(rate, "only for so long");
        self.steps.push(step(rate, round, false, why));
    }

    fn break_at(&mut self, rate: f64, round: &Round) {
        if self.broke.is_some_and(|least| least <= rate) {
            return;
        }
        self.broke = Some(rate);
        if !round.keeps_up() {
            self.lasting = round.lasting_per_s();
        }
    }

    /// Nothing from this rate on counts as held.
    fn take_back(&mut self, from: f64, why: &str) {
        for step in self.steps.iter_mut().filter(|step| step.held && step.offered_per_s >= from) {
            step.held = false;
            step.note = why.to_owned();
        }
        self.held =
            self.steps.iter().filter(|step| step.held).map(|step| step.offered_per_s).reduce(f64::max);
    }

    /// The highest rate that held.
    pub fn held(&self) -> Option<f64> {
        self.held
    }

    /// What was found; what gave way is for others to say.
    pub fn found(mut self) -> Limit {
        let place = |step: &Step| (step.offered_per_s, step.seconds);
        self.steps.sort_by(|a, b| place(a).partial_cmp(&place(b)).unwrap_or(std::cmp::Ordering::Equal));
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

fn step(rate: f64, round: &Round, held: bool, why: &str) -> Step {
    let note = if round.keeps_up() { "" } else { why }.to_owned();
    Step {
        offered_per_s: rate,
        rate_per_s: round.rate_per_s,
        p50: round.latency.p50,
        p99: round.latency.p99,
        errors: round.error_share(),
        held,
        cpu: round.used.cpu,
        seconds: round.seconds,
        requests: round.requests,
        note,
    }
}

/// Seconds that a rate is tried for, where steps usually take so many: longer
/// until there are enough requests to tell, within bounds.
pub fn step_s(usual_s: f64, rate: f64) -> f64 {
    let enough = (ENOUGH / rate).min(usual_s * LONGER_MAX);
    let least = (LEAST / rate).min(LEAST_S_MAX);
    usual_s.max(enough).max(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;
    use crate::bench::report::data::Used;

    /// A server that holds so many a second, and then falls behind.
    fn round(rate: f64, holds: f64) -> Round {
        let p99 = if rate <= holds { 20.0 } else { 900.0 };
        Round {
            offered_per_s: rate,
            rate_per_s: rate.min(holds),
            seconds: 10.0,
            requests: 1000,
            latency: Percentiles { count: 1000, p99, ..Percentiles::default() },
            ..Round::default()
        }
    }

    fn search(holds: f64) -> Limit {
        let mut search = Search::new(Objective::default(), 100.0, 100_000.0);
        while let Some(rate) = search.next_rate() {
            search.hear(rate, &round(rate, holds), "");
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
        for rate in [100.0, 200.0, 400.0] {
            search.hear(rate, &round(rate, 500.0), "");
        }
        let used = Used { jobs_per_s: 100.0, jobs_behind_per_s: 80.0, ..Used::default() };
        let long = Round { seconds: 20.0, used, ..round(200.0, 150.0) };
        search.doubt(200.0, &long, "it left jobs");
        assert_eq!(search.held(), Some(100.0));
        search.confirm(100.0, &Round { seconds: 20.0, ..round(100.0, 150.0) });
        let found = search.found();
        let told: Vec<_> =
            found.steps.iter().map(|step| (step.offered_per_s, step.seconds, step.held)).collect();
        // What the table says is what the search says.
        assert_eq!(
            told,
            [
                (100.0, 10.0, true),
                (100.0, 20.0, true),
                (200.0, 10.0, false),
                (200.0, 20.0, false),
                (400.0, 10.0, false)
            ]
        );
        assert_eq!(found.steps[3].note, "it left jobs");
        assert!(found.steps.iter().all(|step| step.held == (step.offered_per_s <= found.held_per_s)));
    }

    /// A server that answers as many as one likes, and does the jobs of so many.
    fn leaving_jobs(rate: f64, lasting: f64) -> Round {
        let (jobs_per_s, jobs_behind_per_s) = (3.0 * rate.min(lasting), 3.0 * (rate - lasting).max(0.0));
        let used = Used { jobs_per_s, jobs_behind_per_s, ..Used::default() };
        Round { used, ..round(rate, f64::INFINITY) }
    }

    #[test]
    fn the_rate_whose_jobs_are_done_is_found_in_few_steps() {
        for (first, lasting) in [(50.0, 160.0), (50.0, 20.0), (50.0, 49.0), (3000.0, 90.0)] {
            let mut search = Search::new(Objective::default(), first, 100_000.0);
            while let Some(rate) = search.next_rate() {
                search.hear(rate, &leaving_jobs(rate, lasting), "jobs pile up");
            }
            let found = search.found();
            assert!(found.held_per_s <= lasting * 1.08, "{lasting}: {found:?}");
            assert!(found.held_per_s > lasting * 0.9, "{lasting}: {found:?}");
            assert!(found.steps.len() <= 6, "{lasting}: {found:?}");
            let broken: Vec<_> = found.steps.iter().filter(|step| !step.held).collect();
            assert!(broken.iter().all(|step| step.note == "jobs pile up"), "{broken:?}");
        }
    }

    #[test]
    fn jobs_that_come_by_chance_are_no_backlog() {
        let keeps_up = |jobs_per_s, jobs_behind_per_s| {
            let used = Used { jobs_per_s, jobs_behind_per_s, ..Used::default() };
            Round { used, seconds: 5.0, ..Round::default() }.keeps_up()
        };
        assert!(keeps_up(0.0, 0.0) && keeps_up(4.0, 8.0) && keeps_up(1000.0, 25.0) && keeps_up(100.0, -90.0));
        assert!(!keeps_up(0.0, 40.0) && !keeps_up(100.0, 15.0) && !keeps_up(1000.0, 60.0));
    }

    #[test]
    fn few_arrivals_make_a_step_longer_within_bounds() {
        for (usual_s, rate, wanted) in [
            (5.0, 200.0, 5.0),
            (5.0, 10.0, 10.0),
            (5.0, 4.0, 20.0),
            (0.5, 100.0, 1.0),
            (0.5, 2.0, 5.0),
            (5.0, 0.01, 20.0),
        ] {
            assert_eq!(step_s(usual_s, rate), wanted, "{usual_s} {rate}");
        }
    }

    #[test]
    fn those_under_way_in_the_end_are_not_missing() {
        // 100/s for two seconds; 20 of 200 are still to come.
        let round = Round { seconds: 2.0, rate_per_s: 90.0, ..round(100.0, 200.0) };
        assert!(Objective::default().holds(&round));
        assert!(!Objective::default().holds(&Round { rate_per_s: 80.0, ..round }));
    }

    #[test]
    fn an_objective_is_read() {
        let read = Objective::parse("p99<=100ms, errors<1%").unwrap();
        assert_eq!(read, Objective { p99_ms: 100.0, errors: 0.01 });
        assert_eq!(Objective::parse("").unwrap(), Objective::default());
        assert_eq!(Objective::default().to_string(), "p99 ≤ 250 ms, errors ≤ 0.10 %");
        assert_eq!(Objective::parse("p99<=1s").unwrap().p99_ms, 1000.0);
        for bad in ["p99", "p99<fast", "p98<3ms", "errors<3ms", "p99<=infms", "errors<=200%", "errors<=0.1"] {
            assert!(Objective::parse(bad).is_err(), "{bad}");
        }
    }
}
