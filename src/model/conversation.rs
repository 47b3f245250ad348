//! Conversations: direct posts between the same people in one thread, kept
//! for each of those who live here.

use minicbor::{Decode, Encode};

use crate::base::Id;
use crate::store::Record;

/// Somebody's side of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Conversation {
    /// Our id, for this owner: that of its first post.
    #[n(0)]
    pub id: Id,
    /// The first post of its thread, which need not be direct.
    #[n(1)]
    pub thread: Id,
    /// The others, in order.
    #[n(2)]
    pub others: Vec<Id>,
    /// Its latest posts, oldest first; never empty.
    #[n(3)]
    pub posts: Vec<Id>,
    /// Something in it was not read.
    #[n(4)]
    pub is_unread: bool,
}

impl Record for Conversation {}

impl Conversation {
    /// Its latest post.
    pub fn last(&self) -> Id {
        self.posts.last().copied().unwrap_or(self.id)
    }
}
