//! One index for each node, one feed for all: who has looked at what.
//!
//! Each index has a slot, known by the stamp of its last change, not by the
//! number of its node: that one changes. A row of the feed goes when all
//! slots have looked at it; the slot of a node that is gone for long is
//! dropped, and should the node come back, its index is made anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tracing::info;

use super::gather::{FeedRow, PAGE_MAX};
use super::shelf::Stamp;
use crate::base::Id;
use crate::model::NodeState;
use crate::model::feed::SLOTS;
use crate::model::tables::{INDEX_FEED, INDEX_STAMP, NODE};
use crate::store::{ReadTx, Scan, Store, StoreError, WriteTx};

/// The slot of a store's only index.
const ONLY: u8 = 0;
/// An index that no living node has is waited for so long.
const STRAY_FOR: Duration = Duration::from_secs(600);

/// The slot that has one of these stamps.
pub(super) fn slot_of(kept: &[(u8, Id)], stamp: Stamp) -> Option<u8> {
    let is_ours = |id: &Id| [stamp.current, stamp.previous].contains(id);
    kept.iter().find(|(_, id)| is_ours(id)).map(|(slot, _)| *slot)
}

/// Takes a slot for an index that is made anew.
pub(super) fn take(tx: &mut WriteTx<'_>, is_shared: bool, stamp: Id) -> Result<u8, StoreError> {
    let slot = if is_shared {
        let taken = taken(tx)?;
        let free = (0..SLOTS).find(|slot| !taken.contains(slot));
        free.ok_or_else(|| StoreError::Engine("there are as many search indexes as may be".into()))?
    } else {
        ONLY
    };
    tx.put(INDEX_STAMP, &slot, &stamp);
    Ok(slot)
}

fn taken(tx: &ReadTx<'_>) -> Result<BTreeSet<u8>, StoreError> {
    Ok(tx.scan(INDEX_STAMP, Scan::all())?.into_iter().map(|(slot, _): (u8, Id)| slot).collect())
}

/// Notes what an index has looked at, and its new stamp. `false`, and nothing
/// is changed, if the store does not know it as it was before.
pub(super) fn settle(
    tx: &mut WriteTx<'_>,
    is_shared: bool,
    (slot, before): (u8, Stamp),
    rows: &[FeedRow],
    stamp: Id,
) -> Result<bool, StoreError> {
    if is_shared {
        let kept = tx.get(INDEX_STAMP, &slot)?;
        if kept.is_none_or(|kept| ![before.current, before.previous].contains(&kept)) {
            return Ok(false);
        }
    }
    let all = if is_shared { taken(tx)? } else { BTreeSet::from([slot]) };
    let keys: Vec<(u8, Id)> = rows.iter().map(|(key, _)| *key).collect();
    let now = tx.get_many(INDEX_FEED, &keys)?;
    for ((key, mark), now) in rows.iter().zip(now) {
        let Some(now) = now.filter(|now| now.of == mark.of) else { continue };
        let done = now.done_by(slot);
        if all.iter().all(|slot| done.is_done_by(*slot)) {
            tx.delete(INDEX_FEED, key);
        } else {
            tx.put(INDEX_FEED, key, &done);
        }
    }
    tx.put(INDEX_STAMP, &slot, &stamp);
    Ok(true)
}

/// Slots without a living node, and since when.
#[derive(Default)]
pub(super) struct Strays(BTreeMap<u8, Duration>);

