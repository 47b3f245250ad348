//! Two runs beside each other, with a verdict that knows noise: a difference
//! counts only when it is larger than what rounds of the same run differ by,
//! and when no round of one run lies within the other's. Pure.

use super::metric::{self, Metric, Quantity, median, short};
use super::report::data::{Compared, Measured, Report};

/// Differences below this are never told apart, however alike the rounds are.
const NOISE_MIN: f64 = 0.05;
/// What is assumed where a run has too few rounds to show its own noise.
const NOISE_UNKNOWN: f64 = 0.20;
/// Rounds that show noise.
const ROUNDS_MIN: usize = 3;

/// Compares everything that both have.
pub fn compare(before: &Report, now: &Report) -> Vec<Compared> {
    now.scenarios
        .iter()
        .flat_map(metric::compared)
        .filter(|metric| is_supported(metric, before) && is_supported(metric, now))
        .filter_map(|metric| one(&metric, &metric.values(before), &metric.values(now)))
        .collect()
}

/// A far percentile of a few requests is that of chance.
fn is_supported(metric: &Metric, report: &Report) -> bool {
    let mut rounds =
        report.scenarios.iter().filter(|one| one.scenario == metric.scenario).flat_map(|one| &one.rounds);
    metric.quantity != Quantity::Ms("p99") || rounds.all(|round| round.latency.supports(0.99))
}

/// Where two runs are not of the same kind, so that a difference between them
/// may be that of machines, builds or loads.
pub fn caveats(before: &Report, now: &Report) -> Vec<String> {
    let kind = |report: &Report| {
        let (machine, settings) = (&report.machine, &report.settings);
        let built = if machine.is_optimised { "for speed" } else { "without optimisation" };
        let load = if settings.is_closed_loop { "closed" } else { "open" };
        let rate =
            settings.rate_per_s.map_or("what is usual".to_owned(), |rate| format!("{}/s", short(rate)));
        let seconds = settings.asked_seconds.map_or("as usual".to_owned(), |s| format!("of {} s", short(s)));
        let bound = if settings.objective.is_empty() { "none" } else { &settings.objective };
        [
            ("was by Waxwing", report.version.clone()),
            ("asked for", rate),
            ("had rounds", seconds),
            ("looked for a limit of", bound.to_owned()),
            (
                "had listeners and destinations",
                format!("{} and {}", settings.listeners, settings.destinations),
            ),
            ("was measured on", format!("{} × {}", machine.cores_in_words(), machine.cpu)),
            ("was of", report.target.clone()),
            ("was built", built.to_owned()),
            ("had a load that is", load.to_owned()),
            ("began with", format!("{} people and {} posts", settings.people, settings.posts)),
        ]
    };
    let shares = |one: &&Measured| before.scenarios.iter().any(|other| other.scenario == one.scenario);
    if !now.scenarios.iter().any(|one| shares(&one)) {
        return vec![
            "The earlier run has no scenario in common with this one: there is nothing to compare."
                .to_owned(),
        ];
    }
    let differ = kind(before).into_iter().zip(kind(now)).filter(|(before, now)| before.1 != now.1);
    differ
        .map(|((what, before), (_, now))| {
            format!("The earlier run {what} {before}, this one {now}: they cannot be compared as they are.")
        })
        .collect()
}

fn one(metric: &Metric, before: &[f64], now: &[f64]) -> Option<Compared> {
    let (old, new) = (median(before)?, median(now)?);
    // Failures where there were none are a change of all there is.
    let appeared = metric.quantity == Quantity::Errors && old <= 0.0 && new > 0.0;
    if old <= 0.0 && !appeared {
        return None;
    }
    let change = if appeared { 1.0 } else { new / old - 1.0 };
    let noise = noise(before).max(noise(now));
    let differs = change.abs() > noise && !overlap(before, now);
    let is_worse = (change > 0.0) == metric.quantity.is_cost();
    let verdict = match (differs, is_worse) {
        (false, _) => "same",
        (true, true) => "worse",
        (true, false) => "better",
    };
    Some(Compared {
        metric: metric.to_string(),
        before: old,
        now: new,
        change,
        noise,
        verdict: verdict.into(),
    })
}

/// The share by which rounds of one run lie apart.
fn noise(values: &[f64]) -> f64 {
    let middle = median(values).unwrap_or_default();
    if values.len() < ROUNDS_MIN || middle <= 0.0 {
        return NOISE_UNKNOWN;
    }
    let apart =
        values.iter().copied().fold(f64::MIN, f64::max) - values.iter().copied().fold(f64::MAX, f64::min);
    (apart / middle).max(NOISE_MIN)
}

