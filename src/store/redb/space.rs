//! Refuses changes while there is still room to work.
//!
//! Once a write fails for want of space, redb serves nothing, not even
//! reads, until it is opened again, and opening it again after that needs
//! space too. So changes are refused a little before; reads go on.

use std::path::Path;

use crate::store::StoreError;
use crate::store::backend::{Change, Changes};

/// Free space below which nothing is added.
const RESERVE_MIN_BYTES: u64 = 8 << 20;
/// Free space below which nothing is even removed or counted, so that work
/// already under way can be ticked off after additions stop.
const REMOVE_MIN_BYTES: u64 = 2 << 20;
/// A changed row rewrites its page and the pages above it, and the old ones
/// are free only after the commit.
const BYTES_PER_ROW: u64 = 4096;

pub(super) fn check(path: &Path, changes: &Changes) -> Result<(), StoreError> {
    let Some(free) = free_bytes(path) else { return Ok(()) };
    let needed = needed_bytes(changes);
    if free >= needed {
        return Ok(());
    }
    Err(StoreError::DiskFull(format!(
        "`{}` needs {} MiB free and has {}",
        path.display(),
        needed.div_ceil(1 << 20),
        free >> 20
    )))
}

fn needed_bytes(changes: &Changes) -> u64 {
    let mut least = REMOVE_MIN_BYTES;
    let mut bytes = 0;
    for (key, change) in changes.values().flatten() {
        bytes += BYTES_PER_ROW + key.len() as u64;
        if let Change::Put(value) = change {
            least = RESERVE_MIN_BYTES;
            bytes += value.len() as u64;
        }
    }
    least + bytes
}

/// `None` where the system does not say.
#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
