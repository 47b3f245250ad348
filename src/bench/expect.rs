//! Thresholds, as k6 has them: `browse.p99<100ms`, `post.rate>500/s`,
//! `login.errors<=1%`. Reading them and holding a report against them; pure.

use super::metric::{Metric, Quantity, median};
use super::report::data::{Expected, Report};
use super::scenario::Scenario;
use crate::base::Problem;

/// How a value is held against the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Something that has to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// As it was written.
    pub text: String,
    /// Which figure.
    pub metric: Metric,
    order: Order,
    bound: f64,
}

impl Expectation {
    /// Reads one.
    ///
    /// # Errors
    /// What cannot be understood, with what could.
    pub fn parse(text: &str) -> Result<Expectation, String> {
        let at = text.find(['<', '>']).ok_or_else(|| {
            format!("`{text}` compares nothing: write it like `browse.p99<100ms` or `post.rate>500/s`")
        })?;
        let (name, rest) = text.split_at(at);
        let (order, value) = match (&rest[..1], rest[1..].strip_prefix('=')) {
            ("<", None) => (Order::Less, &rest[1..]),
            ("<", Some(value)) => (Order::AtMost, value),
            (_, None) => (Order::More, &rest[1..]),
            (_, Some(value)) => (Order::AtLeast, value),
        };
        let metric = Metric::parse(name).ok_or_else(|| {
            format!(
                "`{}` is no figure: it is a scenario and one of p50, p90, p95, p99, p99.9, mean, max, rate, \
                 errors, limit, cpu and memory, like `browse.p99`",
                name.trim()
            )
        })?;
        let bound = bound(metric.quantity, value.trim())?;
        Ok(Expectation { text: text.trim().to_owned(), metric, order, bound })
    }

    /// Checks that what it is about will be measured.
    ///
    /// # Errors
    /// What will not be, and what will.
    pub fn check_measured(&self, scenarios: &[Scenario], finds_limit: bool) -> Result<(), Problem> {
        let Metric { scenario, kind, quantity } = &self.metric;
        let Some(known) = scenarios.iter().find(|one| one.name() == scenario) else {
            let names: Vec<_> = scenarios.iter().map(|one| one.name()).collect();
            return Err(Problem::invalid(format!(
                "`{}` is about a scenario that is not measured",
                self.text
            ))
            .hint(format!("measured are {}", names.join(", "))));
        };
        if known.kinds().is_empty() {
            let what = format!("`{}`: `{scenario}` has no such figures, only tables", self.text);
            return Err(Problem::invalid(what).hint("its figures are in `--json` and `--html`"));
        }
        if let Some(kind) = kind
            && !known.kinds().iter().any(|one| one.name == kind)
        {
            let names: Vec<_> = known.kinds().iter().map(|one| one.name).collect();
            return Err(Problem::invalid(format!("`{}`: `{scenario}` has no requests `{kind}`", self.text))
                .hint(format!("it has {}", names.join(", "))));
        }
        match (quantity, finds_limit && known.has_limit()) {
            (Quantity::Limit, false) if known.has_limit() => {
                Err(Problem::invalid(format!("`{}` needs a search for the limit", self.text))
                    .hint("add `--find-limit`"))
            }
            (Quantity::Limit, false) => {
                Err(Problem::invalid(format!("`{}`: no limit of `{scenario}` is looked for", self.text)))
            }
            _ => Ok(()),
        }
    }

    /// Holds a report against it: the middle of the rounds counts. A figure
    /// that was not measured does not hold.
    pub fn check(&self, report: &Report) -> Expected {
        let found = median(&self.metric.values(report));
        let held = found.is_some_and(|found| match self.order {
            Order::Less => found < self.bound,
            Order::AtMost => found <= self.bound,
            Order::More => found > self.bound,
            Order::AtLeast => found >= self.bound,
        });
        let found = found.map_or("not measured".to_owned(), |found| self.metric.quantity.written(found));
        Expected { text: self.text.clone(), found, held }
    }
}

