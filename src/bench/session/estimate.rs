//! How long a measurement takes, for those who ask before they wait. Rules of
//! thumb from runs on two cores; a slower machine takes longer.

use super::{Session, Size, Target, warm_s};
use crate::bench::scenario::Scenario;

/// Rows of home timelines that an instance writes a second while it is filled.
const ROWS_PER_S: f64 = if cfg!(debug_assertions) { 12_000.0 } else { 50_000.0 };
/// Follows that it writes a second, and people and posts.
const FOLLOWS_PER_S: f64 = if cfg!(debug_assertions) { 2_500.0 } else { 15_000.0 };
const PEOPLE_PER_S: f64 = if cfg!(debug_assertions) { 1_000.0 } else { 5_000.0 };
/// From the order until it is there, empty; and what each round takes beside
/// the time that is measured.
const START_S: f64 = 1.5;
const ROUND_S: f64 = 0.5;
/// Seconds that the last posts take to all who are to hear of them.
const SETTLE_S: f64 = 1.0;

impl Session {
    /// About how many seconds everything takes.
    pub(super) fn about_s(&self) -> f64 {
        let needs_server = self.options.scenarios.iter().any(|scenario| scenario.needs_server());
        let fill_s = match self.options.target {
            Target::Own(size) if needs_server => fill_s(size),
            _ => 0.0,
        };
        fill_s + self.measure_s()
    }

    /// The same without filling, which a busy machine takes far longer for.
    pub(super) fn measure_s(&self) -> f64 {
        self.options.scenarios.iter().map(|scenario| self.scenario_s(*scenario)).sum()
    }

    fn scenario_s(&self, scenario: Scenario) -> f64 {
        let options = &self.options;
        let span_s = self.span(scenario).as_secs_f64();
        let beside_s = match scenario {
            Scenario::Store | Scenario::Proxy => 0.0,
            Scenario::Stream | Scenario::Deliver => warm_s(span_s) + ROUND_S + SETTLE_S,
            _ => warm_s(span_s) + ROUND_S,
        };
        let rounds = if scenario == Scenario::Proxy { 1 } else { options.rounds };
        let searches = options.objective.is_some() && scenario.has_limit();
        let search_s = if searches { self.search_s(scenario) } else { 0.0 };
        rounds as f64 * (span_s + beside_s) + search_s
    }
}

/// Most of filling is bringing posts home to those who follow their authors.
fn fill_s(size: Size) -> f64 {
    let rows = size.posts as f64 * readers(size.people, size.follows);
    let follows_s = (size.people * size.follows) as f64 / FOLLOWS_PER_S;
    START_S + (size.people + size.posts) as f64 / PEOPLE_PER_S + follows_s + rows / ROWS_PER_S
}

/// How many follow the author of a post of the instance, on average. Nth of n
/// people is chosen, as an author and by each who follows somebody, with the
/// probability ∛(n+1 / all) − ∛(n / all).
fn readers(people: usize, follows: usize) -> f64 {
    let root = |nth: usize| (nth as f64 / people.max(1) as f64).cbrt();
    let of = |nth: usize| {
        let share = root(nth + 1) - root(nth);
        share * (1.0 - (1.0 - share).powf(follows as f64)) * people as f64
    };
    (0..people).map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_that_many_follow_write_most() {
        let usual = readers(1000, 25);
        assert!((100.0..200.0).contains(&usual), "{usual}");
        assert_eq!((readers(1000, 0), readers(0, 5)), (0.0, 0.0));
        assert!(readers(24, 5) < 12.0);
    }
}
