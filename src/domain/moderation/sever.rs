//! Ending all follows of an account, in steps that each fit a transaction.

use crate::base::{Id, Moment};
use crate::domain::relation::{Followed, Follower, RelationError, remove_follower, unfollow};
use crate::model::Site;
use crate::model::tables::{ACCOUNT, FOLLOW_REQUESTS, FOLLOWERS, FOLLOWING};
use crate::store::{Scan, StoreError, WriteTx};

/// Rows of each list that one step takes.
const ROWS: usize = 10;
/// Ids that one step may take: each end tells the other side.
pub const SEVER_IDS: u16 = 64;

/// One step: the account no longer follows people here, and with `both` they
/// no longer follow it. Gives whether there may be more.
///
/// # Errors
/// Only the store's.
pub fn sever_step(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    account: Id,
    both: bool,
) -> Result<bool, StoreError> {
    if tx.get(ACCOUNT, &account)?.is_none() {
        return Ok(false);
    }
    let range = || Scan::prefix(&(account,)).limit(ROWS);
    let following = tx.scan(FOLLOWING, range())?;
    for (_, followed) in &following {
        done(remove_follower(tx, moment, site, (Follower(account), Followed(*followed))))?;
    }
    let mut followers = Vec::new();
    if both {
        followers = tx.scan(FOLLOWERS, range())?;
        followers.extend(tx.scan(FOLLOW_REQUESTS, range())?);
    }
    for (_, follower) in &followers {
        done(unfollow(tx, moment, site, (Follower(*follower), Followed(account))))?;
    }
    Ok(following.len() + followers.len() >= ROWS)
}

/// One whose row is gone has nothing to end.
fn done(result: Result<(), RelationError>) -> Result<(), StoreError> {
    match result {
        Err(RelationError::Store(cause)) => Err(cause),
        _ => Ok(()),
    }
}
