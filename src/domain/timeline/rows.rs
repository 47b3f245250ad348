//! Rows of timelines that are written when posts appear: home, lists,
//! direct posts.

use crate::base::Id;
use crate::base::limits::HOME_MAX_ROWS;
use crate::model::HomeEntry;
use crate::model::tables::DIRECT_TIMELINE;
use crate::store::{ReadTx, Scan, StoreError, Table, WriteTx};

/// (whose, post) to what is known of it.
pub(super) type Rows = Table<(Id, Id), HomeEntry>;

/// A timeline is trimmed about once in this many insertions, because looking
/// for its end costs more than an insertion.
const TRIM_EVERY: u64 = 32;
/// Rows over the limit that one trim removes.
const TRIM_ROWS: usize = 400;

/// Puts a post into a timeline, and now and then trims that.
pub(super) fn insert_into(
    tx: &mut WriteTx<'_>,
    table: Rows,
    owner: Id,
    status: Id,
    entry: &HomeEntry,
) -> Result<(), StoreError> {
    tx.put(table, &(owner, status), entry);
    // Any even spread over posts will do; the ids' low bits are no such.
    let spread = (owner.0 ^ status.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    if spread.is_multiple_of(TRIM_EVERY) { trim_rows(tx, table, owner) } else { Ok(()) }
}

/// Puts a direct post into the timeline of one of its people.
pub(in crate::domain) fn insert_direct(
    tx: &mut WriteTx<'_>,
    owner: Id,
    status: Id,
    entry: &HomeEntry,
) -> Result<(), StoreError> {
    insert_into(tx, DIRECT_TIMELINE, owner, status, entry)
}

/// Removes what a timeline holds beyond [`HOME_MAX_ROWS`].
pub(super) fn trim_rows(tx: &mut WriteTx<'_>, table: Rows, owner: Id) -> Result<(), StoreError> {
    let rows = Scan::prefix(&(owner,)).reverse().limit(HOME_MAX_ROWS + TRIM_ROWS);
    for (key, _) in tx.scan(table, rows)?.iter().skip(HOME_MAX_ROWS) {
        tx.delete(table, key);
    }
    Ok(())
}

/// Removes rows that `is_unwanted`.
pub(super) fn take_out(
    tx: &mut WriteTx<'_>,
    table: Rows,
    owner: Id,
    is_unwanted: impl Fn(&HomeEntry) -> bool,
) -> Result<(), StoreError> {
    for (key, _) in rows_of(tx, table, owner)?.iter().filter(|(_, entry)| is_unwanted(entry)) {
        tx.delete(table, key);
    }
    Ok(())
}

/// A row of a timeline.
pub(super) type Row = ((Id, Id), HomeEntry);

/// Everything that a timeline holds.
pub(super) fn rows_of(tx: &ReadTx<'_>, table: Rows, owner: Id) -> Result<Vec<Row>, StoreError> {
    tx.scan(table, Scan::prefix(&(owner,)).limit(HOME_MAX_ROWS + TRIM_ROWS))
}
