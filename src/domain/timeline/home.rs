//! Home timelines: rows written when posts appear, filtered again when they
//! are read, so that an unfollow, block or mute works at once.

use super::loaded::{Loaded, load_rows};
use super::rows::{insert_into, rows_of, take_out, trim_rows};
use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::visibility::{Between, Viewer};
use crate::model::tables::HOME_TIMELINE;
use crate::model::{FilterContext, Follow, HomeEntry};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A page of somebody's home timeline.
///
/// # Errors
/// Only the store's.
pub fn home(tx: &ReadTx<'_>, viewer: Viewer, page: &Page) -> Result<Paged<Loaded>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    fill(
        page,
        |span| {
            let rows = tx.scan(HOME_TIMELINE, span.scan(Scan::prefix(&(me,)), |id| (me, id)))?;
            Ok(rows.into_iter().map(|((_, id), entry)| (id, entry)).collect())
        },
        |rows| {
            let rows = rows.iter().zip(load_rows(tx, viewer, rows)?);
            Ok(rows.map(|((_, entry), loaded)| loaded.filter(|l| belongs(viewer, entry, l))).collect())
        },
    )
}

/// Whether a row of the home timeline still belongs there.
fn belongs(viewer: Viewer, entry: &HomeEntry, loaded: &Loaded) -> bool {
    if viewer.is(loaded.status.account) {
        return true;
    }
    let wanted = loaded
        .between
        .to
        .follow
        .as_ref()
        .is_some_and(|follow| !loaded.status.is_reblog() || follow.show_reblogs);
    (wanted || entry.followed_tags.is_some()) && !loaded.is_silenced && !loaded.is_hidden(FilterContext::Home)
}

/// Whether a post by somebody who is followed enters the follower's home
/// timeline. `answered` and `boosted` are what the follower has to do with
/// the accounts that the post answers or boosts.
pub(in crate::domain) fn wants(
    follower: Viewer,
    follow: &Follow,
    entry: &HomeEntry,
    answered: &Between,
    boosted: &Between,
) -> bool {
    let knows = answered.follows() && !answered.is_silenced(follower.now);
    // A conversation with a stranger is half a conversation.
    suits(follower, follow.show_reblogs, entry, boosted, knows)
}

/// Whether a post is for this reader: boosts where they are wanted, answers
/// to themselves, to its author's own posts, and to those whom they `know`.
pub(super) fn suits(
    reader: Viewer,
    show_reblogs: bool,
    entry: &HomeEntry,
    boosted: &Between,
    knows: bool,
) -> bool {
    if entry.reblog_of.is_some() {
        let own = entry.reblog_of_account.is_some_and(|author| reader.is(author));
        return show_reblogs && (own || !boosted.is_silenced(reader.now));
    }
    match entry.in_reply_to_account {
        None => entry.in_reply_to.is_none(),
        Some(parent) => parent == entry.account || reader.is(parent) || knows,
    }
}

/// Puts a post into a home timeline, and now and then trims that.
pub(in crate::domain) fn insert(
    tx: &mut WriteTx<'_>,
    owner: Id,
    status: Id,
    entry: &HomeEntry,
) -> Result<(), StoreError> {
    insert_into(tx, HOME_TIMELINE, owner, status, entry)
}

/// Removes what a home timeline holds beyond [`HOME_MAX_ROWS`].
///
/// # Errors
/// Only the store's.
pub fn trim(tx: &mut WriteTx<'_>, owner: Id) -> Result<(), StoreError> {
    trim_rows(tx, HOME_TIMELINE, owner)
}

/// Takes the posts of an account out of somebody's home timeline, after an
/// unfollow or block. They are not shown any more in any case; this makes
/// room.
///
/// # Errors
/// Only the store's.
pub fn unmerge(tx: &mut WriteTx<'_>, owner: Id, account: Id) -> Result<(), StoreError> {
    take_out(tx, HOME_TIMELINE, owner, |entry| entry.account == account && entry.followed_tags.is_none())
}

/// Puts a post into the home timeline of somebody who follows a hashtag of
/// it. `there` is the row that is there. Gives whether it is new.
pub(in crate::domain) fn insert_tagged(
    tx: &mut WriteTx<'_>,
    owner: Id,
    status: Id,
    entry: &HomeEntry,
    (tag, there): (&str, Option<HomeEntry>),
) -> Result<bool, StoreError> {
    let Some(mut row) = there else {
        let entry = HomeEntry { followed_tags: Some(vec![tag.to_owned()]), ..entry.clone() };
        insert(tx, owner, status, &entry)?;
        return Ok(true);
    };
    // Where the author is followed, the hashtag adds nothing.
    if let Some(tags) = row.followed_tags.as_mut().filter(|tags| !tags.iter().any(|known| known == tag)) {
        tags.push(tag.to_owned());
        tx.put(HOME_TIMELINE, &(owner, status), &row);
    }
    Ok(false)
}

/// Takes out of a home timeline what came only by this hashtag.
pub(in crate::domain) fn forget_tag(tx: &mut WriteTx<'_>, owner: Id, tag: &str) -> Result<(), StoreError> {
    for (key, mut entry) in rows_of(tx, HOME_TIMELINE, owner)? {
        let Some(mut tags) = entry.followed_tags.take() else { continue };
        let before = tags.len();
        tags.retain(|known| known != tag);
        if tags.is_empty() {
            tx.delete(HOME_TIMELINE, &key);
        } else if tags.len() < before {
            entry.followed_tags = Some(tags);
            tx.put(HOME_TIMELINE, &key, &entry);
        }
    }
    Ok(())
}
