//! Home timelines: rows written when posts appear, filtered again when they
//! are read, so that an unfollow, block or mute works at once.

use super::loaded::{Loaded, load_rows};
use crate::base::Id;
use crate::base::limits::HOME_MAX_ROWS;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::visibility::{Between, Viewer};
use crate::model::tables::{HOME_TIMELINE, RELATION, STATUS_BY_AUTHOR};
use crate::model::{FilterContext, Follow, HomeEntry, Visibility};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Posts of a newly followed account that enter the home timeline.
const MERGE_ROWS: usize = 40;
/// A timeline is trimmed about once in this many insertions, because looking
/// for its end costs more than an insertion.
const TRIM_EVERY: u64 = 32;
/// Rows over the limit that one trim removes.
const TRIM_ROWS: usize = 400;

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
            let loaded = load_rows(tx, viewer, rows)?;
            Ok(loaded.into_iter().map(|loaded| loaded.filter(|l| belongs(viewer, l))).collect())
        },
    )
}

/// Whether a row of the home timeline still belongs there.
fn belongs(viewer: Viewer, loaded: &Loaded) -> bool {
    if viewer.is(loaded.status.account) {
        return true;
    }
    let wanted = loaded
        .between
        .to
        .follow
        .as_ref()
        .is_some_and(|follow| !loaded.status.is_reblog() || follow.show_reblogs);
    wanted && !loaded.is_silenced && !loaded.is_hidden(FilterContext::Home)
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
    if entry.reblog_of.is_some() {
        let own = entry.reblog_of_account.is_some_and(|author| follower.is(author));
        return follow.show_reblogs && (own || !boosted.is_silenced(follower.now));
    }
    match entry.in_reply_to_account {
        None => entry.in_reply_to.is_none(),
        Some(parent) if parent == entry.account || follower.is(parent) => true,
        // A conversation with a stranger is half a conversation.
        Some(_) => answered.follows() && !answered.is_silenced(follower.now),
    }
}

/// Puts a post into a home timeline, and now and then trims that.
pub(in crate::domain) fn insert(
    tx: &mut WriteTx<'_>,
    owner: Id,
    status: Id,
    entry: &HomeEntry,
) -> Result<(), StoreError> {
    tx.put(HOME_TIMELINE, &(owner, status), entry);
    // Any even spread over posts will do; the ids' low bits are no such.
    let spread = (owner.0 ^ status.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    if spread.is_multiple_of(TRIM_EVERY) { trim(tx, owner) } else { Ok(()) }
}

/// Removes what a home timeline holds beyond [`HOME_MAX_ROWS`].
///
/// # Errors
/// Only the store's.
pub fn trim(tx: &mut WriteTx<'_>, owner: Id) -> Result<(), StoreError> {
    let rows = Scan::prefix(&(owner,)).reverse().limit(HOME_MAX_ROWS + TRIM_ROWS);
    for (key, _) in tx.scan(HOME_TIMELINE, rows)?.iter().skip(HOME_MAX_ROWS) {
        tx.delete(HOME_TIMELINE, key);
    }
    Ok(())
}

/// Puts the latest posts of a newly followed account into the follower's
/// home timeline.
///
/// # Errors
/// Only the store's.
pub fn merge(tx: &mut WriteTx<'_>, follower: Viewer, followed: Id) -> Result<(), StoreError> {
    let Some(me) = follower.id else { return Ok(()) };
    let Some(follow) = tx.get(RELATION, &(me, followed))?.and_then(|relation| relation.follow) else {
        return Ok(());
    };
    let rows = tx.scan(STATUS_BY_AUTHOR, Scan::prefix(&(followed,)).reverse().limit(MERGE_ROWS))?;
    let others: Vec<Id> = rows
        .iter()
        .flat_map(|(_, entry)| [entry.in_reply_to_account, entry.reblog_of_account])
        .flatten()
        .collect();
    let relations = crate::domain::visibility::relations(tx, follower, &others)?;
    let stranger = Between::default();
    for ((_, id), entry) in rows {
        let with = |account: Option<Id>| account.and_then(|a| relations.get(&a)).unwrap_or(&stranger);
        let (answered, boosted) = (with(entry.in_reply_to_account), with(entry.reblog_of_account));
        if entry.visibility != Visibility::Direct && wants(follower, &follow, &entry, answered, boosted) {
            tx.put(HOME_TIMELINE, &(me, id), &entry);
        }
    }
    trim(tx, me)
}

/// Takes the posts of an account out of somebody's home timeline, after an
/// unfollow or block. They are not shown any more in any case; this makes
/// room.
///
/// # Errors
/// Only the store's.
pub fn unmerge(tx: &mut WriteTx<'_>, owner: Id, account: Id) -> Result<(), StoreError> {
    let rows = tx.scan(HOME_TIMELINE, Scan::prefix(&(owner,)).limit(HOME_MAX_ROWS + TRIM_ROWS))?;
    for (key, _) in rows.iter().filter(|(_, entry)| entry.account == account) {
        tx.delete(HOME_TIMELINE, key);
    }
    Ok(())
}
