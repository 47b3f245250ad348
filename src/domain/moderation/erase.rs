//! Deleting an account for good, in steps that each fit a transaction.

use super::belongings;
use crate::base::{Id, Moment};
use crate::domain::delivery::{Targets, say};
use crate::domain::{oauth, portrait, remote, session, tombstone};
use crate::model::queue::{OrderKey, Outgoing};
use crate::model::tables::{ACCOUNT, COUNT, TombstoneRow, USER, count};
use crate::model::{Account, Site, User};
use crate::store::{StoreError, WriteTx};

/// Marks a local account as deleted, so that nothing of it shows any more,
/// and tells `targets`. What is left goes by [`clear`]. Takes three ids.
///
/// # Errors
/// Only the store's.
pub fn bury_local(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    id: Id,
    targets: &Targets,
) -> Result<(), StoreError> {
    let Some(old) = tx.get(ACCOUNT, &id)?.filter(|old| old.is_local() && old.deleted_at.is_none()) else {
        return Ok(());
    };
    session::delete_all(tx, id, None)?;
    oauth::revoke_all(tx, id)?;
    if let Some(user) = tx.get(USER, &id)? {
        User::delete(tx, &user);
        tx.add(COUNT, &(count::LOCAL_USERS, Id::ZERO), -1);
    }
    let bare = Account { deleted_at: Some(moment.now), moved_to: None, ..old.without_profile() };
    Account::save(tx, Some(&old), &bare);
    portrait::let_go(tx, moment, &old)?;
    let row =
        TombstoneRow { deleted_at: moment.now, former_type: "Person".into(), actor_uri: old.uri.clone() };
    tombstone::put(tx, &old.uri, &row);
    let activity = site.activity(id, moment.id());
    let outgoing = Outgoing::DeleteActor { id: activity, actor: old.uri };
    say(tx, moment, id, outgoing, OrderKey::of(id), targets)?;
    Ok(())
}

/// One step of clearing away what a deleted account left: follows, posts,
/// and what only it had.
/// Gives whether there may be more.
///
/// # Errors
/// Only the store's.
pub fn clear(tx: &mut WriteTx<'_>, moment: &mut Moment, id: Id) -> Result<bool, StoreError> {
    match tx.get(ACCOUNT, &id)? {
        None => Ok(false),
        Some(account) if !account.is_local() && account.deleted_at.is_none() => {
            remote::set_gone(tx, moment, id)?;
            Ok(true)
        }
        Some(account) => {
            let has_more = account.is_local() && belongings::clear(tx, id)?;
            Ok(remote::forget_account(tx, moment, id)? || has_more)
        }
    }
}
