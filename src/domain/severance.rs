//! Telling people here that a decision ended follows of theirs, and whose.
//!
//! Follows end one by one in jobs that may run again, so what is told is one
//! row for each person and decision, which grows while the jobs run.

use std::time::Duration;

use crate::base::{Id, Moment};
use crate::domain::notification::{News, notify_about};
use crate::domain::page::{Page, Paged, fill};
use crate::model::tables::{SEVERANCE, SEVERANCE_BY_CAUSE, SEVERANCE_OF, SEVERED, USER};
use crate::model::{NotificationKind, Severance, SeveranceKind};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long what ends for the same cause is told as one.
const ONE_FOR: Duration = Duration::from_secs(24 * 3600);
/// Handles that are listed of one severance.
pub const LOST_MAX: usize = 50_000;
/// Handles that one step of forgetting removes.
const FORGET_ROWS: usize = 500;

/// Why follows end.
#[derive(Debug, Clone, Copy)]
pub struct Cause<'a> {
    /// Whose decision.
    pub kind: SeveranceKind,
    /// The domain, or the handle of an account.
    pub target: &'a str,
}

/// What somebody was to the one who loses them. The numbers are in keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// They followed.
    Follower = 0,
    /// They were followed.
    Followed = 1,
}

/// Adds these handles to what somebody here lost for a cause; tells them the
/// first time. Takes two ids.
///
/// # Errors
/// Only the store's.
pub fn note(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    who: Id,
    cause: Cause<'_>,
    (side, lost): (Side, &[String]),
) -> Result<(), StoreError> {
    if lost.is_empty() || tx.get(USER, &who)?.is_none() {
        return Ok(());
    }
    let key = (who, cause.kind as u8, cause.target.to_owned());
    let known = tx.get(SEVERANCE_BY_CAUSE, &key)?.map(|id| tx.get(SEVERANCE, &id)).transpose()?.flatten();
    let mut row = match known.filter(|old| moment.now.since(old.created_at) < ONE_FOR) {
        Some(old) => old,
        None => begin(tx, moment, who, cause)?,
    };
    let added = add(tx, row.id, side, lost)?;
    match side {
        Side::Follower => row.followers = row.followers.saturating_add(added),
        Side::Followed => row.following = row.following.saturating_add(added),
    }
    tx.put(SEVERANCE_BY_CAUSE, &key, &row.id);
    tx.put(SEVERANCE, &row.id, &row);
    Ok(())
}

fn begin(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    who: Id,
    cause: Cause<'_>,
) -> Result<Severance, StoreError> {
    let new = Severance {
        id: moment.id(),
        account: who,
        kind: cause.kind,
        target: cause.target.to_owned(),
        followers: 0,
        following: 0,
        created_at: moment.now,
    };
    tx.put(SEVERANCE, &new.id, &new);
    tx.put(SEVERANCE_OF, &(who, new.id), &());
    let news = News { kind: NotificationKind::SeveredRelationships, from: who, status: None };
    notify_about(tx, moment, &[who], news, new.id)?;
    Ok(new)
}

/// Gives how many were not there.
fn add(tx: &mut WriteTx<'_>, severance: Id, side: Side, lost: &[String]) -> Result<u32, StoreError> {
    let keys: Vec<_> = lost.iter().map(|handle| (severance, side as u8, handle.clone())).collect();
    let known = tx.get_many(SEVERED, &keys)?;
    let mut added = 0;
    for (key, _) in keys.iter().zip(&known).filter(|(_, known)| known.is_none()) {
        tx.put(SEVERED, key, &());
        added += 1;
    }
    Ok(added)
}

/// A page of what somebody lost, newest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, who: Id, page: &Page) -> Result<Paged<Severance>, StoreError> {
    fill(
        page,
        |span| {
            let rows = tx.scan(SEVERANCE_OF, span.scan(Scan::prefix(&(who,)), |id| (who, id)))?;
            Ok(rows.into_iter().map(|((_, id), ())| (id, ())).collect())
        },
        |rows| tx.get_many(SEVERANCE, &rows.iter().map(|(id, ())| *id).collect::<Vec<_>>()),
    )
}

/// Handles of those whom somebody lost, the first [`LOST_MAX`] by name;
/// `None` if it is no severance of theirs.
///
/// # Errors
/// Only the store's.
pub fn lost(tx: &ReadTx<'_>, who: Id, severance: Id, side: Side) -> Result<Option<Vec<String>>, StoreError> {
    if tx.get(SEVERANCE_OF, &(who, severance))?.is_none() {
        return Ok(None);
    }
    let rows = tx.scan(SEVERED, Scan::prefix(&(severance, side as u8)).limit(LOST_MAX))?;
    Ok(Some(rows.into_iter().map(|((_, _, handle), ())| handle).collect()))
}

/// One step of forgetting all that somebody lost. Gives whether there may be
/// more.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn forget(tx: &mut WriteTx<'_>, who: Id) -> Result<bool, StoreError> {
    let first = tx.scan(SEVERANCE_OF, Scan::prefix(&(who,)).limit(1))?.pop();
    let Some(((_, id), ())) = first else { return Ok(false) };
    let rows = tx.scan(SEVERED, Scan::prefix(&(id,)).limit(FORGET_ROWS))?;
    for (key, ()) in &rows {
        tx.delete(SEVERED, key);
    }
    if rows.len() < FORGET_ROWS {
        if let Some(row) = tx.get(SEVERANCE, &id)? {
            tx.delete(SEVERANCE_BY_CAUSE, &(who, row.kind as u8, row.target));
        }
        tx.delete(SEVERANCE, &id);
        tx.delete(SEVERANCE_OF, &(who, id));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::World;

    const CAUSE: Cause<'static> = Cause { kind: SeveranceKind::DomainBlock, target: "far.example" };

    async fn lose(world: &World, who: Id, side: Side, handles: &[&str]) {
        let lost: Vec<String> = handles.iter().map(|handle| (*handle).to_owned()).collect();
        world
            .write(move |tx, m| note(tx, m, who, CAUSE, (side, &lost)))
            .await
            .expect("a memory store writes");
    }

    #[tokio::test]
    async fn each_is_counted_once_and_listed_for_its_owner_alone() {
        let world = World::new();
        let (ana, eve) = (world.account(None).await, world.account(None).await);
        lose(&world, ana, Side::Follower, &["bo@far.example", "cy@far.example"]).await;
        // A job that ran again.
        lose(&world, ana, Side::Follower, &["bo@far.example"]).await;
        lose(&world, ana, Side::Followed, &["bo@far.example"]).await;
        lose(&world, ana, Side::Followed, &[]).await;
        let all = world.read(move |tx| list(tx, ana, &Page::first(10))).await.items;
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].followers, all[0].following), (2, 1));
        let id = all[0].id;
        let seen = async |who: Id, side: Side| world.read(move |tx| lost(tx, who, id, side)).await;
        assert_eq!(seen(ana, Side::Follower).await.unwrap(), ["bo@far.example", "cy@far.example"]);
        assert_eq!(seen(ana, Side::Followed).await.unwrap(), ["bo@far.example"]);
        assert_eq!(seen(eve, Side::Followed).await, None);
        assert!(world.write(move |tx, _| forget(tx, ana)).await.expect("a memory store writes"));
        assert!(!world.write(move |tx, _| forget(tx, ana)).await.expect("a memory store writes"));
        assert_eq!(seen(ana, Side::Follower).await, None);
        assert_eq!(world.read(|tx| Ok::<_, StoreError>(tx.scan(SEVERED, Scan::all())?.len())).await, 0);
    }
}
