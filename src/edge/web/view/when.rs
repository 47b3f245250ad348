//! Times and numbers as people read them.

use std::time::Duration;

use crate::base::Timestamp;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in the three spellings that a `<time>` element needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// For the `datetime` attribute: RFC 3339.
    pub iso: String,
    /// In full: `23 Nov 2026, 10:00 UTC`.
    pub full: String,
    /// As seen from the moment the page was made: `5 min`, `3 h`, `2 d`, `23 Nov`.
    pub short: String,
}

impl When {
    /// `at`, as seen at `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> When {
        let civil = at.offset();
        let month = MONTHS[usize::from(u8::from(civil.month()) - 1)];
        let (day, year) = (civil.day(), civil.year());
        let full = format!("{day} {month} {year}, {:02}:{:02} UTC", civil.hour(), civil.minute());
        let same_year = now.offset().year() == year;
        let short = match now.since(at).as_secs() {
            s if s < MINUTE_S => "now".to_owned(),
            s if s < HOUR_S => format!("{} min", s / MINUTE_S),
            s if s < DAY_S => format!("{} h", s / HOUR_S),
            s if s < 7 * DAY_S => format!("{} d", s / DAY_S),
            _ if same_year => format!("{day} {month}"),
            _ => format!("{day} {month} {year}"),
        };
        When { iso: at.rfc3339(), full, short }
    }

    /// The day alone: `23 Nov 2026`.
    pub fn day(&self) -> &str {
        self.full.split(',').next().unwrap_or(&self.full)
    }
}

/// How long something lasts, in words: `30 minutes`, `2 days`.
pub fn span(span: Duration) -> String {
    let (number, unit) = match span.as_secs() {
        s if s >= DAY_S => (s / DAY_S, "day"),
        s if s >= HOUR_S => (s / HOUR_S, "hour"),
        s if s >= MINUTE_S => (s / MINUTE_S, "minute"),
        s => (s, "second"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A count that fits a button: `999`, `1.2K`, `34K`, `5.6M`.
pub fn short_count(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..10_000 => tenths(count / 100, "K"),
        10_000..1_000_000 => format!("{}K", count / 1_000),
        1_000_000..10_000_000 => tenths(count / 100_000, "M"),
        _ => format!("{}M", count / 1_000_000),
    }
}

fn tenths(tenths: u64, unit: &str) -> String {
    match tenths % 10 {
        0 => format!("{}{unit}", tenths / 10),
        rest => format!("{}.{rest}{unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_get_coarser_with_age() {
        let now = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap();
        for (at, short) in [
            ("2026-11-23T10:05:00Z", "now"),
            ("2026-11-23T09:59:30Z", "now"),
            ("2026-11-23T09:55:00Z", "5 min"),
            ("2026-11-23T06:30:00Z", "3 h"),
            ("2026-11-20T06:30:00Z", "3 d"),
            ("2026-02-01T00:00:00Z", "1 Feb"),
            ("2025-12-31T23:59:59Z", "31 Dec 2025"),
        ] {
            let when = When::new(Timestamp::parse_rfc3339(at).unwrap(), now);
            assert_eq!(when.short, short, "{at}");
        }
        let when = When::new(now, now);
        assert_eq!(
            (when.full.as_str(), when.day(), when.iso.as_str()),
            ("23 Nov 2026, 10:00 UTC", "23 Nov 2026", "2026-11-23T10:00:00.000Z")
        );
    }

    #[test]
    fn counts_are_short() {
        for (count, text) in
            [(0, "0"), (999, "999"), (1_000, "1K"), (1_290, "1.2K"), (54_321, "54K"), (5_600_000, "5.6M")]
        {
            assert_eq!(short_count(count), text);
        }
    }

    #[test]
    fn spans_are_words() {
        assert_eq!(span(Duration::from_secs(90)), "1 minute");
        assert_eq!(span(Duration::from_secs(2 * DAY_S)), "2 days");
    }
}
