//! Timelines of lists: rows written when posts appear, as for home, filtered
//! again when they are read, so that whoever is taken off is gone at once.

use super::home::suits;
use super::loaded::{Loaded, load_rows};
use super::rows::{insert_into, take_out};
use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::visibility::{Between, Viewer};
use crate::model::tables::{LIST, LIST_TIMELINE};
use crate::model::{FilterContext, HomeEntry, List, Relation, RepliesPolicy};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A page of the viewer's list; `None` if they have no such list.
///
/// # Errors
/// Only the store's.
pub fn list(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    list: Id,
    page: &Page,
) -> Result<Option<Paged<Loaded>>, StoreError> {
    if tx.get(LIST, &(viewer.id.unwrap_or_default(), list))?.is_none() {
        return Ok(None);
    }
    let found = fill(
        page,
        |span| {
            let rows = tx.scan(LIST_TIMELINE, span.scan(Scan::prefix(&(list,)), |id| (list, id)))?;
            Ok::<_, StoreError>(rows.into_iter().map(|((_, id), entry)| (id, entry)).collect())
        },
        |rows| {
            let loaded = load_rows(tx, viewer, rows)?;
            Ok(loaded.into_iter().map(|loaded| loaded.filter(|l| belongs(list, l))).collect())
        },
    )?;
    Ok(Some(found))
}

/// Whether a row of the list's timeline still belongs there.
fn belongs(list: Id, loaded: &Loaded) -> bool {
    let to = &loaded.between.to;
    // Clients show lists as they show home, so the same filters apply.
    to.is_on(list)
        && (!loaded.status.is_reblog() || shows_reblogs(to))
        && !loaded.is_silenced
        && !loaded.is_hidden(FilterContext::Home)
}

/// Whether boosts by somebody are wanted; one's own always are.
pub(super) fn shows_reblogs(to: &Relation) -> bool {
    to.follow.as_ref().is_none_or(|follow| follow.show_reblogs)
}

/// Whether a post by a member enters a list. `to` is what goes from the
/// list's owner to the member, `answered` and `boosted` what the owner has to
/// do with the accounts that the post answers or boosts.
pub(in crate::domain) fn wants(
    owner: Viewer,
    list: &List,
    to: &Relation,
    entry: &HomeEntry,
    (answered, boosted): (&Between, &Between),
) -> bool {
    let knows = match list.replies {
        RepliesPolicy::Followed => answered.follows(),
        RepliesPolicy::List => answered.to.is_on(list.id),
        RepliesPolicy::None => false,
    };
    suits(owner, shows_reblogs(to), entry, boosted, knows && !answered.is_silenced(owner.now))
}

/// Puts a post into a list.
pub(in crate::domain) fn insert(
    tx: &mut WriteTx<'_>,
    list: Id,
    status: Id,
    entry: &HomeEntry,
) -> Result<(), StoreError> {
    insert_into(tx, LIST_TIMELINE, list, status, entry)
}

/// Takes the posts of an account out of a list.
pub(in crate::domain) fn unmerge(tx: &mut WriteTx<'_>, list: Id, account: Id) -> Result<(), StoreError> {
    take_out(tx, LIST_TIMELINE, list, |entry| entry.account == account)
}
