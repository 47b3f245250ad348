//! Ending all follows of an account, in steps that each fit a transaction.
//! People here who lose some are told.

use crate::base::{Id, Moment};
use crate::domain::relation::{Followed, Follower, RelationError, remove_follower, unfollow};
use crate::domain::severance::{Cause, Side, note};
use crate::model::tables::{ACCOUNT, FOLLOW_REQUESTS, FOLLOWERS, FOLLOWING};
use crate::model::{SeveranceKind, Site};
use crate::store::{Scan, StoreError, WriteTx};

/// Rows of each list that one step takes.
const ROWS: usize = 5;
/// Ids that one step may take: each end tells the other side, and somebody
/// here.
pub const SEVER_IDS: u16 = 64;

/// Which follows end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Severing {
    /// Of this account.
    pub account: Id,
    /// Also those by people here.
    pub both: bool,
    /// The blocked server of which it is; `None` where it was suspended.
    pub domain: Option<String>,
}

/// One step: the account no longer follows people here, and with `both` they
/// no longer follow it. Gives whether there may be more.
///
/// # Errors
/// Only the store's.
pub fn sever_step(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    severing: &Severing,
) -> Result<bool, StoreError> {
    let Severing { account, both, domain } = severing;
    let Some(found) = tx.get(ACCOUNT, account)? else { return Ok(false) };
    let (account, acct) = (*account, found.acct());
    let cause = match domain {
        Some(domain) => Cause { kind: SeveranceKind::DomainBlock, target: domain },
        None => Cause { kind: SeveranceKind::AccountSuspension, target: &acct },
    };
    let lost = [acct.clone()];
    let range = || Scan::prefix(&(account,)).limit(ROWS);
    let following = tx.scan(FOLLOWING, range())?;
    for (_, followed) in &following {
        if done(remove_follower(tx, moment, site, (Follower(account), Followed(*followed))))? {
            note(tx, moment, *followed, cause, (Side::Follower, &lost))?;
        }
    }
    if !both {
        return Ok(following.len() >= ROWS);
    }
    let followers = tx.scan(FOLLOWERS, range())?;
    for (_, follower) in &followers {
        if done(unfollow(tx, moment, site, (Follower(*follower), Followed(account))))? {
            note(tx, moment, *follower, cause, (Side::Followed, &lost))?;
        }
    }
    let asking = tx.scan(FOLLOW_REQUESTS, range())?;
    for (_, follower) in &asking {
        done(unfollow(tx, moment, site, (Follower(*follower), Followed(account))))?;
    }
    Ok(following.len() + followers.len() + asking.len() >= ROWS)
}

/// Whether something ended: one whose row is gone has nothing to end.
fn done(result: Result<(), RelationError>) -> Result<bool, StoreError> {
    match result {
        Ok(()) => Ok(true),
        Err(RelationError::Store(cause)) => Err(cause),
        Err(_) => Ok(false),
    }
}
