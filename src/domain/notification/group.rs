//! Notifications of one kind about one thing, shown as one.
//!
//! A group stands where its newest notification stands, so that a walk along
//! the pages meets each group once. Which notifications belong together is
//! written when they come; the groups are made from one scan of everything
//! that is kept for their owner, which is bounded.

use std::collections::HashMap;
use std::sync::Arc;

use super::about::{self, About};
use super::list::{Wanted, holds, load_alerts, names};
use super::{NOTIFICATIONS_MAX, TRIM_ROWS};
use crate::base::{Id, Timestamp};
use crate::domain::page::{Page, Paged, fill};
use crate::domain::timeline::{Loaded, Person, load, load_everybody};
use crate::domain::visibility::{Viewer, relations};
use crate::model::tables::{INTERACTION, NOTIFICATION, NOTIFICATION_GROUP};
use crate::model::{FilterContext, GroupBegin, GroupKey, Notification, NotificationKind};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Hours that one group spans (Mastodon: 12).
const SPAN_HOURS: u32 = 12;
/// Accounts that a group names (Mastodon: 8).
const SAMPLE: usize = 8;
/// Notifications of one group that are looked at: its newest.
const MEMBERS_MAX: usize = 500;

/// Which kinds are grouped: `None` for all that can be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouped(pub Option<Vec<NotificationKind>>);

impl Grouped {
    fn key(&self, row: &Notification) -> GroupKey {
        match &self.0 {
            Some(kinds) if !kinds.contains(&row.kind) => GroupKey::Alone(row.id),
            _ => row.group(),
        }
    }
}

/// Some notifications that are shown as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub key: GroupKey,
    /// Its notifications that hold, newest first; never none.
    pub rows: Vec<Notification>,
    /// Those who caused the newest of them, newest first.
    pub sample: Vec<Arc<Person>>,
    /// The post it is about.
    pub status: Option<Loaded>,
    /// What else it is about.
    pub about: Option<About>,
}

/// When the latest group of these began; begins one when that is too long
/// ago.
pub(super) fn begin(tx: &mut WriteTx<'_>, of: (Id, u8, Id), now: Timestamp) -> Result<u32, StoreError> {
    let hour = u32::try_from(now.as_secs() / 3600).unwrap_or_default();
    let latest = tx.get(NOTIFICATION_GROUP, &of)?;
    if let Some(GroupBegin { hour: begun }) = latest
        && hour < begun.saturating_add(SPAN_HOURS)
    {
        return Ok(begun);
    }
    tx.put(NOTIFICATION_GROUP, &of, &GroupBegin { hour });
    Ok(hour)
}

/// Forgets when groups about a post began that is deleted.
pub(in crate::domain) fn forget_status(tx: &mut WriteTx<'_>, author: Id, status: Id) {
    for kind in [NotificationKind::Favourite, NotificationKind::Reblog] {
        tx.delete(NOTIFICATION_GROUP, &(author, kind as u8, status));
    }
}

/// Everything that is kept for somebody, newest first.
fn rows(tx: &ReadTx<'_>, owner: Id) -> Result<Vec<Notification>, StoreError> {
    let rows = Scan::prefix(&(owner,)).reverse().limit(NOTIFICATIONS_MAX + TRIM_ROWS);
    Ok(tx.scan(NOTIFICATION, rows)?.into_iter().map(|(_, row)| row).collect())
}

/// Rows by group, in the order of each group's newest.
fn gather(rows: Vec<Notification>, grouped: &Grouped) -> Vec<(GroupKey, Vec<Notification>)> {
    let mut places: HashMap<GroupKey, usize> = HashMap::new();
    let mut groups: Vec<(GroupKey, Vec<Notification>)> = Vec::new();
    for row in rows {
        let key = grouped.key(&row);
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, members)) => members.push(row),
            None => groups.push((key, vec![row])),
        }
    }
    groups
}

/// A page of somebody's groups, newest first.
///
/// # Errors
/// Only the store's.
pub fn groups(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    wanted: &Wanted,
    grouped: &Grouped,
    page: &Page,
) -> Result<Paged<Group>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    let rows = rows(tx, me)?.into_iter().filter(|row| wanted.admits(row)).collect();
    let all = gather(rows, grouped);
    fill(
        page,
        |span| {
            let places =
                all.iter().enumerate().filter_map(|(place, (_, rows))| Some((rows.first()?.id, place)));
            let mut places: Vec<(Id, usize)> = places.filter(|(id, _)| span.holds(*id)).collect();
            span.merge(&mut places);
            Ok(places)
        },
        |places| load_groups(tx, viewer, places.iter().map(|(_, place)| all[*place].clone()).collect()),
    )
}

/// One group; `None` if there is none, or nothing of it holds any more.
///
/// # Errors
/// Only the store's.
pub fn group(tx: &ReadTx<'_>, viewer: Viewer, key: GroupKey) -> Result<Option<Group>, StoreError> {
    let rows = of_key(tx, viewer.id.unwrap_or_default(), key)?;
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(load_groups(tx, viewer, vec![(key, rows)])?.pop().flatten())
}

