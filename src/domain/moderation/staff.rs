//! Those who run the server.

use crate::base::Id;
use crate::model::Permission;
use crate::model::tables::{STAFF, USER};
use crate::store::{ReadTx, Scan, StoreError};

/// More are not told of reports and newcomers.
const STAFF_MAX: usize = 100;

/// Everybody whose role permits this, and who can log in.
///
/// # Errors
/// Only the store's.
pub fn members(tx: &ReadTx<'_>, permission: Permission) -> Result<Vec<Id>, StoreError> {
    let mut ids: Vec<Id> =
        tx.scan(STAFF, Scan::all().limit(STAFF_MAX))?.into_iter().map(|(id, ())| id).collect();
    // The owner of a store that is older than the index of staff.
    ids.extend(crate::domain::user::has_owner(tx)?);
    ids.sort_unstable();
    ids.dedup();
    let users = tx.get_many(USER, &ids)?;
    let may = users.into_iter().flatten().filter(|user| user.is_active() && user.role.permits(permission));
    Ok(may.map(|user| user.id).collect())
}
