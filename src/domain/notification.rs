//! What people are told about.

mod list;

pub use list::{Alert, Wanted, clear, dismiss, get, list, unread_count};

use crate::base::{Id, Moment};
use crate::model::tables::{NOTIFICATION, RELATION, USER};
use crate::model::{Event, Notification, NotificationKind, Relation};
use crate::store::{Scan, StoreError, WriteTx};

/// Notifications that are kept for one account.
pub const NOTIFICATIONS_MAX: usize = 4000;
/// The list is trimmed about once in this many insertions.
const TRIM_EVERY: u64 = 64;
/// Rows over the limit that one trim removes.
const TRIM_ROWS: usize = 400;

/// What there is to tell.
#[derive(Debug, Clone, Copy)]
pub struct News {
    /// Why.
    pub kind: NotificationKind,
    /// Who caused it.
    pub from: Id,
    /// Which post it is about.
    pub status: Option<Id>,
}

/// Tells a local person, unless they caused it themselves, or block or mute
/// the one who did. Takes one id when it tells; gives that id.
///
/// # Errors
/// Only the store's.
pub fn notify(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    to: Id,
    news: News,
) -> Result<Option<Id>, StoreError> {
    Ok(notify_all(tx, moment, &[to], news)?.pop())
}

/// Like [`notify`], for several people. Gives the ids that it took; when they
/// run out, the rest is not told.
///
/// # Errors
/// Only the store's.
pub fn notify_all(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    to: &[Id],
    news: News,
) -> Result<Vec<Id>, StoreError> {
    let mut told = Vec::new();
    for to in welcomed(tx, moment, to, news.from)? {
        if moment.ids.left() == 0 {
            break;
        }
        let id = moment.id();
        put(tx, moment, to, id, news)?;
        told.push(id);
    }
    Ok(told)
}

/// Like [`notify_all`], with an id that is the same each time the job that
/// tells runs, so that nobody is told twice.
///
/// # Errors
/// Only the store's.
pub(super) fn notify_as(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    to: &[Id],
    id: Id,
    news: News,
) -> Result<(), StoreError> {
    let rows: Vec<(Id, Id)> = to.iter().map(|to| (*to, id)).collect();
    let told = tx.get_many(NOTIFICATION, &rows)?;
    let untold: Vec<Id> = to.iter().zip(told).filter(|(_, row)| row.is_none()).map(|(to, _)| *to).collect();
    for to in welcomed(tx, moment, &untold, news.from)? {
        put(tx, moment, to, id, news)?;
    }
    Ok(())
}

/// Those of these who live here and want to hear of somebody; one round trip.
fn welcomed(tx: &WriteTx<'_>, moment: &Moment, to: &[Id], from: Id) -> Result<Vec<Id>, StoreError> {
    let to: Vec<Id> = to.iter().copied().filter(|to| *to != from).collect();
    let pairs: Vec<(Id, Id)> = to.iter().map(|to| (*to, from)).collect();
    let mut batch = tx.batch();
    let (users, relations) = (batch.get_many(USER, &to), batch.get_many(RELATION, &pairs));
    let found = batch.fetch()?;
    let rows = found.take(users)?.into_iter().zip(found.take(relations)?);
    let wants = |relation: Relation| {
        let is_muted = relation.mute.is_some_and(|mute| mute.notifications && mute.holds(moment.now));
        relation.block.is_none() && !is_muted
    };
    let all = to.into_iter().zip(rows);
    Ok(all
        .filter_map(|(to, (user, relation))| {
            (user.is_some() && wants(relation.unwrap_or_default())).then_some(to)
        })
        .collect())
}

fn put(tx: &mut WriteTx<'_>, moment: &Moment, to: Id, id: Id, news: News) -> Result<(), StoreError> {
    let News { kind, from, status } = news;
    tx.put(NOTIFICATION, &(to, id), &Notification { id, kind, from, status, created_at: moment.now });
    Event::Notified { account: to, notification: id }.emit(tx);
    let spread = (to.0 ^ id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    if spread.is_multiple_of(TRIM_EVERY) { trim(tx, to) } else { Ok(()) }
}

fn trim(tx: &mut WriteTx<'_>, owner: Id) -> Result<(), StoreError> {
    let rows = Scan::prefix(&(owner,)).reverse().limit(NOTIFICATIONS_MAX + TRIM_ROWS);
    for (key, _) in tx.scan(NOTIFICATION, rows)?.iter().skip(NOTIFICATIONS_MAX) {
        tx.delete(NOTIFICATION, key);
    }
    Ok(())
}
