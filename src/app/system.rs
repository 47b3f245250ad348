//! The real clock and the real chance: the only place that asks the
//! operating system for either.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::{Chance, Clock, Timestamp};

/// The machine's clocks.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts the monotonic clock at zero.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others take as an argument")]
    pub fn start() -> SystemClock {
        SystemClock { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others take as an argument")]
    fn now(&self) -> Timestamp {
        // A machine whose clock stands before 1970 gets 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The operating system's randomness, through the cryptography library.
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("a system without randomness cannot keep secrets");
    }
}
