//! Conversations: whom one exchanges direct posts with, and what is unread.
//!
//! Every direct post, when it comes, is filed for its author and for those it
//! names, as far as they live here and want to hear of the author.

mod list;
#[cfg(test)]
mod tests;

pub use list::{Exchange, direct, get, list};

use crate::base::{Id, Timestamp};
use crate::domain::domain_block::turned_away;
use crate::domain::timeline::insert_direct;
use crate::model::tables::{
    CONVERSATION, CONVERSATION_BY_PEOPLE, CONVERSATIONS, DIRECT_TIMELINE, RELATION, USER,
};
use crate::model::{Conversation, Event, Relation, Status, Visibility};
use crate::store::{ReadTx, StoreError, WriteTx};

/// Posts of one conversation that are remembered, to know the last one after
/// a deletion.
const POSTS_MAX: usize = 64;

/// Everybody in a post, in order.
fn people(status: &Status) -> Vec<Id> {
    let mut all: Vec<Id> = status.mentions.iter().map(|mention| mention.account).collect();
    all.push(status.account);
    all.sort();
    all.dedup();
    all
}

/// The others, seen from one of them.
fn others(people: &[Id], owner: Id) -> Vec<Id> {
    people.iter().copied().filter(|id| *id != owner).collect()
}

/// Whose, of which thread, with whom.
type PeopleKey = (Id, Id, String);

fn key(owner: Id, thread: Id, others: &[Id]) -> PeopleKey {
    let text: Vec<String> = others.iter().map(Id::to_string).collect();
    (owner, thread, text.join(","))
}

/// The conversations of these owners that a post belongs to.
fn known(tx: &ReadTx<'_>, keys: &[PeopleKey]) -> Result<Vec<Option<Conversation>>, StoreError> {
    let ids = tx.get_many(CONVERSATION_BY_PEOPLE, keys)?;
    let rows: Vec<(Id, Id)> = keys.iter().zip(ids).map(|(key, id)| (key.0, id.unwrap_or(Id::ZERO))).collect();
    tx.get_many(CONVERSATION, &rows)
}

/// Files a new direct post; any other is none of ours.
///
/// # Errors
/// Only the store's.
pub(super) fn file(tx: &mut WriteTx<'_>, now: Timestamp, status: &Status) -> Result<(), StoreError> {
    if status.visibility != Visibility::Direct || status.is_reblog() {
        return Ok(());
    }
    let people = people(status);
    let mut owners = hearing(tx, now, &others(&people, status.account), status.account)?;
    if status.is_local {
        owners.push(status.account);
    }
    let keys: Vec<PeopleKey> =
        owners.iter().map(|owner| key(*owner, status.thread, &others(&people, *owner))).collect();
    for (key, old) in keys.iter().zip(known(tx, &keys)?) {
        let owner = key.0;
        insert_direct(tx, owner, status.id, &status.entry())?;
        let mut new = old.clone().unwrap_or_else(|| Conversation {
            id: status.id,
            thread: status.thread,
            others: others(&people, owner),
            posts: Vec::new(),
            is_unread: false,
        });
        if new.posts.contains(&status.id) {
            continue;
        }
        // An old post that comes late takes its place among the others.
        new.posts.push(status.id);
        new.posts.sort();
        if new.posts.len() > POSTS_MAX {
            new.posts.remove(0);
        }
        new.is_unread = status.account != owner;
        tx.put(CONVERSATION_BY_PEOPLE, key, &new.id);
        keep(tx, owner, old.as_ref(), &new);
        Event::Conversation { account: owner, conversation: new.id }.emit(tx);
    }
    Ok(())
}

/// Those of these who live here and want to hear of the author.
fn hearing(tx: &ReadTx<'_>, now: Timestamp, to: &[Id], author: Id) -> Result<Vec<Id>, StoreError> {
    let pairs: Vec<(Id, Id)> = to.iter().map(|owner| (*owner, author)).collect();
    let mut batch = tx.batch();
    let (users, relations) = (batch.get_many(USER, to), batch.get_many(RELATION, &pairs));
    let found = batch.fetch()?;
    let rows = found.take(users)?.into_iter().zip(found.take(relations)?);
    let wants = |relation: Relation| {
        let is_muted = relation.mute.is_some_and(|mute| mute.notifications && mute.holds(now));
        relation.block.is_none() && !is_muted
    };
    let all = to.iter().zip(rows).filter(|(_, (user, _))| user.is_some());
    let all: Vec<Id> =
        all.filter_map(|(to, (_, row))| wants(row.unwrap_or_default()).then_some(*to)).collect();
    let away = turned_away(tx, &all, author)?;
    Ok(all.into_iter().filter(|owner| !away.contains(owner)).collect())
}

/// Keeps a conversation and its place in the list.
fn keep(tx: &mut WriteTx<'_>, owner: Id, old: Option<&Conversation>, new: &Conversation) {
    if let Some(old) = old.filter(|old| old.last() != new.last()) {
        tx.delete(CONVERSATIONS, &(owner, old.last()));
    }
    tx.put(CONVERSATIONS, &(owner, new.last()), &new.id);
    tx.put(CONVERSATION, &(owner, new.id), new);
}

/// Takes a deleted post out of its conversations.
///
/// # Errors
/// Only the store's.
pub(super) fn unfile(tx: &mut WriteTx<'_>, status: &Status) -> Result<(), StoreError> {
    if status.visibility != Visibility::Direct || status.is_reblog() {
        return Ok(());
    }
    let people = people(status);
    let users = tx.get_many(USER, &people)?;
    let owners: Vec<Id> = people.iter().zip(users).filter_map(|(id, user)| user.map(|_| *id)).collect();
    let keys: Vec<PeopleKey> =
        owners.iter().map(|owner| key(*owner, status.thread, &others(&people, *owner))).collect();
    for (key, old) in keys.iter().zip(known(tx, &keys)?) {
        tx.delete(DIRECT_TIMELINE, &(key.0, status.id));
        let Some(old) = old else { continue };
        let posts: Vec<Id> = old.posts.iter().copied().filter(|post| *post != status.id).collect();
        if posts.is_empty() {
            drop_row(tx, key.0, &old);
        } else {
            keep(tx, key.0, Some(&old), &Conversation { posts, ..old.clone() });
        }
    }
    Ok(())
}

fn drop_row(tx: &mut WriteTx<'_>, owner: Id, old: &Conversation) {
    tx.delete(CONVERSATIONS, &(owner, old.last()));
    tx.delete(CONVERSATION, &(owner, old.id));
    tx.delete(CONVERSATION_BY_PEOPLE, &key(owner, old.thread, &old.others));
}

/// Removes a conversation from its owner's list; the posts stay. `false` if
/// there is none.
///
/// # Errors
/// Only the store's.
pub fn remove(tx: &mut WriteTx<'_>, owner: Id, id: Id) -> Result<bool, StoreError> {
    let Some(old) = tx.get(CONVERSATION, &(owner, id))? else { return Ok(false) };
    drop_row(tx, owner, &old);
    Ok(true)
}

/// Marks a conversation as read or unread; `false` if there is none.
///
/// # Errors
/// Only the store's.
pub fn mark(tx: &mut WriteTx<'_>, owner: Id, id: Id, is_unread: bool) -> Result<bool, StoreError> {
    let Some(old) = tx.get(CONVERSATION, &(owner, id))? else { return Ok(false) };
    tx.put(CONVERSATION, &(owner, id), &Conversation { is_unread, ..old });
    Ok(true)
}
