//! The search for the limit of a scenario: rate after rate, each a round of
//! its own; what held is held for longer in the end, and has to leave nothing
//! behind.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use crate::base::Problem;
use crate::bench::culprit::culprit;
use crate::bench::limit::{Objective, Search};
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
    /// Seconds that a search usually takes, warm-up apart.
    pub(super) fn search_s(&self) -> f64 {
        self.step().as_secs_f64() * (STEPS_USUAL + f64::from(CONFIRM))
    }

    fn step(&self) -> Duration {
        Duration::from_secs_f64(self.options.seconds.unwrap_or(STEP_S).min(STEP_S))
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
                let round = self.round(scenario, &play, rate, self.step()).await?;
                let held = search.hear(rate, &round);
                self.tell(scenario, rate, &round, held);
                let is_least = worst.as_ref().is_none_or(|worst| round.offered_per_s < worst.offered_per_s);
                if !objective.holds(&round) && is_least {
                    worst = Some(round);
                }
                self.rest().await;
            }
            let Some(rate) = search.held() else { break };
            // What held for a moment may not hold for long.
            let (round, held) = self.confirm(scenario, &play, rate, objective).await?;
            if held {
                break;
            }
            search.doubt(rate);
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
    async fn confirm(
        &self,
        scenario: Scenario,
        play: &Arc<dyn Play>,
        rate: f64,
        objective: Objective,
    ) -> Result<(Round, bool), Problem> {
        self.drain(scenario).await;
        let mut round = self.round(scenario, play, rate, self.step() * CONFIRM).await?;
        round.used.queued = self.jobs(scenario).await;
        let keeps_up = round.used.queued <= rate * LEFT_S + JOBS_FEW;
        let held = objective.holds(&round) && keeps_up;
        self.tell(scenario, rate, &round, held);
        if !keeps_up {
            let jobs = whole(round.used.queued);
            self.around.view.say(&format!("    {jobs} jobs that this left are still waiting"));
        }
        Ok((round, held))
    }

    fn tell(&self, scenario: Scenario, rate: f64, round: &Round, held: bool) {
        let verdict = if held { "holds" } else { "does not hold" };
        self.around.view.say(&format!(
            "  {} at {}/s: {verdict} ({}/s answered, p99 {} ms, {} % failed)",
            scenario.name(),
            short(rate),
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
                break;
            }
        }
    }
}
