//! Figures of the place, for those who run it: counted from what is kept,
//! each time somebody asks.

use std::collections::BTreeMap;

use crate::base::{Id, Timestamp};
use crate::model::tables::{COUNT, LAST_SEEN, REPORT, USER, count};
use crate::store::{Key, ReadTx, Scan, StoreError, Table, Value};

/// Rows read at once.
const ROWS: usize = 5000;
/// Most rows of one table that one question reads.
const ROWS_MAX: usize = 500_000;
/// Days of the longest span.
pub const SPAN_MAX_DAYS: u32 = 366;

/// A span of whole days, both ends included. Days are counted since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub first: u32,
    /// Last day.
    pub last: u32,
}

impl Span {
    /// From one time to another; at most [`SPAN_MAX_DAYS`] days.
    pub fn new(from: Timestamp, to: Timestamp) -> Span {
        let (first, last) = (day_of(from), day_of(to));
        Span { first: first.max(last.saturating_sub(SPAN_MAX_DAYS)), last: last.max(first) }
    }

    /// The span of the same length just before.
    #[must_use]
    pub fn before(self) -> Span {
        let days = self.last - self.first + 1;
        Span { first: self.first.saturating_sub(days), last: self.first.saturating_sub(1) }
    }

    /// Its days.
    pub fn days(self) -> impl Iterator<Item = u32> {
        self.first..=self.last
    }

    fn has(self, at: Timestamp) -> bool {
        (self.first..=self.last).contains(&day_of(at))
    }
}

fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.as_secs().max(0) / 86_400).unwrap_or(u32::MAX)
}

/// The beginning of a day.
pub fn time_of(day: u32) -> Timestamp {
    Timestamp::from_secs(i64::from(day) * 86_400)
}

/// Something that is counted by day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// People who were here.
    ActiveUsers,
    /// People who joined.
    NewUsers,
    /// Reports that were made.
    OpenedReports,
    /// Reports that were resolved.
    ResolvedReports,
}

impl Measure {
    /// Every measure, with the API's word for it.
    pub const ALL: [(&'static str, Measure); 4] = [
        ("active_users", Measure::ActiveUsers),
        ("new_users", Measure::NewUsers),
        ("opened_reports", Measure::OpenedReports),
        ("resolved_reports", Measure::ResolvedReports),
    ];
}

/// How many on each day of a span.
///
/// # Errors
/// Only the store's.
pub fn by_day(tx: &ReadTx<'_>, measure: Measure, span: Span) -> Result<Vec<u64>, StoreError> {
    let mut days: BTreeMap<u32, u64> = span.days().map(|day| (day, 0)).collect();
    let mut add = |at: Timestamp| {
        if let Some(count) = days.get_mut(&day_of(at)) {
            *count += 1;
        }
    };
    match measure {
        Measure::NewUsers => each(tx, USER, |_, user| add(user.created_at))?,
        Measure::OpenedReports => each(tx, REPORT, |_, report| add(report.created_at))?,
        Measure::ResolvedReports => each(tx, REPORT, |_, report| {
            if let Some(at) = report.resolved_at {
                add(at);
            }
        })?,
        Measure::ActiveUsers => {
            let keys: Vec<(u8, Id)> =
                span.days().map(|day| (count::DAY_ACTIVE, Id(u64::from(day)))).collect();
            let mut batch = tx.batch();
            let ticket = batch.count_many(COUNT, &keys);
            let counts = batch.fetch()?.counts(ticket);
            return Ok(counts.into_iter().map(|n| n.max(0) as u64).collect());
        }
    }
    Ok(days.into_values().collect())
}

fn each<V: Value>(tx: &ReadTx<'_>, table: Table<Id, V>, mut look: impl FnMut(Id, V)) -> Result<(), StoreError>
where
    Id: Key,
{
    let (mut after, mut read) = (Id::ZERO, 0);
    // Each scan begins behind the last row of the one before, so this ends.
    loop {
        let rows = tx.scan(table, Scan::all().after(&after).limit(ROWS))?;
        let is_last = rows.len() < ROWS;
        read += rows.len();
        for (id, row) in rows {
            after = id;
            look(id, row);
        }
        if is_last || read >= ROWS_MAX {
            return Ok(());
        }
    }
}

/// People of this server by something they have in common, most first.
///
/// # Errors
/// Only the store's.
pub fn users_by(
    tx: &ReadTx<'_>,
    span: Span,
    limit: usize,
    what: fn(&crate::model::User) -> Option<String>,
) -> Result<Vec<(String, u64)>, StoreError> {
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    each(tx, USER, |_, user| {
        if span.has(user.created_at) {
            *all.entry(what(&user).unwrap_or_default()).or_default() += 1;
        }
    })?;
    let mut all: Vec<(String, u64)> = all.into_iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all.truncate(limit);
    Ok(all)
}

/// People who joined in one period, and how many of them were here in each
/// period since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// First day of the period in which they joined.
    pub began: u32,
    /// First day of each period since, and how many were here then or later.
    pub since: Vec<(u32, u64)>,
    /// How many joined.
    pub size: u64,
}

/// How many of those who joined are still here, by the periods that begin at
/// these days.
///
/// # Errors
/// Only the store's.
pub fn retention(tx: &ReadTx<'_>, periods: &[u32], last: u32) -> Result<Vec<Cohort>, StoreError> {
    let mut joined: Vec<(u32, Id)> = Vec::new();
    each(tx, USER, |id, user| joined.push((day_of(user.created_at), id)))?;
    let mut seen: BTreeMap<Id, u32> = BTreeMap::new();
    each(tx, LAST_SEEN, |id, row| {
        seen.insert(id, row.day);
    })?;
    let end = |n: usize| periods.get(n + 1).map_or(last, |next| next - 1);
    let cohort = |(n, began): (usize, &u32)| {
        let members: Vec<Id> =
            joined.iter().filter(|(day, _)| (*began..=end(n)).contains(day)).map(|(_, id)| *id).collect();
        let is_here = |id: &Id, day: u32| seen.get(id).is_some_and(|seen| *seen >= day);
        let here = |day: u32| members.iter().filter(|id| is_here(id, day)).count() as u64;
        let since = periods[n..].iter().map(|day| (*day, here(*day))).collect();
        Cohort { began: *began, since, size: members.len() as u64 }
    };
    Ok(periods.iter().enumerate().map(cohort).collect())
}
