//! The search for the limit of a scenario: rate after rate, each a round of
//! its own; what held is held for longer in the end.

use std::time::Duration;

use super::Session;
use crate::base::{Problem, ProblemKind};
use crate::bench::culprit::{backlog, culprit};
use crate::bench::limit::{Objective, Search, step_s};
use crate::bench::metric::{short, whole};
use crate::bench::report::data::{Limit, Round};
use crate::bench::scenario::Scenario;
use crate::bench::watch::QUEUED;

/// The highest rate that a search tries.
const RATE_MAX: f64 = 200_000.0;
/// Seconds of one step of a search, unless rounds are shorter.
const STEP_S: f64 = 5.0;
/// Where jobs are left, a shorter step does not show whether they pile up.
const JOBS_STEP_S: f64 = 4.0;
/// A rate is held only if it holds for so many times as long as a step.
const CONFIRM: u32 = 2;
/// After this no further rate is tried but those that are to hold for longer:
/// what was found by then lies less near, and the table says how near.
const SEARCH_MAX: Duration = Duration::from_secs(120);
/// Steps of a usual search, for saying how long it takes: so many doublings
/// lie between a usual rate and one that a small machine does not hold, and so
/// many steps narrow the gap; fewer where jobs tell where to look.
const STEPS_USUAL: (i32, f64) = (4, 4.0);
const STEPS_OF_JOBS: (i32, f64) = (2, 3.0);
/// Longer trials of one, and seconds that jobs take to be done between steps.
const CONFIRMS_USUAL: f64 = 1.5;
const DRAIN_USUAL_S: f64 = 3.0;
/// Jobs that wait in an instance that has nothing to do.
const JOBS_FEW: f64 = 100.0;
/// A backlog that shrinks by fewer jobs from one count to the next, so many
/// times, is not being worked off.
const JOBS_MOVE: f64 = 10.0;
const COUNTS_STILL: u32 = 2;
/// How long what a step left may take to be done before the next one begins.
/// A backlog that is still there does not make it grow, but takes processors.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// The instance counts its jobs every second.
const COUNT_EVERY: Duration = Duration::from_millis(1_100);
const LANE_LOOKS: usize = 40;
const LANE_LOOK_EVERY: Duration = Duration::from_millis(50);

impl Session {
    /// Seconds that a search usually takes.
    pub(super) fn search_s(&self, scenario: Scenario) -> f64 {
        let first = self.options.rate_per_s.unwrap_or(scenario.usual_per_s());
        let ((doublings, more), drain_s) =
            if scenario.leaves_jobs() { (STEPS_OF_JOBS, DRAIN_USUAL_S) } else { (STEPS_USUAL, 0.0) };
        let whole_s = |span: Duration| span.as_secs_f64() + super::warm_s(span.as_secs_f64()) + drain_s;
        let step = |doublings| self.step(scenario, first * 2f64.powi(doublings));
        let up_s: f64 = (1..=doublings).map(|nth| whole_s(step(nth))).sum();
        let last = step(doublings);
        up_s + more * whole_s(last) + CONFIRMS_USUAL * whole_s(last * CONFIRM)
    }

    fn step(&self, scenario: Scenario, rate: f64) -> Duration {
        let usual_s = self.options.seconds.unwrap_or(STEP_S).min(STEP_S);
        let least_s = if scenario.leaves_jobs() { JOBS_STEP_S } else { 0.0 };
        Duration::from_secs_f64(step_s(usual_s.max(least_s), rate))
    }

