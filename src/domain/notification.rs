//! What people are told about.

mod about;
mod group;
mod list;
mod policy;
mod request;

pub use about::About;
pub(super) use group::forget_status;
pub use group::{Group, Grouped, dismiss_group, group, groups, members};
pub use list::{Alert, Wanted, clear, dismiss, dismiss_all, get, last_read, list, unread_count};
pub use policy::{policy, set_policy};
pub use request::{Asking, REQUESTS_MAX, Summary, accept, dismiss_requests, request, requests, summary};

use std::collections::HashSet;

use super::push;
use crate::base::{Id, Moment};
use crate::domain::domain_block::turned_away_from;
use crate::model::tables::{
    ACCOUNT, INTERACTION, NOTIFICATION, NOTIFICATION_PERMISSION, NOTIFICATION_POLICY, RELATION, STATUS, USER,
};
use crate::model::{
    Event, Notification, NotificationKind, NotificationPolicy, PolicyAnswer, Relation, Status, User,
};
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
    tell(tx, moment, to, (news, None))
}

/// Like [`notify_all`], with the report, warning or block between servers
/// that it tells of.
///
/// # Errors
/// Only the store's.
pub fn notify_about(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    to: &[Id],
    news: News,
    about: Id,
) -> Result<Vec<Id>, StoreError> {
    tell(tx, moment, to, (news, Some(about)))
}

fn tell(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    to: &[Id],
    what: (News, Option<Id>),
) -> Result<Vec<Id>, StoreError> {
    let (mut told, mut pushed) = (Vec::new(), Vec::new());
    for welcome in welcomed(tx, moment, to, what.0)? {
        if moment.ids.left() == 0 {
            break;
        }
        let id = moment.id();
        put(tx, moment, &welcome, id, what)?;
        told.push(id);
        pushed.extend(welcome.is_pushed().then_some((welcome.to, id)));
    }
    for some in pushed.chunks(push::TOLD_PER_JOB) {
        // No other job has the id of a notification that was made just now.
        push::announce(tx, moment.now, some[0].1, some)?;
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
    let mut pushed = Vec::new();
    for welcome in welcomed(tx, moment, &untold, news)? {
        put(tx, moment, &welcome, id, (news, None))?;
        pushed.extend(welcome.is_pushed().then_some((welcome.to, id)));
    }
    let mut moment = moment.clone();
    for some in pushed.chunks(push::TOLD_PER_JOB) {
        push::announce(tx, moment.now, moment.id(), some)?;
    }
    Ok(())
}

/// Those of these who live here and want to hear of it, and whether their
/// policy holds it back; one round trip.
fn welcomed(tx: &WriteTx<'_>, moment: &Moment, to: &[Id], news: News) -> Result<Vec<Welcome>, StoreError> {
    let from = news.from;
    let to: Vec<Id> = to.iter().copied().filter(|to| news.kind.is_of_oneself() || *to != from).collect();
    let there: Vec<(Id, Id)> = to.iter().map(|to| (*to, from)).collect();
    let back: Vec<(Id, Id)> = to.iter().map(|to| (from, *to)).collect();
    let mut batch = tx.batch();
    let users = batch.get_many(USER, &to);
    let theres = batch.get_many(RELATION, &there);
    let backs = batch.get_many(RELATION, &back);
    let policies = batch.get_many(NOTIFICATION_POLICY, &to);
    let permissions = batch.get_many(NOTIFICATION_PERMISSION, &there);
    let sender = batch.get_many(ACCOUNT, &[from]);
    let status = batch.get_many(STATUS, news.status.as_slice());
    let found = batch.fetch()?;

    let (users, permissions) = (found.take(users)?, found.take(permissions)?);
    let (theres, backs, policies) = (found.take(theres)?, found.take(backs)?, found.take(policies)?);
    let sender = found.take(sender)?.pop().flatten().unwrap_or_default();
    let status = found.take(status)?.pop().flatten();
    let away = turned_away_from(tx, &to, sender.domain.as_deref())?;
    let deaf = deaf(tx, &to, news.kind, status.as_ref())?;
    let rows = to.into_iter().zip(users).zip(theres).zip(backs).zip(policies).zip(permissions);
    let welcome = |(((((to, user), there), back), policy), permission): Row| {
        let has_push = user.filter(|_| !deaf.contains(&to))?.has_push;
        let (there, back): (Relation, Relation) = (there.unwrap_or_default(), back.unwrap_or_default());
        let is_muted = there.mute.as_ref().is_some_and(|mute| mute.notifications && mute.holds(moment.now));
        if !news.kind.is_office() && (there.block.is_some() || is_muted || away.contains(&to)) {
            return None;
        }
        let (from, status) = (&sender, status.as_ref());
        let facts = policy::Facts { kind: news.kind, to, there: &there, back: &back, from, status };
        let answer = match permission {
            Some(()) => PolicyAnswer::Accept,
            None => policy::answer(&policy.unwrap_or_default(), &facts, moment.now),
        };
        let is_filtered = answer == PolicyAnswer::Filter;
        (answer != PolicyAnswer::Drop).then_some(Welcome { to, is_filtered, has_push })
    };
    Ok(rows.filter_map(welcome).collect())
}

/// Those who muted the thread of a post. For mentions the caller looks: it
/// knows the thread before the post is kept.
fn deaf(
    tx: &WriteTx<'_>,
    to: &[Id],
    kind: NotificationKind,
    status: Option<&Status>,
) -> Result<HashSet<Id>, StoreError> {
    let Some(status) = status.filter(|_| kind != NotificationKind::Mention && !kind.is_office()) else {
        return Ok(HashSet::new());
    };
    let keys: Vec<(Id, Id)> = to.iter().map(|to| (*to, status.thread)).collect();
    let rows = to.iter().zip(tx.get_many(INTERACTION, &keys)?);
    Ok(rows.filter(|(_, row)| row.as_ref().is_some_and(|row| row.muted)).map(|(to, _)| *to).collect())
}

/// Who is told, user, relation there and back, policy, permission.
type Row =
    (((((Id, Option<User>), Option<Relation>), Option<Relation>), Option<NotificationPolicy>), Option<()>);

/// Somebody who is told.
struct Welcome {
    to: Id,
    /// It waits with the requests.
    is_filtered: bool,
    /// Some app of theirs may want to be told.
    has_push: bool,
}

impl Welcome {
    /// Whether their apps are told.
    fn is_pushed(&self) -> bool {
        self.has_push && !self.is_filtered
    }
}

fn put(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    welcome: &Welcome,
    id: Id,
    (news, about): (News, Option<Id>),
) -> Result<(), StoreError> {
    let (&Welcome { to, is_filtered, .. }, News { kind, from, status }) = (welcome, news);
    let group_hour = match kind.is_grouped() && !is_filtered {
        true => Some(group::begin(tx, (to, kind as u8, status.unwrap_or_default()), moment.now)?),
        false => None,
    };
    let created_at = moment.now;
    let row = Notification { id, kind, from, status, created_at, is_filtered, group_hour, about };
    tx.put(NOTIFICATION, &(to, id), &row);
    if is_filtered {
        request::note(tx, to, &row)?;
    } else {
        Event::Notified { account: to, notification: id }.emit(tx);
    }
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
