//! How much there is: people, posts, and who waits for an answer.

use crate::base::{Id, Timestamp};
use crate::model::tables::{COUNT, LAST_SEEN, LastSeen, count};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Weeks that are told of (Mastodon: 12).
const WEEKS: u64 = 12;
/// People looked at in one scan of those who were here.
const SEEN_ROWS: usize = 5000;
/// Days of a month, as Mastodon counts active people.
const MONTH_DAYS: u32 = 30;

/// Counts of the whole server, and of one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Accounts here.
    pub users: u64,
    /// Posts written here.
    pub statuses: u64,
    /// Requests to follow the reader that wait for an answer.
    pub follow_requests: u64,
}

/// The counts, with those of `reader` where there is one; one round trip.
///
/// # Errors
/// Only the store's.
pub fn take(tx: &ReadTx<'_>, reader: Option<Id>) -> Result<Census, StoreError> {
    let keys = [
        (count::LOCAL_USERS, Id::ZERO),
        (count::LOCAL_STATUSES, Id::ZERO),
        (count::FOLLOW_REQUESTS, reader.unwrap_or_default()),
    ];
    let mut batch = tx.batch();
    let ticket = batch.count_many(COUNT, &keys);
    let counts = batch.fetch()?.counts(ticket);
    let natural = |at: usize| counts.get(at).map_or(0, |count| (*count).max(0) as u64);
    Ok(Census { users: natural(0), statuses: natural(1), follow_requests: natural(2) })
}

fn day_of(now: Timestamp) -> u32 {
    u32::try_from(now.as_secs().max(0) / 86_400).unwrap_or(u32::MAX)
}

/// Number of the week, which begins on Monday; the first of 1970 is 0.
fn week_of(day: u32) -> u64 {
    (u64::from(day) + 3) / 7
}

/// Counts one more of `what` (a `WEEK_…` of [`count`]) in this week.
pub fn count_week(tx: &mut WriteTx<'_>, now: Timestamp, what: u8) {
    tx.add(COUNT, &(what, Id(week_of(day_of(now)))), 1);
}

/// Notes that a person of this server is here; the first time in a week
/// counts. Call it once a day.
///
/// # Errors
/// Only the store's.
pub fn was_here(tx: &mut WriteTx<'_>, now: Timestamp, account: Id) -> Result<(), StoreError> {
    let day = day_of(now);
    let before = tx.get(LAST_SEEN, &account)?;
    if before.is_none_or(|before| week_of(before.day) != week_of(day)) {
        count_week(tx, now, count::WEEK_LOGINS);
    }
    if before.is_none_or(|before| before.day != day) {
        tx.add(COUNT, &(count::DAY_ACTIVE, Id(u64::from(day))), 1);
        tx.put(LAST_SEEN, &account, &LastSeen { day });
    }
    Ok(())
}

/// How many people of this server were here in the last 30 days. Reads a row
/// for each who ever was.
///
/// # Errors
/// Only the store's.
pub fn active_month(tx: &ReadTx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let since = day_of(now).saturating_sub(MONTH_DAYS);
    let (mut active, mut after) = (0, Id::ZERO);
    // Each scan begins behind the last row of the one before, so this ends.
    loop {
        let rows = tx.scan(LAST_SEEN, Scan::all().after(&after).limit(SEEN_ROWS))?;
        active += rows.iter().filter(|(_, seen)| seen.day > since).count() as u64;
        match rows.last() {
            Some((last, _)) if rows.len() == SEEN_ROWS => after = *last,
            _ => return Ok(active),
        }
    }
}

/// A week of the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Week {
    /// When it began.
    pub began: Timestamp,
    /// Posts written here.
    pub statuses: u64,
    /// People who were here.
    pub logins: u64,
    /// People who joined.
    pub registrations: u64,
}

/// The last twelve weeks, this one first; one round trip.
///
/// # Errors
/// Only the store's.
pub fn weeks(tx: &ReadTx<'_>, now: Timestamp) -> Result<Vec<Week>, StoreError> {
    let this = week_of(day_of(now));
    let weeks: Vec<u64> = (this.saturating_sub(WEEKS - 1)..=this).rev().collect();
    let of = [count::WEEK_STATUSES, count::WEEK_LOGINS, count::WEEK_REGISTRATIONS];
    let keys: Vec<(u8, Id)> = weeks.iter().flat_map(|week| of.map(|what| (what, Id(*week)))).collect();
    let mut batch = tx.batch();
    let ticket = batch.count_many(COUNT, &keys);
    let counts = batch.fetch()?.counts(ticket);
    let week = |(week, n): (&u64, &[i64])| Week {
        began: Timestamp::from_secs((*week as i64 * 7 - 3) * 86_400),
        statuses: n[0].max(0) as u64,
        logins: n[1].max(0) as u64,
        registrations: n[2].max(0) as u64,
    };
    Ok(weeks.iter().zip(counts.chunks_exact(of.len())).map(week).collect())
}

/// When somebody was last here, to the day.
///
/// # Errors
/// Only the store's.
pub fn last_seen(tx: &ReadTx<'_>, account: Id) -> Result<Option<Timestamp>, StoreError> {
    let seen = tx.get(LAST_SEEN, &account)?;
    Ok(seen.map(|seen| Timestamp::from_secs(i64::from(seen.day) * 86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        // 2026-11-23 is a Monday.
        let monday = Timestamp::parse_rfc3339("2026-11-23T00:00:00Z").unwrap();
        let sunday = Timestamp::from_secs(monday.as_secs() - 1);
        let (this, last) = (week_of(day_of(monday)), week_of(day_of(sunday)));
        assert_eq!(this, last + 1);
        assert_eq!(Timestamp::from_secs((this as i64 * 7 - 3) * 86_400), monday);
    }
}
