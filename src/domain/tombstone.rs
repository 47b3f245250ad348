//! What is known to be gone, so that a late copy of it stays away and whoever
//! asks for it hears that it was there. For a named time: long after every
//! server has given up sending it, it is forgotten that it ever was.

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::tables::{TOMBSTONE, TOMBSTONE_BY_END, TombstoneRow};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long a deleted post or account is remembered. Senders retry for days,
/// never for months.
pub const KEPT_FOR: Duration = Duration::from_secs(180 * 24 * 3600);
/// How long an activity that was taken back before it came is remembered. Not
/// for long: Misskey gives a second Follow the id of the first.
pub const ACTIVITY_KEPT_FOR: Duration = Duration::from_secs(6 * 3600);

/// The former type of what is no object but an activity taken back.
const ACTIVITY: &str = "Activity";

/// When it is forgotten.
fn end(row: &TombstoneRow) -> Timestamp {
    row.deleted_at.plus(if row.former_type == ACTIVITY { ACTIVITY_KEPT_FOR } else { KEPT_FOR })
}

/// Remembers that something is gone.
pub(in crate::domain) fn put(tx: &mut WriteTx<'_>, uri: &str, row: &TombstoneRow) {
    tx.put(TOMBSTONE, &uri.to_owned(), row);
    tx.put(TOMBSTONE_BY_END, &(end(row), uri.to_owned()), &());
}

/// Remembers that an activity was taken back by its actor.
pub(in crate::domain) fn put_activity(tx: &mut WriteTx<'_>, now: Timestamp, uri: &str, actor: &str) {
    put(tx, uri, &TombstoneRow { deleted_at: now, former_type: ACTIVITY.into(), actor_uri: actor.into() });
}

/// What is remembered of an object.
///
/// # Errors
/// Only the store's.
pub fn of(tx: &ReadTx<'_>, now: Timestamp, uri: &str) -> Result<Option<TombstoneRow>, StoreError> {
    Ok(tx.get(TOMBSTONE, &uri.to_owned())?.filter(|row| now < end(row)))
}

/// Whether an object of this actor is known to be deleted, so that a late copy
/// stays away. What others said of it does not count.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn is_known(
    tx: &ReadTx<'_>,
    now: Timestamp,
    uri: &str,
    actor: &str,
) -> Result<bool, StoreError> {
    Ok(of(tx, now, uri)?.is_some_and(|row| row.actor_uri.is_empty() || row.actor_uri == actor))
}

/// Forgets up to `limit` of those whose time is over; gives how many.
///
/// # Errors
/// Only the store's.
pub fn prune(tx: &mut WriteTx<'_>, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let old = tx.scan(TOMBSTONE_BY_END, Scan::all().before(&(now, String::new())).limit(limit))?;
    let uris: Vec<String> = old.iter().map(|((_, uri), ())| uri.clone()).collect();
    for ((key, ()), row) in old.iter().zip(tx.get_many(TOMBSTONE, &uris)?) {
        // One that was put again ends later, and has a row of its own for that.
        if row.is_some_and(|row| end(&row) <= now) {
            tx.delete(TOMBSTONE, &key.1);
        }
        tx.delete(TOMBSTONE_BY_END, key);
    }
    Ok(old.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);
    const POST: &str = "https://a.example/p/1";
    const LIKE: &str = "https://a.example/l/1";

    async fn known(store: &Store, now: Timestamp) -> (bool, bool) {
        let read = store.read(move |tx| Ok::<_, StoreError>((of(tx, now, POST)?, of(tx, now, LIKE)?)));
        let (post, like) = read.await.unwrap();
        (post.is_some(), like.is_some())
    }

    async fn rows(store: &Store) -> (usize, usize) {
        let read = store.read(|tx| {
            let rows = tx.scan(TOMBSTONE, Scan::all())?.len();
            Ok::<_, StoreError>((rows, tx.scan(TOMBSTONE_BY_END, Scan::all())?.len()))
        });
        read.await.unwrap()
    }

    async fn pruned(store: &Store, now: Timestamp) -> usize {
        store.write(move |tx| prune(tx, now, 10)).await.unwrap()
    }

    #[tokio::test]
    async fn each_is_forgotten_after_its_time() {
        let store = Store::memory();
        let bury = store.write(|tx| {
            let row = TombstoneRow { deleted_at: NOW, former_type: "Note".into(), actor_uri: String::new() };
            put(tx, POST, &row);
            put_activity(tx, NOW, LIKE, "https://a.example/u/1");
            Ok::<_, StoreError>(())
        });
        bury.await.unwrap();
        assert_eq!(known(&store, NOW).await, (true, true));
        assert_eq!(pruned(&store, NOW).await, 0);
        let (soon, late) = (NOW.plus(ACTIVITY_KEPT_FOR), NOW.plus(KEPT_FOR));
        // Also while its row is still there.
        assert_eq!(known(&store, soon).await, (true, false));
        assert_eq!(pruned(&store, soon.plus(Duration::from_secs(1))).await, 1);
        assert_eq!(rows(&store).await, (1, 1));
        assert_eq!(known(&store, late).await, (false, false));
        assert_eq!(pruned(&store, late.plus(Duration::from_secs(1))).await, 1);
        assert_eq!(rows(&store).await, (0, 0));
    }

    #[tokio::test]
    async fn one_that_was_put_again_is_kept_from_then_on() {
        let store = Store::memory();
        let again = NOW.plus(Duration::from_secs(3600));
        let bury = store.write(move |tx| {
            put_activity(tx, NOW, LIKE, "");
            put_activity(tx, again, LIKE, "");
            Ok::<_, StoreError>(())
        });
        bury.await.unwrap();
        assert_eq!(pruned(&store, NOW.plus(ACTIVITY_KEPT_FOR).plus(Duration::from_secs(1))).await, 1);
        assert_eq!(rows(&store).await, (1, 1));
        assert_eq!(pruned(&store, again.plus(ACTIVITY_KEPT_FOR).plus(Duration::from_secs(1))).await, 1);
        assert_eq!(rows(&store).await, (0, 0));
    }
}
