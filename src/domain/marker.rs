//! How far somebody has read a timeline.

use crate::base::{Id, Timestamp};
use crate::model::Marker;
use crate::model::tables::MARKER;
use crate::store::{ReadTx, StoreError, WriteTx};

/// The timelines that have a marker.
pub const TIMELINES: [&str; 2] = ["home", "notifications"];

/// Why a marker was not set.
#[derive(Debug)]
pub enum MarkerError {
    /// Somebody read further in the meantime.
    Stale,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for MarkerError {
    fn from(cause: StoreError) -> Self {
        MarkerError::Store(cause)
    }
}

/// The markers of these timelines, where there are any; one round trip.
///
/// # Errors
/// Only the store's.
pub fn get(
    tx: &ReadTx<'_>,
    owner: Id,
    timelines: &[&'static str],
) -> Result<Vec<(&'static str, Marker)>, StoreError> {
    let keys: Vec<(Id, String)> = timelines.iter().map(|name| (owner, (*name).to_owned())).collect();
    let rows = tx.get_many(MARKER, &keys)?;
    Ok(timelines.iter().zip(rows).filter_map(|(name, row)| Some((*name, row?))).collect())
}

/// Moves markers forward, all or none.
///
/// # Errors
/// [`MarkerError::Stale`] when one is already further, or the store's.
pub fn set(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    owner: Id,
    markers: &[(&'static str, Id)],
) -> Result<Vec<(&'static str, Marker)>, MarkerError> {
    let keys: Vec<(Id, String)> = markers.iter().map(|(name, _)| (owner, (*name).to_owned())).collect();
    let rows = tx.get_many(MARKER, &keys)?;
    let mut set = Vec::new();
    for ((key, (name, last_read)), old) in keys.iter().zip(markers).zip(rows) {
        if old.as_ref().is_some_and(|old| old.last_read > *last_read) {
            return Err(MarkerError::Stale);
        }
        let version = old.map_or(0, |old| old.version.saturating_add(1));
        let marker = Marker { last_read: *last_read, version, updated_at: now };
        tx.put(MARKER, key, &marker);
        set.push((*name, marker));
    }
    Ok(set)
}
