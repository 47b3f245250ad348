//! What a storage engine must offer: an ordered map of bytes with snapshots
//! and one atomic, durable batch. Everything typed is above this seam.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::Duration;

use super::StoreError;
use super::overlay::Signal;

/// A range of encoded keys, a direction and a limit.
#[derive(Debug, Clone)]
pub struct RawRange {
    /// Where it begins.
    pub start: Bound<Vec<u8>>,
    /// Where it ends.
    pub end: Bound<Vec<u8>>,
    /// Largest key first.
    pub reverse: bool,
    /// Most rows to give.
    pub limit: usize,
}

/// One row: key and value.
pub type RawRow = (Vec<u8>, Vec<u8>);

/// A consistent view of the whole map.
pub trait Snapshot {
    /// Values by table and key, in the order asked; one round trip.
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;
    /// Rows of a table within a range; one round trip.
    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError>;
    /// The names of all tables, in order; some may have no rows.
    fn tables(&self) -> Result<Vec<String>, StoreError> {
        Err(StoreError::Engine("its tables cannot be listed here".into()))
    }
}

/// What happens to one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Insert or replace.
    Put(Vec<u8>),
    /// Remove, if there.
    Delete,
    /// Add to the 8-byte little-endian counter, starting from 0.
    Add(i64),
}

/// All changes of a batch, by table and key.
pub type Changes = HashMap<&'static str, BTreeMap<Vec<u8>, Change>>;

/// A batch under way: sees the state it will be applied to.
pub trait Batch: Snapshot {
    /// Applies the changes and makes them durable, or does nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] asks the lane to run the batch again.
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError>;
}

/// The topic of the signal that some of another process did not arrive:
/// whoever lives by signals reads the store.
pub const MISSED: &str = "missed";

/// Takes a signal of another process that shares the database.
pub type Hear = Box<dyn Fn(Signal) + Send + Sync>;

/// A storage engine.
pub trait Backend: Send + Sync + 'static {
    /// A consistent view of what is committed.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError>;
    /// Begins the one write batch.
    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError>;
    /// Whether a second batch may be under way beside the one: where nodes
    /// share a database, signs of life must not wait for what conflicts.
    /// Then the next two keep to a way of their own.
    fn has_beside(&self) -> bool {
        false
    }
    /// As [`Backend::snapshot`], without waiting for other readers.
    fn snapshot_beside(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.snapshot()
    }
    /// As [`Backend::begin`], beside the one batch; of these, too, there is
    /// one at a time.
    fn begin_beside(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        self.begin()
    }
    /// Whether reads may wait long (for a network, say), so that they must
    /// not run on the threads that serve requests.
    fn reads_wait(&self) -> bool;
    /// Tells other processes that share the database what was committed here;
    /// never waits, and may lose some.
    fn announce(&self, _signals: &[Signal]) {}
    /// Says who takes what they announce.
    fn hear(&self, _hear: Hear) {}
    /// The name under which it announces, and how many signals it announced.
    fn announced(&self) -> (String, u64) {
        (String::new(), 0)
    }
    /// Tells how many signals others say they announced, by name. What does
    /// not arrive soon is told of by a signal with the topic [`MISSED`].
    /// `now` is any monotonic time.
    fn expect(&self, _now: Duration, _others: &[(String, u64)]) {}
    /// Lets go of files and connections; everything later answers
    /// [`StoreError::Closed`]. Called once, after the last batch.
    fn close(&self) {}
}

/// Reads a counter's bytes; anything else than 8 bytes counts as 0.
pub(crate) fn counter_value(bytes: Option<&[u8]>) -> i64 {
    bytes.and_then(|b| b.try_into().ok()).map_or(0, i64::from_le_bytes)
}
