//! What is talked about on this server: read from the timelines themselves,
//! so nothing is counted anywhere else, deletions count at once, and no row
//! is hot. The caller asks now and then and keeps the answer.

mod score;

use std::collections::{BTreeSet, HashMap};

use score::DAY;
pub use score::{MARKS_MIN, PEOPLE_MIN, Ranking, Use, rank};

use crate::base::{Id, Timestamp};
use crate::model::tables::{ACCOUNT, COUNT, LINK_TIMELINE, PUBLIC_TIMELINE, STATUS, count};
use crate::model::{Account, Status, TagDay, TimelineEntry};
use crate::store::{ReadTx, Scan, StoreError};

/// Posts read at once.
pub const STEP_ROWS: usize = 500;
/// Posts that are looked at in all, the latest.
pub const ROWS_MAX: usize = 10_000;
/// Entries of each list.
pub const LIST_MAX: usize = 100;
/// Days of a history, today included (Mastodon: 7).
pub const HISTORY_DAYS: usize = 7;
/// Uses of one hashtag or link that its history counts, the latest.
const HISTORY_ROWS_MAX: usize = 2000;

/// A page of public posts before this one, newest first, of which trends may
/// be made; and the last one looked at, if there may be more.
///
/// # Errors
/// Only the store's.
pub fn uses(tx: &ReadTx<'_>, before: Id, now: Timestamp) -> Result<(Vec<Use>, Option<Id>), StoreError> {
    let oldest = Id::first_at(now.minus(2 * DAY));
    let range = Scan::all().after(&(oldest,)).before(&(before,)).reverse().limit(STEP_ROWS);
    let rows = tx.scan(PUBLIC_TIMELINE, range)?;
    let next = rows.last().filter(|_| rows.len() == STEP_ROWS).map(|((id,), _)| *id);
    let ids: Vec<Id> = rows.iter().map(|((id,), _)| *id).collect();
    let authors: BTreeSet<Id> = rows.iter().map(|(_, entry)| entry.account).collect();
    let authors: Vec<Id> = authors.into_iter().collect();
    let counts: Vec<(u8, Id)> =
        ids.iter().flat_map(|id| [(count::FAVOURITES, *id), (count::REBLOGS, *id)]).collect();
    let mut batch = tx.batch();
    let (posts, people) = (batch.get_many(STATUS, &ids), batch.get_many(ACCOUNT, &authors));
    let counts = batch.count_many(COUNT, &counts);
    let fetched = batch.fetch()?;
    let people: HashMap<Id, Account> =
        fetched.take(people)?.into_iter().flatten().map(|account| (account.id, account)).collect();
    let counts = fetched.counts(counts);
    let marks = counts.chunks_exact(2).map(|pair| u64::try_from(pair.iter().sum::<i64>()).unwrap_or(0));
    let found = fetched.take(posts)?.into_iter().zip(marks);
    let fits = |status: &Status| people.get(&status.account).is_some_and(may_trend) && !status.sensitive;
    Ok((found.filter_map(|(status, marks)| Some(used(status.filter(fits)?, marks))).collect(), next))
}

/// Whether somebody wants to be noticed, and may be.
fn may_trend(author: &Account) -> bool {
    author.is_visible() && author.is_discoverable && !author.is_limited()
}

fn used(status: Status, marks: u64) -> Use {
    let is_whole = status.in_reply_to.is_none() && status.in_reply_to_uri.is_none();
    Use {
        status: status.id,
        account: status.account,
        at: status.id.timestamp(),
        tags: status.tags.iter().map(|tag| Status::tag_key(tag)).collect(),
        link: status.link,
        marks: (is_whole && status.spoiler_text.is_empty()).then_some(marks),
    }
}

/// The last days of a link, today first.
///
/// # Errors
/// Only the store's.
pub fn link_history(tx: &ReadTx<'_>, link: &str, now: Timestamp) -> Result<Vec<TagDay>, StoreError> {
    let range = Scan::prefix(&(link.to_owned(),)).after(&(link.to_owned(), first(now)));
    let rows = tx.scan(LINK_TIMELINE, range.reverse().limit(HISTORY_ROWS_MAX))?;
    Ok(by_day(rows.into_iter().map(|((_, id), entry)| (id, entry)), now))
}

fn day(now: Timestamp, ago: usize) -> Timestamp {
    now.midnight().minus(DAY * ago as u32)
}

fn first(now: Timestamp) -> Id {
    Id::first_at(day(now, HISTORY_DAYS - 1))
}

fn by_day(rows: impl Iterator<Item = (Id, TimelineEntry)>, now: Timestamp) -> Vec<TagDay> {
    let mut days: HashMap<Timestamp, (u32, BTreeSet<Id>)> = HashMap::new();
    for (id, entry) in rows {
        let (uses, accounts) = days.entry(id.timestamp().midnight()).or_default();
        *uses += 1;
        accounts.insert(entry.account);
    }
    let of = |day: Timestamp| {
        let (uses, accounts) = days.remove(&day).unwrap_or_default();
        TagDay { day, uses, accounts: accounts.len() as u32 }
    };
    (0..HISTORY_DAYS).map(|ago| day(now, ago)).map(of).collect()
}
