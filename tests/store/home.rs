//! Where a store under test lives, and short words for using it.

use tempfile::TempDir;
use waxwing::store::backend::Backend;
use waxwing::store::{Memory, Postgres, ReadTx, Redb, Store, StoreError, WriteTx};

use crate::postgres_server;

/// A kind of engine, with a place of its own.
pub enum Home {
    Memory,
    Redb(TempDir),
    /// The address of an empty schema.
    Postgres(String),
}

impl Home {
    pub fn redb() -> Home {
        Home::Redb(tempfile::tempdir().unwrap())
    }

    pub fn postgres() -> Home {
        Home::Postgres(postgres_server::empty())
    }

    /// Another empty one of the same kind.
    pub fn another(&self) -> Home {
        match self {
            Home::Memory => Home::Memory,
            Home::Redb(_) => Home::redb(),
            Home::Postgres(_) => Home::postgres(),
        }
    }

    /// Whether rows outlive the process.
    pub fn keeps(&self) -> bool {
        !matches!(self, Home::Memory)
    }

    pub fn engine(&self) -> Box<dyn Backend> {
        match self {
            Home::Memory => Box::new(Memory::default()),
            Home::Redb(folder) => Box::new(Redb::open(folder.path().join("waxwing.redb")).unwrap()),
            Home::Postgres(url) => Box::new(Postgres::open(url).unwrap()),
        }
    }

    /// The store; except in memory, the same one again after the last was dropped.
    pub fn open(&self) -> Store {
        match self {
            Home::Memory => Store::memory(),
            Home::Redb(folder) => Store::open_redb(folder.path().join("waxwing.redb")).unwrap(),
            Home::Postgres(url) => open_postgres(url),
        }
    }
}

pub fn open_postgres(url: &str) -> Store {
    Store::new(Postgres::open(url).unwrap_or_else(|error| panic!("{error}")))
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
        mod postgres { $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                crate::$room::$name(crate::home::Home::postgres()).await;
            }
        )*)* }
    };
}

pub(crate) use on_every_backend;