/// A number with its unit; the unit must be one of the figure's.
fn bound(quantity: Quantity, text: &str) -> Result<f64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
    let factors: &[(&str, f64)] = match quantity {
        Quantity::Ms(_) => &[("ms", 1.0), ("us", 0.001), ("µs", 0.001), ("s", 1000.0)],
        Quantity::Rate | Quantity::Limit => &[("/s", 1.0), ("", 1.0), ("/min", 1.0 / 60.0)],
        // A bare 1 might be a hundredth or all of them.
        Quantity::Errors => &[("%", 0.01)],
        Quantity::Cpu => &[("", 1.0), ("cores", 1.0)],
        Quantity::Memory => &[("MiB", 1.0), ("MB", 1.0 / 1.048_576), ("GiB", 1024.0)],
    };
    let unit = unit.trim();
    let factor = factors.iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor);
    let names: Vec<_> =
        factors.iter().map(|(name, _)| if name.is_empty() { "a bare number" } else { *name }).collect();
    let factor = factor.ok_or_else(|| {
        let wrong = if unit.is_empty() { "has no unit" } else { "has the wrong unit" };
        format!("`{text}` {wrong}: it takes {}", names.join(", "))
    })?;
    Ok(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;
    use crate::bench::report::data::{Limit, Measured, Round};

    fn report() -> Report {
        let latency = Percentiles { count: 1, p99: 80.0, ..Percentiles::default() };
        let round = Round { latency, rate_per_s: 600.0, requests: 1000, errors: 1, ..Round::default() };
        let limit = Some(Limit { held_per_s: 900.0, ..Limit::default() });
        let measured =
            Measured { scenario: "post".into(), rounds: vec![round], limit, ..Measured::default() };
        Report { scenarios: vec![measured], ..Report::default() }
    }

    #[test]
    fn expectations_hold_or_not() {
        for (text, held) in [
            ("post.p99<100ms", true),
            ("post.p99 < 0.1s", true),
            ("post.p99<80ms", false),
            ("post.p99<=80ms", true),
            ("post.p99<80000us", false),
            ("post.rate>500/s", true),
            ("post.rate>=36000/min", true),
            ("post.errors<0.1%", false),
            ("post.errors<=0.1%", true),
            ("post.errors<1%", true),
            // The processes were not seen.
            ("post.memory<1MiB", false),
            ("post.cpu<1", false),
            ("post.limit>800/s", true),
            // What was not measured never holds.
            ("browse.p99<100ms", false),
            ("post.home.p99<100ms", false),
        ] {
            let expectation = Expectation::parse(text).expect(text);
            assert_eq!(expectation.check(&report()).held, held, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (text, part) in [
            ("post.p99", "compares nothing"),
            ("post<3ms", "`post` is no figure"),
            ("post.p97<3ms", "is no figure"),
            ("post.p99<3", "`3` has no unit: it takes ms, us"),
            ("post.errors<1", "`1` has no unit: it takes %"),
            ("post.p99<3/s", "has the wrong unit: it takes ms, us"),
            ("post.rate>fast", "does not begin with a number"),
            ("post.rate>5ms", "/s"),
        ] {
            let error = Expectation::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_will_not_be_measured_is_refused_before_the_run() {
        let scenarios = [Scenario::Browse, Scenario::Stream, Scenario::Proxy];
        let check = |text: &str, finds_limit| {
            let one = Expectation::parse(text).expect(text);
            one.check_measured(&scenarios, finds_limit).map_err(|problem| problem.to_string())
        };
        for text in ["browse.p99<1s", "browse.home.p99<1s", "stream.event.max<1s", "browse.cpu<1"] {
            assert_eq!(check(text, false), Ok(()), "{text}");
        }
        assert_eq!(check("browse.limit>5/s", true), Ok(()));
        for (text, part) in [
            ("post.p99<1s", "not measured"),
            ("browse.away.p99<1s", "home, thread, profile, notifications"),
            ("browse.limit>5/s", "--find-limit"),
            ("stream.limit>5/s", "no limit"),
            ("proxy.p99<1s", "only tables"),
        ] {
            assert!(check(text, false).is_err_and(|error| error.contains(part)), "{text}");
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let check = |text| Expectation::parse(text).unwrap().check(&report()).found;
        assert_eq!(check("post.p99<1s"), "80.0 ms");
        assert_eq!(check("stream.p99<1s"), "not measured");
    }
}
