//! Where a store under test lives, and short words for using it.

use tempfile::TempDir;
use waxwing::store::backend::Backend;
use waxwing::store::{Memory, ReadTx, Redb, Store, StoreError, WriteTx};

/// A kind of engine, with a folder of its own.
pub enum Home {
    Memory,
    Redb(TempDir),
}

impl Home {
    pub fn redb() -> Home {
        Home::Redb(tempfile::tempdir().unwrap())
    }

    pub fn engine(&self) -> Box<dyn Backend> {
        match self {
            Home::Memory => Box::new(Memory::default()),
            Home::Redb(folder) => Box::new(Redb::open(folder.path().join("waxwing.redb")).unwrap()),
        }
    }

    /// The store; for a file, the same one again after the last was dropped.
    pub fn open(&self) -> Store {
        match self {
            Home::Memory => Store::memory(),
            Home::Redb(folder) => Store::open_redb(folder.path().join("waxwing.redb")).unwrap(),
        }
    }
}

/// What a closure of these tests answers.
#[derive(Debug, Clone)]
pub enum Fail {
    /// The rule said no.
    Refused,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Fail {
        Fail::Store(error)
    }
}

pub async fn write<T: Send + 'static>(
    store: &Store,
    closure: impl FnMut(&mut WriteTx<'_>) -> Result<T, Fail> + Send + 'static,
) -> T {
    store.write(closure).await.unwrap()
}

pub async fn read<T: Send + 'static>(
    store: &Store,
    closure: impl FnOnce(&ReadTx<'_>) -> Result<T, Fail> + Send + 'static,
) -> T {
    store.read(closure).await.unwrap()
}

/// Makes one test of each function for each engine.
macro_rules! on_every_backend {
    ($($room:ident: [$($name:ident),* $(,)?]),* $(,)?) => {
        mod memory { $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::$room::$name(crate::home::Home::Memory).await;
            }
        )*)* }
        mod redb { $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::$room::$name(crate::home::Home::redb()).await;
            }
        )*)* }
    };
}

pub(crate) use on_every_backend;
