//! Which files of other servers are kept here, and which go when there are
//! too many: those that nobody asked for longest. Must not know where the
//! files are, nor fetch them.

use std::time::Duration;

use super::delivery::{Place, Task, authority_of, enqueue_as};
use crate::base::{Id, Moment, Timestamp};
use crate::model::CachedFile;
use crate::model::queue::{ActivityKind, Job, Lane};
use crate::model::tables::{CACHED, CACHED_BY_USE, COUNT, count};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A use is noted when the last one noted is this old: most reads write nothing.
const NOTE_EVERY: Duration = Duration::from_secs(3600);
const ALL: (u8, Id) = (count::CACHED_BYTES, Id::ZERO);

/// The digest of a file's address, under which it is found.
pub type CacheKey = [u8; 32];

/// What may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of all files together.
    pub bytes_max: u64,
    /// How long a file is kept that nobody asks for.
    pub unused_max: Duration,
}

/// Has a file fetched that somebody waits for, in the lane of its host. Takes
/// one id.
///
/// # Errors
/// Only the store's.
pub fn ask(tx: &mut WriteTx<'_>, moment: &mut Moment, url: &str) -> Result<(), StoreError> {
    let Some(host) = authority_of(url) else { return Ok(()) };
    let job = Job::FetchFile { url: url.to_owned() };
    let task = Task { place: Place::Web(host), ..Task::local(job, Id::ZERO).lane(Lane::Fresh) };
    let (id, now) = (moment.id(), moment.now);
    enqueue_as(tx, id, now, ActivityKind::Glimpse, &task)
}

/// A kept file, and whether its use is to be noted with [`touch`].
///
/// # Errors
/// Only the store's.
pub fn find(
    tx: &ReadTx<'_>,
    now: Timestamp,
    key: CacheKey,
) -> Result<Option<(CachedFile, bool)>, StoreError> {
    let found = tx.get(CACHED, &key)?;
    Ok(found.map(|file| {
        let is_old = now.since(file.used_at) > NOTE_EVERY;
        (file, is_old)
    }))
}

/// Notes that a file was asked for.
///
/// # Errors
/// Only the store's.
pub fn touch(tx: &mut WriteTx<'_>, now: Timestamp, key: CacheKey) -> Result<(), StoreError> {
    if let Some(old) = tx.get(CACHED, &key)? {
        tx.delete(CACHED_BY_USE, &(old.used_at, key));
        tx.put(CACHED_BY_USE, &(now, key), &());
        tx.put(CACHED, &key, &CachedFile { used_at: now, ..old });
    }
    Ok(())
}

/// Notes a file that was fetched; gives the one it replaces.
///
/// # Errors
/// Only the store's.
pub fn keep(tx: &mut WriteTx<'_>, key: CacheKey, new: &CachedFile) -> Result<Option<CachedFile>, StoreError> {
    let old = tx.get(CACHED, &key)?;
    if let Some(old) = &old {
        forget(tx, key, old);
    }
    tx.put(CACHED, &key, new);
    tx.put(CACHED_BY_USE, &(new.used_at, key), &());
    tx.add(COUNT, &ALL, signed(new.bytes));
    Ok(old)
}

/// Files that are to go, those unused longest first, at most `limit`.
///
/// # Errors
/// Only the store's.
pub fn surplus(
    tx: &ReadTx<'_>,
    now: Timestamp,
    budget: Budget,
    limit: usize,
) -> Result<Vec<(CacheKey, CachedFile)>, StoreError> {
    let mut bytes = tx.count(COUNT, &ALL)?;
    let rows = tx.scan(CACHED_BY_USE, Scan::all().limit(limit))?;
    let keys: Vec<CacheKey> = rows.into_iter().map(|((_, key), ())| key).collect();
    let mut going = Vec::new();
    for (key, file) in keys.iter().zip(tx.get_many(CACHED, &keys)?) {
        let Some(file) = file else { continue };
        let is_unused = now.since(file.used_at) > budget.unused_max;
        if !is_unused && bytes <= signed(budget.bytes_max) {
            break;
        }
        bytes -= signed(file.bytes);
        going.push((*key, file));
    }
    Ok(going)
}

