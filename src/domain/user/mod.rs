//! People who log in here: how they join, their passwords, roles and state.

pub mod name;
mod owner;
mod signup;
mod stale;
#[cfg(test)]
mod tests;

pub use owner::{OwnerLink, check_owner_link, create_owner, has_owner, set_owner_link};
pub(super) use signup::clean_email;
pub use signup::{
    Entry, NewUser, SIGN_UP_IDS, SignUpError, create_invite, sign_up, usable_invite, usable_invites,
};
pub(super) use stale::take_back;
pub use stale::{UNCONFIRMED_FOR, forget_unconfirmed, unconfirmed};

use super::{mail, oauth, session, webhook};
use crate::base::{Id, Moment};
use crate::model::queue::Letter;
use crate::model::tables::{ACCOUNT, USER, USER_BY_EMAIL};
use crate::model::{Account, PostingDefaults, Role, Site, User, UserState, WebhookEvent};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Why a user cannot be changed.
#[derive(Debug)]
pub enum UserError {
    /// There is no such user.
    Missing,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for UserError {
    fn from(cause: StoreError) -> Self {
        UserError::Store(cause)
    }
}

/// The user with this id.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, id: Id) -> Result<Option<User>, StoreError> {
    tx.get(USER, &id)
}

/// The user with this name (with or without `@`) or mail address.
///
/// # Errors
/// Only the store's.
pub fn find_login(tx: &ReadTx<'_>, login: &str) -> Result<Option<(User, Account)>, StoreError> {
    let login = login.trim();
    let id = match login.strip_prefix('@').unwrap_or(login) {
        mail if mail.contains('@') => match clean_email(mail) {
            Ok(mail) => tx.get(USER_BY_EMAIL, &mail)?,
            Err(_) => None,
        },
        name => super::account::id_by_handle(tx, name, None)?,
    };
    let Some(id) = id else { return Ok(None) };
    let (user, account) = (tx.get(USER, &id)?, tx.get(ACCOUNT, &id)?);
    Ok(user.zip(account))
}

/// A page of users with their accounts, oldest first, after the given id.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, after: Id, limit: usize) -> Result<Vec<(User, Account)>, StoreError> {
    let users = tx.scan(USER, Scan::all().after(&after).limit(limit))?;
    let ids: Vec<Id> = users.iter().map(|(id, _)| *id).collect();
    let accounts = tx.get_many(ACCOUNT, &ids)?;
    Ok(users.into_iter().zip(accounts).filter_map(|((_, user), account)| Some((user, account?))).collect())
}

/// Sets a new password and logs every browser and app out, except the
/// session that asked for it. Takes one id.
///
/// # Errors
/// When there is no such user, or the store fails.
pub fn set_password(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    id: Id,
    password_hash: &str,
    keep: Option<[u8; 32]>,
) -> Result<(), UserError> {
    change(tx, id, |user| {
        user.password_hash = password_hash.to_owned();
        user.reset = None;
        // Whoever asked for another address may have had the old password.
        user.new_email = None;
    })?;
    log_out(tx, id, keep)?;
    mail::post(tx, moment, site, Letter::PasswordChanged { account: id })?;
    Ok(())
}

/// Lets a pending or disabled user in, though their address may not be
/// confirmed yet. Takes two ids.
///
/// # Errors
/// When there is no such user, or the store fails.
pub fn approve(tx: &mut WriteTx<'_>, moment: &mut Moment, site: &Site, id: Id) -> Result<(), UserError> {
    let was_pending = get(tx, id)?.is_some_and(|user| user.state == UserState::Pending);
    change(tx, id, |user| user.state = UserState::Active)?;
    let is_active = get(tx, id)?.is_some_and(|user| user.is_active());
    // Whoever is not confirmed yet is welcomed by that.
    if was_pending && is_active {
        webhook::announce(tx, moment, WebhookEvent::AccountApproved, &[id])?;
        mail::post(tx, moment, site, Letter::Approved { account: id })?;
    }
    Ok(())
}

/// Takes an address as confirmed: the word of whoever runs the server.
///
/// # Errors
/// When there is no such user, or the store fails.
pub fn confirm(tx: &mut WriteTx<'_>, id: Id) -> Result<(), UserError> {
    change(tx, id, |user| user.awaits_confirmation = false)
}

/// Keeps a user out, at once: sessions and tokens go.
///
/// # Errors
/// When there is no such user, or the store fails.
pub fn disable(tx: &mut WriteTx<'_>, id: Id) -> Result<(), UserError> {
    change(tx, id, |user| user.state = UserState::Disabled)?;
    log_out(tx, id, None)?;
    Ok(())
}

/// Gives a user a role.
///
/// # Errors
/// When there is no such user, or the store fails.
pub fn set_role(tx: &mut WriteTx<'_>, id: Id, role: Role) -> Result<(), UserError> {
    change(tx, id, |user| user.role = role)
}

/// Sets what new posts are when their author does not say.
///
/// # Errors
/// When there is no such user, or the store fails.
pub fn set_defaults(tx: &mut WriteTx<'_>, id: Id, defaults: &PostingDefaults) -> Result<(), UserError> {
    change(tx, id, |user| user.defaults = defaults.clone())
}

fn change(tx: &mut WriteTx<'_>, id: Id, apply: impl FnOnce(&mut User)) -> Result<(), UserError> {
    let old = tx.get(USER, &id)?.ok_or(UserError::Missing)?;
    let mut new = old.clone();
    apply(&mut new);
    save(tx, &old, &new)?;
    Ok(())
}

/// Keeps what has changed of a user, and shows or hides the account with it:
/// nobody sees one that was not let in yet.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn save(tx: &mut WriteTx<'_>, old: &User, new: &User) -> Result<(), StoreError> {
    User::save(tx, Some(old), new);
    // Keeping somebody out who waits does not let them be seen.
    if new.state == UserState::Disabled || (waits(new) == waits(old) && old.state != UserState::Disabled) {
        return Ok(());
    }
    if let Some(account) = tx.get(ACCOUNT, &new.id)?.filter(|account| account.waits() != waits(new)) {
        Account::save(tx, Some(&account), &Account { waits: Some(waits(new)), ..account.clone() });
    }
    Ok(())
}

/// Whether somebody has signed up and may not come in yet.
fn waits(user: &User) -> bool {
    user.state == UserState::Pending || user.awaits_confirmation
}

/// Logs every browser and app out, except one session.
///
/// # Errors
/// Only the store's.
pub(super) fn log_out(tx: &mut WriteTx<'_>, id: Id, keep: Option<[u8; 32]>) -> Result<(), StoreError> {
    session::delete_all(tx, id, keep)?;
    oauth::revoke_all(tx, id)
}
