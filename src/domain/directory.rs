//! The directory: accounts that want to be found, and suggestions of whom to
//! follow.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::base::Id;
use crate::domain::timeline::{Person, load_people};
use crate::domain::visibility::{Viewer, relations};
use crate::model::tables::{ACCOUNT, DIRECTORY, DISMISSED, FOLLOWING, directory};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Rows of the directory that may be skipped.
pub const OFFSET_MAX: usize = 1000;
/// Rows read beyond a page, for those that are not shown.
const SPARE_ROWS: usize = 100;
/// Latest follows whose follows are suggested.
const FRIENDS_MAX: usize = 25;
/// Follows of each that are looked at.
const FRIENDS_FOLLOWS_MAX: usize = 80;
/// Accounts that are considered for suggestions.
const CANDIDATES_MAX: usize = 300;
/// Follows of one's own that are left out of the suggestions.
const OWN_FOLLOWS_MAX: usize = 7500;

/// How the directory is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the day of the last post.
    Active,
    /// By when the account came to be known here.
    New,
}

/// A part of the directory, without those whom the viewer does not want to see.
///
/// # Errors
/// Only the store's.
pub fn list(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    (order, only_local): (Order, bool),
    (offset, limit): (usize, usize),
) -> Result<Vec<Arc<Person>>, StoreError> {
    let offset = offset.min(OFFSET_MAX);
    let ids = rows(tx, order, only_local, offset + limit + SPARE_ROWS)?;
    let relations = relations(tx, viewer, &ids)?;
    let is_shown = |id: &Id| relations.get(id).is_none_or(|between| !between.is_silenced(viewer.now));
    let ids: Vec<Id> = ids.into_iter().filter(is_shown).skip(offset).take(limit).collect();
    Ok(load_people(tx, &ids)?.into_iter().flatten().collect())
}

fn rows(tx: &ReadTx<'_>, order: Order, only_local: bool, limit: usize) -> Result<Vec<Id>, StoreError> {
    let part = match (order, only_local) {
        (Order::Active, false) => directory::ACTIVE,
        (Order::Active, true) => directory::ACTIVE_LOCAL,
        (Order::New, false) => directory::NEW,
        (Order::New, true) => directory::NEW_LOCAL,
    };
    let rows = tx.scan(DIRECTORY, Scan::prefix(&(part,)).reverse().limit(limit))?;
    Ok(rows.into_iter().map(|((_, _, id), ())| id).collect())
}

/// Why somebody is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Several whom one follows follow them.
    FriendsOfFriends,
    /// They are active, and many follow them.
    MostFollowed,
}

/// Somebody to follow.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// Who.
    pub person: Arc<Person>,
    /// Why.
    pub reason: Reason,
}

/// Whom somebody may want to follow: those whom most of their latest follows
/// follow, then active ones of the directory. Work is bounded.
///
/// # Errors
/// Only the store's.
pub fn suggestions(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    (offset, limit): (usize, usize),
) -> Result<Vec<Suggestion>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    let own = tx.scan(FOLLOWING, Scan::prefix(&(me,)).reverse().limit(OWN_FOLLOWS_MAX))?;
    let own: Vec<Id> = own.into_iter().map(|(_, followed)| followed).collect();
    let followed: HashSet<Id> = own.iter().copied().collect();
    let mut candidates = friends_of(tx, &own)?;
    let active = rows(tx, Order::Active, false, CANDIDATES_MAX)?;
    let known: HashSet<Id> = candidates.iter().map(|(id, _)| *id).collect();
    let more = active.into_iter().filter(|id| !known.contains(id));
    candidates.extend(more.map(|id| (id, Reason::MostFollowed)));
    candidates.retain(|(id, _)| *id != me && !followed.contains(id));
    candidates.truncate(CANDIDATES_MAX);
    let ids: Vec<Id> = candidates.iter().map(|(id, _)| *id).collect();
    let wanted = wanted(tx, viewer, &ids)?;
    let people = load_people(tx, &ids)?.into_iter();
    let all = candidates.into_iter().zip(people).filter(|((id, _), _)| wanted.contains(id));
    let mut all: Vec<Suggestion> = all
        .filter_map(|((_, reason), person)| Some(Suggestion { person: person?, reason }))
        .filter(|found| found.person.account.is_discoverable && found.person.account.moved_to.is_none())
        .collect();
    // Friends of friends are in their order already; sorting is stable.
    all.sort_by_key(|found| match found.reason {
        Reason::FriendsOfFriends => (0, 0),
        Reason::MostFollowed => (1, u64::MAX - found.person.followers),
    });
    Ok(all.into_iter().skip(offset).take(limit).collect())
}

