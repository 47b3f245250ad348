//! Activities that come in twice are acted on once.

use crate::base::Timestamp;
use crate::model::queue::tables::{DESTINATION_BY_HOST, SEEN, SEEN_BY_DAY, SeenOn};
use crate::model::queue::{Class, Heard};
use crate::store::{Scan, StoreError, WriteTx};

/// How long an activity id is remembered. Senders give up retrying earlier.
pub const SEEN_DAYS: u32 = 7;

fn day_of(now: Timestamp) -> u32 {
    (now.as_secs().max(0) / 86_400) as u32
}

/// Whether an activity was not seen before; from now on it was. `digest` is
/// the first half of the SHA-256 of its id.
///
/// # Errors
/// Only the store's.
pub fn is_first_sight(tx: &mut WriteTx<'_>, digest: [u8; 16], now: Timestamp) -> Result<bool, StoreError> {
    if tx.get(SEEN, &digest)?.is_some() {
        return Ok(false);
    }
    let day = day_of(now);
    tx.put(SEEN, &digest, &SeenOn { day });
    tx.put(SEEN_BY_DAY, &(day, digest), &());
    Ok(true)
}

/// Forgets that an activity was seen: it was taken back, or its taking back
/// was, and the same one may come again. Misskey gives every Follow of a pair
/// one id, and every Undo of it another.
///
/// # Errors
/// Only the store's.
pub fn forget_sight(tx: &mut WriteTx<'_>, digest: [u8; 16]) -> Result<(), StoreError> {
    if let Some(seen) = tx.get(SEEN, &digest)? {
        tx.delete(SEEN, &digest);
        tx.delete(SEEN_BY_DAY, &(seen.day, digest));
    }
    Ok(())
}

/// Forgets up to `limit` activities that were seen more than [`SEEN_DAYS`]
/// ago; gives how many.
///
/// # Errors
/// Only the store's.
pub fn forget_seen(tx: &mut WriteTx<'_>, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let oldest_kept = day_of(now).saturating_sub(SEEN_DAYS);
    let old = tx.scan(SEEN_BY_DAY, Scan::all().before(&(oldest_kept, [0; 16])).limit(limit))?;
    for (key, ()) in &old {
        tx.delete(SEEN, &key.1);
        tx.delete(SEEN_BY_DAY, key);
    }
    Ok(old.len())
}

/// A host (with its port, unless usual) sent us something: if deliveries to it
/// wait, one looks at once whether it is back.
///
/// # Errors
/// Only the store's.
pub fn heard_from(tx: &mut WriteTx<'_>, host: &str) -> Result<(), StoreError> {
    if let Some(id) = tx.get(DESTINATION_BY_HOST, &(Class::Remote as u8, host.to_owned()))? {
        Heard(id).emit(tx);
    }
    Ok(())
}