fn overlap(a: &[f64], b: &[f64]) -> bool {
    let range = |values: &[f64]| {
        values.iter().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)))
    };
    let ((a_low, a_high), (b_low, b_high)) = (range(a), range(b));
    a_low <= b_high && b_low <= a_high
}

/// One comparison in a sentence.
pub fn sentence(compared: &Compared) -> String {
    let quantity = Metric::parse(&compared.metric).map_or(Quantity::Rate, |metric| metric.quantity);
    let (before, now) = (quantity.written(compared.before), quantity.written(compared.now));
    let percent = format!("{:+.0} %", compared.change * 100.0);
    let noise = format!("{:.0} %", compared.noise * 100.0);
    match compared.verdict.as_str() {
        "same" => {
            format!("{}: {now}, before {before}: no difference beyond the noise of {noise}", compared.metric)
        }
        verdict => {
            format!("{}: {now}, before {before}: {percent}, {verdict} (noise {noise})", compared.metric)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;
    use crate::bench::report::data::Round;

    fn report(p99: &[f64], rate: f64) -> Report {
        let round = |p99: &f64| Round {
            latency: Percentiles { count: 1000, p50: 1.0, p99: *p99, ..Percentiles::default() },
            rate_per_s: rate,
            requests: 1000,
            ..Round::default()
        };
        let rounds = p99.iter().map(round).collect();
        let scenarios = vec![Measured { scenario: "post".into(), rounds, ..Measured::default() }];
        Report { scenarios, ..Report::default() }
    }

    fn verdict(before: &[f64], now: &[f64]) -> String {
        let all = compare(&report(before, 100.0), &report(now, 100.0));
        all.iter().find(|one| one.metric == "post.p99").expect("it was measured").verdict.clone()
    }

    #[test]
    fn noise_is_no_difference() {
        for (before, now, wanted) in [
            (&[10.0, 11.0, 12.0][..], &[10.5, 11.5, 12.5][..], "same"),
            (&[10.0, 10.1, 10.2], &[14.0, 14.1, 14.2], "worse"),
            (&[14.0, 14.1, 14.2], &[10.0, 10.1, 10.2], "better"),
            // Wide rounds hide what narrow ones would show.
            (&[10.0, 10.1, 18.0], &[14.0, 14.1, 14.2], "same"),
            // Alike rounds, but a difference too small to matter.
            (&[10.0, 10.0, 10.0], &[10.3, 10.3, 10.3], "same"),
            // One round cannot know its noise.
            (&[10.0], &[11.5], "same"),
            (&[10.0], &[15.0], "worse"),
        ] {
            assert_eq!(verdict(before, now), wanted, "{before:?} {now:?}");
        }
    }

    #[test]
    fn runs_of_another_kind_are_told_apart() {
        let (before, mut now) = (report(&[1.0], 1.0), report(&[1.0], 1.0));
        assert!(caveats(&before, &now).is_empty());
        now.settings.people = 1000;
        now.machine.is_optimised = true;
        let said = caveats(&before, &now);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[1].contains("began with 0 people and 0 posts, this one 1000 people"), "{said:?}");
        now.settings.rate_per_s = Some(50.0);
        assert!(caveats(&before, &now)[0].contains("asked for what is usual, this one 50.0/s"));
        now.scenarios[0].scenario = "inbox".into();
        assert!(caveats(&before, &now)[0].contains("no scenario in common"));
    }

    #[test]
    fn failures_are_compared_and_percentiles_of_few_are_not() {
        let (before, mut now) = (report(&[10.0; 3], 100.0), report(&[20.0; 3], 100.0));
        now.scenarios[0].rounds.iter_mut().for_each(|round| {
            round.errors = 300;
            round.latency.count = 14;
        });
        let all = compare(&before, &now);
        let verdict = |name: &str| all.iter().find(|one| one.metric == name).map(|one| one.verdict.as_str());
        assert_eq!((verdict("post.errors"), verdict("post.p99")), (Some("worse"), None));
    }

    #[test]
    fn more_of_a_rate_is_better() {
        let all = compare(&report(&[1.0; 3], 100.0), &report(&[1.0; 3], 150.0));
        let rate = all.iter().find(|one| one.metric == "post.rate").expect("it was measured");
        assert_eq!(rate.verdict, "better");
        assert_eq!(sentence(rate), "post.rate: 150/s, before 100/s: +50 %, better (noise 5 %)");
    }

    #[test]
    fn what_only_one_run_has_is_left_out() {
        assert!(compare(&Report::default(), &report(&[1.0], 1.0)).is_empty());
    }
}
