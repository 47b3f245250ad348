//! Uncommitted changes laid over a snapshot. Each write closure has its own,
//! so one that fails undoes only itself.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Bound;

use super::StoreError;
use super::backend::{Change, Changes, RawRange, RawRow, Snapshot, counter_value};

/// A news item for listeners of this process (and, with a shared database,
/// of the others): sent after the commit, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Who should listen.
    pub topic: &'static str,
    /// What happened, in the topic's own encoding.
    pub payload: Vec<u8>,
}

pub(crate) struct Overlay<'a> {
    base: &'a dyn Snapshot,
    changes: RefCell<Changes>,
    signals: RefCell<Vec<Signal>>,
    pub(crate) round_trips: Cell<u32>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(base: &'a dyn Snapshot) -> Overlay<'a> {
        Overlay { base, changes: RefCell::default(), signals: RefCell::default(), round_trips: Cell::new(0) }
    }

    pub(crate) fn change(&self, table: &'static str, key: Vec<u8>, change: Change) {
        apply(&mut self.changes.borrow_mut(), table, key, change);
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.signals.borrow_mut().push(signal);
    }

    pub(crate) fn into_parts(self) -> (Changes, Vec<Signal>) {
        (self.changes.into_inner(), self.signals.into_inner())
    }

    /// Takes over what a finished closure changed.
    pub(crate) fn absorb(&self, changes: Changes, signals: Vec<Signal>) {
        let mut mine = self.changes.borrow_mut();
        for (table, rows) in changes {
            for (key, change) in rows {
                apply(&mut mine, table, key, change);
            }
        }
        self.signals.borrow_mut().extend(signals);
    }
}

fn apply(changes: &mut Changes, table: &'static str, key: Vec<u8>, change: Change) {
    use std::collections::btree_map::Entry;
    match (changes.entry(table).or_default().entry(key), change) {
        (Entry::Occupied(mut old), Change::Add(more)) => {
            let sum = match old.get() {
                Change::Put(bytes) => {
                    Change::Put(counter_value(Some(bytes)).wrapping_add(more).to_le_bytes().to_vec())
                }
                Change::Delete => Change::Put(more.to_le_bytes().to_vec()),
                Change::Add(before) => Change::Add(before.wrapping_add(more)),
            };
            old.insert(sum);
        }
        (Entry::Occupied(mut old), change) => {
            old.insert(change);
        }
        (Entry::Vacant(free), change) => {
            free.insert(change);
        }
    }
}

fn resolve(base: Option<Vec<u8>>, change: &Change) -> Option<Vec<u8>> {
    match change {
        Change::Put(bytes) => Some(bytes.clone()),
        Change::Delete => None,
        Change::Add(more) => Some(counter_value(base.as_deref()).wrapping_add(*more).to_le_bytes().to_vec()),
    }
}

impl Snapshot for Overlay<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.round_trips.set(self.round_trips.get() + 1);
        let changes = self.changes.borrow();
        let change_of = |table: &str, key: &[u8]| changes.get(table).and_then(|rows| rows.get(key));
        // Only what the overlay cannot answer alone is asked of the base.
        let open: Vec<(&'static str, Vec<u8>)> = wanted
            .iter()
            .filter(|(table, key)| !matches!(change_of(table, key), Some(Change::Put(_) | Change::Delete)))
            .cloned()
            .collect();
        let mut found = if open.is_empty() { Vec::new() } else { self.base.get_batch(&open)? }.into_iter();
        Ok(wanted
            .iter()
            .map(|(table, key)| match change_of(table, key) {
                Some(change @ (Change::Put(_) | Change::Delete)) => resolve(None, change),
                Some(change) => resolve(found.next().flatten(), change),
                None => found.next().flatten(),
            })
            .collect())
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.round_trips.set(self.round_trips.get() + 1);
        let changes = self.changes.borrow();
        if is_empty(range) {
            return Ok(Vec::new());
        }
        let bounds = (range.start.as_ref().map(Vec::as_slice), range.end.as_ref().map(Vec::as_slice));
        let mine: Vec<(&Vec<u8>, &Change)> =
            changes.get(table).map(|rows| rows.range::<[u8], _>(bounds).collect()).unwrap_or_default();
        if mine.is_empty() {
            return self.base.scan(table, range);
        }
        // At most `mine.len()` base rows can vanish, so this many suffice.
        let wider = RawRange { limit: range.limit.saturating_add(mine.len()), ..range.clone() };
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = self.base.scan(table, &wider)?.into_iter().collect();
        for (key, change) in mine {
            let base = merged.remove(key);
            if let Some(value) = resolve(base, change) {
                merged.insert(key.clone(), value);
            }
        }
        Ok(if range.reverse {
            merged.into_iter().rev().take(range.limit).collect()
        } else {
            merged.into_iter().take(range.limit).collect()
        })
    }
}

/// Whether a range cannot hold any key (`BTreeMap::range` panics on such).
pub(crate) fn is_empty(range: &RawRange) -> bool {
    match (&range.start, &range.end) {
        (Bound::Included(a), Bound::Included(b)) => a > b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b))
        | (Bound::Excluded(a), Bound::Included(b)) => a >= b,
        _ => false,
    }
}
