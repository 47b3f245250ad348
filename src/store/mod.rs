//! An ordered key-value store with typed tables and transactions.
//!
//! Knows bytes and durability; must not know accounts, posts or any rule.
//! Storage engines sit behind [`backend::Backend`]; nothing above this
//! folder can tell which one is in use.

pub mod archive;
pub mod backend;
mod error;
pub mod golden;
mod key;
mod lane;
mod memory;
mod names;
mod overlay;
mod postgres;
mod redb;
mod table;
mod tx;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, oneshot};

use crate::base::Clock;

pub use self::redb::{Opener, Redb, STORE_VERSION};
pub use backend::MISSED;
pub use error::StoreError;
pub use key::Key;
pub use lane::{GROUP_MAX, GROUP_WAIT, LANE_MAX};
pub use memory::Memory;
pub use overlay::Signal;
pub use postgres::Postgres;
pub use table::{Counter, Record, Table, Value, ValueError};
pub use tx::{Fetched, ReadBatch, ReadTx, SCAN_MAX_ROWS, Scan, Ticket, WriteTx};

use backend::Backend;
use lane::{Lane, Typed, Work};

/// Most closures that wait for the lane beside: a few, again and again.
const BESIDE_MAX: usize = 256;
/// Signals a slow listener may lag behind before it misses some.
const SIGNALS_MAX: usize = 4096;

/// A handle to the store; cheap to clone. When the last one is dropped, what
/// is queued is still written and the engine is closed.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Arc<dyn Backend>,
    lane: Way,
    /// Where the engine has it.
    beside: Option<Way>,
    closed: AtomicBool,
    signals: broadcast::Sender<Arc<Signal>>,
}

/// The way to a lane.
struct Way {
    /// `None` when closed.
    sender: RwLock<Option<mpsc::SyncSender<Box<dyn Work>>>>,
    /// Closures in the queue.
    depth: Arc<AtomicUsize>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// A store over an engine; starts its writer lane.
    pub fn new(backend: impl Backend) -> Store {
        Store::start(Arc::new(backend), None)
    }

    /// As [`Store::new`], and measures how long commits take.
    pub fn with_clock(backend: impl Backend, clock: Arc<dyn Clock>) -> Store {
        Store::start(Arc::new(backend), Some(clock))
    }

    fn start(backend: Arc<dyn Backend>, clock: Option<Arc<dyn Clock>>) -> Store {
        let (signals, _) = broadcast::channel(SIGNALS_MAX);
        let heard = signals.clone();
        backend.hear(Box::new(move |signal| drop(heard.send(Arc::new(signal)))));
        let way = |is_beside, room, clock| {
            let (sender, queue) = mpsc::sync_channel(room);
            let depth = Arc::new(AtomicUsize::new(0));
            let (backend, signals) = (backend.clone(), signals.clone());
            let lane = Lane { backend, is_beside, queue, signals, depth: depth.clone(), clock };
            let thread = std::thread::Builder::new()
                .name(if is_beside { "store-beside" } else { "store-writer" }.into())
                .spawn(move || lane.run())
                .expect("a process that cannot start one thread cannot serve");
            Way { sender: RwLock::new(Some(sender)), depth, thread: Mutex::new(Some(thread)) }
        };
        let beside = backend.has_beside().then(|| way(true, BESIDE_MAX, None));
        let lane = way(false, LANE_MAX, clock);
        Store { shared: Arc::new(Shared { backend, lane, beside, closed: AtomicBool::new(false), signals }) }
    }

    /// A store in memory.
    pub fn memory() -> Store {
        Store::new(Memory::default())
    }

    /// A store in one file on disk, made if it is not there.
    ///
    /// # Errors
    /// When the file is in use, damaged, newer than this program, or the
    /// disk is full; each error says what to do.
    pub fn open_redb(path: impl AsRef<Path>) -> Result<Store, StoreError> {
        Ok(Store::new(Redb::open(path)?))
    }

