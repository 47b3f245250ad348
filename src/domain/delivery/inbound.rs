//! What comes in tells of those to whom we deliver.

use crate::model::queue::tables::DESTINATION_BY_HOST;
use crate::model::queue::{Class, Heard};
use crate::store::{StoreError, WriteTx};

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
