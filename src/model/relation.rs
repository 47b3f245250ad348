//! What one account has to do with another, in one direction. One row each
//! way, so that a relationship is two reads in one round trip.

use minicbor::{Decode, Encode};

use super::ListPlace;
use crate::base::{Id, Timestamp};
use crate::store::Record;

/// An accepted follow.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Follow {
    /// Orders follower lists.
    #[n(0)]
    pub id: Id,
    /// ActivityPub id of the Follow.
    #[n(1)]
    pub uri: String,
    /// Boosts are wanted too.
    #[n(2)]
    pub show_reblogs: bool,
    /// A notification for each post.
    #[n(3)]
    pub notify: bool,
    /// When it was accepted.
    #[n(4)]
    pub since: Timestamp,
    /// Only these languages; empty for all.
    #[n(5)]
    pub languages: Vec<String>,
}

/// A follow that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FollowRequest {
    /// Orders request lists.
    #[n(0)]
    pub id: Id,
    /// ActivityPub id of the Follow.
    #[n(1)]
    pub uri: String,
    /// Boosts will be wanted too.
    #[n(2)]
    pub show_reblogs: bool,
    /// A notification for each post.
    #[n(3)]
    pub notify: bool,
    /// Only these languages; empty for all.
    #[n(4)]
    #[cbor(default)]
    pub languages: Vec<String>,
}

/// A mute.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mute {
    /// Orders mute lists.
    #[n(0)]
    pub id: Id,
    /// Notifications are hidden too.
    #[n(1)]
    pub notifications: bool,
    /// When it ends.
    #[n(2)]
    pub until: Option<Timestamp>,
}

impl Mute {
    /// Whether it still holds.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|end| now < end)
    }
}

/// Everything that goes from one account to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Relation {
    /// Follows.
    #[n(0)]
    pub follow: Option<Follow>,
    /// Asked to follow.
    #[n(1)]
    pub request: Option<FollowRequest>,
    /// Blocks; the value orders block lists.
    #[n(2)]
    pub block: Option<Id>,
    /// Mutes.
    #[n(3)]
    pub mute: Option<Mute>,
    /// A private note about them.
    #[n(4)]
    pub note: String,
    /// ActivityPub id of a remote block, for Undo by id.
    #[n(5)]
    pub block_uri: Option<String>,
    /// Lists on which they are: of those who are followed, of those who were
    /// asked, and of oneself.
    #[n(6)]
    #[cbor(default)]
    pub lists: Vec<ListPlace>,
    /// Shows them on the profile; the value orders those shown.
    #[n(7)]
    pub endorsement: Option<Id>,
}

impl Record for Relation {}

impl Relation {
    /// Whether the row says nothing and need not be kept.
    pub fn is_empty(&self) -> bool {
        *self == Relation::default()
    }

    /// Whether they are on this list.
    pub fn is_on(&self, list: Id) -> bool {
        self.lists.iter().any(|place| place.list == list)
    }
}

/// Who follows, or asks to follow, whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FollowPair {
    /// The one who follows.
    #[n(0)]
    pub follower: Id,
    /// The one who is followed.
    #[n(1)]
    pub followed: Id,
}

impl Record for FollowPair {}