    /// Runs a closure over a consistent snapshot.
    ///
    /// # Errors
    /// What the closure gives, or a [`StoreError`] as its error type.
    pub async fn read<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.read_over(false, closure).await
    }

    /// As [`Store::read`], but never waits for other readers: for the few who
    /// must look again and again, whatever else is asked for.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn read_beside<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.read_over(true, closure).await
    }

    async fn read_over<T, E, F>(&self, is_beside: bool, closure: F) -> Result<T, E>
    where
        F: FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let backend = &self.shared.backend;
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed.into());
        }
        // Measured on 2 cores, 20 rows of redb per read, in place against on the
        // blocking pool: 19,000 and 6,100 per second alone, 31,300 and 19,900 for
        // 16 at once (`examples/store_benchmark.rs`).
        if !backend.reads_wait() {
            // A task that only reads would never let others run.
            tokio::task::coop::consume_budget().await;
            return run_read(&**backend, is_beside, closure);
        }
        let backend = backend.clone();
        tokio::task::spawn_blocking(move || run_read(&*backend, is_beside, closure))
            .await
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    /// Runs a closure as one atomic change; durable when this resolves.
    /// The closure must be pure: it may run more than once. It runs even if
    /// the caller stops waiting.
    ///
    /// # Errors
    /// What the closure gives (and then nothing is changed), or a
    /// [`StoreError`] as its error type.
    pub async fn write<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        send(&self.shared.lane, closure).await
    }

    /// As [`Store::write`], beside the lane where the engine has room for it:
    /// it neither waits for what was queued before nor shares its conflicts.
    /// For little that must be in time, such as signs of life; it touches few
    /// rows, and none that many touch. What was queued in the lane before may
    /// be stored after it.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_beside<T, E, F>(&self, closure: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        send(self.shared.beside.as_ref().unwrap_or(&self.shared.lane), closure).await
    }

    /// Hears every committed [`Signal`] from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Signal>> {
        self.shared.signals.subscribe()
    }

    /// The name under which this process announces signals to others that
    /// share the database, and how many it announced; both empty where nobody
    /// does.
    pub fn announced(&self) -> (String, u64) {
        self.shared.backend.announced()
    }

    /// How many signals other processes say they announced, by name. If some
    /// of them do not arrive soon, listeners hear a signal with the topic
    /// [`MISSED`] in their place. `now` is any monotonic time; call it again
    /// and again.
    pub fn expect(&self, now: Duration, others: &[(String, u64)]) {
        self.shared.backend.expect(now, others);
    }

    /// Write closures that wait for the lane.
    pub fn lane_depth(&self) -> usize {
        self.shared.lane.depth.load(Ordering::Relaxed)
    }

    /// Writes what is queued and closes the engine; resolves when the file is
    /// free for another process. Everything later answers
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        let shared = self.shared.clone();
        // Waiting for the last commit takes as long as the disk does.
        let _ = tokio::task::spawn_blocking(move || shared.close()).await;
    }
}

async fn send<T, E, F>(way: &Way, closure: F) -> Result<T, E>
where
    F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    way.enqueue(Box::new(Typed { closure, result: None, reply }))?;
    answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
}

fn run_read<T, E, F>(backend: &dyn Backend, is_beside: bool, closure: F) -> Result<T, E>
where
    F: FnOnce(&ReadTx<'_>) -> Result<T, E>,
    E: From<StoreError>,
{
    catch_unwind(AssertUnwindSafe(|| {
        let snapshot = if is_beside { backend.snapshot_beside() } else { backend.snapshot() }?;
        closure(&ReadTx::new(&*snapshot))
    }))
    .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
}

impl Way {
    fn enqueue(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let sender = self.sender.read();
        let sender = sender.as_ref().ok_or(StoreError::Closed)?;
        // Counted before it is sent, so that the lane never counts below zero.
        self.depth.fetch_add(1, Ordering::Relaxed);
        sender.try_send(work).map_err(|refused| {
            self.depth.fetch_sub(1, Ordering::Relaxed);
            match refused {
                mpsc::TrySendError::Full(_) => StoreError::Busy,
                mpsc::TrySendError::Disconnected(_) => StoreError::Closed,
            }
        })
    }

    /// What is queued is still written; returns when that is done.
    fn close(&self) {
        drop(self.sender.write().take());
        if let Some(thread) = self.thread.lock().take() {
            // A closure may own the last handle; a lane cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

impl Shared {
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // The other one closes the engine at its end.
        if let Some(beside) = &self.beside {
            beside.close();
        }
        self.lane.close();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}
