//! People whose notifications are held back, and what is done about them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{NOTIFICATIONS_MAX, TRIM_ROWS};
use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::timeline::{Loaded, Person, load, load_people};
use crate::domain::visibility::{Viewer, relations};
use crate::model::tables::{
    NOTIFICATION, NOTIFICATION_PERMISSION, NOTIFICATION_REQUEST, NOTIFICATION_REQUEST_OF,
};
use crate::model::{Event, Notification, NotificationKind, NotificationRequest};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Requests that are kept for one person; the oldest go first.
pub const REQUESTS_MAX: usize = 1000;
/// Requests over the limit that one new one removes.
const TRIM_REQUESTS: usize = 10;
/// Requests that are counted for the summary (Mastodon: 100).
const COUNTED_MAX: usize = 100;

/// A request with what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The request.
    pub request: NotificationRequest,
    /// Who asks.
    pub from: Arc<Person>,
    /// The latest post they sent, if it is still there.
    pub status: Option<Loaded>,
}

/// How much is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// People.
    pub requests: usize,
    /// Their notifications.
    pub notifications: u64,
}

/// Remembers that somebody's notification is held back. Only what they say
/// makes a request, as in Mastodon: nobody has to go through held back likes.
pub(super) fn note(tx: &mut WriteTx<'_>, owner: Id, row: &Notification) -> Result<(), StoreError> {
    if !matches!(row.kind, NotificationKind::Mention | NotificationKind::Quote) {
        return Ok(());
    }
    let known = match tx.get(NOTIFICATION_REQUEST_OF, &(owner, row.from))? {
        Some(id) => tx.get(NOTIFICATION_REQUEST, &(owner, id))?,
        None => None,
    };
    let is_new = known.is_none();
    let before = known.unwrap_or(NotificationRequest {
        id: row.id,
        from: row.from,
        last_status: None,
        notifications: 0,
        created_at: row.created_at,
        updated_at: row.created_at,
    });
    let request = NotificationRequest {
        last_status: row.status,
        notifications: before.notifications.saturating_add(1),
        updated_at: row.created_at,
        ..before
    };
    tx.put(NOTIFICATION_REQUEST_OF, &(owner, row.from), &request.id);
    tx.put(NOTIFICATION_REQUEST, &(owner, request.id), &request);
    if is_new { trim(tx, owner) } else { Ok(()) }
}

fn trim(tx: &mut WriteTx<'_>, owner: Id) -> Result<(), StoreError> {
    let rows = Scan::prefix(&(owner,)).reverse().limit(REQUESTS_MAX + TRIM_REQUESTS);
    for (_, row) in tx.scan(NOTIFICATION_REQUEST, rows)?.iter().skip(REQUESTS_MAX) {
        remove(tx, owner, row);
    }
    Ok(())
}

fn remove(tx: &mut WriteTx<'_>, owner: Id, row: &NotificationRequest) {
    tx.delete(NOTIFICATION_REQUEST, &(owner, row.id));
    tx.delete(NOTIFICATION_REQUEST_OF, &(owner, row.from));
}

/// A page of the requests to somebody, newest first.
///
/// # Errors
/// Only the store's.
pub fn requests(tx: &ReadTx<'_>, viewer: Viewer, page: &Page) -> Result<Paged<Asking>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    fill(
        page,
        |span| {
            let rows = tx.scan(NOTIFICATION_REQUEST, span.scan(Scan::prefix(&(me,)), |id| (me, id)))?;
            Ok(rows.into_iter().map(|((_, id), row)| (id, row)).collect())
        },
        |rows| load_requests(tx, viewer, rows.iter().map(|(_, row)| Some(row.clone())).collect()),
    )
}

/// One request.
///
/// # Errors
/// Only the store's.
pub fn request(tx: &ReadTx<'_>, viewer: Viewer, id: Id) -> Result<Option<Asking>, StoreError> {
    let row = tx.get(NOTIFICATION_REQUEST, &(viewer.id.unwrap_or_default(), id))?;
    Ok(load_requests(tx, viewer, vec![row])?.pop().flatten())
}

