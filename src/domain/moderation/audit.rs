//! The log of decisions.

use super::Staff;
use crate::base::{Id, Moment};
use crate::domain::page::{Page, Paged, fill};
use crate::model::Audit;
use crate::model::tables::AUDIT;
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Characters of a note that are kept.
const NOTE_MAX_CHARACTERS: usize = 2000;

/// What was decided.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// `suspend`, `resolve`, `create`, …
    pub action: &'a str,
    /// `account`, `report`, `domain_block`, …
    pub kind: &'a str,
    /// Which one.
    pub target: Id,
    /// Its name now.
    pub name: &'a str,
    /// What the one who decides notes.
    pub note: &'a str,
}

/// Writes a decision down. Takes one id.
pub fn log(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, entry: Entry<'_>) {
    let id = moment.id();
    let row = Audit {
        id,
        by: by.id,
        action: entry.action.to_owned(),
        kind: entry.kind.to_owned(),
        target: entry.target,
        name: entry.name.to_owned(),
        note: entry.note.chars().take(NOTE_MAX_CHARACTERS).collect(),
        at: moment.now,
    };
    tx.put(AUDIT, &id, &row);
}

/// A page of decisions, newest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, page: &Page) -> Result<Paged<Audit>, StoreError> {
    fill(
        page,
        |span| tx.scan(AUDIT, span.scan(Scan::all(), |id| id)),
        |rows| Ok(rows.iter().map(|(_, row)| Some(row.clone())).collect()),
    )
}
