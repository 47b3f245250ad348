//! Reading conversations. They page on their last post.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::timeline::{Loaded, Person, load, load_people, load_rows};
use crate::domain::visibility::Viewer;
use crate::model::Conversation;
use crate::model::tables::{CONVERSATION, CONVERSATIONS, DIRECT_TIMELINE};
use crate::store::{ReadTx, Scan, StoreError};

/// A conversation with what is shown of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The conversation.
    pub conversation: Conversation,
    /// The others; of one with oneself, oneself.
    pub people: Vec<Arc<Person>>,
    /// Its latest post.
    pub last: Loaded,
}

/// A page of somebody's conversations, latest first. Those whose last post is
/// of somebody blocked are not shown.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, viewer: Viewer, page: &Page) -> Result<Paged<Exchange>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    fill(
        page,
        |span| {
            let rows = tx.scan(CONVERSATIONS, span.scan(Scan::prefix(&(me,)), |last| (me, last)))?;
            Ok(rows.into_iter().map(|((_, last), id)| (last, id)).collect())
        },
        |rows| read(tx, viewer, &rows.iter().map(|(_, id)| *id).collect::<Vec<_>>()),
    )
}

/// One of somebody's conversations; `None` if there is none, or it is not
/// shown.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, viewer: Viewer, id: Id) -> Result<Option<Exchange>, StoreError> {
    Ok(read(tx, viewer, &[id])?.pop().flatten())
}

fn read(tx: &ReadTx<'_>, viewer: Viewer, ids: &[Id]) -> Result<Vec<Option<Exchange>>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    let keys: Vec<(Id, Id)> = ids.iter().map(|id| (me, *id)).collect();
    let rows = tx.get_many(CONVERSATION, &keys)?;
    let last: Vec<Id> = rows.iter().flatten().map(Conversation::last).collect();
    let mut last: HashMap<Id, Loaded> =
        load(tx, viewer, &last)?.into_iter().flatten().map(|loaded| (loaded.status.id, loaded)).collect();
    let mut ids: Vec<Id> = rows.iter().flatten().flat_map(|row| &row.others).copied().chain([me]).collect();
    ids.sort();
    ids.dedup();
    let people: HashMap<Id, Arc<Person>> =
        load_people(tx, &ids)?.into_iter().flatten().map(|person| (person.account.id, person)).collect();
    let mut exchange = |conversation: Conversation| {
        let last = last.remove(&conversation.last()).filter(|last| !last.between.is_blocked())?;
        let shown = if conversation.others.is_empty() { &vec![me] } else { &conversation.others };
        let people = shown.iter().filter_map(|id| people.get(id).cloned()).collect();
        Some(Exchange { conversation, people, last })
    };
    Ok(rows.into_iter().map(|row| exchange(row?)).collect())
}

/// A page of the direct posts that somebody wrote or got.
///
/// # Errors
/// Only the store's.
pub fn direct(tx: &ReadTx<'_>, viewer: Viewer, page: &Page) -> Result<Paged<Loaded>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    fill(
        page,
        |span| {
            let rows = tx.scan(DIRECT_TIMELINE, span.scan(Scan::prefix(&(me,)), |id| (me, id)))?;
            Ok(rows.into_iter().map(|((_, id), entry)| (id, entry)).collect())
        },
        |rows| {
            let loaded = load_rows(tx, viewer, rows)?;
            Ok(loaded.into_iter().map(|loaded| loaded.filter(|l| !l.is_silenced)).collect())
        },
    )
}
