//! Latencies of many requests in little memory: a histogram whose buckets
//! grow with the value (HDR), so that every percentile is exact to a share of
//! itself, however far out it lies.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Nothing is waited for longer than this.
const MICROS_MAX: u64 = 3_600_000_000;
/// Decimal digits that are right: an error of a thousandth.
const DIGITS: u8 = 3;

/// Latencies that are being collected.
#[derive(Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies(
            Histogram::new_with_bounds(1, MICROS_MAX, DIGITS).expect("the bounds and digits are constants"),
        )
    }
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(MICROS_MAX);
        self.0.saturating_record(micros.clamp(1, MICROS_MAX));
    }

    /// Adds all of another.
    pub fn add(&mut self, other: &Latencies) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that this share of them stays below, in milliseconds.
    pub fn ms(&self, share: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_quantile(share) as f64 / 1000.0 }
    }

    /// Those that are looked at.
    pub fn percentiles(&self) -> Percentiles {
        Percentiles {
            count: self.count(),
            mean: self.0.mean() / 1000.0,
            p50: self.ms(0.50),
            p90: self.ms(0.90),
            p95: self.ms(0.95),
            p99: self.ms(0.99),
            p999: self.ms(0.999),
            max: self.0.max() as f64 / 1000.0,
        }
    }
}

/// What is said of many latencies, all in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many they are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Half stay below.
    pub p50: f64,
    /// 90 of 100.
    pub p90: f64,
    /// 95 of 100.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Percentiles {
    /// Whether there are enough of them for a percentile, given as a share:
    /// at least one lies beyond it.
    pub fn supports(&self, share: f64) -> bool {
        // The shares are no whole numbers in binary.
        self.count as f64 * (1.0 - share) >= 0.9999
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_thousandth() {
        let mut all = Latencies::default();
        (1..=100_000).for_each(|micros| all.record(Duration::from_micros(micros)));
        let found = all.percentiles();
        for (found, wanted) in
            [(found.p50, 50.0), (found.p99, 99.0), (found.p999, 99.9), (found.max, 100.0), (found.mean, 50.0)]
        {
            assert!((found / wanted - 1.0).abs() < 0.002, "{found} {wanted}");
        }
    }

    #[test]
    fn what_lies_beyond_the_bounds_is_clamped() {
        let mut all = Latencies::default();
        [Duration::ZERO, Duration::from_secs(100_000)].into_iter().for_each(|took| all.record(took));
        assert_eq!(all.count(), 2);
        assert!(all.percentiles().max >= 3_500_000.0);
    }

    #[test]
    fn of_none_there_is_nothing_to_say() {
        assert_eq!(Latencies::default().percentiles(), Percentiles::default());
    }

    #[test]
    fn few_latencies_have_no_far_percentiles() {
        for (count, share, known) in
            [(99, 0.99, false), (100, 0.99, true), (999, 0.999, false), (1000, 0.999, true), (2, 0.5, true)]
        {
            assert_eq!(
                Percentiles { count, ..Percentiles::default() }.supports(share),
                known,
                "{count} {share}"
            );
        }
    }

    #[test]
    fn two_are_as_one() {
        let (mut a, mut b) = (Latencies::default(), Latencies::default());
        a.record(Duration::from_millis(1));
        b.record(Duration::from_millis(9));
        a.add(&b);
        assert_eq!((a.count(), a.ms(1.0).round()), (2, 9.0));
    }
}
