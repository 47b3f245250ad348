//! Sign-ups that came to nothing: whoever never showed that mails reach them
//! was never seen by anybody, so nothing of them is kept.

use std::time::Duration;

use crate::base::{Id, Timestamp};
use crate::domain::{oauth, session};
use crate::model::tables::{ACCOUNT, ACCOUNT_BY_HANDLE, ACCOUNT_BY_URI, ACCOUNT_KEY, COUNT, USER, count};
use crate::model::{Account, Role, User};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long a sign-up waits to be confirmed (Mastodon: the same).
pub const UNCONFIRMED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

fn is_stale(user: &User, now: Timestamp) -> bool {
    let has_link = user.confirmation.as_ref().is_some_and(|link| now < link.expires_at);
    user.awaits_confirmation
        && !has_link
        && user.role == Role::User
        && now.since(user.created_at) >= UNCONFIRMED_FOR
}

/// Those of the next `rows` people who never confirmed their address, and
/// where to go on; `None` after the last.
///
/// # Errors
/// Only the store's.
pub fn unconfirmed(
    tx: &ReadTx<'_>,
    now: Timestamp,
    after: Option<Id>,
    rows: usize,
) -> Result<(Vec<Id>, Option<Id>), StoreError> {
    let page = tx.scan(USER, after.iter().fold(Scan::all(), |scan, id| scan.after(id)).limit(rows))?;
    let next = page.last().map(|(id, _)| *id).filter(|_| page.len() == rows);
    Ok((page.into_iter().filter(|(_, user)| is_stale(user, now)).map(|(id, _)| id).collect(), next))
}

/// Forgets somebody who never confirmed their address, unless they did
/// meanwhile; their name and address are free again. `false` if they did.
///
/// # Errors
/// Only the store's.
pub fn forget_unconfirmed(tx: &mut WriteTx<'_>, now: Timestamp, id: Id) -> Result<bool, StoreError> {
    let (user, account) = (tx.get(USER, &id)?, tx.get(ACCOUNT, &id)?);
    let Some((user, account)) = user.filter(|user| is_stale(user, now)).zip(account) else {
        return Ok(false);
    };
    take_back(tx, &account, &user)?;
    Ok(true)
}

/// Removes somebody whom nobody has seen yet, without a trace.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn take_back(
    tx: &mut WriteTx<'_>,
    account: &Account,
    user: &User,
) -> Result<(), StoreError> {
    session::delete_all(tx, account.id, None)?;
    oauth::revoke_all(tx, account.id)?;
    User::delete(tx, user);
    tx.delete(ACCOUNT_BY_HANDLE, &Account::handle_key(&account.username, None));
    tx.delete(ACCOUNT_BY_URI, &account.uri);
    tx.delete(ACCOUNT_KEY, &account.id);
    tx.delete(ACCOUNT, &account.id);
    tx.add(COUNT, &(count::LOCAL_USERS, Id::ZERO), -1);
    Ok(())
}
