//! Dead letters: looked at, tried again, thrown away; in bounded batches.

use crate::base::{Id, Timestamp};
use crate::domain::delivery::rows::{drop_dead, revive};
use crate::model::queue::tables::DEAD;
use crate::model::queue::{DeadKey, DeadReason, DeadRow, DestinationId};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Which dead letters. All that is given must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Letters {
    /// For this destination.
    pub destination: Option<DestinationId>,
    /// Of this act.
    pub act: Option<Id>,
    /// Given up for this reason.
    pub reason: Option<DeadReason>,
    /// Given up at this time or later.
    pub from: Option<Timestamp>,
    /// Given up before.
    pub until: Option<Timestamp>,
}

impl Letters {
    fn takes(&self, key: &DeadKey, letter: &DeadRow) -> bool {
        self.destination.is_none_or(|wanted| wanted == key.destination)
            && self.act.is_none_or(|wanted| wanted == key.act)
            && self.reason.is_none_or(|wanted| wanted == letter.reason)
            && self.from.is_none_or(|from| key.died >= from)
            && self.until.is_none_or(|until| key.died < until)
    }
}

/// Some of the letters that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LettersPage {
    /// The letters, by destination, the oldest first.
    pub letters: Vec<(DeadKey, DeadRow)>,
    /// Where to go on; `None` when all were looked at.
    pub next: Option<DeadKey>,
}

/// Looks at the next `rows` letters after a key and gives those that are
/// selected.
///
/// # Errors
/// Only the store's.
pub fn letters(
    tx: &ReadTx<'_>,
    selection: &Letters,
    after: Option<DeadKey>,
    rows: usize,
) -> Result<LettersPage, StoreError> {
    let scan = selection.destination.map_or_else(Scan::all, |id| Scan::prefix(&(id,)));
    let mut letters = tx.scan(DEAD, after.iter().fold(scan, |scan, key| scan.after(key)).limit(rows))?;
    let next = letters.last().filter(|_| letters.len() == rows).map(|(key, _)| *key);
    letters.retain(|(key, letter)| selection.takes(key, letter));
    Ok(LettersPage { letters, next })
}

/// What one batch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Letters that it was about.
    pub jobs: usize,
    /// Where to go on; `None` when all were looked at.
    pub next: Option<DeadKey>,
}

/// Makes the selected ones of the next `rows` letters after a key ready again,
/// in the bulk lane, with all their attempts before them.
///
/// # Errors
/// Only the store's.
pub fn replay(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    selection: &Letters,
    after: Option<DeadKey>,
    rows: usize,
) -> Result<Replayed, StoreError> {
    let page = letters(tx, selection, after, rows)?;
    revive(tx, now, &page.letters)?;
    Ok(Replayed { jobs: page.letters.len(), next: page.next })
}

/// Throws away the selected ones of the next `rows` letters after a key.
///
/// # Errors
/// Only the store's.
pub fn forget_letters(
    tx: &mut WriteTx<'_>,
    selection: &Letters,
    after: Option<DeadKey>,
    rows: usize,
) -> Result<Replayed, StoreError> {
    let page = letters(tx, selection, after, rows)?;
    drop_dead(tx, &page.letters)?;
    Ok(Replayed { jobs: page.letters.len(), next: page.next })
}
