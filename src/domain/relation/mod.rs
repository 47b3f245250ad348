//! Who follows, blocks and mutes whom, and what follows from it.

mod arrived;
mod block;
mod edge;
mod endorse;
mod familiar;
mod follow;
mod lists;
mod mute;
mod relationship;
mod sever;
#[cfg(test)]
mod tests;

pub use arrived::{
    accept_arrived, block_arrived, follow_arrived, is_following, reject_arrived, unblock_arrived,
    unfollow_arrived,
};
pub use block::{block, unblock};
pub use endorse::{endorse, endorsed, unendorse};
pub use familiar::{FAMILIAR_AT_ONCE, familiar};
pub use follow::{FollowOptions, FollowOutcome, accept, follow, reject, remove_follower, unfollow};
pub use lists::{Muted, blocks, follow_requests, followers, followers_of_host, following, mutes};
pub use mute::{MuteOptions, mute, unmute};
pub use relationship::{Relationship, relationships, set_note};
pub use sever::{SeverPlace, sever};

use crate::base::Id;
use crate::model::Account;
use crate::model::tables::ACCOUNT;
use crate::store::{ReadTx, StoreError};

/// The one who follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follower(pub Id);
/// The one who is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed(pub Id);
/// The one who acts: blocks, mutes, notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor(pub Id);
/// The one it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target(pub Id);

/// Why a relation cannot be changed.
#[derive(Debug)]
pub enum RelationError {
    /// One of the two does not exist or may not be shown.
    Missing,
    /// With oneself.
    Oneself,
    /// One of the two blocks the other.
    Blocked,
    /// Follows more than [`FOLLOWING_MAX`].
    TooMany,
    /// The other is not followed, and would have to be.
    NotFollowed,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for RelationError {
    fn from(cause: StoreError) -> Self {
        RelationError::Store(cause)
    }
}

/// Accounts one may follow (Mastodon: 7500, or more with many followers).
pub const FOLLOWING_MAX: i64 = 7500;

/// Both accounts of a pair, which must differ. A suspended or deleted target
/// is found too: one must be able to leave it.
fn both(tx: &ReadTx<'_>, a: Id, b: Id) -> Result<(Account, Account), RelationError> {
    if a == b {
        return Err(RelationError::Oneself);
    }
    let mut found = tx.get_many(ACCOUNT, &[a, b])?;
    let (b, a) = (found.pop().flatten(), found.pop().flatten());
    a.zip(b).ok_or(RelationError::Missing)
}
