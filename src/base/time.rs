//! Wall-clock time as data. The clock itself is an argument.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ::time::OffsetDateTime;
use ::time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// The last millisecond of the year 9999, beyond which RFC 3339 cannot write.
const MAX_MILLIS: i64 = 253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since 1970; later than the year 9999 is clamped.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(if millis > MAX_MILLIS { MAX_MILLIS } else { millis })
    }

    /// From seconds since 1970.
    pub const fn from_secs(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This time plus a span.
    pub fn plus(self, span: Duration) -> Timestamp {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.0.saturating_add(millis))
    }

    /// This time minus a span.
    pub fn minus(self, span: Duration) -> Timestamp {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(millis))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }

    /// `2026-11-23T10:00:00.000000Z`: RFC 3339 with six digits of fraction,
    /// as Mastodon writes it in headers.
    pub fn rfc3339_micros(self) -> String {
        let mut text = self.rfc3339();
        text.insert_str(text.len() - 1, "000");
        text
    }

    /// `2026-11-23T10:00:00.000Z`, the only date form Mastodon clients all
    /// read: three digits of fraction, upper-case T and Z.
    pub fn rfc3339(self) -> String {
        let at = self.offset();
        format!(
            "{}T{:02}:{:02}:{:02}.{:03}Z",
            self.date(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    }

    /// `2026-11-23`.
    pub fn date(self) -> String {
        let at = self.offset();
        format!("{:04}-{:02}-{:02}", at.year(), u8::from(at.month()), at.day())
    }

    /// The same day at 00:00 UTC.
    pub fn midnight(self) -> Timestamp {
        Timestamp(self.0 - self.0.rem_euclid(86_400_000))
    }

    /// Reads RFC 3339; a time without a zone is taken as UTC (WordPress
    /// writes such). `None` if it is not a date and time.
    pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if text.len() > 64 || !text.is_ascii() {
            return None;
        }
        let parsed = OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
            .ok()?;
        let millis = i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).ok()?;
        Some(Timestamp::from_millis(millis))
    }

    /// As a `time` value, for formats not covered here.
    pub fn offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// For `httpdate` and certificate libraries.
    pub fn system_time(self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH + Duration::from_millis(self.0.max(0) as u64)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time; may jump.
    fn now(&self) -> Timestamp;
    /// Time since an arbitrary start; never goes back. For deadlines,
    /// rates and retries.
    fn monotonic(&self) -> Duration;
}

/// A clock that stands still until told otherwise, for tests and simulations.
#[derive(Clone)]
pub struct ManualClock {
    start_ms: i64,
    now_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// Starts at `now`.
    pub fn at(now: Timestamp) -> ManualClock {
        ManualClock { start_ms: now.0, now_ms: Arc::new(AtomicI64::new(now.0)) }
    }

    /// Moves forward.
    pub fn advance(&self, span: Duration) {
        self.now_ms.fetch_add(span.as_millis() as i64, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis((self.now_ms.load(Ordering::Relaxed) - self.start_ms).max(0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_mastodon_writes_them() {
        assert_eq!(Timestamp::from_millis(0).rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(1_700_000_000_007).rfc3339(), "2023-11-14T22:13:20.007Z");
        assert_eq!(
            Timestamp::from_millis(1_700_000_000_007).midnight().rfc3339(),
            "2023-11-14T00:00:00.000Z"
        );
        assert_eq!(Timestamp::from_millis(i64::MAX).date(), "9999-12-31");
    }

    #[test]
    fn dates_with_and_without_zone_are_read() {
        let expected = Some(Timestamp::from_millis(1_700_000_000_000));
        assert_eq!(Timestamp::parse_rfc3339("2023-11-14T22:13:20Z"), expected);
        assert_eq!(Timestamp::parse_rfc3339("2023-11-14T23:13:20+01:00"), expected);
        assert_eq!(Timestamp::parse_rfc3339("2023-11-14T22:13:20"), expected);
        for bad in ["", "yesterday", "2023-13-01T00:00:00Z", "2023-11-14"] {
            assert_eq!(Timestamp::parse_rfc3339(bad), None, "{bad}");
        }
    }
}