    /// `known` is a round at the first rate, if one was played.
    pub(super) async fn find_limit(
        &self,
        scenario: Scenario,
        objective: Objective,
        known: Option<&Round>,
    ) -> Result<Limit, Problem> {
        let play = self.play(scenario)?;
        self.around.view.say(&format!("{}: looking for the limit of {objective}", scenario.name()));
        let first = self.options.rate_per_s.unwrap_or(scenario.usual_per_s());
        let mut search = Search::new(objective, first, RATE_MAX);
        let mut worst = Worst::default();
        if let Some(round) = known {
            not_limited(round)?;
            let held = search.hear(first, round, scenario.behind());
            self.tell(scenario, first, round, held);
            worst.hear(round, held);
        }
        let begun = self.around.clock.monotonic();
        let is_in_time = || self.around.clock.monotonic().saturating_sub(begun) < SEARCH_MAX;
        loop {
            while let Some(rate) = search.next_rate().filter(|_| is_in_time() || search.held().is_none()) {
                self.rest(scenario).await;
                let round = self.round(scenario, &play, rate, self.step(scenario, rate)).await?;
                let held = search.hear(rate, &round, scenario.behind());
                self.tell(scenario, rate, &round, held);
                worst.hear(&round, held);
                not_limited(&round)?;
            }
            let Some(rate) = search.held() else { break };
            // What held for a moment may not hold for long.
            self.rest(scenario).await;
            let round = self.round(scenario, &play, rate, self.step(scenario, rate) * CONFIRM).await?;
            let held = objective.holds(&round) && round.keeps_up();
            self.tell(scenario, rate, &round, held);
            worst.hear(&round, held);
            not_limited(&round)?;
            if held {
                search.confirm(rate, &round);
                break;
            }
            search.doubt(rate, &round, scenario.behind());
        }
        let mut limit = search.found();
        if let Worst(Some(worst)) = worst {
            let is_late = !objective.holds(&worst);
            let culprit =
                if is_late { culprit(&worst, &self.machine) } else { backlog(&worst, scenario.behind()) };
            (limit.culprit, limit.evidence) = (culprit.name.to_owned(), culprit.evidence);
        }
        Ok(limit)
    }

    fn tell(&self, scenario: Scenario, rate: f64, round: &Round, held: bool) {
        let verdict = if held { "holds" } else { "does not hold" };
        let why =
            if round.keeps_up() { String::new() } else { format!("; {}", jobs(round, scenario.behind())) };
        self.around.view.say(&format!(
            "  {} at {}/s: {verdict} for {} s ({}/s answered, p99 {} ms, {} % failed{why})",
            scenario.name(),
            short(rate),
            short(round.seconds),
            short(round.rate_per_s),
            short(round.latency.p99),
            short(round.error_share() * 100.0)
        ));
    }

    /// Lets the instance write what the last step left for it, and do its
    /// jobs, within bounds.
    async fn rest(&self, scenario: Scenario) {
        for _ in 0..LANE_LOOKS {
            if self.watched.metrics().await.sum("waxwing_store_lane_depth") < 1.0 {
                break;
            }
            tokio::time::sleep(LANE_LOOK_EVERY).await;
        }
        if self.watched.metrics.is_some() && scenario.leaves_jobs() {
            let drained = tokio::time::timeout(DRAIN_MAX, self.drained());
            // What is left then is left.
            let _ = self.shown("letting it do the jobs of the last step", None, drained).await;
        }
    }

    /// Waits until few jobs are left, or only those that stay: what is for a
    /// dead server waits for that.
    async fn drained(&self) {
        let (mut before, mut still) = (f64::INFINITY, 0);
        while still < COUNTS_STILL {
            tokio::time::sleep(COUNT_EVERY).await;
            let now = self.watched.metrics().await.sum(QUEUED);
            if now <= JOBS_FEW {
                return;
            }
            still = if before - now < JOBS_MOVE { still + 1 } else { 0 };
            before = now;
        }
    }
}

/// The round at the lowest rate that did not hold.
#[derive(Default)]
struct Worst(Option<Round>);

impl Worst {
    fn hear(&mut self, round: &Round, held: bool) {
        let is_least = self.0.as_ref().is_none_or(|least| round.offered_per_s < least.offered_per_s);
        if !held && is_least {
            self.0 = Some(round.clone());
        }
    }
}

/// # Errors
/// When the server refused requests by a rule of its own: what it could do
/// cannot be found out then, at any rate.
fn not_limited(round: &Round) -> Result<(), Problem> {
    let refused = round.failed_with("status 429");
    if refused == 0 {
        return Ok(());
    }
    let what = format!(
        "its limit was not found: the server's own rate limit refused {} of {} requests; `rate_limit off` in its \
         configuration lifts it meanwhile",
        whole(refused as f64),
        whole(round.requests as f64)
    );
    Err(Problem::new(ProblemKind::Unavailable, what))
}

/// What a round left, in words.
fn jobs(round: &Round, what: &str) -> String {
    let (came, done) = (whole(round.jobs_per_s()), whole(round.used.jobs_per_s));
    format!("{what}: of {came} jobs a second {done} are done")
}
