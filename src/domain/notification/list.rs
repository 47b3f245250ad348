//! Reading notifications. A row whose cause is gone (a like taken back, a
//! post deleted, an account blocked) is not shown.

use std::collections::HashMap;
use std::sync::Arc;

use super::about::{self, About};
use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::timeline::{Loaded, Person, load, load_everybody};
use crate::domain::visibility::{Between, Viewer, relations};
use crate::model::tables::{INTERACTION, MARKER, NOTIFICATION};
use crate::model::{Account, FilterContext, Interaction, Notification, NotificationKind};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A notification with what is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The notification.
    pub notification: Notification,
    /// Who caused it.
    pub from: Arc<Person>,
    /// The post it is about.
    pub status: Option<Loaded>,
    /// What else it is about.
    pub about: Option<About>,
}

/// Which notifications are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only these kinds; empty for all.
    pub kinds: Vec<NotificationKind>,
    /// Not these kinds.
    pub except: Vec<NotificationKind>,
    /// Only those that this account caused.
    pub from: Option<Id>,
    /// Those too that the policy holds back.
    pub include_filtered: bool,
}

impl Wanted {
    pub(super) fn admits(&self, row: &Notification) -> bool {
        (self.include_filtered || !row.is_filtered)
            && (self.kinds.is_empty() || self.kinds.contains(&row.kind))
            && !self.except.contains(&row.kind)
            && self.from.is_none_or(|from| from == row.from)
    }
}

/// A page of somebody's notifications.
///
/// # Errors
/// Only the store's.
pub fn list(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    wanted: &Wanted,
    page: &Page,
) -> Result<Paged<Alert>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    fill(
        page,
        |span| {
            let rows = tx.scan(NOTIFICATION, span.scan(Scan::prefix(&(me,)), |id| (me, id)))?;
            Ok(rows.into_iter().map(|((_, id), row)| (id, row)).collect())
        },
        |rows| {
            let rows: Vec<Option<Notification>> =
                rows.iter().map(|(_, row)| wanted.admits(row).then(|| row.clone())).collect();
            load_alerts(tx, viewer, rows)
        },
    )
}

/// One notification.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, viewer: Viewer, id: Id) -> Result<Option<Alert>, StoreError> {
    let row = tx.get(NOTIFICATION, &(viewer.id.unwrap_or_default(), id))?;
    Ok(load_alerts(tx, viewer, vec![row])?.pop().flatten())
}

/// Removes one notification; `false` if there was none.
///
/// # Errors
/// Only the store's.
pub fn dismiss(tx: &mut WriteTx<'_>, owner: Id, id: Id) -> Result<bool, StoreError> {
    let is_there = tx.get(NOTIFICATION, &(owner, id))?.is_some();
    tx.delete(NOTIFICATION, &(owner, id));
    Ok(is_there)
}

/// Removes these notifications; those that are missing do not matter.
///
/// # Errors
/// Only the store's.
pub fn dismiss_all(tx: &mut WriteTx<'_>, owner: Id, ids: &[Id]) -> Result<(), StoreError> {
    ids.iter().for_each(|id| tx.delete(NOTIFICATION, &(owner, *id)));
    Ok(())
}

/// Removes all notifications of somebody.
///
/// # Errors
/// Only the store's.
pub fn clear(tx: &mut WriteTx<'_>, owner: Id) -> Result<(), StoreError> {
    // One scan reads more rows than are ever kept.
    for (key, _) in tx.scan(NOTIFICATION, Scan::prefix(&(owner,)))? {
        tx.delete(NOTIFICATION, &key);
    }
    Ok(())
}

/// How many notifications are newer than the marker, counted up to `limit`.
///
/// # Errors
/// Only the store's.
pub fn unread_count(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    wanted: &Wanted,
    limit: usize,
) -> Result<usize, StoreError> {
    let page = Page { since_id: last_read(tx, viewer)?, ..Page::first(limit) };
    Ok(list(tx, viewer, wanted, &page)?.items.len())
}

/// The newest notification that somebody has read, by their marker.
///
/// # Errors
/// Only the store's.
pub fn last_read(tx: &ReadTx<'_>, viewer: Viewer) -> Result<Option<Id>, StoreError> {
    let marker = tx.get(MARKER, &(viewer.id.unwrap_or_default(), "notifications".to_owned()))?;
    Ok(marker.map(|marker| marker.last_read))
}

pub(super) fn load_alerts(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    rows: Vec<Option<Notification>>,
) -> Result<Vec<Option<Alert>>, StoreError> {
    let known: Vec<&Notification> = rows.iter().flatten().collect();
    let from: Vec<Id> = known.iter().map(|row| row.from).collect();
    let mut posts: Vec<Id> = known.iter().filter_map(|row| row.status).collect();
    posts.sort();
    posts.dedup();
    let marks: Vec<(Id, Id)> = known.iter().map(|row| (row.from, row.status.unwrap_or_default())).collect();

    let people: HashMap<Id, Arc<Person>> =
        load_everybody(tx, &from)?.into_iter().flatten().map(|person| (person.account.id, person)).collect();
    let relations = relations(tx, viewer, &from)?;
    let mut marks = tx.get_many(INTERACTION, &marks)?.into_iter();
    let statuses: HashMap<Id, Loaded> =
        load(tx, viewer, &posts)?.into_iter().flatten().map(|loaded| (loaded.status.id, loaded)).collect();

    let abouts = about::load(tx, &known)?;

    Ok(rows
        .into_iter()
        .map(|row| {
            let row = row?;
            let mark = marks.next().flatten().unwrap_or_default();
            let person = people.get(&row.from).filter(|person| names(&row, &person.account))?.clone();
            let between = relations.get(&row.from).cloned().unwrap_or_default();
            let status = row.status.and_then(|id| statuses.get(&id)).cloned();
            let is_hidden = status.as_ref().is_some_and(|s| s.is_hidden(FilterContext::Notifications));
            let holds = holds(&row, viewer, &between, &mark)
                && status.is_some() == row.status.is_some()
                && !is_hidden;
            let about = about::of(&row).and_then(|id| abouts.get(&id)).cloned();
            let holds = holds && about.is_some() == about::of(&row).is_some();
            holds.then_some(Alert { notification: row, from: person, status, about })
        })
        .collect())
}

/// Whether it may name this account as its cause. Staff hear also of those
/// whom nobody else sees, who wait to be let in for example.
pub(super) fn names(row: &Notification, from: &Account) -> bool {
    from.is_visible() || (row.kind.is_office() && from.deleted_at.is_none())
}

/// Whether what it tells is still so.
pub(super) fn holds(row: &Notification, viewer: Viewer, between: &Between, mark: &Interaction) -> bool {
    let is_muted = between.to.mute.as_ref().is_some_and(|m| m.notifications && m.holds(viewer.now));
    let is_away = between.is_blocked() || between.is_domain_blocked;
    if !row.kind.is_office() && (is_away || is_muted) {
        return false;
    }
    match row.kind {
        NotificationKind::Favourite => mark.favourite.is_some(),
        NotificationKind::Reblog => mark.reblog.is_some(),
        NotificationKind::Follow => between.from.follow.is_some(),
        NotificationKind::FollowRequest => between.from.request.is_some(),
        // The others tell of what cannot be taken back, or of a post that is
        // looked for anyway.
        _ => true,
    }
}
