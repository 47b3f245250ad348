//! An ordered key-value store with typed tables and transactions.
//!
//! Knows bytes and durability; must not know accounts, posts or any rule.
//! Storage engines sit behind [`backend::Backend`]; nothing above this
//! folder can tell which one is in use.

pub mod backend;
mod error;
mod key;
mod lane;
mod memory;
mod overlay;
mod redb;
mod table;
mod tx;

use std::sync::Arc;
use std::sync::mpsc;

use tokio::sync::{broadcast, oneshot};

pub use self::redb::{Redb, STORE_VERSION};
pub use error::StoreError;
pub use key::Key;
pub use lane::{GROUP_MAX, GROUP_WAIT, LANE_MAX};
pub use memory::Memory;
pub use overlay::Signal;
pub use table::{Counter, Record, Table, Value, ValueError};
pub use tx::{Fetched, ReadBatch, ReadTx, SCAN_MAX_ROWS, Scan, Ticket, WriteTx};

use backend::Backend;
use lane::{Typed, Work};

/// Signals a slow listener may lag behind before it misses some.
const SIGNALS_MAX: usize = 4096;

/// A handle to the store; cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    lane: mpsc::SyncSender<Box<dyn Work>>,
    signals: broadcast::Sender<Arc<Signal>>,
}

impl Store {
    /// A store over an engine; starts its writer lane.
    pub fn new(backend: impl Backend) -> Store {
        let backend: Arc<dyn Backend> = Arc::new(backend);
        let (lane, queue) = mpsc::sync_channel(LANE_MAX);
        let (signals, _) = broadcast::channel(SIGNALS_MAX);
        let (engine, news) = (backend.clone(), signals.clone());
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || lane::run(&*engine, &queue, &news))
            .expect("a process that cannot start one thread cannot serve");
        Store { backend, lane, signals }
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
    pub fn open_redb(path: impl AsRef<std::path::Path>) -> Result<Store, StoreError> {
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
        let backend = self.backend.clone();
        tokio::task::spawn_blocking(move || {
            let snapshot = backend.snapshot()?;
            closure(&ReadTx::new(&*snapshot))
        })
        .await
        .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    /// Runs a closure as one atomic change; durable when this resolves.
    /// The closure must be pure: it may run more than once.
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
        let (reply, answer) = oneshot::channel();
        let work = Box::new(Typed { closure, result: None, reply });
        match self.lane.try_send(work) {
            Ok(()) => {}
            Err(mpsc::TrySendError::Full(_)) => return Err(StoreError::Busy.into()),
            Err(mpsc::TrySendError::Disconnected(_)) => return Err(StoreError::Closed.into()),
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Hears every committed [`Signal`] from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Signal>> {
        self.signals.subscribe()
    }
}
