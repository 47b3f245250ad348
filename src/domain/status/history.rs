//! Earlier versions of posts.

use crate::base::{Id, Moment};
use crate::model::tables::{COUNT, STATUS_VERSIONS, count};
use crate::model::{Status, Version};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Earlier versions that are kept of one post. Of more the first stays, and
/// the oldest of the others go.
pub const VERSIONS_MAX: usize = 100;

/// Keeps what a post was before an edit. Takes one id.
pub(super) fn remember(tx: &mut WriteTx<'_>, moment: &mut Moment, old: &Status) -> Result<(), StoreError> {
    let kept = tx.count(COUNT, &(count::VERSIONS, old.id))?;
    if kept >= VERSIONS_MAX as i64 {
        let first = tx.scan(STATUS_VERSIONS, Scan::prefix(&(old.id,)).limit(2))?;
        if let Some((second, _)) = first.get(1) {
            tx.delete(STATUS_VERSIONS, second);
            tx.add(COUNT, &(count::VERSIONS, old.id), -1);
        }
    }
    tx.put(STATUS_VERSIONS, &(old.id, moment.id()), &Version::of(old));
    tx.add(COUNT, &(count::VERSIONS, old.id), 1);
    Ok(())
}

/// All versions of a post, the first one first, the one that is shown last.
/// Check before that the viewer may see it.
///
/// # Errors
/// Only the store's.
pub fn versions(tx: &ReadTx<'_>, status: &Status) -> Result<Vec<Version>, StoreError> {
    let rows = tx.scan(STATUS_VERSIONS, Scan::prefix(&(status.id,)).limit(VERSIONS_MAX))?;
    let mut all: Vec<Version> = rows.into_iter().map(|(_, version)| version).collect();
    all.push(Version::of(status));
    Ok(all)
}

/// Forgets the earlier versions of a post that is removed.
pub(super) fn forget(tx: &mut WriteTx<'_>, status: Id) -> Result<(), StoreError> {
    if tx.count(COUNT, &(count::VERSIONS, status))? == 0 {
        return Ok(());
    }
    for (key, _) in tx.scan(STATUS_VERSIONS, Scan::prefix(&(status,)).limit(VERSIONS_MAX))? {
        tx.delete(STATUS_VERSIONS, &key);
    }
    tx.forget(COUNT, &(count::VERSIONS, status));
    Ok(())
}
