//! Reads from the store what belongs into the index, page by page.

use std::collections::HashMap;

use super::shelf::Walk;
use crate::base::Id;
use crate::model::feed::{self, Mark};
use crate::model::tables::{ACCOUNT, INDEX_FEED, STATUS, STATUS_BY_AUTHOR};
use crate::model::{Account, Status, Visibility};
use crate::store::{ReadTx, Scan, StoreError};

/// Rows read at once.
pub(super) const PAGE_MAX: usize = 200;

/// Entries to be written anew; `None` for what is not to be found any more.
#[derive(Default)]
pub(super) struct Page {
    /// Posts, and whether strangers may find them.
    pub(super) posts: Vec<Gathered>,
    pub(super) people: Vec<(Id, Option<Account>)>,
}

impl Page {
    pub(super) fn len(&self) -> usize {
        self.posts.len() + self.people.len()
    }
}

/// The next page of everything, and where the one after begins.
pub(super) fn walk(tx: &ReadTx<'_>, walk: Walk) -> Result<(Page, Walk), StoreError> {
    match walk {
        Walk::Posts(after) => {
            let rows = tx.scan(STATUS, Scan::all().after(&after).limit(PAGE_MAX))?;
            let next = rows.last().map_or(Walk::People(Id::ZERO), |(id, _)| Walk::Posts(*id));
            let found = rows.into_iter().map(|(id, status)| (id, Some(status))).collect();
            Ok((Page { posts: with_authors(tx, found)?, people: Vec::new() }, next))
        }
        Walk::People(after) => {
            let rows = tx.scan(ACCOUNT, Scan::all().after(&after).limit(PAGE_MAX))?;
            let next = rows.last().map_or(Walk::Done, |(id, _)| Walk::People(*id));
            let people =
                rows.into_iter().map(|(id, account)| (id, Some(account).filter(Account::is_visible)));
            Ok((Page { posts: Vec::new(), people: people.collect() }, next))
        }
        Walk::Done => Ok((Page::default(), Walk::Done)),
    }
}

/// A row of the feed, as it was when its subject was read.
pub(super) type FeedRow = ((u8, Id), Mark);

/// The next rows of the feed that this index has not looked at, and what they
/// are about; rows about all posts of an account are given alone, with that
/// account.
pub(super) fn news(tx: &ReadTx<'_>, slot: u8) -> Result<(Vec<FeedRow>, Page, Option<Id>), StoreError> {
    let rows = undone(tx, slot)?;
    let single: Vec<FeedRow> =
        rows.iter().filter(|((what, _), _)| *what != feed::POSTS_OF).copied().collect();
    if single.is_empty() {
        let first = rows.into_iter().next();
        let author = first.map(|((_, author), _)| author);
        return Ok((first.into_iter().collect(), Page::default(), author));
    }
    let of = |kind: u8| single.iter().filter(move |((what, _), _)| *what == kind).map(|((_, id), _)| *id);
    let (posts, people): (Vec<Id>, Vec<Id>) = (of(feed::POST).collect(), of(feed::PERSON).collect());
    let found = posts.iter().copied().zip(tx.get_many(STATUS, &posts)?).collect();
    let accounts = tx.get_many(ACCOUNT, &people)?.into_iter();
    let people =
        people.iter().copied().zip(accounts.map(|account| account.filter(Account::is_visible))).collect();
    Ok((single, Page { posts: with_authors(tx, found)?, people }, None))
}

/// Rows that wait for other indexes only are passed over.
fn undone(tx: &ReadTx<'_>, slot: u8) -> Result<Vec<FeedRow>, StoreError> {
    let mut scan = Scan::all();
    loop {
        let mut rows = tx.scan(INDEX_FEED, scan.limit(PAGE_MAX))?;
        let last = rows.last().filter(|_| rows.len() == PAGE_MAX).map(|(key, _)| *key);
        rows.retain(|(_, mark)| !mark.is_done_by(slot));
        let Some(last) = last.filter(|_| rows.is_empty()) else { return Ok(rows) };
        // Each page begins behind the last row of the one before, so this ends.
        scan = Scan::all().after(&last);
    }
}

/// A page of an account's posts after this one, and the last it looked at.
pub(super) fn posts_of(tx: &ReadTx<'_>, author: Id, after: Id) -> Result<(Page, Option<Id>), StoreError> {
    let range = Scan::prefix(&(author,)).after(&(author, after)).limit(PAGE_MAX);
    let rows = tx.scan(STATUS_BY_AUTHOR, range)?;
    let last = rows.last().map(|((_, id), _)| *id);
    let ids: Vec<Id> =
        rows.into_iter().filter(|(_, entry)| entry.reblog_of.is_none()).map(|((_, id), _)| id).collect();
    let found = ids.iter().copied().zip(tx.get_many(STATUS, &ids)?).collect();
    Ok((Page { posts: with_authors(tx, found)?, people: Vec::new() }, last))
}

/// A post, unless it is gone, and whether its author may be found.
pub(super) type Gathered = (Id, Option<(Status, bool)>);

/// Boosts have no text of their own, and posts of those who are gone are not
/// found.
fn with_authors(tx: &ReadTx<'_>, found: Vec<(Id, Option<Status>)>) -> Result<Vec<Gathered>, StoreError> {
    let mut authors: Vec<Id> =
        found.iter().filter_map(|(_, status)| Some(status.as_ref()?.account)).collect();
    authors.sort_unstable();
    authors.dedup();
    let accounts = tx.get_many(ACCOUNT, &authors)?;
    let accounts: HashMap<Id, Account> =
        authors.into_iter().zip(accounts).filter_map(|(id, account)| Some((id, account?))).collect();
    let entry = |status: Status| {
        let author = accounts.get(&status.account).filter(|author| author.is_visible())?;
        let is_open = status.visibility == Visibility::Public && author.is_indexable;
        (!status.is_reblog()).then_some((status, is_open))
    };
    Ok(found.into_iter().map(|(id, status)| (id, status.and_then(entry))).collect())
}
