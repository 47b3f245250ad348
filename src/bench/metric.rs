//! Figures by name: `browse.p99`, `post.rate`, `browse.home.p95`,
//! `inbox.limit`. What `--expect` asks for and `--compare` compares. Pure.

use super::report::data::{Measured, Report, Round};

/// What is measured, apart from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// A latency in milliseconds.
    Ms(&'static str),
    /// Good answers a second.
    Rate,
    /// Share of failures.
    Errors,
    /// The highest rate that was held.
    Limit,
    /// Processors that the instance used.
    Cpu,
    /// Most memory in MiB.
    Memory,
}

/// Latencies by name.
const LATENCIES: [&str; 7] = ["p50", "p90", "p95", "p99", "p99.9", "mean", "max"];

impl Quantity {
    /// By its name.
    pub fn named(name: &str) -> Option<Quantity> {
        if let Some(name) = LATENCIES.iter().find(|known| **known == name) {
            return Some(Quantity::Ms(name));
        }
        Some(match name {
            "rate" => Quantity::Rate,
            "errors" => Quantity::Errors,
            "limit" => Quantity::Limit,
            "cpu" => Quantity::Cpu,
            "memory" => Quantity::Memory,
            _ => return None,
        })
    }

    /// Whether more of it is worse.
    pub fn is_cost(self) -> bool {
        !matches!(self, Quantity::Rate | Quantity::Limit)
    }

    /// A value as people write it.
    pub fn written(self, value: f64) -> String {
        match self {
            Quantity::Ms(_) => format!("{} ms", short(value)),
            Quantity::Rate | Quantity::Limit => format!("{}/s", short(value)),
            Quantity::Errors => format!("{} %", short(value * 100.0)),
            Quantity::Cpu => format!("{} cores", short(value)),
            Quantity::Memory => format!("{} MiB", short(value)),
        }
    }
}

/// Three digits, or all of those before the point: `0.012`, `56.8`, `12,345`.
pub fn short(value: f64) -> String {
    let places = match value.abs() {
        v if v >= 99.95 || v == 0.0 => return whole(value),
        v if v >= 9.995 => 1,
        v if v >= 0.1 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

/// A count, or anything else without what is behind the point: `8`, `12,345`.
pub fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = if value <= -0.5 { "-".to_owned() } else { String::new() };
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A figure of a scenario, or of one kind of its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The scenario.
    pub scenario: String,
    /// The kind; nothing for all.
    pub kind: Option<String>,
    /// What of it.
    pub quantity: Quantity,
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.scenario)?;
        if let Some(kind) = &self.kind {
            write!(f, ".{kind}")?;
        }
        let quantity = match self.quantity {
            Quantity::Ms(name) => name,
            Quantity::Rate => "rate",
            Quantity::Errors => "errors",
            Quantity::Limit => "limit",
            Quantity::Cpu => "cpu",
            Quantity::Memory => "memory",
        };
        write!(f, ".{quantity}")
    }
}

impl Metric {
    /// Reads `scenario.quantity` or `scenario.kind.quantity`.
    pub fn parse(text: &str) -> Option<Metric> {
        let (scenario, rest) = text.trim().split_once('.')?;
        let (kind, quantity) = match Quantity::named(rest) {
            Some(quantity) => (None, quantity),
            None => {
                let (kind, quantity) = rest.split_once('.')?;
                (Some(kind.to_owned()), Quantity::named(quantity)?)
            }
        };
        (!scenario.is_empty()).then(|| Metric { scenario: scenario.to_owned(), kind, quantity })
    }

    /// Its value in each round, as far as there is one.
    pub fn values(&self, report: &Report) -> Vec<f64> {
        let Some(measured) = report.scenarios.iter().find(|m| m.scenario == self.scenario) else {
            return Vec::new();
        };
        if self.quantity == Quantity::Limit {
            return measured.limit.iter().map(|limit| limit.held_per_s).collect();
        }
        measured.rounds.iter().filter_map(|round| self.of(round)).collect()
    }

