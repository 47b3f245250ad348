//! What Mastodon's clients read: entities as plain serialisable structs.
//!
//! Every key of the documentation is there, null where it is empty: strict
//! clients fail on a missing one (docs.joinmastodon.org, entities). Ids are
//! strings, dates have three digits of a second.

pub mod account;
pub mod admin;
pub mod admin_blocks;
pub mod announcement;
pub mod card;
pub mod conversation;
pub mod filter;
pub mod instance;
pub mod list;
pub mod notification;
pub mod oauth;
pub mod poll;
pub mod preferences;
mod push;
pub mod quote;
pub mod relationship;
pub mod report;
pub mod scheduled;
pub mod search;
pub mod status;
pub mod tag;
pub mod warning;
pub mod webhook;
pub mod words;

pub use account::{
    Account, CredentialAccount, Emoji, FamiliarFollowers, Field, MutedAccount, Person, Profile,
};
pub use card::PreviewCard;
pub use conversation::Conversation;
pub use filter::{Filter, FilterKeyword, FilterResult, FilterStatus, V1Filter};
pub use list::{List, RepliesPolicyWord};
pub use notification::{
    GroupedNotifications, Marker, Merged, Notification, NotificationGroup, NotificationPolicy,
    NotificationRequest, PartialAccount, UnreadCount, V1NotificationPolicy,
};
pub use poll::Poll;
pub use preferences::Preferences;
pub use push::{PushMessage, WebPushSubscription};
pub use relationship::Relationship;
pub use report::Report;
pub use scheduled::ScheduledStatus;
pub use search::Search;
pub use status::{Context, MediaAttachment, Status, StatusEdit, StatusSource};
pub use tag::{FeaturedTag, Tag, TagHistory};
pub use warning::{AccountWarning, RelationshipSeveranceEvent};

/// The answer where there is nothing to say: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, utoipa::ToSchema)]
pub struct Empty {}
