//! The owner, who sets the server up with a link that works once.

use super::signup::{Entry, NewUser, SignUpError, sign_up};
use crate::base::{Id, Moment};
use crate::domain::secret;
use crate::model::tables::SETTING;
use crate::model::{Account, Role, Setting, Site};
use crate::store::{ReadTx, StoreError, WriteTx};

/// The secret part of the owner's link, as it came in a request.
pub struct OwnerLink<'a>(pub &'a str);

/// Whether somebody owns the server already.
///
/// # Errors
/// Only the store's.
pub fn has_owner(tx: &ReadTx<'_>) -> Result<Option<Id>, StoreError> {
    Ok(match tx.get(SETTING, &Setting::OWNER.to_owned())? {
        Some(Setting::Owner(id)) => Some(id),
        _ => None,
    })
}

/// Makes this the one link that works, unless the server has an owner.
/// Gives whether it does.
///
/// # Errors
/// Only the store's.
pub fn set_owner_link(tx: &mut WriteTx<'_>, digest: [u8; 32]) -> Result<bool, StoreError> {
    if has_owner(tx)?.is_some() {
        return Ok(false);
    }
    tx.put(SETTING, &Setting::OWNER_LINK.to_owned(), &Setting::OwnerLink(digest));
    Ok(true)
}

/// Whether this link would work now.
///
/// # Errors
/// Only the store's.
pub fn check_owner_link(tx: &ReadTx<'_>, link: &OwnerLink<'_>) -> Result<bool, StoreError> {
    let kept = tx.get(SETTING, &Setting::OWNER_LINK.to_owned())?;
    let Some(Setting::OwnerLink(kept)) = kept else { return Ok(false) };
    Ok(secret::same(&kept, &secret::digest(link.0)) && has_owner(tx)?.is_none())
}

/// Uses the link up and makes the owner's account.
///
/// # Errors
/// [`SignUpError::BadLink`] when the link does not work, and all others of
/// signing up.
pub fn create_owner(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    link: &OwnerLink<'_>,
    new: &NewUser,
) -> Result<Account, SignUpError> {
    if !check_owner_link(tx, link)? {
        return Err(SignUpError::BadLink);
    }
    let account = sign_up(tx, moment, site, Entry::Given(Role::Owner), new)?;
    tx.delete(SETTING, &Setting::OWNER_LINK.to_owned());
    tx.put(SETTING, &Setting::OWNER.to_owned(), &Setting::Owner(account.id));
    Ok(account)
}
