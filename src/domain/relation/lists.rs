//! Pages of followers, followed, blocked and muted accounts, newest relation
//! first. They page on the relation's id, not the account's.

use std::sync::Arc;

use crate::base::{Id, Timestamp};
use crate::domain::delivery::authority_of;
use crate::domain::page::{Page, Paged, fill, search};
use crate::domain::timeline::{Person, load_people};
use crate::model::tables::{BLOCKS, FOLLOW_REQUESTS, FOLLOWERS, FOLLOWING, MUTES, RELATION};
use crate::store::{ReadTx, Scan, StoreError, Table};

/// Rows read at once, and how often, when followers of one host are looked for.
const HOST_ROWS: usize = 500;
const HOST_SCANS_MAX: usize = 20;

type People = Paged<Arc<Person>>;

pub(super) fn people(
    tx: &ReadTx<'_>,
    list: Table<(Id, Id), Id>,
    owner: Id,
    page: &Page,
) -> Result<People, StoreError> {
    fill(
        page,
        |span| {
            let rows = tx.scan(list, span.scan(Scan::prefix(&(owner,)), |at| (owner, at)))?;
            Ok(rows.into_iter().map(|((_, at), account)| (at, account)).collect())
        },
        |rows| load_people(tx, &rows.iter().map(|(_, account)| *account).collect::<Vec<_>>()),
    )
}

/// Who follows an account.
///
/// # Errors
/// Only the store's.
pub fn followers(tx: &ReadTx<'_>, of: Id, page: &Page) -> Result<People, StoreError> {
    people(tx, FOLLOWERS, of, page)
}

/// Who follows an account from one server: `authority` is its host, with the
/// port unless it is the usual one.
///
/// # Errors
/// Only the store's.
pub fn followers_of_host(
    tx: &ReadTx<'_>,
    of: Id,
    authority: &str,
    page: &Page,
) -> Result<People, StoreError> {
    search(
        page,
        (HOST_ROWS, HOST_SCANS_MAX),
        |span| {
            let rows = tx.scan(FOLLOWERS, span.scan(Scan::prefix(&(of,)), |at| (of, at)))?;
            Ok(rows.into_iter().map(|((_, at), account)| (at, account)).collect())
        },
        |rows| {
            let people = load_people(tx, &rows.iter().map(|(_, account)| *account).collect::<Vec<_>>())?;
            let is_there = |p: &Arc<Person>| authority_of(&p.account.uri).as_deref() == Some(authority);
            Ok(people.into_iter().map(|person| person.filter(is_there)).collect::<Vec<_>>())
        },
    )
}

/// Whom an account follows.
///
/// # Errors
/// Only the store's.
pub fn following(tx: &ReadTx<'_>, of: Id, page: &Page) -> Result<People, StoreError> {
    people(tx, FOLLOWING, of, page)
}

/// Who asks to follow an account.
///
/// # Errors
/// Only the store's.
pub fn follow_requests(tx: &ReadTx<'_>, of: Id, page: &Page) -> Result<People, StoreError> {
    people(tx, FOLLOW_REQUESTS, of, page)
}

/// Whom an account blocks.
///
/// # Errors
/// Only the store's.
pub fn blocks(tx: &ReadTx<'_>, of: Id, page: &Page) -> Result<People, StoreError> {
    people(tx, BLOCKS, of, page)
}

/// Somebody who is muted.
#[derive(Debug, Clone)]
pub struct Muted {
    /// Who.
    pub person: Arc<Person>,
    /// When the mute ends.
    pub until: Option<Timestamp>,
}

/// Whom an account mutes now.
///
/// # Errors
/// Only the store's.
pub fn mutes(tx: &ReadTx<'_>, of: Id, page: &Page, now: Timestamp) -> Result<Paged<Muted>, StoreError> {
    fill(
        page,
        |span| {
            let rows = tx.scan(MUTES, span.scan(Scan::prefix(&(of,)), |at| (of, at)))?;
            Ok(rows.into_iter().map(|((_, at), account)| (at, account)).collect())
        },
        |rows| {
            let ids: Vec<Id> = rows.iter().map(|(_, account)| *account).collect();
            let keys: Vec<(Id, Id)> = ids.iter().map(|id| (of, *id)).collect();
            let relations = tx.get_many(RELATION, &keys)?;
            let people = load_people(tx, &ids)?;
            Ok(people
                .into_iter()
                .zip(relations)
                .map(|(person, relation)| {
                    let mute = relation?.mute.filter(|mute| mute.holds(now))?;
                    Some(Muted { person: person?, until: mute.until })
                })
                .collect::<Vec<_>>())
        },
    )
}
