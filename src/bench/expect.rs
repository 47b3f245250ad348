//! Thresholds, as k6 has them: `browse.p99<100ms`, `post.rate>500/s`,
//! `login.errors<=1%`. Reading them and holding a report against them; pure.

use super::metric::{Metric, Quantity, median};
use super::report::data::{Expected, Report};

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
        Quantity::Errors => &[("%", 0.01), ("", 1.0)],
        Quantity::Cpu => &[("", 1.0), ("cores", 1.0)],
        Quantity::Memory => &[("MiB", 1.0), ("MB", 1.0 / 1.048_576), ("GiB", 1024.0)],
    };
    let unit = unit.trim();
    let factor = factors.iter().find(|(name, _)| *name == unit).map(|(_, factor)| factor);
    let names: Vec<_> =
        factors.iter().map(|(name, _)| if name.is_empty() { "none" } else { *name }).collect();
    let factor = factor.ok_or_else(|| format!("`{text}` needs another unit: {}", names.join(", ")))?;
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
            ("post.errors<0.01", true),
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
            ("post.p99<3", "needs another unit"),
            ("post.p99<3/s", "ms, us"),
            ("post.rate>fast", "does not begin with a number"),
            ("post.rate>5ms", "/s"),
        ] {
            let error = Expectation::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let check = |text| Expectation::parse(text).unwrap().check(&report()).found;
        assert_eq!(check("post.p99<1s"), "80.0 ms");
        assert_eq!(check("stream.p99<1s"), "not measured");
    }
}
