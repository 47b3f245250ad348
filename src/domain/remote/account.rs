//! Accounts of other servers.

use std::time::Duration;

use crate::base::{Id, Moment, Timestamp};
use crate::domain::moderation::server::{rule_for_account, ruled};
use crate::domain::portrait;
use crate::domain::relation::{Followed, Follower, reject_arrived, unfollow_arrived};
use crate::domain::{status, tombstone};
use crate::model::tables::{
    ACCOUNT, ACCOUNT_BY_URI, FOLLOWERS, FOLLOWING, STATUS, STATUS_BY_AUTHOR, TombstoneRow,
};
use crate::model::{Account, Status};
use crate::store::{Scan, StoreError, WriteTx};

/// How long the key before a rotation is good for late deliveries.
const OLD_KEY_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// Rows of each kind that one step of [`forget_account`] takes.
const FORGET_ROWS: usize = 200;

/// Keeps a remote account as its server describes it: new, or in the place of
/// what was known. `account` has its handle, which was confirmed, and no id.
/// `None` if it was deleted before: ids do not come back. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn keep_account(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    account: &Account,
) -> Result<Option<Account>, StoreError> {
    let known = match tx.get(ACCOUNT_BY_URI, &account.uri)? {
        Some(id) => tx.get(ACCOUNT, &id)?,
        None => None,
    };
    if known.as_ref().is_some_and(|known| known.deleted_at.is_some() || known.is_local()) {
        return Ok(None);
    }
    let mut new = Account { fetched_at: moment.now, ..account.clone() };
    match &known {
        None => {
            new.id = moment.id();
            let is_dated = new.created_at > Timestamp::from_millis(0) && new.created_at <= moment.now;
            new.created_at = if is_dated { new.created_at } else { moment.now };
        }
        Some(old) => {
            new.id = old.id;
            new.created_at = old.created_at;
            new.last_status_at = old.last_status_at;
            new.suspended_at = old.suspended_at;
            new.silenced_at = old.silenced_at;
            new.sensitized_at = old.sensitized_at;
            new.previous_key = previous_key(old, &new, moment.now);
        }
    }
    let rule = rule_for_account(tx, &new)?;
    let new = ruled(&new, rule.as_ref(), None);
    Account::save(tx, known.as_ref(), &new);
    Ok(Some(new))
}

fn previous_key(old: &Account, new: &Account, now: Timestamp) -> Option<(String, Timestamp)> {
    if old.public_key_pem == new.public_key_pem {
        return old.previous_key.clone();
    }
    Some((old.public_key_pem.clone(), now.plus(OLD_KEY_FOR)))
}

/// Notes that a remote account was looked for in vain, so that it is not
/// looked for again at once.
///
/// # Errors
/// Only the store's.
pub fn refresh_failed(tx: &mut WriteTx<'_>, now: Timestamp, id: Id) -> Result<(), StoreError> {
    let Some(old) = tx.get(ACCOUNT, &id)?.filter(|account| !account.is_local()) else { return Ok(()) };
    Account::save(tx, Some(&old), &Account { fetched_at: now, ..old.clone() });
    Ok(())
}

/// Marks a remote account as deleted: nothing of it is shown from now on.
/// [`forget_account`] then clears away what it left. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn set_gone(tx: &mut WriteTx<'_>, moment: &mut Moment, id: Id) -> Result<(), StoreError> {
    let now = moment.now;
    let Some(old) = tx.get(ACCOUNT, &id)?.filter(|account| !account.is_local()) else { return Ok(()) };
    if old.deleted_at.is_none() {
        let row = TombstoneRow { deleted_at: now, former_type: "Person".into(), actor_uri: old.uri.clone() };
        tombstone::put(tx, &old.uri, &row);
        let bare = Account {
            id: old.id,
            username: old.username.clone(),
            domain: old.domain.clone(),
            uri: old.uri.clone(),
            url: old.url.clone(),
            kind: old.kind,
            created_at: old.created_at,
            suspended_at: old.suspended_at,
            silenced_at: old.silenced_at,
            deleted_at: Some(now),
            // Kept so that its own last messages can be verified.
            key_id: old.key_id.clone(),
            public_key_pem: old.public_key_pem.clone(),
            fetched_at: now,
            ..Account::default()
        };
        Account::save(tx, Some(&old), &bare);
        portrait::let_go(tx, moment, &old)?;
    }
    Ok(())
}

/// One step of clearing away a deleted remote account's follows and posts.
/// Gives whether there may be more.
///
/// # Errors
/// Only the store's.
pub fn forget_account(tx: &mut WriteTx<'_>, moment: &mut Moment, id: Id) -> Result<bool, StoreError> {
    let range = || Scan::prefix(&(id,)).limit(FORGET_ROWS);
    let followers = tx.scan(FOLLOWERS, range())?;
    for (_, follower) in &followers {
        reject_arrived(tx, id, None, Some(*follower))?;
    }
    let following = tx.scan(FOLLOWING, range())?;
    for (_, followed) in &following {
        unfollow_arrived(tx, (Follower(id), Followed(*followed)))?;
    }
    let posts = tx.scan(STATUS_BY_AUTHOR, range())?;
    let ids: Vec<Id> = posts.iter().map(|((_, status), _)| *status).collect();
    let found: Vec<Status> = tx.get_many(STATUS, &ids)?.into_iter().flatten().collect();
    portrait::let_go_copies(tx, moment, &found)?;
    for post in found {
        status::remove(tx, moment, &post)?;
    }
    Ok([followers.len(), following.len(), posts.len()].contains(&FORGET_ROWS))
}
