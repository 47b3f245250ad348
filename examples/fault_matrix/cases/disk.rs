//! F16: the disk is full, its fsync fails, its fsync stalls.

use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend};
use waxwing::model::queue::ActivityKind;
use waxwing::store::{Redb, Store, StoreError};

use crate::Failure;
use crate::api::Api;
use crate::behaviour::{Behaviour, RoundTrip};
use crate::fleet::Fleet;
use crate::scale::Scale;
use crate::table::Checks;
use crate::world::{Setup, World};

const STALL: Duration = Duration::from_millis(500);
const WELL: u8 = 0;
const FULL: u8 = 1;
const NO_SYNC: u8 = 2;
const STALLS: u8 = 3;

/// A disk whose state can be changed.
#[derive(Debug)]
struct Disk(FileBackend, Arc<AtomicU8>);

impl Disk {
    fn grow(&self) -> io::Result<()> {
        if self.1.load(Ordering::SeqCst) == FULL { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.grow()?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.1.load(Ordering::SeqCst) {
            NO_SYNC => return Err(io::Error::other("the disk lost it")),
            STALLS => std::thread::sleep(STALL),
            _ => {}
        }
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.grow()?;
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
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

fn open(path: &Path, state: &Arc<AtomicU8>) -> Result<Redb, StoreError> {
    let state = state.clone();
    Redb::open_with(
        path,
        Box::new(move |path| {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            Database::builder().create_with_backend(Disk(FileBackend::new(file)?, state.clone()))
        }),
    )
}

/// F16.
pub(crate) async fn trouble(scale: Scale) -> Result<Checks, Failure> {
    let (folder, state, mut checks) = (tempfile::tempdir()?, Arc::new(AtomicU8::new(WELL)), Checks::new());
    let path = folder.path().join("waxwing.redb");
    let store = Store::new(open(&path, &state)?);
    let world = World::over(store.clone(), Arc::new(Fleet::start(5, None).await?), Setup::of(&scale)).await?;
    let api = Api::over(store, folder.path()).await?;
    let mut written: Vec<String> = Vec::new();
    written.extend(api.write("before").await?.1);
    for (name, trouble) in [("full disk", FULL), ("failing fsync", NO_SYNC)] {
        refuse_and_heal(&world, &api, &state, (name, trouble), &mut checks, &mut written).await?;
    }
    for sender in 0..6 {
        world.tell(sender, ActivityKind::Create, &[0, 1, 2, 3, 4]).await?;
    }
    state.store(STALLS, Ordering::SeqCst);
    let before = world.fleet.ledger().count();
    world.work();
    let (status, id) = api.write("while it stalls").await?;
    checks.is("answer while fsync stalls", status.as_u16(), 200);
    written.extend(id);
    let begun = Instant::now();
    while world.fleet.ledger().count() < before + 5 && begun.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    checks.at_least("sends meanwhile", (world.fleet.ledger().count() - before) as f64, 5.0, "");
    state.store(WELL, Ordering::SeqCst);
    checks.is("deliveries lost", world.wait_for(Duration::from_secs(60), |_| true).await, 0);
    let mut lost = 0;
    for id in &written {
        lost += usize::from(!api.has(id).await?);
    }
    checks.is("acknowledged posts lost", lost, 0);
    world.stop().await;
    drop(api);
    let again = Api::over(Store::open_redb(&path)?, folder.path()).await?;
    let mut lost = 0;
    for id in &written {
        lost += usize::from(!again.has(id).await?);
    }
    checks.is("after opening it again", lost, 0);
    Ok(checks)
}

/// The API refuses while the disk is in trouble, sends go on, and all is well after it.
async fn refuse_and_heal(
    world: &World,
    api: &Api,
    state: &AtomicU8,
    (name, trouble): (&str, u8),
    checks: &mut Checks,
    written: &mut Vec<String>,
) -> Result<(), Failure> {
    let slow = RoundTrip { median: Duration::from_millis(300), sigma: 0.0 };
    world.fleet.turn(0..5, &Behaviour::Well(slow));
    for sender in 0..6 {
        world.tell(sender, ActivityKind::Create, &[0, 1, 2, 3, 4]).await?;
    }
    state.store(trouble, Ordering::SeqCst);
    let before = world.fleet.ledger().count();
    world.work();
    let (status, id) = api.write("in trouble").await?;
    checks.is(&format!("answer with a {name}"), status.as_u16(), StatusCode::SERVICE_UNAVAILABLE.as_u16());
    written.extend(id);
    tokio::time::sleep(Duration::from_secs(2)).await;
    // The engine cannot be read either until it is opened again.
    let sent = world.fleet.ledger().count() - before;
    checks.note(format!("{sent} sends with a {name}"));
    state.store(WELL, Ordering::SeqCst);
    let healed = Instant::now();
    let mut status = StatusCode::SERVICE_UNAVAILABLE;
    while status != StatusCode::OK && healed.elapsed() < Duration::from_secs(10) {
        let answer = api.write("after it").await?;
        status = answer.0;
        written.extend(answer.1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    checks.at_most("writes again after", healed.elapsed().as_secs_f64(), 5.0, " s");
    world.rest().await;
    Ok(())
}
