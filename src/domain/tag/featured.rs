//! Hashtags that somebody features on their profile.

use super::{TagError, View, keep, views};
use crate::base::{Id, Moment};
use crate::model::tables::{ACCOUNT_TAG, FEATURED_TAGS};
use crate::model::{AccountTag, TagName};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Hashtags that one account may feature (Mastodon: 10).
pub const FEATURED_MAX: usize = 10;
/// Hashtags of one account that are looked at for suggestions.
const SUGGESTED_FROM: usize = 500;
/// Hashtags that are suggested (Mastodon: 10).
const SUGGESTED_MAX: usize = 10;

/// A featured hashtag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Featured {
    /// Its id on this profile.
    pub id: Id,
    /// Its lower-case name.
    pub name: String,
    /// How the account uses it.
    pub usage: AccountTag,
}

/// Features a hashtag. Takes one id.
///
/// # Errors
/// [`TagError::Taken`] when it is featured, [`TagError::TooMany`] beyond
/// [`FEATURED_MAX`].
pub fn feature(tx: &mut WriteTx<'_>, moment: &mut Moment, me: Id, name: &str) -> Result<Featured, TagError> {
    let key = (me, name.to_owned());
    let row = tx.get(ACCOUNT_TAG, &key)?.unwrap_or_default();
    if row.feature.is_some() {
        return Err(TagError::Taken);
    }
    if rows(tx, me)?.len() >= FEATURED_MAX {
        return Err(TagError::TooMany);
    }
    let id = moment.id();
    let usage = AccountTag { feature: Some(id), ..row };
    tx.put(FEATURED_TAGS, &(me, id), &TagName(name.to_owned()));
    keep(tx, &key, &usage);
    Ok(Featured { id, name: name.to_owned(), usage })
}

/// Features a hashtag no longer. Nothing happens if it was not.
///
/// # Errors
/// Only the store's.
pub fn unfeature(tx: &mut WriteTx<'_>, me: Id, name: &str) -> Result<(), StoreError> {
    let key = (me, name.to_owned());
    let Some(row) = tx.get(ACCOUNT_TAG, &key)? else { return Ok(()) };
    if let Some(id) = row.feature {
        tx.delete(FEATURED_TAGS, &(me, id));
        keep(tx, &key, &AccountTag { feature: None, ..row });
    }
    Ok(())
}

/// The name of somebody's featured hashtag.
///
/// # Errors
/// [`TagError::NotFound`] for other people's as well.
pub fn featured_by_id(tx: &ReadTx<'_>, me: Id, id: Id) -> Result<String, TagError> {
    Ok(tx.get(FEATURED_TAGS, &(me, id))?.ok_or(TagError::NotFound)?.0)
}

fn rows(tx: &ReadTx<'_>, of: Id) -> Result<Vec<(Id, String)>, StoreError> {
    let rows = tx.scan(FEATURED_TAGS, Scan::prefix(&(of,)).limit(FEATURED_MAX))?;
    Ok(rows.into_iter().map(|((_, id), name)| (id, name.0)).collect())
}

/// The hashtags that an account features, most used first.
///
/// # Errors
/// Only the store's.
pub fn featured(tx: &ReadTx<'_>, of: Id) -> Result<Vec<Featured>, StoreError> {
    let rows = rows(tx, of)?;
    let keys: Vec<(Id, String)> = rows.iter().map(|(_, name)| (of, name.clone())).collect();
    let usages = tx.get_many(ACCOUNT_TAG, &keys)?;
    let mut all: Vec<Featured> = rows
        .into_iter()
        .zip(usages)
        .map(|((id, name), usage)| Featured { id, name, usage: usage.unwrap_or_default() })
        .collect();
    all.sort_by_key(|featured| std::cmp::Reverse(featured.usage.posts));
    Ok(all)
}

/// The hashtags that somebody uses most and does not feature.
///
/// # Errors
/// Only the store's.
pub fn suggested(tx: &ReadTx<'_>, me: Id) -> Result<Vec<View>, StoreError> {
    let mut rows = tx.scan(ACCOUNT_TAG, Scan::prefix(&(me,)).limit(SUGGESTED_FROM))?;
    rows.retain(|(_, row)| row.posts > 0 && row.feature.is_none());
    rows.sort_by_key(|(_, row)| std::cmp::Reverse((row.posts, row.last_at)));
    let names: Vec<String> = rows.into_iter().take(SUGGESTED_MAX).map(|((_, name), _)| name).collect();
    views(tx, Some(me), &names)
}
