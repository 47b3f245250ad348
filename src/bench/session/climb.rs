//! The search for the limit of a scenario: rate after rate, each a round of
//! its own; what held is held for longer in the end, and has to leave nothing
//! behind.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::base::Problem;
use crate::bench::culprit::culprit;
use crate::bench::limit::{Objective, Search, step_s};
use crate::bench::metric::{short, whole};
use crate::bench::report::data::{Limit, Round};
use crate::bench::scenario::{Play, Scenario};

/// The highest rate that a search tries.
const RATE_MAX: f64 = 200_000.0;
/// Seconds of one step of a search, unless rounds are shorter.
const STEP_S: f64 = 5.0;
/// A rate is held only if it holds for so many times as long as a step.
const CONFIRM: u32 = 2;
/// Steps of a usual search, for saying how long it takes.
const STEPS_USUAL: f64 = 11.0;
/// Longer trials of one, and how often jobs are counted before and after each.
const CONFIRMS_USUAL: f64 = 2.0;
const COUNTS_USUAL: f64 = 3.0;
/// The instance counts its jobs every five seconds.
const COUNT_EVERY: Duration = Duration::from_millis(5_300);
/// Jobs that wait in an instance that has nothing to do.
const JOBS_FEW: f64 = 100.0;
/// Jobs may wait in the end that came in during so many seconds.
const LEFT_S: f64 = 2.0;
/// Counts of jobs until the instance is given no more time for them.
const COUNTS_MAX: usize = 8;
const LANE_LOOKS: usize = 40;
const LANE_LOOK_EVERY: Duration = Duration::from_millis(50);

impl Session {
    /// Seconds that a search usually takes.
    pub(super) fn search_s(&self, scenario: Scenario) -> f64 {
        let rate = self.options.rate_per_s.unwrap_or(scenario.usual_per_s());
        let (step, confirm) = (self.step(rate), self.step(rate) * CONFIRM);
        let with_warm_up = |span: Duration| span.as_secs_f64() + super::warm_s(span.as_secs_f64());
        let counts = if scenario.leaves_jobs() { COUNTS_USUAL * COUNT_EVERY.as_secs_f64() } else { 0.0 };
        with_warm_up(step) * STEPS_USUAL + CONFIRMS_USUAL * (with_warm_up(confirm) + counts)
    }

    fn usual_step_s(&self) -> f64 {
        self.options.seconds.unwrap_or(STEP_S).min(STEP_S)
    }

    fn step(&self, rate: f64) -> Duration {
        Duration::from_secs_f64(step_s(self.usual_step_s(), rate))
    }

    pub(super) async fn find_limit(
        &self,
        scenario: Scenario,
        objective: Objective,
    ) -> Result<Limit, Problem> {
        let play = self.play(scenario)?;
        self.around.view.say(&format!("{}: looking for the limit of {objective}", scenario.name()));
        let first = self.options.rate_per_s.unwrap_or(scenario.usual_per_s());
        let mut search = Search::new(objective, first, RATE_MAX);
        let mut worst: Option<Round> = None;
        loop {
            while let Some(rate) = search.next_rate() {
                let round = self.round(scenario, &play, rate, self.step(rate)).await?;
                let held = search.hear(rate, &round);
                self.tell(scenario, rate, &round, held, "");
                let is_least = worst.as_ref().is_none_or(|worst| round.offered_per_s < worst.offered_per_s);
                if !objective.holds(&round) && is_least {
                    worst = Some(round);
                }
                self.rest().await;
            }
            let Some(rate) = search.held() else { break };
            // What held for a moment may not hold for long.
            let round = self.confirm(scenario, &play, rate).await?;
            let left = left(&round, rate);
            let held = objective.holds(&round) && left.is_none();
            let why = left.unwrap_or_default();
            self.tell(scenario, rate, &round, held, &why);
            if held {
                search.confirm(rate, &round);
                break;
            }
            search.doubt(rate, &round, &why);
            worst = Some(round);
        }
        let mut limit = search.found();
        if let Some(worst) = worst {
            let culprit = culprit(&worst, &self.machine);
            (limit.culprit, limit.evidence) = (culprit.name.to_owned(), culprit.evidence);
        }
        Ok(limit)
    }

    /// Plays what seemed to hold for longer, from rest, and looks whether the
    /// jobs that it leaves are done as fast as they come.
    async fn confirm(&self, scenario: Scenario, play: &Arc<dyn Play>, rate: f64) -> Result<Round, Problem> {
        self.drain(scenario).await;
        let mut round = self.round(scenario, play, rate, self.step(rate) * CONFIRM).await?;
        round.used.queued = self.jobs(scenario).await;
        Ok(round)
    }

    fn tell(&self, scenario: Scenario, rate: f64, round: &Round, held: bool, why: &str) {
        let verdict = if held { "holds" } else { "does not hold" };
        let why = if why.is_empty() { String::new() } else { format!("; {why}") };
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

    /// Lets the instance write what the last step left for it.
    async fn rest(&self) {
        for _ in 0..LANE_LOOKS {
            if self.watched.metrics().await.sum("waxwing_store_lane_depth") < 1.0 {
                break;
            }
            tokio::time::sleep(LANE_LOOK_EVERY).await;
        }
    }

    /// Jobs that wait, of a scenario that leaves some, counted after now.
    async fn jobs(&self, scenario: Scenario) -> f64 {
        if self.watched.metrics.is_none() || !scenario.leaves_jobs() {
            return 0.0;
        }
        let count = async {
            tokio::time::sleep(COUNT_EVERY).await;
            self.watched.metrics().await.sum("waxwing_delivery_queued")
        };
        self.shown("counting the jobs it left", None, count).await
    }

    /// Lets the instance do the jobs that all steps left for it.
    async fn drain(&self, scenario: Scenario) {
        for _ in 0..COUNTS_MAX {
            if self.jobs(scenario).await <= JOBS_FEW {
                return;
            }
        }
        self.around.view.say("    jobs of the steps before still wait, beside what comes now");
    }
}

/// What a rate has left to be done, if that is too much.
fn left(round: &Round, rate: f64) -> Option<String> {
    let jobs = round.used.queued;
    (jobs > rate * LEFT_S + JOBS_FEW).then(|| format!("{} jobs that it left still wait", whole(jobs)))
}
