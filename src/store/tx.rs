//! Transactions: typed reads and writes inside one closure.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::{Bound, Deref};

use super::StoreError;
use super::backend::{Change, RawRange, RawRow, Snapshot, counter_value};
use super::key::Key;
use super::names;
use super::overlay::{Overlay, Signal};
use super::table::{Counter, Table, Value};

/// Most rows one scan gives when the caller names no limit.
pub const SCAN_MAX_ROWS: usize = 10_000;

/// A range of a table's keys. Build it from key prefixes; the limit counts
/// rows.
#[derive(Debug, Clone)]
pub struct Scan<K> {
    raw: RawRange,
    key: PhantomData<fn() -> K>,
}

impl<K: Key> Scan<K> {
    /// The whole table.
    pub fn all() -> Scan<K> {
        let raw =
            RawRange { start: Bound::Unbounded, end: Bound::Unbounded, reverse: false, limit: SCAN_MAX_ROWS };
        Scan { raw, key: PhantomData }
    }

    /// Keys that begin with these leading parts, such as `&(account,)` for a
    /// table keyed `(Id, Id)`.
    pub fn prefix(prefix: &impl Key) -> Scan<K> {
        let start = prefix.bytes();
        let mut scan = Scan::all();
        scan.raw.end = after_prefix(&start).map_or(Bound::Unbounded, Bound::Excluded);
        scan.raw.start = Bound::Included(start);
        scan
    }

    /// Only keys greater than this one.
    #[must_use]
    pub fn after(mut self, key: &K) -> Scan<K> {
        let bytes = key.bytes();
        let tighter = match &self.raw.start {
            Bound::Unbounded => true,
            Bound::Included(old) | Bound::Excluded(old) => bytes >= *old,
        };
        if tighter {
            self.raw.start = Bound::Excluded(bytes);
        }
        self
    }

    /// Only keys less than this one.
    #[must_use]
    pub fn before(mut self, key: &K) -> Scan<K> {
        let bytes = key.bytes();
        let tighter = match &self.raw.end {
            Bound::Unbounded => true,
            Bound::Included(old) | Bound::Excluded(old) => bytes <= *old,
        };
        if tighter {
            self.raw.end = Bound::Excluded(bytes);
        }
        self
    }

    /// Largest key first.
    #[must_use]
    pub fn reverse(mut self) -> Scan<K> {
        self.raw.reverse = true;
        self
    }

    /// At most this many rows.
    #[must_use]
    pub fn limit(mut self, rows: usize) -> Scan<K> {
        self.raw.limit = rows;
        self
    }
}

/// The smallest byte string greater than all that begin with `prefix`.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&b| b != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// A consistent view of the store, for reading.
pub struct ReadTx<'a> {
    view: &'a dyn Snapshot,
    round_trips: Cell<u32>,
}

fn decode<V: Value>(table: &'static str, bytes: &[u8]) -> Result<V, StoreError> {
    V::from_bytes(bytes).map_err(|cause| StoreError::Value { table, cause })
}

impl<'a> ReadTx<'a> {
    pub(crate) fn new(view: &'a dyn Snapshot) -> ReadTx<'a> {
        ReadTx { view, round_trips: Cell::new(0) }
    }

    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.round_trips.set(self.round_trips.get() + 1);
        self.view.get_batch(wanted)
    }

    /// The value at a key.
    pub fn get<K: Key, V: Value>(&self, table: Table<K, V>, key: &K) -> Result<Option<V>, StoreError> {
        let found = self.get_batch(&[(table.name, key.bytes())])?;
        found[0].as_deref().map(|bytes| decode(table.name, bytes)).transpose()
    }

    /// The values at several keys, in their order; one round trip.
    pub fn get_many<K: Key, V: Value>(
        &self,
        table: Table<K, V>,
        keys: &[K],
    ) -> Result<Vec<Option<V>>, StoreError> {
        let mut batch = self.batch();
        let ticket = batch.get_many(table, keys);
        batch.fetch()?.take(ticket)
    }

    /// A counter's value.
    pub fn count<K: Key>(&self, counter: Counter<K>, key: &K) -> Result<i64, StoreError> {
        let found = self.get_batch(&[(counter.name, key.bytes())])?;
        Ok(counter_value(found[0].as_deref()))
    }

    /// Rows of a range, in its order.
    pub fn scan<K: Key, V: Value>(
        &self,
        table: Table<K, V>,
        range: Scan<K>,
    ) -> Result<Vec<(K, V)>, StoreError> {
        self.round_trips.set(self.round_trips.get() + 1);
        self.view
            .scan(table.name, &range.raw)?
            .into_iter()
            .map(|(key, value)| {
                let key = K::read(&mut &key[..]).ok_or(StoreError::Key { table: table.name })?;
                Ok((key, decode(table.name, &value)?))
            })
            .collect()
    }