/// Those whom one's latest follows follow, by how many of them do.
fn friends_of(tx: &ReadTx<'_>, own: &[Id]) -> Result<Vec<(Id, Reason)>, StoreError> {
    let mut counts: BTreeMap<Id, usize> = BTreeMap::new();
    for friend in own.iter().take(FRIENDS_MAX) {
        let latest = Scan::prefix(&(*friend,)).reverse().limit(FRIENDS_FOLLOWS_MAX);
        for (_, theirs) in tx.scan(FOLLOWING, latest)? {
            *counts.entry(theirs).or_default() += 1;
        }
    }
    let mut counts: Vec<(Id, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(id, count)| (std::cmp::Reverse(*count), *id));
    Ok(counts.into_iter().map(|(id, _)| (id, Reason::FriendsOfFriends)).collect())
}

/// Those of these whom the viewer did not ask, block, mute or dismiss.
fn wanted(tx: &ReadTx<'_>, viewer: Viewer, ids: &[Id]) -> Result<HashSet<Id>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    let relations = relations(tx, viewer, ids)?;
    let keys: Vec<(Id, Id)> = ids.iter().map(|id| (me, *id)).collect();
    let dismissed = tx.get_many(DISMISSED, &keys)?;
    let is_open = |id: &Id| {
        relations.get(id).is_none_or(|between| {
            !between.is_silenced(viewer.now) && between.to.follow.is_none() && between.to.request.is_none()
        })
    };
    let rows = ids.iter().zip(dismissed).filter(|(id, row)| row.is_none() && is_open(id));
    Ok(rows.map(|(id, _)| *id).collect())
}

/// Does not suggest somebody again. Nothing happens for nobody we know.
///
/// # Errors
/// Only the store's.
pub fn dismiss(tx: &mut WriteTx<'_>, me: Id, other: Id) -> Result<(), StoreError> {
    if tx.get(ACCOUNT, &other)?.is_some() {
        tx.put(DISMISSED, &(me, other), &());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::World;
    use crate::model::Account;

    async fn discoverable(world: &World, host: Option<&str>) -> Id {
        let id = world.account(host).await;
        let change = world.write(move |tx, _| {
            let old = tx.get(ACCOUNT, &id)?.expect("it was just made");
            Account::save(tx, Some(&old), &Account { is_discoverable: true, ..old.clone() });
            Ok::<_, StoreError>(())
        });
        change.await.expect("a memory store writes");
        id
    }

    #[tokio::test]
    async fn friends_of_friends_come_first_by_their_number() {
        let world = World::new();
        let me = world.account(None).await;
        let (ann, bob) = (world.account(None).await, world.account(None).await);
        let (one, two) = (discoverable(&world, None).await, discoverable(&world, None).await);
        let (other, shy) = (discoverable(&world, None).await, world.account(None).await);
        for (from, to) in [(me, ann), (me, bob), (ann, one), (ann, two), (bob, two), (bob, shy), (ann, me)] {
            world.follow(from, to).await;
        }
        let viewer = world.sees(me);
        let seen = async || -> Vec<(Id, Reason)> {
            let all = world.read(move |tx| suggestions(tx, viewer, (0, 10))).await;
            all.into_iter().map(|found| (found.person.account.id, found.reason)).collect()
        };
        let friends = Reason::FriendsOfFriends;
        assert_eq!(seen().await, [(two, friends), (one, friends), (other, Reason::MostFollowed)]);
        world.write(move |tx, _| dismiss(tx, me, two)).await.expect("a memory store writes");
        world.relate(me, one, |row| row.block = Some(Id(1))).await;
        assert_eq!(seen().await, [(other, Reason::MostFollowed)]);
    }

    #[tokio::test]
    async fn the_directory_lists_who_wants_to_be_listed() {
        let world = World::new();
        let (here, there) = (discoverable(&world, None).await, discoverable(&world, Some("b.example")).await);
        world.account(None).await;
        let anybody = Viewer::anonymous(world.sees(here).now);
        let list = async |order, local| -> Vec<Id> {
            let all = world.read(move |tx| list(tx, anybody, (order, local), (0, 10))).await;
            all.into_iter().map(|person| person.account.id).collect()
        };
        assert_eq!(list(Order::New, false).await, [there, here]);
        assert_eq!(list(Order::New, true).await, [here]);
        world.post(here, crate::model::Visibility::Public).await;
        assert_eq!(list(Order::Active, false).await[0], here);
        let hide = world.write(move |tx, _| {
            let old = tx.get(ACCOUNT, &here)?.expect("it is there");
            Account::save(tx, Some(&old), &Account { is_discoverable: false, ..old.clone() });
            Ok::<_, StoreError>(())
        });
        hide.await.expect("a memory store writes");
        assert!(list(Order::Active, true).await.is_empty() && list(Order::New, true).await.is_empty());
    }
}
