//! What somebody is told about.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// Why somebody is told (Mastodon API: Notification types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum NotificationKind {
    /// Named in a post.
    #[n(0)]
    Mention,
    /// A post of theirs was boosted.
    #[n(1)]
    Reblog,
    /// A post of theirs was liked.
    #[n(2)]
    Favourite,
    /// Somebody follows them.
    #[n(3)]
    Follow,
    /// Somebody asks to follow them.
    #[n(4)]
    FollowRequest,
    /// Somebody they watch has posted.
    #[n(5)]
    Status,
    /// A post they boosted was edited.
    #[n(6)]
    Update,
    /// Somebody signed up (for admins).
    #[n(7)]
    AdminSignUp,
}

impl NotificationKind {
    /// Every kind.
    pub const ALL: [NotificationKind; 8] = [
        NotificationKind::Mention,
        NotificationKind::Reblog,
        NotificationKind::Favourite,
        NotificationKind::Follow,
        NotificationKind::FollowRequest,
        NotificationKind::Status,
        NotificationKind::Update,
        NotificationKind::AdminSignUp,
    ];

    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            NotificationKind::Mention => "mention",
            NotificationKind::Reblog => "reblog",
            NotificationKind::Favourite => "favourite",
            NotificationKind::Follow => "follow",
            NotificationKind::FollowRequest => "follow_request",
            NotificationKind::Status => "status",
            NotificationKind::Update => "update",
            NotificationKind::AdminSignUp => "admin.sign_up",
        }
    }

    /// From the API's word.
    pub fn from_word(word: &str) -> Option<NotificationKind> {
        NotificationKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Notification {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// Why.
    #[n(1)]
    pub kind: NotificationKind,
    /// Who caused it.
    #[n(2)]
    pub from: Id,
    /// Which post it is about.
    #[n(3)]
    pub status: Option<Id>,
    /// When.
    #[n(4)]
    pub created_at: Timestamp,
}

impl Record for Notification {}
