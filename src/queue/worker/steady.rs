//! Time that does not jump.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Timestamp};

/// It catches up with the wall clock by one part in so many of what passes.
const SLEW: i64 = 10;

/// The wall clock as it was at the start, carried on by the monotonic one. A
/// step of the wall clock neither fires all retries at once nor stops them:
/// it is made up for little by little.
#[derive(Clone)]
pub(super) struct Steady {
    clock: Arc<dyn Clock>,
    last: Arc<Mutex<Reading>>,
}

/// Only the owner task asks, so nobody waits for it.
struct Reading {
    /// Microseconds since 1970, since calls may be closer than a millisecond.
    micros: i64,
    monotonic: Duration,
}

impl Steady {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Steady {
        let reading = Reading { micros: clock.now().as_millis() * 1000, monotonic: clock.monotonic() };
        Steady { clock, last: Arc::new(Mutex::new(reading)) }
    }

    pub(super) fn now(&self) -> Timestamp {
        let (wall, monotonic) = (self.clock.now().as_millis() * 1000, self.clock.monotonic());
        let mut last = self.last.lock();
        let passed = monotonic.saturating_sub(last.monotonic);
        let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX / 2);
        let carried = last.micros.saturating_add(passed);
        let most = passed / SLEW;
        // What is not a millisecond off is not off: the wall clock has no more digits.
        let off = wall.saturating_sub(carried);
        let made_up = if off.abs() < 2000 { 0 } else { off.clamp(-most, most) };
        *last = Reading { micros: carried + made_up, monotonic };
        Timestamp::from_millis(last.micros / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    /// A wall clock that can be set, beside a clock that only goes on.
    struct Stepped {
        wall: ManualClock,
        monotonic: ManualClock,
    }

    impl Clock for Stepped {
        fn now(&self) -> Timestamp {
            self.wall.now()
        }

        fn monotonic(&self) -> Duration {
            self.monotonic.monotonic()
        }
    }

    fn run(first_wall: Timestamp, steps: u32) -> Vec<Duration> {
        let wall = ManualClock::at(first_wall);
        let monotonic = ManualClock::at(START);
        let steady =
            Steady::new(Arc::new(Stepped { wall: ManualClock::at(START), monotonic: monotonic.clone() }));
        let steady = Steady {
            clock: Arc::new(Stepped { wall: wall.clone(), monotonic: monotonic.clone() }),
            ..steady
        };
        let mut spans = Vec::new();
        let mut before = START;
        for _ in 0..steps {
            wall.advance(Duration::from_secs(60));
            monotonic.advance(Duration::from_secs(60));
            let now = steady.now();
            assert!(now > before, "time goes on");
            spans.push(now.since(before));
            before = now;
        }
        spans
    }

    #[test]
    fn a_step_of_the_wall_clock_is_made_up_for_slowly() {
        let hours = Duration::from_secs(2 * 3600);
        let ahead = run(START.plus(hours), 1300);
        assert!(ahead.iter().all(|span| *span <= Duration::from_secs(66)), "no jump");
        assert_eq!(ahead.iter().sum::<Duration>(), Duration::from_secs(1300 * 60) + hours);
        let behind = run(START.minus(hours), 1300);
        assert!(behind.iter().all(|span| *span >= Duration::from_secs(54)), "no halt");
        assert_eq!(behind.iter().sum::<Duration>(), Duration::from_secs(1300 * 60) - hours);
        assert!(run(START, 10).iter().all(|span| *span == Duration::from_secs(60)));
    }
}