impl Strays {
    /// Drops slots that no living node has had for long.
    pub(super) async fn drop_old(&mut self, store: &Store, now: Duration) -> Result<(), StoreError> {
        let strays = store.read(strays).await?;
        self.0.retain(|slot, _| strays.contains(slot));
        for slot in &strays {
            self.0.entry(*slot).or_insert(now);
        }
        let old = |since: Duration| now.saturating_sub(since) >= STRAY_FOR;
        let old: Vec<u8> = self.0.iter().filter(|(_, since)| old(**since)).map(|(slot, _)| *slot).collect();
        if old.is_empty() {
            return Ok(());
        }
        info!(slots = ?old, "search indexes of nodes that are gone are waited for no longer");
        let going = old.clone();
        store.write(move |tx| drop_slots(tx, &going)).await?;
        self.0.retain(|slot, _| !old.contains(slot));
        let mut after = None;
        // Each page begins behind the last row of the one before, so this ends.
        loop {
            after = store.write(move |tx| forget_done(tx, after)).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

fn strays(tx: &ReadTx<'_>) -> Result<BTreeSet<u8>, StoreError> {
    let nodes = tx.scan(NODE, Scan::all())?;
    let living = nodes.into_iter().filter(|(_, node)| node.state != NodeState::Gone);
    let owned: BTreeSet<u8> = living.filter_map(|(_, node)| node.index_slot).collect();
    Ok(taken(tx)?.difference(&owned).copied().collect())
}

/// Unless their nodes have come back.
fn drop_slots(tx: &mut WriteTx<'_>, slots: &[u8]) -> Result<(), StoreError> {
    let strays = strays(tx)?;
    slots.iter().filter(|slot| strays.contains(slot)).for_each(|slot| tx.delete(INDEX_STAMP, slot));
    Ok(())
}

/// Deletes rows that nobody has to look at any more; gives where to go on.
fn forget_done(tx: &mut WriteTx<'_>, after: Option<(u8, Id)>) -> Result<Option<(u8, Id)>, StoreError> {
    let all = taken(tx)?;
    let scan = after.as_ref().map_or_else(Scan::all, |after| Scan::all().after(after));
    let rows = tx.scan(INDEX_FEED, scan.limit(PAGE_MAX))?;
    for (key, mark) in &rows {
        if all.iter().all(|slot| mark.is_done_by(*slot)) {
            tx.delete(INDEX_FEED, key);
        }
    }
    Ok(rows.last().filter(|_| rows.len() == PAGE_MAX).map(|(key, _)| *key))
}

#[cfg(test)]
mod tests {
    use super::super::shelf::Walk;
    use super::*;
    use crate::model::Node;
    use crate::model::feed::Mark;

    fn stamp(current: u64, previous: u64) -> Stamp {
        Stamp { current: Id(current), previous: Id(previous), walk: Walk::Done }
    }

    async fn written<T: Send + 'static>(
        store: &Store,
        work: impl FnMut(&mut WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        store.write(work).await.unwrap()
    }

    #[tokio::test]
    async fn a_row_goes_when_every_index_has_looked() {
        let store = Store::memory();
        let row = ((0u8, Id(5)), Mark { of: 9, done: 0 });
        let left = written(&store, move |tx| {
            assert_eq!((take(tx, true, Id(1))?, take(tx, true, Id(2))?), (0, 1));
            tx.put(INDEX_FEED, &row.0, &row.1);
            assert!(settle(tx, true, (0, stamp(1, 1)), &[row], Id(11))?);
            let between = tx.get(INDEX_FEED, &row.0)?;
            assert!(between.is_some_and(|mark| mark.is_done_by(0) && !mark.is_done_by(1)));
            assert!(!settle(tx, true, (1, stamp(7, 8)), &[row], Id(12))?, "an index that nobody knows");
            // Stopped after its commit and before this: known by the stamp before.
            assert!(settle(tx, true, (1, stamp(12, 2)), &[row], Id(13))?);
            tx.get(INDEX_FEED, &row.0)
        })
        .await;
        assert_eq!(left, None);
        let kept = store
            .read(|tx| tx.scan(INDEX_STAMP, Scan::all()))
            .await
            .unwrap_or_else(|error: StoreError| panic!("{error}"));
        assert_eq!((slot_of(&kept, stamp(13, 12)), slot_of(&kept, stamp(3, 4))), (Some(1), None));
    }

    #[tokio::test]
    async fn an_index_of_nobody_is_waited_for_only_so_long() {
        let store = Store::memory();
        written(&store, |tx| {
            let node = Node { boot: 1, state: NodeState::Running, index_slot: Some(0), ..Node::default() };
            tx.put(NODE, &3, &node);
            take(tx, true, Id(1))?;
            take(tx, true, Id(2))?;
            tx.put(INDEX_FEED, &(0, Id(5)), &Mark { of: 9, done: 1 });
            tx.put(INDEX_FEED, &(0, Id(6)), &Mark { of: 9, done: 0 });
            Ok(())
        })
        .await;
        let mut strays = Strays::default();
        let look = async |strays: &mut Strays, at: Duration| {
            strays.drop_old(&store, at).await.unwrap();
            let read = |tx: &ReadTx<'_>| {
                Ok::<_, StoreError>((taken(tx)?.len(), tx.scan(INDEX_FEED, Scan::all())?.len()))
            };
            store.read(read).await.unwrap()
        };
        assert_eq!(look(&mut strays, Duration::from_secs(5)).await, (2, 2));
        assert_eq!(look(&mut strays, STRAY_FOR).await, (2, 2));
        assert_eq!(look(&mut strays, STRAY_FOR + Duration::from_secs(5)).await, (1, 1));
    }
}
