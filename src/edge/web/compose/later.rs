//! When a post is to be published, as a form says it: a time without a zone,
//! and beside it the zone, which only scripts can tell. Without them it is UTC.

use std::time::Duration;

use crate::base::Timestamp;
use crate::domain::scheduled::AHEAD_MIN;
use crate::edge::api::params::Params;

/// Zones reach from 12 hours behind to 14 hours ahead.
const ZONE_MAX_MINUTES: i64 = 14 * 60;

/// The time that a form names; `None` where it names none.
///
/// # Errors
/// Words for the form when it is no time, or too soon.
pub(in crate::edge::web) fn time(params: &Params, now: Timestamp) -> Result<Option<Timestamp>, &'static str> {
    let Some(typed) = params.filled("later") else { return Ok(None) };
    let zone = params.text("zone").and_then(|text| text.parse().ok()).unwrap_or(0);
    match utc(&typed, zone) {
        Some(at) if at > now.plus(AHEAD_MIN) => Ok(Some(at)),
        Some(_) => Err("Choose a time more than 5 minutes ahead."),
        None => Err("Give the time as a day and an hour, like 2027-01-31 18:30."),
    }
}

/// `typed` is a time in a zone that is `behind` minutes behind UTC, as
/// browsers count it.
fn utc(typed: &str, behind: i64) -> Option<Timestamp> {
    let (day, hour) = typed.trim().split_once(['T', ' '])?;
    let seconds = if hour.len() == "18:30".len() { ":00" } else { "" };
    let at = Timestamp::parse_rfc3339(&format!("{day}T{hour}{seconds}Z"))?;
    let span = Duration::from_secs(behind.clamp(-ZONE_MAX_MINUTES, ZONE_MAX_MINUTES).unsigned_abs() * 60);
    Some(if behind < 0 { at.minus(span) } else { at.plus(span) })
}

/// A time as a form shows it where there are no scripts: in UTC, to the minute.
pub(in crate::edge::web) fn field(at: Timestamp) -> String {
    at.rfc3339().chars().take("2027-01-31T18:30".len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_forms_are_of_the_zone_beside_them() {
        for (typed, behind, expected) in [
            ("2027-01-31T18:30", 0, Some("2027-01-31T18:30:00.000Z")),
            ("2027-01-31 18:30", -60, Some("2027-01-31T17:30:00.000Z")),
            ("2027-01-31T18:30:15", 300, Some("2027-01-31T23:30:15.000Z")),
            ("2027-01-31T18:30", 1_000_000, Some("2027-02-01T08:30:00.000Z")),
            ("2027-01-31", 0, None),
            ("2027-02-31T18:30", 0, None),
            ("2027-01-31T18:30Z", 0, None),
            ("tomorrow at six", 0, None),
        ] {
            assert_eq!(utc(typed, behind).map(Timestamp::rfc3339).as_deref(), expected, "{typed} {behind}");
        }
        let at = Timestamp::parse_rfc3339("2027-01-31T18:30:59Z").unwrap();
        assert_eq!(field(at), "2027-01-31T18:30");
    }
}