/// Forgets files that were removed. One that was fetched anew stays.
///
/// # Errors
/// Only the store's.
pub fn drop_all(tx: &mut WriteTx<'_>, gone: &[(CacheKey, CachedFile)]) -> Result<(), StoreError> {
    let keys: Vec<CacheKey> = gone.iter().map(|(key, _)| *key).collect();
    for ((key, gone), now) in gone.iter().zip(tx.get_many(CACHED, &keys)?) {
        if let Some(file) = now.filter(|file| file.name == gone.name) {
            forget(tx, *key, &file);
        }
    }
    Ok(())
}

/// Forgets files at once; gives their names, to be removed.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn take(tx: &mut WriteTx<'_>, keys: &[CacheKey]) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for (key, file) in keys.iter().zip(tx.get_many(CACHED, keys)?) {
        // An address asked for twice is forgotten once.
        if let Some(file) = file.filter(|file| !names.contains(&file.name)) {
            forget(tx, *key, &file);
            names.push(file.name);
        }
    }
    Ok(names)
}

fn forget(tx: &mut WriteTx<'_>, key: CacheKey, old: &CachedFile) {
    tx.delete(CACHED, &key);
    tx.delete(CACHED_BY_USE, &(old.used_at, key));
    tx.add(COUNT, &ALL, -signed(old.bytes));
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::World;

    const BUDGET: Budget = Budget { bytes_max: 100, unused_max: Duration::from_secs(30 * 24 * 3600) };

    async fn fetched(world: &World, key: u8, bytes: u64) {
        world
            .write(move |tx, moment| {
                let name = format!("cache/{key}-{}", moment.now.as_millis());
                keep(tx, [key; 32], &CachedFile { name, bytes, fetched_at: moment.now, used_at: moment.now })
            })
            .await
            .expect("a memory store writes");
    }

    async fn going(world: &World) -> Vec<u8> {
        let now = world.moment().now;
        world.read(move |tx| surplus(tx, now, BUDGET, 10)).await.iter().map(|(key, _)| key[0]).collect()
    }

    #[tokio::test]
    async fn what_nobody_asked_for_longest_goes_first() {
        let world = World::new();
        for key in 1..=3 {
            fetched(&world, key, 40).await;
        }
        assert_eq!(going(&world).await, [1], "120 of 100 bytes");
        world.write(|tx, moment| touch(tx, moment.now, [1; 32])).await.expect("a memory store writes");
        assert_eq!(going(&world).await, [2]);
        let now = world.moment().now;
        let gone = world.read(move |tx| surplus(tx, now, BUDGET, 10)).await;
        world.write(move |tx, _| drop_all(tx, &gone)).await.expect("a memory store writes");
        assert!(going(&world).await.is_empty(), "80 of 100 bytes");
        // Fetched anew, it counts once.
        fetched(&world, 3, 40).await;
        assert!(going(&world).await.is_empty());
        world.clock.advance(BUDGET.unused_max + Duration::from_secs(1));
        assert_eq!(going(&world).await, [1, 3]);
    }

    #[tokio::test]
    async fn a_file_that_was_fetched_anew_is_not_forgotten() {
        let world = World::new();
        fetched(&world, 1, 200).await;
        let now = world.moment().now;
        let gone = world.read(move |tx| surplus(tx, now, BUDGET, 10)).await;
        fetched(&world, 1, 50).await;
        world.write(move |tx, _| drop_all(tx, &gone)).await.expect("a memory store writes");
        let now = world.moment().now;
        let found = world.read(move |tx| find(tx, now, [1; 32])).await;
        assert_eq!(found.map(|(file, is_old)| (file.bytes, is_old)), Some((50, false)));
    }
}