    /// Up to `limit` rows of a table as they are kept, in key order, after a
    /// key; one round trip. Backups walk whole tables with this, page by page
    /// within one transaction, so that all pages are of the same moment.
    pub fn scan_raw(
        &self,
        table: &'static str,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<RawRow>, StoreError> {
        self.round_trips.set(self.round_trips.get() + 1);
        let start = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_vec()));
        self.view.scan(table, &RawRange { start, end: Bound::Unbounded, reverse: false, limit })
    }

    /// The names of all tables, in order; one round trip.
    pub fn tables(&self) -> Result<Vec<&'static str>, StoreError> {
        self.round_trips.set(self.round_trips.get() + 1);
        self.view.tables()?.iter().map(|name| names::keep(name)).collect()
    }

    /// Begins a read of several tables in one round trip.
    pub fn batch(&self) -> ReadBatch<'_, 'a> {
        ReadBatch { tx: self, wanted: Vec::new() }
    }

    /// How often this transaction asked the backend so far. Endpoints have a
    /// budget of these, because each is a network trip on PostgreSQL.
    pub fn round_trips(&self) -> u32 {
        self.round_trips.get()
    }
}

/// Keys of several tables, to be read together.
pub struct ReadBatch<'t, 'a> {
    tx: &'t ReadTx<'a>,
    wanted: Vec<(&'static str, Vec<u8>)>,
}

/// Where in a batch's answer some values are.
pub struct Ticket<V> {
    table: &'static str,
    start: usize,
    count: usize,
    value: PhantomData<fn() -> V>,
}

impl ReadBatch<'_, '_> {
    fn add<V>(&mut self, table: &'static str, keys: &[impl Key]) -> Ticket<V> {
        let start = self.wanted.len();
        self.wanted.extend(keys.iter().map(|key| (table, key.bytes())));
        Ticket { table, start, count: keys.len(), value: PhantomData }
    }

    /// Asks for the values at these keys.
    pub fn get_many<K: Key, V: Value>(&mut self, table: Table<K, V>, keys: &[K]) -> Ticket<V> {
        self.add(table.name, keys)
    }

    /// Asks for these counters.
    pub fn count_many<K: Key>(&mut self, counter: Counter<K>, keys: &[K]) -> Ticket<i64> {
        self.add(counter.name, keys)
    }

    /// Reads everything asked for.
    pub fn fetch(self) -> Result<Fetched, StoreError> {
        Ok(Fetched { rows: self.tx.get_batch(&self.wanted)? })
    }
}

/// The answer to a [`ReadBatch`].
pub struct Fetched {
    rows: Vec<Option<Vec<u8>>>,
}

impl Fetched {
    /// The values of one ticket, in the order its keys were given.
    pub fn take<V: Value>(&self, ticket: Ticket<V>) -> Result<Vec<Option<V>>, StoreError> {
        self.rows[ticket.start..ticket.start + ticket.count]
            .iter()
            .map(|row| row.as_deref().map(|bytes| decode(ticket.table, bytes)).transpose())
            .collect()
    }

    /// The counters of one ticket.
    pub fn counts(&self, ticket: Ticket<i64>) -> Vec<i64> {
        self.rows[ticket.start..ticket.start + ticket.count]
            .iter()
            .map(|row| counter_value(row.as_deref()))
            .collect()
    }
}

/// A transaction that reads and writes. Reads see its own writes.
pub struct WriteTx<'a> {
    read: ReadTx<'a>,
    overlay: &'a Overlay<'a>,
}

impl<'a> WriteTx<'a> {
    pub(crate) fn new(overlay: &'a Overlay<'a>) -> WriteTx<'a> {
        WriteTx { read: ReadTx::new(overlay), overlay }
    }

    /// Inserts or replaces.
    pub fn put<K: Key, V: Value>(&mut self, table: Table<K, V>, key: &K, value: &V) {
        self.overlay.change(table.name, key.bytes(), Change::Put(value.to_bytes()));
    }

    /// Removes, if there.
    pub fn delete<K: Key, V>(&mut self, table: Table<K, V>, key: &K) {
        self.overlay.change(table.name, key.bytes(), Change::Delete);
    }

    /// Adds to a counter without reading it.
    pub fn add<K: Key>(&mut self, counter: Counter<K>, key: &K, more: i64) {
        self.overlay.change(counter.name, key.bytes(), Change::Add(more));
    }

    /// Removes a counter.
    pub fn forget<K: Key>(&mut self, counter: Counter<K>, key: &K) {
        self.overlay.change(counter.name, key.bytes(), Change::Delete);
    }

    /// Inserts or replaces a row as [`ReadTx::scan_raw`] gave it, for restoring
    /// backups.
    pub fn put_raw(&mut self, table: &'static str, key: Vec<u8>, value: Vec<u8>) {
        self.overlay.change(table, key, Change::Put(value));
    }

    /// Tells listeners something once this is committed.
    pub fn signal(&mut self, topic: &'static str, payload: Vec<u8>) {
        self.overlay.signal(Signal { topic, payload });
    }
}

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &ReadTx<'a> {
        &self.read
    }
}
