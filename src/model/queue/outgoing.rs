//! Small activities of local accounts, as data. Rules write these in their
//! transaction; the queue turns them into ActivityPub JSON when it delivers.
//! So the rules need not know the protocol, and a row is a few URIs.

use minicbor::{Decode, Encode};

use super::ActivityKind;

/// A Follow that another activity is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FollowRef {
    /// ActivityPub id of the Follow.
    #[n(0)]
    pub id: String,
    /// Actor id of the one who follows.
    #[n(1)]
    pub actor: String,
    /// Actor id of the one who is followed.
    #[n(2)]
    pub object: String,
}

/// What a local account says to others, besides posts and profiles. All
/// fields are ActivityPub ids; `id` and `actor` are those of the activity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Outgoing {
    /// A wish to follow.
    #[n(0)]
    Follow(#[n(0)] FollowRef),
    /// The follow is accepted.
    #[n(1)]
    Accept {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        #[n(2)]
        follow: FollowRef,
    },
    /// The follow is refused, or the follower removed.
    #[n(2)]
    Reject {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        #[n(2)]
        follow: FollowRef,
    },
    /// The follow, or the wish, is taken back.
    #[n(3)]
    UndoFollow {
        #[n(0)]
        id: String,
        #[n(1)]
        follow: FollowRef,
    },
    /// A block; `object` is the blocked actor.
    #[n(4)]
    Block {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        #[n(2)]
        object: String,
    },
    /// The block is taken back.
    #[n(5)]
    UndoBlock {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// Id of the Block.
        #[n(2)]
        block: String,
        /// The actor it was about.
        #[n(3)]
        object: String,
    },
    /// A like of a post.
    #[n(6)]
    Like {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        #[n(2)]
        object: String,
    },
    /// The like is taken back.
    #[n(7)]
    UndoLike {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// Id of the Like.
        #[n(2)]
        like: String,
        /// The post it was about.
        #[n(3)]
        object: String,
    },
    /// A post is deleted.
    #[n(8)]
    DeleteStatus {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// The post.
        #[n(2)]
        object: String,
        /// Its audience, `to` then `cc`.
        #[n(3)]
        to: Vec<String>,
        #[n(4)]
        cc: Vec<String>,
    },
    /// A boost is taken back.
    #[n(9)]
    UndoAnnounce {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// Id of the Announce.
        #[n(2)]
        announce: String,
        /// The boosted post.
        #[n(3)]
        object: String,
        /// Its audience, `to` then `cc`.
        #[n(4)]
        to: Vec<String>,
        #[n(5)]
        cc: Vec<String>,
    },
    /// An account is deleted; `actor` is its actor.
    #[n(10)]
    DeleteActor {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
    },
    /// A vote in a poll of another server.
    #[n(11)]
    Vote {
        /// Id of the vote; that of its Create is made from it.
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// The poll's post.
        #[n(2)]
        question: String,
        /// The actor whose poll it is; nobody else is told.
        #[n(3)]
        to: String,
        /// The chosen answer's text.
        #[n(4)]
        choice: String,
    },
    /// A wish to quote a post of another server (FEP-044f).
    #[n(12)]
    QuoteRequest {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// The quoted post.
        #[n(2)]
        object: String,
        /// The quoting post.
        #[n(3)]
        instrument: String,
    },
    /// A quote is allowed.
    #[n(13)]
    AcceptQuote {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// Who asked.
        #[n(2)]
        to: String,
        /// Id of the request.
        #[n(3)]
        request: String,
        /// The quoted post.
        #[n(4)]
        object: String,
        /// The quoting post.
        #[n(5)]
        instrument: String,
        /// The stamp.
        #[n(6)]
        result: String,
    },
    /// A quote is not allowed.
    #[n(14)]
    RejectQuote {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// Who asked.
        #[n(2)]
        to: String,
        /// Id of the request.
        #[n(3)]
        request: String,
        /// The quoted post.
        #[n(4)]
        object: String,
        /// The quoting post.
        #[n(5)]
        instrument: String,
    },
    /// A quote is no longer allowed.
    #[n(15)]
    DeleteStamp {
        #[n(0)]
        id: String,
        #[n(1)]
        actor: String,
        /// The stamp.
        #[n(2)]
        stamp: String,
        /// Whose quote it was.
        #[n(3)]
        to: String,
    },
    /// A report, by the server itself.
    #[n(20)]
    Flag {
        #[n(0)]
        id: String,
        /// The server's own actor.
        #[n(1)]
        actor: String,
        /// The account, then its posts.
        #[n(2)]
        objects: Vec<String>,
        /// What the reporter wrote.
        #[n(3)]
        content: String,
    },
}

impl Outgoing {
    /// What it says, for lanes, lifetimes and supersession.
    pub fn kind(&self) -> ActivityKind {
        match self {
            Outgoing::Follow(_) => ActivityKind::Follow,
            Outgoing::Accept { .. } => ActivityKind::Accept,
            Outgoing::Reject { .. } => ActivityKind::Reject,
            Outgoing::Block { .. } => ActivityKind::Block,
            Outgoing::Like { .. } => ActivityKind::Like,
            // Not an Accept or Reject of a follow, but as long-lived.
            Outgoing::AcceptQuote { .. } => ActivityKind::Accept,
            Outgoing::RejectQuote { .. } => ActivityKind::Reject,
            // No Delete: that would make what was said before pointless.
            Outgoing::QuoteRequest { .. } | Outgoing::DeleteStamp { .. } => ActivityKind::Other,
            Outgoing::Vote { .. } => ActivityKind::Create,
            Outgoing::Flag { .. } => ActivityKind::Flag,
            Outgoing::UndoFollow { .. }
            | Outgoing::UndoBlock { .. }
            | Outgoing::UndoLike { .. }
            | Outgoing::UndoAnnounce { .. } => ActivityKind::Undo,
            Outgoing::DeleteStatus { .. } | Outgoing::DeleteActor { .. } => ActivityKind::Delete,
        }
    }
}
