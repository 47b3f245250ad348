//! A whole store as one stream of bytes, for backups and for moving from one
//! engine to another. Knows tables and bytes; must not know what rows mean.
//!
//! The stream consists of frames (see `frame`): rows
//! of one table, or the end. Each frame carries a digest of all bytes so far,
//! so damage is found where it is, and a stream that was cut short is
//! noticed. Rows are of one moment: they are read in one transaction.

mod frame;

use std::fmt;
use std::io::{Read, Write};

use super::backend::RawRow;
use super::{ReadTx, Store, StoreError, Table, names};
use frame::{Frame, FrameError, Reader, Writer};

/// Rows asked of the engine at once.
const PAGE_ROWS: usize = 500;
/// Bytes of rows in one frame, about; a frame is one transaction of a restore.
const FRAME_BYTES: usize = 2 << 20;

/// Is there while a restore is under way, so that nobody uses half a store.
const UNDER_WAY: Table<u8, ()> = Table::new("restore_under_way");

/// Why a store could not be copied.
#[derive(Debug)]
pub enum ArchiveError {
    /// The store failed.
    Store(StoreError),
    /// The file could not be read or written: what the system said.
    File(std::io::Error),
    /// The stream is no backup, or was damaged: what is wrong with it.
    Damaged(String),
    /// The stream is from a newer program.
    Newer(u8),
    /// The store to restore into has rows: a table that does.
    NotEmpty(String),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveError::Store(error) => error.fmt(f),
            ArchiveError::File(error) => write!(f, "the backup file cannot be used: {error}"),
            ArchiveError::Damaged(what) => {
                write!(f, "the backup is damaged ({what}); nothing of it was restored; use another one")
            }
            ArchiveError::Newer(version) => write!(
                f,
                "the backup has format {version} of a newer Waxwing; restore it with that version or a later one"
            ),
            ArchiveError::NotEmpty(table) => write!(
                f,
                "the store is not empty (there are rows in `{table}`), and a backup is never mixed with what is \
                 there; name another file or database in the line `store`"
            ),
        }
    }
}

impl std::error::Error for ArchiveError {}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> ArchiveError {
        ArchiveError::Store(error)
    }
}

impl From<std::io::Error> for ArchiveError {
    fn from(error: std::io::Error) -> ArchiveError {
        ArchiveError::File(error)
    }
}

impl From<FrameError> for ArchiveError {
    fn from(error: FrameError) -> ArchiveError {
        match error {
            FrameError::File(error) => ArchiveError::File(error),
            FrameError::Damaged(what) => ArchiveError::Damaged(what),
            FrameError::Newer(version) => ArchiveError::Newer(version),
        }
    }
}

/// How much was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Tables that have rows.
    pub tables: u64,
    /// Rows.
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

impl Copied {
    fn count(&mut self, rows: &[RawRow]) {
        self.rows += rows.len() as u64;
        self.bytes += rows.iter().map(row_bytes).sum::<usize>() as u64;
    }
}

fn row_bytes((key, value): &RawRow) -> usize {
    key.len() + value.len()
}

/// Writes all rows of a store, of one moment. `report` hears now and then
/// how far it is.
///
/// # Errors
/// When the store or the output fails.
pub async fn backup<W: Write + Send + 'static>(
    store: &Store,
    out: W,
    mut report: impl FnMut(Copied) + Send + 'static,
) -> Result<(W, Copied), ArchiveError> {
    store
        .read(move |tx| {
            let mut writer = Writer::begin(out)?;
            let mut copied = Copied::default();
            for table in tx.tables()? {
                if table != UNDER_WAY.name() {
                    copy_table(tx, table, &mut writer, &mut copied, &mut report)?;
                }
            }
            writer.write(&Frame::End { tables: copied.tables, rows: copied.rows })?;
            Ok((writer.finish()?, copied))
        })
        .await
}

