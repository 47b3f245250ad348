//! Who may find a post by its words: its author, whoever is named in it,
//! liked, boosted or bookmarked it, and everybody if it is public and its
//! author lets their posts be found (Mastodon's rule).

use super::super::timeline::{Loaded, load};
use super::super::visibility::Viewer;
use crate::base::Id;
use crate::model::Visibility;
use crate::model::tables::{BOOKMARKS, FAVOURITES, STATUS_BY_AUTHOR};
use crate::store::{ReadTx, Scan, StoreError};

/// Likes, bookmarks and boosts (each) of the asker that are looked through,
/// the latest.
pub const LIBRARY_MAX: usize = 5000;

/// Posts of others that somebody liked, bookmarked or boosted. Asked anew for
/// each search instead of kept in the index: so a like costs no new entry of
/// the post, and counts at once.
///
/// # Errors
/// Only the store's.
pub fn library(tx: &ReadTx<'_>, me: Id) -> Result<Vec<Id>, StoreError> {
    let latest = || Scan::prefix(&(me,)).reverse().limit(LIBRARY_MAX);
    let mut ids: Vec<Id> = Vec::new();
    for table in [FAVOURITES, BOOKMARKS] {
        ids.extend(tx.scan(table, latest())?.into_iter().map(|(_, status)| status));
    }
    let own = tx.scan(STATUS_BY_AUTHOR, latest())?;
    ids.extend(own.into_iter().filter_map(|(_, entry)| entry.reblog_of));
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Loads what the index named, in its order, without what the viewer may not
/// find or does not want to see.
///
/// # Errors
/// Only the store's.
pub fn findable(tx: &ReadTx<'_>, viewer: Viewer, ids: &[Id]) -> Result<Vec<Loaded>, StoreError> {
    let loaded = load(tx, viewer, ids)?.into_iter().flatten();
    Ok(loaded.filter(|loaded| may_find(viewer, loaded)).collect())
}

fn may_find(viewer: Viewer, loaded: &Loaded) -> bool {
    let Some(me) = viewer.id else { return false };
    if viewer.is(loaded.status.account) {
        return true;
    }
    if loaded.is_silenced {
        return false;
    }
    let is_open = loaded.status.visibility == Visibility::Public && loaded.author.account.is_indexable;
    // A limited author is found by those who follow them.
    let is_strange = loaded.is_limited_to(viewer) && !loaded.between.follows();
    let is_marked = loaded.marks.is_some_and(|marks| marks.favourited || marks.reblogged || marks.bookmarked);
    (is_open && !is_strange) || is_marked || loaded.status.mentions(me)
}
