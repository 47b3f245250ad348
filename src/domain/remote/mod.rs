//! What is kept of other servers' accounts and posts.
//!
//! Documents come in read and cleaned; whether their sender may say what they
//! say was decided by the caller. Everything here may be asked for twice.

mod account;
mod status;

pub use account::{forget_account, keep_account, refresh_failed, set_gone};
pub use status::{Arrived, Kept, delete_status, is_wanted, keep_status, link_parent, update_status};

use crate::base::Id;
use crate::model::tables::{ACCOUNT_BY_HANDLE, ACCOUNT_BY_URI};
use crate::model::{Account, Site};
use crate::store::{ReadTx, StoreError};

/// The accounts behind actor ids (or pages of people here, which some servers
/// write instead), in their order.
///
/// # Errors
/// Only the store's.
pub fn accounts_by_uri(tx: &ReadTx<'_>, site: &Site, uris: &[String]) -> Result<Vec<Option<Id>>, StoreError> {
    let mut found = tx.get_many(ACCOUNT_BY_URI, uris)?;
    for (uri, id) in uris.iter().zip(&mut found) {
        let page = uri.strip_prefix(&site.origin).and_then(|path| path.strip_prefix("/@"));
        if let (None, Some(name)) = (&id, page.filter(|name| !name.contains(['/', '@']))) {
            *id = tx.get(ACCOUNT_BY_HANDLE, &Account::handle_key(name, None))?;
        }
    }
    Ok(found)
}
