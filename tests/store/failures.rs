//! The n-th call fails, for n = 1, 2, 3 … until none fails any more: calls
//! of the seam between store and engine, then calls of redb to the disk.

use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;
use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend};
use waxwing::base::Id;
use waxwing::store::backend::{Backend, Batch, Changes, RawRange, RawRow, Snapshot};
use waxwing::store::{Counter, Redb, Scan, Store, StoreError, Table};

use crate::home::{Fail, Home};

const LEFT: Table<u64, Vec<u8>> = Table::new("left");
const RIGHT: Table<u64, Id> = Table::new("right");
const SUM: Counter<()> = Counter::new("sum");

/// Counts down; the call that makes it zero fails.
#[derive(Clone, Debug)]
struct Fuse {
    left: Arc<AtomicI64>,
    panics: bool,
}

impl Fuse {
    fn new(nth: i64, panics: bool) -> Fuse {
        Fuse { left: Arc::new(AtomicI64::new(nth)), panics }
    }

    fn blows(&self) -> bool {
        let blows = self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        assert!(!(blows && self.panics), "the engine panics on purpose");
        blows
    }

    fn call(&self) -> Result<(), StoreError> {
        if self.blows() { Err(StoreError::Engine("on purpose".into())) } else { Ok(()) }
    }

    fn has_blown(&self) -> bool {
        self.left.load(Ordering::SeqCst) <= 0
    }
}

/// An engine whose calls fail by a fuse.
struct Failing(Box<dyn Backend>, Fuse);

struct FailingView<'a, T: ?Sized + 'a>(Box<T>, &'a Fuse);

impl Backend for Failing {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.1.call()?;
        Ok(Box::new(FailingView(self.0.snapshot()?, &self.1)))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        self.1.call()?;
        Ok(Box::new(FailingView(self.0.begin()?, &self.1)))
    }

    fn reads_wait(&self) -> bool {
        self.0.reads_wait()
    }

    fn close(&self) {
        self.0.close();
    }
}

impl<T: Snapshot + ?Sized> Snapshot for FailingView<'_, T> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.1.call()?;
        self.0.get_batch(wanted)
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.1.call()?;
        self.0.scan(table, range)
    }
}

impl Batch for FailingView<'_, dyn Batch + '_> {
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError> {
        let FailingView(batch, fuse) = *self;
        fuse.call()?;
        batch.commit(changes)?;
        // The answer may be lost although the work is done.
        fuse.call()
    }
}

/// Each write puts one row left and one right and counts itself.
async fn write(store: &Store, key: u64) -> Result<(), Fail> {
    store
        .write(move |tx| {
            if tx.get(LEFT, &key)?.is_some() {
                return Err(Fail::Refused);
            }
            tx.put(LEFT, &key, &vec![key as u8; 500]);
            tx.put(RIGHT, &key, &Id(key));
            tx.add(SUM, &(), 1);
            Ok(())
        })
        .await
}

/// Some writes alone, some together; gives the acknowledged ones.
async fn work(store: &Store) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for first in [0, 10, 20] {
        if write(store, first).await.is_ok() {
            acknowledged.push(first);
        }
        let together: Vec<u64> = (first + 1..first + 5).collect();
        let outcomes = join_all(together.iter().map(|&key| write(store, key))).await;
        acknowledged
            .extend(together.into_iter().zip(outcomes).filter(|(_, o)| o.is_ok()).map(|(key, _)| key));
        let _ = store.read(|tx| Ok::<_, Fail>(tx.scan(LEFT, Scan::all())?.len())).await;
    }
    acknowledged
}

