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
    /// A poll of theirs, or one they voted in, has ended.
    #[n(8)]
    Poll,
    /// A post of theirs was quoted.
    #[n(9)]
    Quote,
    /// A post they quoted was edited.
    #[n(10)]
    QuotedUpdate,
    /// Somebody was reported (for moderators).
    #[n(11)]
    AdminReport,
    /// A moderator took action against them.
    #[n(12)]
    ModerationWarning,
    /// Follows of theirs ended because of a block between servers.
    #[n(13)]
    SeveredRelationships,
}

impl NotificationKind {
    /// Every kind.
    pub const ALL: [NotificationKind; 14] = [
        NotificationKind::Mention,
        NotificationKind::Reblog,
        NotificationKind::Favourite,
        NotificationKind::Follow,
        NotificationKind::FollowRequest,
        NotificationKind::Status,
        NotificationKind::Update,
        NotificationKind::AdminSignUp,
        NotificationKind::Poll,
        NotificationKind::Quote,
        NotificationKind::QuotedUpdate,
        NotificationKind::AdminReport,
        NotificationKind::ModerationWarning,
        NotificationKind::SeveredRelationships,
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
            NotificationKind::Poll => "poll",
            NotificationKind::Quote => "quote",
            NotificationKind::QuotedUpdate => "quoted_update",
            NotificationKind::AdminReport => "admin.report",
            NotificationKind::ModerationWarning => "moderation_warning",
            NotificationKind::SeveredRelationships => "severed_relationships",
        }
    }

    /// From the API's word.
    pub fn from_word(word: &str) -> Option<NotificationKind> {
        NotificationKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether several of them are shown as one.
    pub const fn is_grouped(self) -> bool {
        use NotificationKind::{AdminSignUp, Favourite, Follow, Reblog};
        matches!(self, Favourite | Reblog | Follow | AdminSignUp)
    }

    /// Whether it is told of what one's own account did or had done to it.
    pub const fn is_of_oneself(self) -> bool {
        use NotificationKind::{ModerationWarning, Poll, SeveredRelationships};
        matches!(self, Poll | ModerationWarning | SeveredRelationships)
    }

    /// Whether it goes with an office or is the server's word: then it does
    /// not matter whether its owner blocks or mutes whom it is about.
    pub const fn is_office(self) -> bool {
        use NotificationKind::{AdminReport, AdminSignUp, ModerationWarning, SeveredRelationships};
        matches!(self, AdminReport | AdminSignUp | ModerationWarning | SeveredRelationships)
    }

    /// Whether the policy for notifications decides about it: it comes from
    /// somebody who may be a stranger, and is not the server's own news.
    pub const fn is_policed(self) -> bool {
        use NotificationKind::{Favourite, Follow, FollowRequest, Mention, Quote, Reblog};
        matches!(self, Mention | Reblog | Favourite | Follow | FollowRequest | Quote)
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
    /// Held back by its owner's policy: it waits with the requests.
    #[n(5)]
    #[cbor(default)]
    pub is_filtered: bool,
    /// The hour (since 1970) in which the group that it belongs to began;
    /// `None` where it is a group of its own.
    #[n(6)]
    pub group_hour: Option<u32>,
    /// The report, warning or block between servers it tells of.
    #[n(7)]
    pub about: Option<Id>,
}

impl Record for Notification {}

impl Notification {
    /// The group it belongs to.
    pub fn group(&self) -> GroupKey {
        match self.group_hour {
            Some(hour) => GroupKey::Many { kind: self.kind, status: self.status, hour },
            None => GroupKey::Alone(self.id),
        }
    }
}

/// Which group of notifications. Clients see it as opaque text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// One notification by itself.
    Alone(Id),
    /// All of one kind about one post, within some hours.
    Many {
        /// What happened.
        kind: NotificationKind,
        /// To which post, if to one.
        status: Option<Id>,
        /// When it began, in hours since 1970.
        hour: u32,
    },
}

