//! A store in memory, for tests and throw-away servers. Nothing is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::RwLock;

use super::StoreError;
use super::backend::{Backend, Batch, Change, Changes, RawRange, RawRow, Snapshot, counter_value};
use super::overlay::is_empty;

type Tables = HashMap<&'static str, Arc<BTreeMap<Vec<u8>, Vec<u8>>>>;

/// The whole map, copied on write by table.
#[derive(Default)]
pub struct Memory {
    tables: RwLock<Tables>,
}

struct View<'a> {
    home: &'a Memory,
    tables: Tables,
}

impl Backend for Memory {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(View { home: self, tables: self.tables.read().clone() }))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        Ok(Box::new(View { home: self, tables: self.tables.read().clone() }))
    }

    fn reads_wait(&self) -> bool {
        false
    }
}

impl Snapshot for View<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        Ok(wanted
            .iter()
            .map(|(table, key)| self.tables.get(table).and_then(|rows| rows.get(key)).cloned())
            .collect())
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        if is_empty(range) {
            return Ok(Vec::new());
        }
        let Some(rows) = self.tables.get(table) else { return Ok(Vec::new()) };
        let bounds = (range.start.as_ref().map(Vec::as_slice), range.end.as_ref().map(Vec::as_slice));
        let rows = rows.range::<[u8], _>(bounds).map(|(k, v)| (k.clone(), v.clone()));
        Ok(if range.reverse {
            rows.rev().take(range.limit).collect()
        } else {
            rows.take(range.limit).collect()
        })
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        let mut names: Vec<String> = self.tables.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        Ok(names)
    }
}

impl Batch for View<'_> {
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError> {
        let home = self.home;
        // The batch's own view must go first, or every table would be copied.
        drop(self);
        let mut tables = home.tables.write();
        for (table, rows) in changes {
            let table = Arc::make_mut(tables.entry(table).or_default());
            for (key, change) in rows {
                match change {
                    Change::Put(value) => {
                        table.insert(key.clone(), value.clone());
                    }
                    Change::Delete => {
                        table.remove(key);
                    }
                    Change::Add(more) => {
                        let sum = counter_value(table.get(key).map(Vec::as_slice)).wrapping_add(*more);
                        table.insert(key.clone(), sum.to_le_bytes().to_vec());
                    }
                }
            }
        }
        Ok(())
    }
}
