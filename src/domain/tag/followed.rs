//! Following hashtags: public posts with them enter the home timeline.

use super::{TagError, View, keep, views};
use crate::base::{Id, Moment};
use crate::domain::page::{Page, Paged, fill};
use crate::domain::timeline::forget_tag;
use crate::model::tables::{ACCOUNT_TAG, FOLLOWED_TAGS, TAG_FOLLOWERS};
use crate::model::{AccountTag, TagName};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Hashtags that one account may follow.
const FOLLOWED_MAX: usize = 1000;

/// Follows a hashtag. Nothing happens if it was followed. Takes one id.
///
/// # Errors
/// When too many are followed.
pub fn follow(tx: &mut WriteTx<'_>, moment: &mut Moment, me: Id, name: &str) -> Result<(), TagError> {
    let key = (me, name.to_owned());
    let row = tx.get(ACCOUNT_TAG, &key)?.unwrap_or_default();
    if row.follow.is_some() {
        return Ok(());
    }
    if tx.scan(FOLLOWED_TAGS, Scan::prefix(&(me,)).limit(FOLLOWED_MAX))?.len() >= FOLLOWED_MAX {
        return Err(TagError::TooMany);
    }
    let id = moment.id();
    tx.put(FOLLOWED_TAGS, &(me, id), &TagName(name.to_owned()));
    tx.put(TAG_FOLLOWERS, &(name.to_owned(), me), &());
    keep(tx, &key, &AccountTag { follow: Some(id), ..row });
    Ok(())
}

/// Follows a hashtag no longer; what came only by it leaves the home
/// timeline.
///
/// # Errors
/// Only the store's.
pub fn unfollow(tx: &mut WriteTx<'_>, me: Id, name: &str) -> Result<(), StoreError> {
    let key = (me, name.to_owned());
    let Some(row) = tx.get(ACCOUNT_TAG, &key)? else { return Ok(()) };
    let Some(id) = row.follow else { return Ok(()) };
    tx.delete(FOLLOWED_TAGS, &(me, id));
    tx.delete(TAG_FOLLOWERS, &(name.to_owned(), me));
    keep(tx, &key, &AccountTag { follow: None, ..row });
    forget_tag(tx, me, name)
}

/// A page of the hashtags that somebody follows, latest first.
///
/// # Errors
/// Only the store's.
pub fn followed(tx: &ReadTx<'_>, me: Id, page: &Page) -> Result<Paged<View>, StoreError> {
    fill(
        page,
        |span| {
            let rows = tx.scan(FOLLOWED_TAGS, span.scan(Scan::prefix(&(me,)), |at| (me, at)))?;
            Ok(rows.into_iter().map(|((_, at), name)| (at, name.0)).collect())
        },
        |rows| {
            let names: Vec<String> = rows.iter().map(|(_, name)| name.clone()).collect();
            Ok(views(tx, Some(me), &names)?.into_iter().map(Some).collect())
        },
    )
}
