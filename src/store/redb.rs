//! The embedded engine: one file, one process, durable commits.
//!
//! Each of our tables is one redb table of bytes to bytes, made when it is
//! first written. After a disk error redb refuses everything until it is
//! opened again, so this engine opens it again by itself: the next call
//! after the disk works is served.

mod fault;
mod file;
mod space;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ::redb::{
    Database, DatabaseError, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition, TableError, TableHandle, WriteTransaction,
};
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::StoreError;
use super::backend::{Backend, Batch, Change, Changes, RawRange, RawRow, Snapshot, counter_value};
use super::overlay::is_empty;

/// The layout of the file that this program writes.
pub const STORE_VERSION: u32 = 1;

type Rows = ReadOnlyTable<&'static [u8], &'static [u8]>;

const fn table(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// How an existing file is opened. Tests put a failing disk in between.
pub type Opener = Box<dyn Fn(&Path) -> Result<Database, DatabaseError> + Send + Sync>;

/// Memory that the engine fills with pages unless told otherwise.
pub(super) const CACHE_BYTES: usize = 64 << 20;

/// A store in one file.
pub struct Redb {
    path: PathBuf,
    opener: Opener,
    /// `None` if the last attempt to open it again failed.
    database: RwLock<Option<Database>>,
    /// The one write batch.
    writer: Mutex<()>,
    /// The engine met a disk error and must be opened again.
    failed: AtomicBool,
    closed: AtomicBool,
}

impl Redb {
    /// Opens the file, or makes it (readable by its owner only) with its
    /// folder.
    ///
    /// # Errors
    /// [`StoreError::Held`], [`StoreError::DiskFull`],
    /// [`StoreError::Damaged`], [`StoreError::Newer`], or
    /// [`StoreError::Engine`] with what the system said.
    pub fn open(path: impl AsRef<Path>) -> Result<Redb, StoreError> {
        Redb::open_caching(path, CACHE_BYTES)
    }

    /// As [`Redb::open`], keeping at most this many bytes of pages in memory
    /// in place of [`CACHE_BYTES`].
    ///
    /// # Errors
    /// As [`Redb::open`].
    pub fn open_caching(path: impl AsRef<Path>, cache_max_bytes: usize) -> Result<Redb, StoreError> {
        Redb::open_with(path, Box::new(move |path| file::open_plainly(path, cache_max_bytes)))
    }

    /// As [`Redb::open`], with another way of opening the file.
    ///
    /// # Errors
    /// As [`Redb::open`].
    pub fn open_with(path: impl AsRef<Path>, opener: Opener) -> Result<Redb, StoreError> {
        let path = path.as_ref().to_owned();
        file::make_if_missing(&path)?;
        let database = file::open(&path, &opener)?;
        Ok(Redb {
            path,
            opener,
            database: RwLock::new(Some(database)),
            writer: Mutex::new(()),
            failed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    fn view(&self) -> Result<View<'_>, StoreError> {
        let database = self.database.read();
        let database = database.as_ref().ok_or_else(|| self.absent())?;
        let tx = database.begin_read().map_err(|e| self.fault(e))?;
        Ok(View { home: self, tx, tables: RefCell::default() })
    }

    /// Opens the file again after a disk error. Needs the writer's guard: a
    /// write transaction under way would keep the file's lock.
    fn heal(&self, _writer: &MutexGuard<'_, ()>) -> Result<(), StoreError> {
        if !self.failed.load(Ordering::Acquire) || self.closed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut database = self.database.write();
        drop(database.take());
        *database = Some(file::open(&self.path, &self.opener)?);
        self.failed.store(false, Ordering::Release);
        tracing::warn!("the store failed, was opened again and works");
        Ok(())
    }

    /// Translates a failure, and remembers if the file must be opened again.
    fn fault(&self, error: impl Into<::redb::Error>) -> StoreError {
        let error = error.into();
        if fault::needs_reopening(&error) {
            self.failed.store(true, Ordering::Release);
        }
        fault::translate(&self.path, error)
    }

    fn absent(&self) -> StoreError {
        if self.closed.load(Ordering::Acquire) {
            return StoreError::Closed;
        }
        StoreError::Engine(format!("`{}` failed and could not be opened again yet", self.path.display()))
    }
}

impl Backend for Redb {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        if self.failed.load(Ordering::Acquire) {
            let writer = self.writer.try_lock().ok_or_else(|| self.absent())?;
            self.heal(&writer)?;
        }
        Ok(Box::new(self.view()?))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        let writer = self.writer.lock();
        self.heal(&writer)?;
        Ok(Box::new(Writing { view: self.view()?, _writer: writer }))
    }

    fn reads_wait(&self) -> bool {
        false
    }

    fn close(&self) {
        let _writer = self.writer.lock();
        self.closed.store(true, Ordering::Release);
        if let Some(Err(error)) = self.database.write().take().map(Database::close) {
            // Nothing is lost: every commit was durable. The next start checks the file.
            tracing::warn!(%error, "the store could not be closed cleanly");
        }
    }
}

struct View<'a> {
    home: &'a Redb,
    tx: ReadTransaction,
    /// Tables opened so far; a missing one reads as empty.
    tables: RefCell<HashMap<&'static str, Option<Rows>>>,
}

impl View<'_> {
    fn with<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&Rows) -> Result<T, ::redb::StorageError>,
    ) -> Result<Option<T>, StoreError> {
        let mut tables = self.tables.borrow_mut();
        if !tables.contains_key(name) {
            let rows = match self.tx.open_table(table(name)) {
                Ok(rows) => Some(rows),
                Err(TableError::TableDoesNotExist(_)) => None,
                Err(e) => return Err(self.home.fault(e)),
            };
            tables.insert(name, rows);
        }
        let Some(Some(rows)) = tables.get(name) else { return Ok(None) };
        read(rows).map(Some).map_err(|e| self.home.fault(e))
    }
}

