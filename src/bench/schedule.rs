//! When requests are due. Arrivals are a Poisson process: each is
//! independent of the others and of every answer, as those of real people
//! are, so a server that stalls is still asked. Pure: chance is an argument.
//!
//! A changing rate is drawn by thinning (Lewis and Shedler, 1979): arrivals at
//! the highest rate, of which each is kept with the share of that rate which
//! holds at its moment.

use std::time::Duration;

use crate::base::Chance;

/// Arrivals of one run; more is a slip of the one who asked.
pub const ARRIVALS_MAX: u64 = 50_000_000;

/// How much is asked, over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Always the same.
    Steady {
        /// Requests a second.
        per_s: f64,
    },
    /// A day, compressed: little at night, most in the evening, and for a
    /// twentieth of the time something that everybody comes for.
    Day {
        /// Requests a second on average, without the spike.
        per_s: f64,
        /// How many times as much is asked during the spike.
        spike: f64,
    },
}

/// Where in the day the spike is, and how long it lasts, as shares of it.
const SPIKE: std::ops::Range<f64> = 0.60..0.65;

impl Shape {
    /// Requests a second at a moment, given as a share of the whole span.
    pub fn per_s(&self, share: f64) -> f64 {
        match *self {
            Shape::Steady { per_s } => per_s,
            Shape::Day { per_s, spike } => {
                // Lowest at a fifth of the day, highest at seven tenths of it.
                let wave = 1.0 + 0.6 * (std::f64::consts::TAU * (share - 0.45)).sin();
                per_s * wave * if SPIKE.contains(&share) { spike } else { 1.0 }
            }
        }
    }

    /// The most that is ever asked.
    pub fn peak_per_s(&self) -> f64 {
        match *self {
            Shape::Steady { per_s } => per_s,
            Shape::Day { per_s, spike } => per_s * 1.6 * spike.max(1.0),
        }
    }

    /// The same with another rate.
    #[must_use]
    pub fn at(self, per_s: f64) -> Shape {
        match self {
            Shape::Steady { .. } => Shape::Steady { per_s },
            Shape::Day { spike, .. } => Shape::Day { per_s, spike },
        }
    }
}

/// The moments at which requests are due, counted from the start.
pub struct Arrivals<'a> {
    shape: Shape,
    /// When the shape begins: what is before is the warm-up, at its first rate.
    warm_s: f64,
    end_s: f64,
    at_s: f64,
    left: u64,
    chance: &'a dyn Chance,
}

impl<'a> Arrivals<'a> {
    /// Arrivals over the warm-up and the span that is measured.
    pub fn new(shape: Shape, warm: Duration, span: Duration, chance: &'a dyn Chance) -> Arrivals<'a> {
        let warm_s = warm.as_secs_f64();
        let end_s = warm_s + span.as_secs_f64();
        Arrivals { shape, warm_s, end_s, at_s: 0.0, left: ARRIVALS_MAX, chance }
    }

    fn rate_at(&self, at_s: f64) -> f64 {
        self.shape.per_s(((at_s - self.warm_s) / (self.end_s - self.warm_s)).max(0.0))
    }
}

impl Iterator for Arrivals<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let peak = self.shape.peak_per_s();
        if peak <= 0.0 || !peak.is_finite() {
            return None;
        }
        while self.left > 0 {
            self.left -= 1;
            self.at_s += -(1.0 - self.chance.unit()).ln() / peak;
            if self.at_s >= self.end_s {
                return None;
            }
            if self.chance.unit() * peak < self.rate_at(self.at_s) {
                return Some(Duration::from_secs_f64(self.at_s));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FixedChance;

    fn arrivals(shape: Shape, seconds: u64) -> Vec<f64> {
        let chance = FixedChance::new(7);
        let span = Duration::from_secs(seconds);
        Arrivals::new(shape, Duration::ZERO, span, &chance).map(|at| at.as_secs_f64()).collect()
    }

    #[test]
    fn the_mean_rate_is_the_one_that_was_asked_for() {
        let all = arrivals(Shape::Steady { per_s: 500.0 }, 60);
        // The standard deviation of 30,000 arrivals is 173.
        assert!((29_300..30_700).contains(&all.len()), "{}", all.len());
        assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(all.last().is_some_and(|last| *last < 60.0));
    }

    #[test]
    fn gaps_are_those_of_a_poisson_process() {
        let all = arrivals(Shape::Steady { per_s: 100.0 }, 200);
        let gaps: Vec<f64> = all.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Mean and standard deviation of an exponential distribution are the same.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{} {mean}", variance.sqrt());
    }

    #[test]
    fn a_seed_replays() {
        let shape = Shape::Day { per_s: 50.0, spike: 3.0 };
        assert_eq!(arrivals(shape, 10), arrivals(shape, 10));
    }

    #[test]
    fn a_day_has_a_night_an_evening_and_a_spike() {
        let all = arrivals(Shape::Day { per_s: 100.0, spike: 3.0 }, 100);
        let within = |from: f64, to: f64| all.iter().filter(|at| (from..to).contains(*at)).count() as f64;
        let (night, evening, spike) = (within(15.0, 25.0), within(67.0, 77.0), within(60.0, 65.0));
        assert!(night < evening / 2.0, "{night} {evening}");
        assert!(spike / 5.0 > 2.5 * within(55.0, 60.0) / 5.0, "{spike}");
    }

    #[test]
    fn the_warm_up_comes_before_the_span() {
        let chance = FixedChance::new(1);
        let (warm, span) = (Duration::from_secs(2), Duration::from_secs(3));
        let all: Vec<_> = Arrivals::new(Shape::Steady { per_s: 100.0 }, warm, span, &chance).collect();
        assert!((400..600).contains(&all.len()));
        assert!(all.iter().filter(|at| **at < warm).count() > 100);
    }

    #[test]
    fn nothing_is_asked_at_a_rate_of_nothing() {
        for per_s in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(arrivals(Shape::Steady { per_s }, 1).is_empty());
        }
    }
}
