//! Counting the use of hashtags, with every post that comes and goes.

use super::keep;
use crate::base::{Id, Timestamp};
use crate::model::tables::{ACCOUNT_TAG, TAG};
use crate::model::{Status, TagDay, TagUse, Visibility};
use crate::store::{StoreError, WriteTx};

/// Days of use that are kept.
pub const DAYS: usize = 7;
/// Hashtags of one post that are counted; nobody means more.
const COUNTED_MAX: usize = 32;

fn counted(status: &Status) -> Vec<String> {
    if status.is_reblog() || !status.visibility.is_open() {
        return Vec::new();
    }
    let mut keys = status.tag_keys();
    keys.truncate(COUNTED_MAX);
    keys
}

/// Counts the hashtags of a new post. One that `is_news` also counts to the
/// day's use.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn used(
    tx: &mut WriteTx<'_>,
    status: &Status,
    is_news: bool,
) -> Result<(), StoreError> {
    let keys = counted(status);
    count(tx, status, &keys, is_news && status.visibility == Visibility::Public)
}

fn count(
    tx: &mut WriteTx<'_>,
    status: &Status,
    keys: &[String],
    counts_to_day: bool,
) -> Result<(), StoreError> {
    let mine: Vec<(Id, String)> = keys.iter().map(|key| (status.account, key.clone())).collect();
    let mut batch = tx.batch();
    let (rows, uses) = (batch.get_many(ACCOUNT_TAG, &mine), batch.get_many(TAG, keys));
    let found = batch.fetch()?;
    for ((key, row), uses) in mine.iter().zip(found.take(rows)?).zip(found.take(uses)?) {
        let mut row = row.unwrap_or_default();
        let day = status.created_at.midnight();
        let is_first = row.last_at.is_none_or(|last| last < day);
        row.posts += 1;
        row.last_at = row.last_at.max(Some(status.created_at));
        tx.put(ACCOUNT_TAG, key, &row);
        if counts_to_day {
            let mut uses = uses.unwrap_or_default();
            add(&mut uses, day, is_first);
            tx.put(TAG, &key.1, &uses);
        }
    }
    Ok(())
}

fn add(uses: &mut TagUse, day: Timestamp, is_new_account: bool) {
    let more = u32::from(is_new_account);
    match uses.days.iter_mut().find(|known| known.day == day) {
        Some(known) => {
            known.uses = known.uses.saturating_add(1);
            known.accounts = known.accounts.saturating_add(more);
        }
        None => {
            // Somebody who used it later is no news on an earlier day, but
            // a day with a use has an account.
            uses.days.push(TagDay { day, uses: 1, accounts: 1 });
            uses.days.sort_by_key(|known| std::cmp::Reverse(known.day));
            uses.days.truncate(DAYS);
        }
    }
}

/// Takes the hashtags of a deleted post off its author's counts. The day's
/// use stays: it was used.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn unused(tx: &mut WriteTx<'_>, status: &Status) -> Result<(), StoreError> {
    let keys = counted(status);
    discount(tx, status.account, &keys)
}

fn discount(tx: &mut WriteTx<'_>, author: Id, keys: &[String]) -> Result<(), StoreError> {
    let mine: Vec<(Id, String)> = keys.iter().map(|key| (author, key.clone())).collect();
    for (key, row) in mine.iter().zip(tx.get_many(ACCOUNT_TAG, &mine)?) {
        let Some(mut row) = row else { continue };
        row.posts = row.posts.saturating_sub(1);
        keep(tx, key, &row);
    }
    Ok(())
}

/// Counts what an edit added, and takes off what it removed.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn retag(tx: &mut WriteTx<'_>, old: &Status, new: &Status) -> Result<(), StoreError> {
    let (before, after) = (counted(old), counted(new));
    let without = |all: &[String], others: &[String]| -> Vec<String> {
        all.iter().filter(|key| !others.contains(key)).cloned().collect()
    };
    discount(tx, old.account, &without(&before, &after))?;
    count(tx, new, &without(&after, &before), false)
}
