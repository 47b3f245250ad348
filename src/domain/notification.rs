//! What people are told about.

use crate::base::{Id, Moment};
use crate::model::tables::{NOTIFICATION, RELATION, USER};
use crate::model::{Event, Notification, NotificationKind};
use crate::store::{StoreError, WriteTx};

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
    if to == news.from || tx.get(USER, &to)?.is_none() {
        return Ok(None);
    }
    if let Some(relation) = tx.get(RELATION, &(to, news.from))? {
        let is_muted = relation.mute.is_some_and(|mute| mute.notifications && mute.holds(moment.now));
        if relation.block.is_some() || is_muted {
            return Ok(None);
        }
    }
    let id = moment.id();
    let News { kind, from, status } = news;
    tx.put(NOTIFICATION, &(to, id), &Notification { id, kind, from, status, created_at: moment.now });
    Event::Notified { account: to, notification: id }.emit(tx);
    Ok(Some(id))
}