fn copy_table<W: Write>(
    tx: &ReadTx<'_>,
    table: &'static str,
    writer: &mut Writer<W>,
    copied: &mut Copied,
    report: &mut impl FnMut(Copied),
) -> Result<(), ArchiveError> {
    let mut last: Option<Vec<u8>> = None;
    let mut waiting: Vec<RawRow> = Vec::new();
    loop {
        let page = tx.scan_raw(table, last.as_deref(), PAGE_ROWS)?;
        let is_last = page.len() < PAGE_ROWS;
        if let Some((key, _)) = page.last() {
            copied.tables += u64::from(last.is_none());
            last = Some(key.clone());
        }
        copied.count(&page);
        waiting.extend(page);
        if !waiting.is_empty() && (is_last || waiting.iter().map(row_bytes).sum::<usize>() >= FRAME_BYTES) {
            writer.write(&Frame::Rows { table: table.to_owned(), rows: std::mem::take(&mut waiting) })?;
        }
        report(*copied);
        if is_last {
            return Ok(());
        }
    }
}

/// Reads a whole stream and says what is in it, if nothing is wrong with it.
///
/// # Errors
/// When it is damaged, cut short, newer, or cannot be read.
pub fn verify(input: impl Read) -> Result<Copied, ArchiveError> {
    each(input, |_, _| Ok(()))
}

fn each(
    input: impl Read,
    mut take: impl FnMut(String, Vec<RawRow>) -> Result<(), ArchiveError>,
) -> Result<Copied, ArchiveError> {
    let mut reader = Reader::begin(input)?;
    let (mut copied, mut last) = (Copied::default(), None);
    loop {
        match reader.read()? {
            Frame::Rows { table, rows } => {
                copied.tables += u64::from(last.as_ref() != Some(&table));
                copied.count(&rows);
                last = Some(table.clone());
                take(table, rows)?;
            }
            Frame::End { tables, rows } if (tables, rows) == (copied.tables, copied.rows) => {
                return Ok(copied);
            }
            Frame::End { .. } => return Err(ArchiveError::Damaged("rows are missing".into())),
        }
    }
}

/// Fills an empty store. Check the stream with [`verify`] first: what is
/// damaged should not be half restored. Must not run on a thread that serves
/// tasks.
///
/// # Errors
/// When the store has rows or fails, or the stream is damaged or cannot be
/// read. What was restored until then stays, and the store is refused until
/// it was emptied ([`is_unfinished`]).
pub fn restore(
    store: &Store,
    runtime: &tokio::runtime::Handle,
    input: impl Read,
    mut report: impl FnMut(Copied),
) -> Result<Copied, ArchiveError> {
    if let Some(table) = runtime.block_on(store.read(first_used))? {
        return Err(ArchiveError::NotEmpty(table));
    }
    runtime.block_on(store.write(|tx| {
        tx.put(UNDER_WAY, &0, &());
        Ok::<_, StoreError>(())
    }))?;
    let mut done = Copied::default();
    let copied = each(input, |table, rows| {
        done.count(&rows);
        let table = names::keep(&table)?;
        runtime.block_on(store.write(move |tx| {
            for (key, value) in &rows {
                tx.put_raw(table, key.clone(), value.clone());
            }
            Ok::<_, StoreError>(())
        }))?;
        report(done);
        Ok(())
    })?;
    runtime.block_on(store.write(|tx| {
        tx.delete(UNDER_WAY, &0);
        Ok::<_, StoreError>(())
    }))?;
    Ok(copied)
}

fn first_used(tx: &ReadTx<'_>) -> Result<Option<String>, StoreError> {
    for table in tx.tables()? {
        if !tx.scan_raw(table, None, 1)?.is_empty() {
            return Ok(Some(table.to_owned()));
        }
    }
    Ok(None)
}

/// Whether a restore into this store was begun and never finished.
///
/// # Errors
/// When the store fails.
pub async fn is_unfinished(store: &Store) -> Result<bool, StoreError> {
    store.read(|tx| Ok(tx.get(UNDER_WAY, &0)?.is_some())).await
}