fn load_requests(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    rows: Vec<Option<NotificationRequest>>,
) -> Result<Vec<Option<Asking>>, StoreError> {
    let from: Vec<Id> = rows.iter().flatten().map(|row| row.from).collect();
    let mut about: Vec<Id> = rows.iter().flatten().filter_map(|row| row.last_status).collect();
    about.sort();
    about.dedup();
    let people: HashMap<Id, Arc<Person>> =
        load_people(tx, &from)?.into_iter().flatten().map(|person| (person.account.id, person)).collect();
    let relations = relations(tx, viewer, &from)?;
    let statuses: HashMap<Id, Loaded> =
        load(tx, viewer, &about)?.into_iter().flatten().map(|loaded| (loaded.status.id, loaded)).collect();
    let asking = |row: NotificationRequest| {
        let from = people.get(&row.from)?.clone();
        let is_silenced = relations.get(&row.from).is_some_and(|between| between.is_silenced(viewer.now));
        let status = row.last_status.and_then(|id| statuses.get(&id)).cloned();
        (!is_silenced).then_some(Asking { request: row, from, status })
    };
    Ok(rows.into_iter().map(|row| row.and_then(asking)).collect())
}

/// How much is held back from somebody.
///
/// # Errors
/// Only the store's.
pub fn summary(tx: &ReadTx<'_>, owner: Id) -> Result<Summary, StoreError> {
    let rows = tx.scan(NOTIFICATION_REQUEST, Scan::prefix(&(owner,)).reverse().limit(COUNTED_MAX))?;
    let notifications = rows.iter().map(|(_, row)| u64::from(row.notifications)).sum();
    Ok(Summary { requests: rows.len(), notifications })
}

/// Those of these requests that exist.
fn known(tx: &ReadTx<'_>, owner: Id, ids: &[Id]) -> Result<Vec<NotificationRequest>, StoreError> {
    let keys: Vec<(Id, Id)> = ids.iter().map(|id| (owner, *id)).collect();
    Ok(tx.get_many(NOTIFICATION_REQUEST, &keys)?.into_iter().flatten().collect())
}

/// A row of `NOTIFICATION`.
type Row = ((Id, Id), Notification);

/// What is held back from somebody of these people.
fn held_back(tx: &ReadTx<'_>, owner: Id, from: &HashSet<Id>) -> Result<Vec<Row>, StoreError> {
    let rows = tx.scan(NOTIFICATION, Scan::prefix(&(owner,)).limit(NOTIFICATIONS_MAX + TRIM_ROWS))?;
    Ok(rows.into_iter().filter(|(_, row)| row.is_filtered && from.contains(&row.from)).collect())
}

/// Lets these people be heard from now on, and what they said before, too.
/// Gives how many of the requests there were.
///
/// # Errors
/// Only the store's.
pub fn accept(tx: &mut WriteTx<'_>, owner: Id, ids: &[Id]) -> Result<usize, StoreError> {
    let requests = known(tx, owner, ids)?;
    if requests.is_empty() {
        return Ok(0);
    }
    for row in &requests {
        tx.put(NOTIFICATION_PERMISSION, &(owner, row.from), &());
        remove(tx, owner, row);
    }
    let from: HashSet<Id> = requests.iter().map(|row| row.from).collect();
    for (key, row) in held_back(tx, owner, &from)? {
        tx.put(NOTIFICATION, &key, &Notification { is_filtered: false, ..row });
    }
    Event::NotificationsMerged { account: owner }.emit(tx);
    Ok(requests.len())
}

/// Drops what these people said. The next thing they say asks again. Gives
/// how many of the requests there were.
///
/// # Errors
/// Only the store's.
pub fn dismiss_requests(tx: &mut WriteTx<'_>, owner: Id, ids: &[Id]) -> Result<usize, StoreError> {
    let requests = known(tx, owner, ids)?;
    requests.iter().for_each(|row| remove(tx, owner, row));
    let from: HashSet<Id> = requests.iter().map(|row| row.from).collect();
    if !from.is_empty() {
        for (key, _) in held_back(tx, owner, &from)? {
            tx.delete(NOTIFICATION, &key);
        }
    }
    Ok(requests.len())
}