/// The notifications of one group, newest first.
fn of_key(tx: &ReadTx<'_>, owner: Id, key: GroupKey) -> Result<Vec<Notification>, StoreError> {
    match key {
        // A client that does not group a kind knows each by its own id.
        GroupKey::Alone(id) => Ok(tx.get(NOTIFICATION, &(owner, id))?.into_iter().collect()),
        GroupKey::Many { .. } => Ok(rows(tx, owner)?.into_iter().filter(|row| row.group() == key).collect()),
    }
}

/// Removes all notifications of a group; `false` if there were none.
///
/// # Errors
/// Only the store's.
pub fn dismiss_group(tx: &mut WriteTx<'_>, owner: Id, key: GroupKey) -> Result<bool, StoreError> {
    let rows = of_key(tx, owner, key)?;
    rows.iter().for_each(|row| tx.delete(NOTIFICATION, &(owner, row.id)));
    Ok(!rows.is_empty())
}

/// A page of those who caused a group, newest first; by the ids of their
/// notifications. `None` if there is no such group.
///
/// # Errors
/// Only the store's.
pub fn members(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    key: GroupKey,
    page: &Page,
) -> Result<Option<Paged<Arc<Person>>>, StoreError> {
    let rows = of_key(tx, viewer.id.unwrap_or_default(), key)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let page = fill(
        page,
        |span| {
            let rows = rows.iter().filter(|row| span.holds(row.id));
            let mut rows: Vec<(Id, Notification)> = rows.map(|row| (row.id, row.clone())).collect();
            span.merge(&mut rows);
            Ok::<_, StoreError>(rows)
        },
        |rows| {
            let alerts = load_alerts(tx, viewer, rows.iter().map(|(_, row)| Some(row.clone())).collect())?;
            Ok(alerts.into_iter().map(|alert| alert.map(|alert| alert.from)).collect())
        },
    );
    page.map(Some)
}

/// Groups with what is shown of them, in order; `None` where nothing of it
/// holds. A fixed number of round trips for all.
fn load_groups(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    groups: Vec<(GroupKey, Vec<Notification>)>,
) -> Result<Vec<Option<Group>>, StoreError> {
    let groups = still_so(tx, viewer, groups)?;
    let mut sample: Vec<Id> =
        groups.iter().flat_map(|(_, rows)| rows.iter().take(SAMPLE)).map(|row| row.from).collect();
    sample.sort();
    sample.dedup();
    let mut posts: Vec<Id> =
        groups.iter().filter_map(|(_, rows)| rows.first()).filter_map(|row| row.status).collect();
    posts.sort();
    posts.dedup();
    let people: HashMap<Id, Arc<Person>> = load_everybody(tx, &sample)?
        .into_iter()
        .flatten()
        .map(|person| (person.account.id, person))
        .collect();
    let statuses: HashMap<Id, Loaded> =
        load(tx, viewer, &posts)?.into_iter().flatten().map(|loaded| (loaded.status.id, loaded)).collect();
    let firsts: Vec<&Notification> = groups.iter().filter_map(|(_, rows)| rows.first()).collect();
    let abouts = about::load(tx, &firsts)?;

    let make = |(key, rows): (GroupKey, Vec<Notification>)| {
        let wants = rows.first()?.status;
        let status = wants.and_then(|id| statuses.get(&id)).cloned();
        let is_hidden = status.as_ref().is_some_and(|status| status.is_hidden(FilterContext::Notifications));
        let mut sample: Vec<Arc<Person>> = Vec::new();
        for row in rows.iter().take(SAMPLE) {
            let Some(person) = people.get(&row.from).filter(|person| names(row, &person.account)) else {
                continue;
            };
            if !sample.iter().any(|known| known.account.id == person.account.id) {
                sample.push(person.clone());
            }
        }
        let named = about::of(rows.first()?);
        let about = named.and_then(|id| abouts.get(&id)).cloned();
        let is_whole = status.is_some() == wants.is_some() && about.is_some() == named.is_some();
        let is_there = is_whole && !is_hidden && !sample.is_empty();
        is_there.then_some(Group { key, rows, sample, status, about })
    };
    Ok(groups.into_iter().map(make).collect())
}

/// Leaves of each group what still holds: likes that were not taken back, by
/// people who are not blocked.
fn still_so(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    mut groups: Vec<(GroupKey, Vec<Notification>)>,
) -> Result<Vec<(GroupKey, Vec<Notification>)>, StoreError> {
    groups.iter_mut().for_each(|(_, rows)| rows.truncate(MEMBERS_MAX));
    let all = || groups.iter().flat_map(|(_, rows)| rows);
    let mut from: Vec<Id> = all().map(|row| row.from).collect();
    from.sort();
    from.dedup();
    let marks: Vec<(Id, Id)> = all().map(|row| (row.from, row.status.unwrap_or_default())).collect();
    let relations = relations(tx, viewer, &from)?;
    let mut marks = tx.get_many(INTERACTION, &marks)?.into_iter();
    for (_, rows) in &mut groups {
        rows.retain(|row| {
            let mark = marks.next().flatten().unwrap_or_default();
            let between = relations.get(&row.from).cloned().unwrap_or_default();
            holds(row, viewer, &between, &mark)
        });
        // Who liked, took it back and liked again counts once.
        let mut seen = std::collections::HashSet::new();
        rows.retain(|row| !row.kind.is_grouped() || seen.insert((row.from, row.status)));
    }
    Ok(groups)
}