impl std::fmt::Display for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            GroupKey::Alone(id) => write!(f, "ungrouped-{id}"),
            GroupKey::Many { kind, status: None, hour } => write!(f, "{}-{hour}", kind.word()),
            GroupKey::Many { kind, status: Some(id), hour } => write!(f, "{}-{id}-{hour}", kind.word()),
        }
    }
}

impl std::str::FromStr for GroupKey {
    type Err = ();

    fn from_str(text: &str) -> Result<GroupKey, ()> {
        let (word, rest) = text.split_once('-').ok_or(())?;
        if word == "ungrouped" {
            return rest.parse().map(GroupKey::Alone).map_err(|_| ());
        }
        let kind = NotificationKind::from_word(word).ok_or(())?;
        let (status, hour) = match rest.split_once('-') {
            Some((status, hour)) => (Some(status.parse().map_err(|_| ())?), hour),
            None => (None, rest),
        };
        Ok(GroupKey::Many { kind, status, hour: hour.parse().map_err(|_| ())? })
    }
}

/// The hour in which the latest group of one kind began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct GroupBegin {
    /// Hours since 1970.
    #[n(0)]
    pub hour: u32,
}

impl Record for GroupBegin {}

/// What becomes of notifications from some people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum PolicyAnswer {
    /// They are told.
    #[n(0)]
    #[default]
    Accept,
    /// They wait with the requests.
    #[n(1)]
    Filter,
    /// They are not kept.
    #[n(2)]
    Drop,
}

impl PolicyAnswer {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            PolicyAnswer::Accept => "accept",
            PolicyAnswer::Filter => "filter",
            PolicyAnswer::Drop => "drop",
        }
    }
}

/// From whom somebody wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct NotificationPolicy {
    /// People they do not follow.
    #[n(0)]
    pub not_following: PolicyAnswer,
    /// People who do not follow them, or not for long.
    #[n(1)]
    pub not_followers: PolicyAnswer,
    /// Accounts that are new.
    #[n(2)]
    pub new_accounts: PolicyAnswer,
    /// Direct posts out of nowhere.
    #[n(3)]
    pub private_mentions: PolicyAnswer,
    /// Accounts that moderators limited.
    #[n(4)]
    pub limited_accounts: PolicyAnswer,
    /// Bots.
    #[n(5)]
    pub bots: PolicyAnswer,
}

impl Default for NotificationPolicy {
    /// As in Mastodon: what strangers send in private, and limited accounts,
    /// wait to be asked for.
    fn default() -> NotificationPolicy {
        let accept = PolicyAnswer::Accept;
        NotificationPolicy {
            not_following: accept,
            not_followers: accept,
            new_accounts: accept,
            private_mentions: PolicyAnswer::Filter,
            limited_accounts: PolicyAnswer::Filter,
            bots: accept,
        }
    }
}

impl Record for NotificationPolicy {}

/// Somebody whose notifications are held back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NotificationRequest {
    /// Our id; that of the first notification.
    #[n(0)]
    pub id: Id,
    /// Who.
    #[n(1)]
    pub from: Id,
    /// The latest post that they sent.
    #[n(2)]
    pub last_status: Option<Id>,
    /// How many are held back.
    #[n(3)]
    pub notifications: u32,
    /// When the first came.
    #[n(4)]
    pub created_at: Timestamp,
    /// When the latest came.
    #[n(5)]
    pub updated_at: Timestamp,
}

impl Record for NotificationRequest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_keys_are_read_as_they_are_written() {
        let keys = [
            GroupKey::Alone(Id(5)),
            GroupKey::Many { kind: NotificationKind::Favourite, status: Some(Id(7)), hour: 490_000 },
            GroupKey::Many { kind: NotificationKind::AdminSignUp, status: None, hour: 1 },
        ];
        let texts = ["ungrouped-5", "favourite-7-490000", "admin.sign_up-1"];
        for (key, text) in keys.into_iter().zip(texts) {
            assert_eq!((key.to_string().as_str(), text.parse()), (text, Ok(key)));
        }
        for odd in ["", "x", "ungrouped-", "ungrouped-x", "favourite", "favourite-", "x-1", "follow-1-2-3"] {
            assert_eq!(odd.parse::<GroupKey>(), Err(()), "{odd}");
        }
    }
}
