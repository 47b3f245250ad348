//! What tests of this room share.

use std::time::{Duration, Instant};

use crate::base::{Clock, Timestamp};

/// The machine's clock.
pub(crate) struct TestClock(Instant);

impl TestClock {
    #[expect(clippy::disallowed_methods, reason = "a test of real time")]
    pub(crate) fn start() -> TestClock {
        TestClock(Instant::now())
    }
}

impl Clock for TestClock {
    #[expect(clippy::disallowed_methods, reason = "a test of real time")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}
