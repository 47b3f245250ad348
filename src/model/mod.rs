//! The records that are kept, their versions, and the catalogue of tables.
//!
//! Knows what is stored and which index rows belong to it; must not know
//! HTTP, any protocol's JSON, or the rules (those are in `domain`).

mod account;
mod announcement;
mod blocked_domain;
mod card;
mod codec;
mod conversation;
mod emoji;
mod event;
pub mod feed;
mod filter;
#[cfg(test)]
mod golden;
mod list;
mod media;
mod moderation;
mod node;
mod notification;
mod oauth;
mod poll;
mod proxy;
mod push;
pub mod queue;
mod quote;
mod relation;
mod scheduled;
mod setting;
mod site;
mod status;
pub mod tables;
mod tag;
mod timeline;
mod user;
mod version;
mod warning;
mod webhook;

pub use crate::base::Registration;
pub use account::{Account, ActorKind, Field, KeyPair, Picture, ProfileTabs};
pub use announcement::Announcement;
pub use blocked_domain::{BlockedDomain, BlockedDomains};
pub use card::{CardState, Frame, Player, PreviewCard};
pub use conversation::Conversation;
pub use emoji::LocalEmoji;
pub use event::{Audience, EVENT_TOPIC, Event};
pub use filter::{Filter, FilterAction, FilterContext, FilterKeyword, FilterStatus, Filters};
pub use list::{List, ListPlace, RepliesPolicy};
pub use media::{CachedFile, Media, MediaState};
pub use moderation::{
    Audit, DomainAllow, DomainBlock, EmailBlock, EmailRule, IpBlock, IpSeverity, Report, ReportCategory,
    Severity,
};
pub use node::{Holdings, Mandate, Node, NodeLoad, NodeState, SHARDS};
pub use notification::{
    GroupBegin, GroupKey, Notification, NotificationKind, NotificationPolicy, NotificationRequest,
    PolicyAnswer,
};
pub use oauth::{App, AuthorizationCode, Scopes, Token};
pub use poll::{Ballot, NewPoll, Poll, PollOption};
pub use proxy::ProxyKey;
pub use push::{PushPolicy, PushSubscription};
pub use quote::{Quote, QuoteGroup, QuotePermission, QuotePolicy, QuoteState};
pub use relation::{Follow, FollowPair, FollowRequest, Mute, Relation};
pub use scheduled::Scheduled;
pub use setting::Setting;
pub use site::{MailRoute, Site};
pub use status::{
    Application, Attachment, AttachmentKind, CustomEmoji, Interaction, Mention, Status, Visibility,
};
pub use tag::{AccountTag, TagDay, TagName, TagUse};
pub use timeline::{HomeEntry, Marker, TimelineEntry};
pub use user::{Invite, OneTime, Permission, PostingDefaults, Role, Session, SessionDigest, User, UserState};
pub use version::Version;
pub use warning::{Severance, SeveranceKind, Warning, WarningAction};
pub use webhook::{Webhook, WebhookEvent};
