//! Monotonic time as data. A wall clock's milliseconds (`base::Clock`) are
//! too coarse for answers of a millisecond, and may jump.

use std::time::Duration;

/// Microseconds since the program began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(u64);

impl Tick {
    /// From microseconds since the program began.
    pub const fn from_micros(micros: u64) -> Tick {
        Tick(micros)
    }

    /// From milliseconds since the program began.
    pub const fn from_millis(millis: u64) -> Tick {
        Tick(millis * 1000)
    }

    /// Microseconds since the program began.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This time plus a span.
    #[must_use]
    pub fn plus(self, span: Duration) -> Tick {
        self.plus_micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }

    /// This time plus microseconds.
    #[must_use]
    pub const fn plus_micros(self, micros: u64) -> Tick {
        Tick(self.0.saturating_add(micros))
    }

    /// Microseconds since `earlier`; 0 if it is later.
    pub const fn micros_since(self, earlier: Tick) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds since `earlier`; 0 if it is later.
    pub fn secs_since(self, earlier: Tick) -> f32 {
        self.micros_since(earlier) as f32 / 1e6
    }

    /// Milliseconds, wrapping after 49 days, for packed words.
    pub(super) const fn millis32(self) -> u32 {
        (self.0 / 1000) as u32
    }
}

/// Seconds between two wrapping millisecond marks; 0 if `later` is in fact
/// a little earlier, as another thread may have written it meanwhile.
pub(super) fn secs_between(earlier: u32, later: u32) -> f32 {
    let span = later.wrapping_sub(earlier);
    if span > u32::MAX / 2 { 0.0 } else { span as f32 / 1000.0 }
}
