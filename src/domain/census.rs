//! How much there is: people, posts, and who waits for an answer.

use crate::base::Id;
use crate::model::tables::{COUNT, count};
use crate::store::{ReadTx, StoreError};

/// Counts of the whole server, and of one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Accounts here.
    pub users: u64,
    /// Posts written here.
    pub statuses: u64,
    /// Requests to follow the reader that wait for an answer.
    pub follow_requests: u64,
}

/// The counts, with those of `reader` where there is one; one round trip.
///
/// # Errors
/// Only the store's.
pub fn take(tx: &ReadTx<'_>, reader: Option<Id>) -> Result<Census, StoreError> {
    let keys = [
        (count::LOCAL_USERS, Id::ZERO),
        (count::LOCAL_STATUSES, Id::ZERO),
        (count::FOLLOW_REQUESTS, reader.unwrap_or_default()),
    ];
    let mut batch = tx.batch();
    let ticket = batch.count_many(COUNT, &keys);
    let counts = batch.fetch()?.counts(ticket);
    let natural = |at: usize| counts.get(at).map_or(0, |count| (*count).max(0) as u64);
    Ok(Census { users: natural(0), statuses: natural(1), follow_requests: natural(2) })
}