    fn of(&self, round: &Round) -> Option<f64> {
        let kind = match &self.kind {
            Some(name) => Some(round.kinds.iter().find(|kind| kind.name == *name)?),
            None => None,
        };
        let latency = kind.map_or(round.latency, |kind| kind.latency);
        Some(match self.quantity {
            // Of no answer there is no latency, which is not a short one.
            Quantity::Ms(_) if latency.count == 0 => return None,
            Quantity::Ms("p50") => latency.p50,
            Quantity::Ms("p90") => latency.p90,
            Quantity::Ms("p95") => latency.p95,
            Quantity::Ms("p99") => latency.p99,
            Quantity::Ms("p99.9") => latency.p999,
            Quantity::Ms("mean") => latency.mean,
            Quantity::Ms(_) => latency.max,
            Quantity::Rate => kind.map_or(round.rate_per_s, |kind| kind.rate_per_s),
            Quantity::Errors => {
                let (errors, all) = kind.map_or((round.errors, round.requests), |kind| {
                    (kind.errors, kind.errors + kind.latency.count)
                });
                // Of nothing that was asked nothing failed, which is no success.
                if all == 0 {
                    return None;
                }
                errors as f64 / all as f64
            }
            // What cannot be looked at has not used nothing.
            Quantity::Cpu | Quantity::Memory if !round.is_watched() => return None,
            Quantity::Cpu => round.used.cpu,
            Quantity::Memory => round.used.rss_mib,
            Quantity::Limit => return None,
        })
    }
}

/// What two runs of a scenario are compared by.
pub fn compared(measured: &Measured) -> Vec<Metric> {
    let of = |quantity| Metric { scenario: measured.scenario.clone(), kind: None, quantity };
    if measured.rounds.is_empty() {
        return Vec::new();
    }
    let all = [
        Quantity::Ms("p50"),
        Quantity::Ms("p99"),
        Quantity::Rate,
        Quantity::Errors,
        Quantity::Cpu,
        Quantity::Limit,
    ];
    all.map(of).into()
}

/// The middle of several values; `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::latency::Percentiles;
    use crate::bench::report::data::KindResult;

    fn report() -> Report {
        let latency = |p99| Percentiles { count: 9, p99, p999: 7.0, ..Percentiles::default() };
        let kind =
            KindResult { name: "home".into(), latency: latency(3.0), errors: 1, ..KindResult::default() };
        let round = |p99| Round {
            latency: latency(p99),
            rate_per_s: 50.0,
            requests: 100,
            errors: 5,
            kinds: vec![kind.clone()],
            ..Round::default()
        };
        let rounds = vec![round(10.0), round(30.0), round(20.0)];
        Report {
            scenarios: vec![Measured { scenario: "browse".into(), rounds, ..Measured::default() }],
            ..Report::default()
        }
    }

    #[test]
    fn figures_are_found_by_name() {
        for (name, wanted) in [
            ("browse.p99", vec![10.0, 30.0, 20.0]),
            ("browse.p99.9", vec![7.0; 3]),
            ("browse.rate", vec![50.0; 3]),
            ("browse.errors", vec![0.05; 3]),
            ("browse.home.p99", vec![3.0; 3]),
            ("browse.home.errors", vec![0.1; 3]),
            ("browse.limit", vec![]),
            ("browse.away.p99", vec![]),
            ("post.p99", vec![]),
        ] {
            let metric = Metric::parse(name).expect(name);
            assert_eq!(metric.values(&report()), wanted, "{name}");
            assert_eq!(metric.to_string(), name);
        }
        for bad in ["browse", "browse.p98", "", ".p99", "browse.home.size"] {
            assert_eq!(Metric::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_was_not_seen_has_no_figure() {
        let mut report = report();
        let values = |report: &Report, name: &str| Metric::parse(name).expect(name).values(report);
        assert!(values(&report, "browse.cpu").is_empty() && values(&report, "browse.memory").is_empty());
        let round = &mut report.scenarios[0].rounds[0];
        (round.used.cpu, round.used.rss_mib) = (0.5, 80.0);
        for round in &mut report.scenarios[0].rounds {
            (round.requests, round.errors) = (0, 0);
        }
        assert_eq!(
            (values(&report, "browse.cpu"), values(&report, "browse.memory")),
            (vec![0.5], vec![80.0])
        );
        assert!(values(&report, "browse.errors").is_empty());
    }

    #[test]
    fn the_middle_is_not_the_mean() {
        assert_eq!(median(&[1.0, 100.0, 2.0]), Some(2.0));
        assert_eq!(median(&[1.0, 3.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn values_are_written_short() {
        for (value, text) in
            [(0.0, "0"), (0.0123, "0.012"), (1.234, "1.23"), (56.78, "56.8"), (99.97, "100"), (9.999, "10.0")]
        {
            assert_eq!(short(value), text);
        }
        for (value, text) in [(8.0, "8"), (999.0, "999"), (1234.4, "1,234"), (-1_234_567.0, "-1,234,567")] {
            assert_eq!(whole(value), text);
        }
        assert_eq!(short(12_345.6), "12,346");
        assert_eq!(Quantity::Errors.written(0.001), "0.10 %");
    }
}