/// Every acknowledged write is there; every other wholly or not at all.
async fn inspect(store: &Store, acknowledged: &[u64], context: &str) {
    let (left, right, sum) = store
        .read(|tx| {
            Ok::<_, Fail>((tx.scan(LEFT, Scan::all())?, tx.scan(RIGHT, Scan::all())?, tx.count(SUM, &())?))
        })
        .await
        .unwrap_or_else(|e| panic!("{context}: a read after the failure: {e:?}"));
    let left: Vec<u64> = left.into_iter().map(|(key, _)| key).collect();
    let right: Vec<u64> = right.into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, right, "{context}: half a transaction");
    assert_eq!(left.len() as i64, sum, "{context}: half a transaction");
    for key in acknowledged {
        assert!(left.contains(key), "{context}: acknowledged {key} is lost");
    }
}

async fn every_call_fails_once(kind: &Home, panics: bool) {
    for nth in 1.. {
        assert!(nth < 1000, "this never ends");
        let (home, fuse) = (kind.another(), Fuse::new(nth, panics));
        let store = Store::new(Failing(home.engine(), fuse.clone()));
        let mut acknowledged = work(&store).await;
        let ended = !fuse.has_blown();
        fuse.left.store(0, Ordering::SeqCst);
        // Still usable.
        let context = format!("call {nth}");
        write(&store, 1000).await.unwrap_or_else(|e| panic!("{context}: a write after it: {e:?}"));
        acknowledged.push(1000);
        inspect(&store, &acknowledged, &context).await;
        if home.keeps() {
            drop(store);
            inspect(&home.open(), &acknowledged, &format!("{context}, reopened")).await;
        }
        if ended {
            assert!(nth > 20, "too few calls were counted");
            assert_eq!(acknowledged.len(), 16, "nothing failed, yet writes were refused");
            return;
        }
    }
}

pub async fn any_one_failing_call_loses_nothing(home: Home) {
    every_call_fails_once(&home, false).await;
}

pub async fn any_one_panicking_call_loses_nothing(home: Home) {
    every_call_fails_once(&home, true).await;
}

/// A disk whose calls fail by a fuse.
#[derive(Debug)]
struct FailingDisk(FileBackend, Fuse);

impl FailingDisk {
    fn call(&self) -> Result<(), io::Error> {
        if self.1.blows() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for FailingDisk {
    fn len(&self) -> Result<u64, io::Error> {
        self.call()?;
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        self.call()?;
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.call()?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.call()?;
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.call()?;
        self.0.write(offset, data)
    }

    fn close(&self) -> Result<(), io::Error> {
        self.0.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}

fn open_failing(path: &Path, fuse: &Fuse) -> Result<Redb, StoreError> {
    let fuse = fuse.clone();
    Redb::open_with(
        path,
        Box::new(move |path| {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            Database::builder().create_with_backend(FailingDisk(FileBackend::new(file)?, fuse.clone()))
        }),
    )
}

/// After a disk error redb must be opened again; the store does so by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_one_failing_disk_call_loses_nothing_and_heals() {
    let mut failed_writes = 0;
    for nth in 1.. {
        assert!(nth < 5000, "this never ends");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("waxwing.redb");
        let fuse = Fuse::new(nth, false);
        let store = match open_failing(&path, &fuse) {
            Ok(engine) => Store::new(engine),
            Err(error) => {
                assert!(matches!(error, StoreError::DiskFull(_)), "call {nth}: {error}");
                Store::new(open_failing(&path, &fuse).unwrap())
            }
        };
        let mut acknowledged = work(&store).await;
        failed_writes += 15 - acknowledged.len();
        let ended = !fuse.has_blown();
        fuse.left.store(0, Ordering::SeqCst);
        let context = format!("disk call {nth}");
        inspect(&store, &acknowledged, &context).await;
        write(&store, 1000).await.unwrap_or_else(|e| panic!("{context}: a write after it: {e:?}"));
        acknowledged.push(1000);
        drop(store);
        let store = Store::open_redb(&path).unwrap();
        inspect(&store, &acknowledged, &format!("{context}, reopened")).await;
        if ended {
            break;
        }
    }
    assert!(failed_writes > 10, "the failing disk was hardly met");
}
