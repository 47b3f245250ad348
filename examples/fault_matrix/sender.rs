//! The children: a world over a store that outlives them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use waxwing::model::queue::{ActivityKind, OrderKey};
use waxwing::store::backend::{Backend, Batch, Changes, RawRange, RawRow, Snapshot};
use waxwing::store::{Redb, Store, StoreError};

use crate::Failure;
use crate::child::say;
use crate::fleet::Fleet;
use crate::measure::rss_mib;
use crate::rows;
use crate::scale::Scale;
use crate::world::{Post, Setup, World};

/// No child lives longer than this, whatever happens to its parent.
const LIFE_MAX: Duration = Duration::from_secs(900);

/// Runs a child of this kind.
pub(crate) async fn run(kind: &str, folder: &Path, arguments: &[String]) -> Result<(), Failure> {
    let number = |place: usize| arguments.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let work = async {
        match kind {
            "post" => post(folder, number(0), number(1)).await,
            "drain" => drain(folder, number(0)).await,
            "stuck" => stuck(folder).await,
            "fill" => rows::fill(folder, number(0), number(1)).await,
            "hold" => rows::hold(folder, number(0), number(1)).await,
            _ => Err("no such child".into()),
        }
    };
    tokio::time::timeout(LIFE_MAX, work).await.map_err(|_| "a child lived too long")?
}

/// The inboxes that the parent wrote down.
pub(crate) fn inboxes(folder: &Path) -> Result<Vec<String>, Failure> {
    Ok(std::fs::read_to_string(folder.join("inboxes"))?.lines().map(str::to_owned).collect())
}

/// A world over the store in a folder.
pub(crate) async fn world(folder: &Path, slots: u64, store: Store) -> Result<World, Failure> {
    let people = std::fs::read_to_string(folder.join("people")).ok();
    let known = people.map(|text| text.lines().filter_map(|line| line.parse().ok()).collect::<Vec<_>>());
    let fleet = Arc::new(Fleet::start(0, None).await?);
    let setup = Setup { known, slots: slots as usize, people: 4, ..Setup::of(&Scale::long()) };
    let world = World::over(store, fleet, setup).await?;
    let ids: Vec<String> = world.people.iter().map(|id| id.to_string()).collect();
    std::fs::write(folder.join("people"), ids.join("\n"))?;
    Ok(world)
}

/// Posts to everybody in bursts and says what is on disk, until it is killed.
async fn post(folder: &Path, first: u64, slots: u64) -> Result<(), Failure> {
    let world = world(folder, slots, Store::open_redb(folder.join("waxwing.redb"))?).await?;
    world.number_from(first);
    world.work();
    say("ready");
    let inboxes = inboxes(folder)?;
    for sender in 0..10_000 {
        let post = Post { sender, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &inboxes };
        let (number, _) = world.post(&post).await?;
        say(&format!("ack {number}"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Sends what is left and says when nothing is.
async fn drain(folder: &Path, slots: u64) -> Result<(), Failure> {
    let world = world(folder, slots, Store::open_redb(folder.join("waxwing.redb"))?).await?;
    world.work();
    say("ready");
    let end = Instant::now() + LIFE_MAX;
    while Instant::now() < end {
        let rows = world.overview().await?;
        if rows.ready.iter().sum::<i64>() + rows.deferred == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.stop().await;
    say(&format!("drained {:.0}", rss_mib()));
    Ok(())
}

/// Sends one delivery, but its outcome is never written down.
async fn stuck(folder: &Path) -> Result<(), Failure> {
    let is_stuck = Arc::new(AtomicBool::new(false));
    let engine = Stuck { inner: Redb::open(folder.join("waxwing.redb"))?, is_stuck: is_stuck.clone() };
    let world = world(folder, 32, Store::new(engine)).await?;
    let inboxes = inboxes(folder)?;
    let post = Post { sender: 0, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &inboxes };
    let (number, _) = world.post(&post).await?;
    is_stuck.store(true, Ordering::SeqCst);
    world.work();
    say(&format!("ack {number}"));
    std::future::pending().await
}

/// An engine that stops committing.
struct Stuck {
    inner: Redb,
    is_stuck: Arc<AtomicBool>,
}

struct StuckBatch<'a>(Box<dyn Batch + 'a>, &'a AtomicBool);

impl Backend for Stuck {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.inner.snapshot()
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        Ok(Box::new(StuckBatch(self.inner.begin()?, &self.is_stuck)))
    }

    fn reads_wait(&self) -> bool {
        self.inner.reads_wait()
    }
}

impl Snapshot for StuckBatch<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.0.get_batch(wanted)
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.0.scan(table, range)
    }
}

impl Batch for StuckBatch<'_> {
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError> {
        while self.1.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_secs(1));
        }
        self.0.commit(changes)
    }
}
