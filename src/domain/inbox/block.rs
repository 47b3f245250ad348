//! Block.

use super::{Outcome, Sender, ignore_missing};
use crate::base::{Id, Moment};
use crate::domain::relation::block_arrived;
use crate::store::{StoreError, WriteTx};

/// The sender blocks a local account. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn block(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Sender<'_>,
    (blocked, uri): (Id, &str),
) -> Result<Outcome, StoreError> {
    ignore_missing(block_arrived(tx, moment, sender.id(), blocked, uri))
}