impl Snapshot for View<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        wanted
            .iter()
            .map(|(name, key)| {
                let found =
                    self.with(name, |rows| Ok(rows.get(key.as_slice())?.map(|row| row.value().to_vec())))?;
                Ok(found.flatten())
            })
            .collect()
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        if is_empty(range) {
            return Ok(Vec::new());
        }
        let bounds = (range.start.as_ref().map(Vec::as_slice), range.end.as_ref().map(Vec::as_slice));
        let found = self.with(table, |rows| {
            let rows = rows.range::<&[u8]>(bounds)?;
            let owned = |row: Result<_, ::redb::StorageError>| {
                let (key, value): (::redb::AccessGuard<'_, &[u8]>, ::redb::AccessGuard<'_, &[u8]>) = row?;
                Ok((key.value().to_vec(), value.value().to_vec()))
            };
            if range.reverse {
                rows.rev().take(range.limit).map(owned).collect()
            } else {
                rows.take(range.limit).map(owned).collect()
            }
        })?;
        Ok(found.unwrap_or_default())
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let found = self.tx.list_tables().map_err(|e| self.home.fault(e))?;
        let mut names: Vec<String> = found.map(|table| table.name().to_owned()).collect();
        names.retain(|name| name != file::META_NAME);
        names.sort_unstable();
        Ok(names)
    }
}

/// A batch reads the last commit by a read transaction: the guard makes it
/// the only writer, so that is the state its changes are applied to.
struct Writing<'a> {
    view: View<'a>,
    _writer: MutexGuard<'a, ()>,
}

impl Snapshot for Writing<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.view.get_batch(wanted)
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.view.scan(table, range)
    }
}

impl Batch for Writing<'_> {
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError> {
        let Writing { view, _writer } = *self;
        let home = view.home;
        // Pages that an open view sees could not be used again by this commit.
        drop(view);
        space::check(&home.path, changes)?;
        let database = home.database.read();
        let database = database.as_ref().ok_or_else(|| home.absent())?;
        write(database, changes).map_err(|e| home.fault(e))
    }
}

fn write(database: &Database, changes: &Changes) -> Result<(), ::redb::Error> {
    let mut tx = database.begin_write()?;
    // Quick repair stays off: it costs a lone writer half its rate, and saves
    // 0.5 s per million rows only on the start after a crash.
    tx.set_durability(Durability::Immediate)?;
    for (name, rows) in changes {
        apply(&tx, name, rows)?;
    }
    tx.commit()?;
    Ok(())
}

fn apply(
    tx: &WriteTransaction,
    name: &str,
    changes: &std::collections::BTreeMap<Vec<u8>, Change>,
) -> Result<(), ::redb::Error> {
    let mut rows = tx.open_table(table(name))?;
    for (key, change) in changes {
        let key = key.as_slice();
        match change {
            Change::Put(value) => {
                rows.insert(key, value.as_slice())?;
            }
            Change::Delete => {
                rows.remove(key)?;
            }
            Change::Add(more) => {
                let before = counter_value(rows.get(key)?.as_ref().map(|row| row.value()));
                rows.insert(key, before.wrapping_add(*more).to_le_bytes().as_slice())?;
            }
        }
    }
    Ok(())
}
