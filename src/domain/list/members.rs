//! Who is on a list: people whom its owner follows, asked to follow, or is.

use std::sync::Arc;

use super::{ListError, get};
use crate::base::{Id, Moment};
use crate::domain::page::{Page, Paged, fill};
use crate::domain::timeline::{Person, clear_home, load_people, merge_list, unmerge_list};
use crate::domain::visibility::Viewer;
use crate::model::tables::{ACCOUNT, LIST, LIST_MEMBERS, RELATION};
use crate::model::{List, ListPlace, Relation};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Accounts that one request may add or remove.
pub const MEMBERS_AT_ONCE: usize = 100;

/// A page of a list's members, latest first.
///
/// # Errors
/// [`ListError::NotFound`] when it is not theirs.
pub fn members(tx: &ReadTx<'_>, owner: Id, list: Id, page: &Page) -> Result<Paged<Arc<Person>>, ListError> {
    get(tx, owner, list)?;
    fill(
        page,
        |span| {
            let rows = tx.scan(LIST_MEMBERS, span.scan(Scan::prefix(&(list,)), |at| (list, at)))?;
            Ok(rows.into_iter().map(|((_, at), member)| (at, member)).collect())
        },
        |rows| Ok(load_people(tx, &rows.iter().map(|(_, member)| *member).collect::<Vec<_>>())?),
    )
}

/// The owner's lists on which somebody is, oldest first.
///
/// # Errors
/// Only the store's.
pub fn containing(tx: &ReadTx<'_>, owner: Id, account: Id) -> Result<Vec<List>, StoreError> {
    let relation = tx.get(RELATION, &(owner, account))?.unwrap_or_default();
    let mut ids: Vec<(Id, Id)> = relation.lists.iter().map(|place| (owner, place.list)).collect();
    ids.sort();
    Ok(tx.get_many(LIST, &ids)?.into_iter().flatten().collect())
}

/// Puts accounts on a list, all or none, with their latest posts. Takes an id
/// for each.
///
/// # Errors
/// [`ListError::NotFound`] for an account that the owner does not follow,
/// [`ListError::AlreadyThere`] for one that is on the list.
pub fn add(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    owner: Id,
    list: Id,
    accounts: &[Id],
) -> Result<(), ListError> {
    let list = get(tx, owner, list)?;
    let accounts = checked(accounts)?;
    if tx.get_many(ACCOUNT, &accounts)?.iter().any(Option::is_none) {
        return Err(ListError::NotFound);
    }
    for (account, mut relation) in relations(tx, owner, &accounts)? {
        if relation.follow.is_none() && relation.request.is_none() && account != owner {
            return Err(ListError::NotFound);
        }
        if relation.is_on(list.id) {
            return Err(ListError::AlreadyThere);
        }
        let at = moment.id();
        relation.lists.push(ListPlace { list: list.id, at });
        tx.put(LIST_MEMBERS, &(list.id, at), &account);
        tx.put(RELATION, &(owner, account), &relation);
        merge_list(tx, Viewer::account(owner, moment.now), &list, account, &relation)?;
    }
    if list.is_exclusive {
        clear_home(tx, owner, &accounts)?;
    }
    Ok(())
}

/// Takes accounts off a list. Those that are not on it are passed over.
///
/// # Errors
/// When there is no such list.
pub fn remove(tx: &mut WriteTx<'_>, owner: Id, list: Id, accounts: &[Id]) -> Result<(), ListError> {
    get(tx, owner, list)?;
    let accounts = checked(accounts)?;
    for (account, mut relation) in relations(tx, owner, &accounts)? {
        let Some(place) = relation.lists.iter().position(|place| place.list == list) else { continue };
        let place = relation.lists.remove(place);
        tx.delete(LIST_MEMBERS, &(list, place.at));
        let key = (owner, account);
        if relation.is_empty() {
            tx.delete(RELATION, &key)
        } else {
            tx.put(RELATION, &key, &relation)
        }
        unmerge_list(tx, list, account)?;
    }
    Ok(())
}

/// Each account once, and not too many.
fn checked(accounts: &[Id]) -> Result<Vec<Id>, ListError> {
    let mut accounts = accounts.to_vec();
    accounts.sort();
    accounts.dedup();
    if accounts.len() > MEMBERS_AT_ONCE { Err(ListError::TooManyAtOnce) } else { Ok(accounts) }
}

fn relations(tx: &ReadTx<'_>, owner: Id, accounts: &[Id]) -> Result<Vec<(Id, Relation)>, StoreError> {
    let keys: Vec<(Id, Id)> = accounts.iter().map(|account| (owner, *account)).collect();
    let rows = tx.get_many(RELATION, &keys)?;
    Ok(accounts.iter().copied().zip(rows.into_iter().map(Option::unwrap_or_default)).collect())
}
