//! Commands that run beside servers on the same database. They join nothing;
//! all they need are ids that nobody else gives out.

use super::register;
use crate::base::{Clock, IdGenerator};
use crate::store::{Store, StoreError};

/// Ids for one command, also while others run.
///
/// # Errors
/// Only the store's.
pub async fn command_ids(store: &Store, clock: &dyn Clock) -> Result<IdGenerator, StoreError> {
    let now = clock.now();
    let claimed = store.write(move |tx| register::claim_for_command(tx, now)).await?;
    let ids = IdGenerator::new(claimed.number);
    ids.assign(claimed.number, claimed.ids_from, claimed.ids_until);
    Ok(ids)
}
