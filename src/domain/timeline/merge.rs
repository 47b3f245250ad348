//! Earlier posts of somebody who is newly followed or newly on a list.

use super::rows::{take_out, trim_rows};
use super::{list_wants, wants};
use crate::base::Id;
use crate::domain::visibility::{Between, Viewer, relations};
use crate::model::tables::{HOME_TIMELINE, LIST, LIST_TIMELINE, RELATION, STATUS_BY_AUTHOR};
use crate::model::{HomeEntry, List, Relation, Visibility};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Posts of one account that enter a timeline at once.
const MERGE_ROWS: usize = 40;

/// A post, and what its reader has to do with those it answers and boosts.
struct Earlier {
    id: Id,
    entry: HomeEntry,
    answered: Between,
    boosted: Between,
}

fn earlier(tx: &ReadTx<'_>, reader: Viewer, author: Id) -> Result<Vec<Earlier>, StoreError> {
    let rows = tx.scan(STATUS_BY_AUTHOR, Scan::prefix(&(author,)).reverse().limit(MERGE_ROWS))?;
    let others: Vec<Id> = rows
        .iter()
        .flat_map(|(_, entry)| [entry.in_reply_to_account, entry.reblog_of_account])
        .flatten()
        .collect();
    let relations = relations(tx, reader, &others)?;
    let with = |account: Option<Id>| account.and_then(|a| relations.get(&a)).cloned().unwrap_or_default();
    let rows = rows.into_iter().filter(|(_, entry)| entry.visibility != Visibility::Direct);
    Ok(rows
        .map(|((_, id), entry)| Earlier {
            id,
            answered: with(entry.in_reply_to_account),
            boosted: with(entry.reblog_of_account),
            entry,
        })
        .collect())
}

/// Puts the latest posts of a newly followed account into the follower's
/// home timeline, and into the lists that it is on already.
///
/// # Errors
/// Only the store's.
pub fn merge(tx: &mut WriteTx<'_>, follower: Viewer, followed: Id) -> Result<(), StoreError> {
    let Some(me) = follower.id else { return Ok(()) };
    let Some(relation) = tx.get(RELATION, &(me, followed))? else { return Ok(()) };
    let Some(follow) = &relation.follow else { return Ok(()) };
    let keys: Vec<(Id, Id)> = relation.lists.iter().map(|place| (me, place.list)).collect();
    let lists: Vec<List> = tx.get_many(LIST, &keys)?.into_iter().flatten().collect();
    let posts = earlier(tx, follower, followed)?;
    if !lists.iter().any(|list| list.is_exclusive) {
        for post in &posts {
            if wants(follower, follow, &post.entry, &post.answered, &post.boosted) {
                tx.put(HOME_TIMELINE, &(me, post.id), &post.entry);
            }
        }
        trim_rows(tx, HOME_TIMELINE, me)?;
    }
    for list in &lists {
        put_earlier(tx, follower, list, &relation, &posts)?;
    }
    Ok(())
}

/// Puts the latest posts of a new member into a list.
pub(in crate::domain) fn merge_list(
    tx: &mut WriteTx<'_>,
    owner: Viewer,
    list: &List,
    member: Id,
    relation: &Relation,
) -> Result<(), StoreError> {
    // Somebody who was only asked has shown nothing yet.
    if relation.follow.is_none() && !owner.is(member) {
        return Ok(());
    }
    let posts = earlier(tx, owner, member)?;
    put_earlier(tx, owner, list, relation, &posts)
}

fn put_earlier(
    tx: &mut WriteTx<'_>,
    owner: Viewer,
    list: &List,
    relation: &Relation,
    posts: &[Earlier],
) -> Result<(), StoreError> {
    for post in posts {
        if list_wants(owner, list, relation, &post.entry, (&post.answered, &post.boosted)) {
            tx.put(LIST_TIMELINE, &(list.id, post.id), &post.entry);
        }
    }
    trim_rows(tx, LIST_TIMELINE, list.id)
}

/// Takes the posts of these accounts out of somebody's home timeline: they
/// are on an exclusive list now.
pub(in crate::domain) fn clear_home(
    tx: &mut WriteTx<'_>,
    owner: Id,
    members: &[Id],
) -> Result<(), StoreError> {
    take_out(tx, HOME_TIMELINE, owner, |entry| entry.account != owner && members.contains(&entry.account))
}
