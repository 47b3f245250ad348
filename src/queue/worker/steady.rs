//! Time that does not jump.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Timestamp};

/// It catches up with the wall clock by one part in so many of what passes.
const SLEW: i64 = 10;
/// A clock that is off by more was never right: small machines without a
/// battery begin in the past.
const FAR: Duration = Duration::from_secs(6 * 3600);

/// The wall clock as it was at the start, carried on by the monotonic one. A
/// step of the wall clock neither fires all retries at once nor stops them:
/// it is made up for little by little. A step of hours is not: then it is
/// [far off](Steady::is_far_off), and whoever uses it has to begin anew.
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

    /// Whether the wall clock says something else altogether.
    pub(super) fn is_far_off(&self) -> bool {
        let (wall, now) = (self.clock.now(), self.now());
        wall.since(now).max(now.since(wall)) > FAR
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

    /// Time since [`START`], with a wall clock that was stepped right after.
    fn stepped(wall: &ManualClock, monotonic: &ManualClock) -> Steady {
        let (wall, monotonic) = (wall.clone(), monotonic.clone());
        let before = Stepped { wall: ManualClock::at(START), monotonic: monotonic.clone() };
        Steady { clock: Arc::new(Stepped { wall, monotonic }), ..Steady::new(Arc::new(before)) }
    }

    fn far_off(wall: Timestamp) -> bool {
        stepped(&ManualClock::at(wall), &ManualClock::at(START)).is_far_off()
    }

    fn run(first_wall: Timestamp, steps: u32) -> Vec<Duration> {
        let (wall, monotonic) = (ManualClock::at(first_wall), ManualClock::at(START));
        let steady = stepped(&wall, &monotonic);
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
        assert!(!far_off(START.plus(hours)) && !far_off(START.minus(hours)));
        assert!(far_off(START.plus(hours * 4)) && far_off(START.minus(hours * 4)));
        assert!(run(START, 10).iter().all(|span| *span == Duration::from_secs(60)));
    }
}
