//! The catalogue of all tables. Names and key shapes are for ever.

use super::*;
use crate::base::{Id, Timestamp};
use crate::store::{Counter, Table};

// Accounts and the people behind them.

/// Accounts by id.
pub const ACCOUNT: Table<Id, Account> = Table::new("account");
/// Account ids by lower-case username and domain (empty for local).
pub const ACCOUNT_BY_HANDLE: Table<(String, String), Id> = Table::new("account_by_handle");
/// Account ids by ActivityPub id.
pub const ACCOUNT_BY_URI: Table<String, Id> = Table::new("account_by_uri");
/// (part, when, account) of accounts that want to be found: see [`directory`].
pub const DIRECTORY: Table<(u8, Timestamp, Id), ()> = Table::new("directory");
/// Private keys of local accounts.
pub const ACCOUNT_KEY: Table<Id, KeyPair> = Table::new("account_key");
/// Users by account id.
pub const USER: Table<Id, User> = Table::new("user");
/// User ids by lower-case mail address.
pub const USER_BY_EMAIL: Table<String, Id> = Table::new("user_by_email");
/// Browser sessions by digest of their secret.
pub const SESSION: Table<SessionDigest, Session> = Table::new("session");
/// Sessions of an account.
pub const SESSION_BY_ACCOUNT: Table<(Id, SessionDigest), ()> = Table::new("session_by_account");
/// Invitations by code.
pub const INVITE: Table<String, Invite> = Table::new("invite");
/// Values of the whole server by name.
pub const SETTING: Table<String, Setting> = Table::new("setting");

// Apps.

/// Apps by id.
pub const APP: Table<Id, App> = Table::new("app");
/// App ids by `client_id`.
pub const APP_BY_CLIENT_ID: Table<String, Id> = Table::new("app_by_client_id");
/// Authorization codes by digest.
pub const AUTHORIZATION_CODE: Table<[u8; 32], AuthorizationCode> = Table::new("authorization_code");
/// Access tokens by digest of their secret.
pub const TOKEN: Table<[u8; 32], Token> = Table::new("token");
/// Tokens of an account, or of an app for itself.
pub const TOKEN_BY_ACCOUNT: Table<(Id, [u8; 32]), ()> = Table::new("token_by_account");
/// Subscriptions of Web Push by the digest of their app's token.
pub const PUSH_SUBSCRIPTION: Table<[u8; 32], PushSubscription> = Table::new("push_subscription");
/// Subscriptions of an account.
pub const PUSH_BY_ACCOUNT: Table<(Id, [u8; 32]), ()> = Table::new("push_by_account");

// Relations. Lists are ordered by the id of the follow, block or mute.

/// What the first account has to do with the second.
pub const RELATION: Table<(Id, Id), Relation> = Table::new("relation");
/// (followed, follow id) to follower.
pub const FOLLOWERS: Table<(Id, Id), Id> = Table::new("followers");
/// (follower, follow id) to followed.
pub const FOLLOWING: Table<(Id, Id), Id> = Table::new("following");
/// (asked, request id) to asker.
pub const FOLLOW_REQUESTS: Table<(Id, Id), Id> = Table::new("follow_requests");
/// (blocker, block id) to blocked.
pub const BLOCKS: Table<(Id, Id), Id> = Table::new("blocks");
/// (muter, mute id) to muted.
pub const MUTES: Table<(Id, Id), Id> = Table::new("mutes");
/// (account, endorsement id) to the one whom it shows on its profile.
pub const ENDORSEMENTS: Table<(Id, Id), Id> = Table::new("endorsements");
/// (account, other) whom it does not want to be suggested again.
pub const DISMISSED: Table<(Id, Id), ()> = Table::new("dismissed");
/// ActivityPub id of a Follow to (follower, followed), for Accept and Undo by id.
pub const FOLLOW_BY_URI: Table<String, FollowPair> = Table::new("follow_by_uri");

// Domain blocks of people.

/// The domains that an account blocks.
pub const BLOCKED_DOMAINS: Table<Id, BlockedDomains> = Table::new("blocked_domains");
/// The same one by one: (account, domain).
pub const BLOCKED_DOMAIN: Table<(Id, String), ()> = Table::new("blocked_domain");

// Lists.

/// (owner, list).
pub const LIST: Table<(Id, Id), List> = Table::new("list");
/// (list, place) to the member; who is on which list says [`Relation`].
pub const LIST_MEMBERS: Table<(Id, Id), Id> = Table::new("list_members");
/// (list, post).
pub const LIST_TIMELINE: Table<(Id, Id), HomeEntry> = Table::new("list_timeline");

// Posts.

/// Posts and boosts by id.
pub const STATUS: Table<Id, Status> = Table::new("status");
/// Post ids by ActivityPub id.
pub const STATUS_BY_URI: Table<String, Id> = Table::new("status_by_uri");
/// Posts and boosts of an account.
pub const STATUS_BY_AUTHOR: Table<(Id, Id), TimelineEntry> = Table::new("status_by_author");
/// (post, answer) to the answer's author.
pub const STATUS_REPLIES: Table<(Id, Id), Id> = Table::new("status_replies");
/// Posts of a thread by its first post's id.
pub const STATUS_BY_THREAD: Table<(Id, Id), TimelineEntry> = Table::new("status_by_thread");
/// (account, pin id) to post.
pub const PINS: Table<(Id, Id), Id> = Table::new("pins");
/// (post, boost) to the booster.
pub const STATUS_REBLOGS: Table<(Id, Id), Id> = Table::new("status_reblogs");
/// (post, like id) to the one who likes it.
pub const STATUS_FAVOURITES: Table<(Id, Id), Id> = Table::new("status_favourites");
/// What an account did with a post.
pub const INTERACTION: Table<(Id, Id), Interaction> = Table::new("interaction");
/// (account, like id) to post.
pub const FAVOURITES: Table<(Id, Id), Id> = Table::new("favourites");
/// (account, bookmark id) to post.
pub const BOOKMARKS: Table<(Id, Id), Id> = Table::new("bookmarks");
/// (post, version id) of what posts were before they were edited.
pub const STATUS_VERSIONS: Table<(Id, Id), Version> = Table::new("status_versions");
/// (quoted post, quoting post) of accepted quotes, to the quoting author.
pub const QUOTES: Table<(Id, Id), Id> = Table::new("quotes");
/// ActivityPub id of a leave to quote to the quoting post.
pub const QUOTE_BY_STAMP: Table<String, Id> = Table::new("quote_by_stamp");
/// (post, voter) of polls; also voters of earlier rounds.
pub const POLL_VOTERS: Table<(Id, Id), ()> = Table::new("poll_voters");
/// When an ActivityPub object was deleted, so that late copies stay away.
pub const TOMBSTONE: Table<String, TombstoneRow> = Table::new("tombstone");
/// (when it is forgotten, its ActivityPub id).
pub const TOMBSTONE_BY_END: Table<(Timestamp, String), ()> = Table::new("tombstone_by_end");
/// (author, id) of posts that are to be published later.
pub const SCHEDULED: Table<(Id, Id), Scheduled> = Table::new("scheduled");
/// (account, Idempotency-Key) to the post it made.
pub const IDEMPOTENCY: Table<(Id, String), Id> = Table::new("idempotency");

// Media.

/// Uploaded files by id.
pub const MEDIA: Table<Id, Media> = Table::new("media");
/// (when it goes unless a post shows it, file).
pub const MEDIA_BY_EXPIRY: Table<(Timestamp, Id), ()> = Table::new("media_by_expiry");
/// Files of other servers by the digest of their address.
pub const CACHED: Table<[u8; 32], CachedFile> = Table::new("cached");
/// (last use, digest) of the same.
pub const CACHED_BY_USE: Table<(Timestamp, [u8; 32]), ()> = Table::new("cached_by_use");

// Links.

/// Preview cards by link.
pub const PREVIEW_CARD: Table<String, PreviewCard> = Table::new("preview_card");
/// (link, public post).
pub const LINK_TIMELINE: Table<(String, Id), TimelineEntry> = Table::new("link_timeline");

// Search.

/// What the search index has to look at again; see [`feed`].
pub const INDEX_FEED: Table<(u8, Id), feed::Mark> = Table::new("index_feed");
/// By slot of a search index (0 where there is one): the stamp of its last change.
pub const INDEX_STAMP: Table<u8, Id> = Table::new("index_stamp");

// Hashtags, by their lower-case names.

/// How much a hashtag is used.
pub const TAG: Table<String, TagUse> = Table::new("tag");
/// What an account has to do with a hashtag.
pub const ACCOUNT_TAG: Table<(Id, String), AccountTag> = Table::new("account_tag");
/// (account, follow id) to the hashtag.
pub const FOLLOWED_TAGS: Table<(Id, Id), TagName> = Table::new("followed_tags");
/// Who follows a hashtag.
pub const TAG_FOLLOWERS: Table<(String, Id), ()> = Table::new("tag_followers");
/// (account, feature id) to the hashtag.
pub const FEATURED_TAGS: Table<(Id, Id), TagName> = Table::new("featured_tags");

// Timelines.

/// (account, post) of home timelines.
pub const HOME_TIMELINE: Table<(Id, Id), HomeEntry> = Table::new("home_timeline");
/// Public posts from everywhere.
pub const PUBLIC_TIMELINE: Table<(Id,), TimelineEntry> = Table::new("public_timeline");
/// Public posts from here.
pub const LOCAL_TIMELINE: Table<(Id,), TimelineEntry> = Table::new("local_timeline");
/// (lower-case hashtag, post).
pub const TAG_TIMELINE: Table<(String, Id), TimelineEntry> = Table::new("tag_timeline");
/// (account, notification id).
pub const NOTIFICATION: Table<(Id, Id), Notification> = Table::new("notification");
/// (account, kind, post or zero) to when the latest group of those began.
pub const NOTIFICATION_GROUP: Table<(Id, u8, Id), GroupBegin> = Table::new("notification_group");
/// From whom an account wants to hear; no row for the default.
pub const NOTIFICATION_POLICY: Table<Id, NotificationPolicy> = Table::new("notification_policy");
/// (account, other): the other is heard whatever the policy says.
pub const NOTIFICATION_PERMISSION: Table<(Id, Id), ()> = Table::new("notification_permission");
/// (account, request id) of people whose notifications are held back.
pub const NOTIFICATION_REQUEST: Table<(Id, Id), NotificationRequest> = Table::new("notification_request");
/// (account, other) to the request of the other.
pub const NOTIFICATION_REQUEST_OF: Table<(Id, Id), Id> = Table::new("notification_request_of");
/// All filters of an account.
pub const FILTERS: Table<Id, Filters> = Table::new("filters");
/// (account, timeline name).
pub const MARKER: Table<(Id, String), Marker> = Table::new("marker");

// Keeping order.

/// Those who may do more than their own things.
pub const STAFF: Table<Id, ()> = Table::new("staff");
/// Reports by id.
pub const REPORT: Table<Id, Report> = Table::new("report");
/// Report ids by the ActivityPub id of their Flag.
pub const REPORT_BY_URI: Table<String, Id> = Table::new("report_by_uri");
/// Warnings that people here were given.
pub const WARNING: Table<Id, Warning> = Table::new("warning");
/// (account, warning).
pub const WARNING_OF: Table<(Id, Id), ()> = Table::new("warning_of");
/// Follows that somebody lost to a decision.
pub const SEVERANCE: Table<Id, Severance> = Table::new("severance");
/// (account, severance).
pub const SEVERANCE_OF: Table<(Id, Id), ()> = Table::new("severance_of");
/// (severance, side, handle) of those who were lost.
pub const SEVERED: Table<(Id, u8, String), ()> = Table::new("severed");
/// (account, kind, target) to the latest [`SEVERANCE`].
pub const SEVERANCE_BY_CAUSE: Table<(Id, u8, String), Id> = Table::new("severance_by_cause");
/// What the server decided about others, by their name.
pub const DOMAIN_BLOCK: Table<String, DomainBlock> = Table::new("instance_domain_block");
/// Names of blocked servers by the block's id.
pub const DOMAIN_BLOCK_BY_ID: Table<Id, String> = Table::new("instance_domain_block_by_id");
/// Servers that are explicitly welcome, by their name.
pub const DOMAIN_ALLOW: Table<String, DomainAllow> = Table::new("domain_allow");
/// Names of welcome servers by id.
pub const DOMAIN_ALLOW_BY_ID: Table<Id, String> = Table::new("domain_allow_by_id");
/// Network addresses that are shut out.
pub const IP_BLOCK: Table<Id, IpBlock> = Table::new("ip_block");
/// Mail addresses that are shut out.
pub const EMAIL_BLOCK: Table<Id, EmailBlock> = Table::new("email_block");
/// Decisions of those who run the server.
pub const AUDIT: Table<Id, Audit> = Table::new("audit");

/// What those who run the server tell everybody here.
pub const ANNOUNCEMENT: Table<Id, Announcement> = Table::new("announcement");
/// (account, announcement) that were put aside.
pub const ANNOUNCEMENT_READ: Table<(Id, Id), ()> = Table::new("announcement_read");
/// (announcement, emoji, account) to the reaction's id.
pub const ANNOUNCEMENT_REACTION: Table<(Id, String, Id), Id> = Table::new("announcement_reaction");
/// Custom emojis of this server by shortcode.
pub const EMOJI: Table<String, LocalEmoji> = Table::new("emoji");
/// When people of this server were last here.
pub const LAST_SEEN: Table<Id, LastSeen> = Table::new("last_seen");

/// Addresses that are told of events.
pub const WEBHOOK: Table<Id, Webhook> = Table::new("webhook");

// Conversations.

/// (owner, conversation).
pub const CONVERSATION: Table<(Id, Id), Conversation> = Table::new("conversation");
/// (owner, last post) to the conversation.
pub const CONVERSATIONS: Table<(Id, Id), Id> = Table::new("conversations");
/// (owner, thread, ids of the others joined by commas) to the conversation.
pub const CONVERSATION_BY_PEOPLE: Table<(Id, Id, String), Id> = Table::new("conversation_by_people");
/// (account, post) of direct posts by or for somebody here.
pub const DIRECT_TIMELINE: Table<(Id, Id), TimelineEntry> = Table::new("direct_timeline");

// Processes that share the store.

/// Processes by node number.
pub const NODE: Table<u8, Node> = Table::new("node");
/// Processes that may act, by boot.
pub const MANDATE: Table<u64, Mandate> = Table::new("node_mandate");
/// Who holds which shard; one row, at 0.
pub const HOLDINGS: Table<u8, Holdings> = Table::new("node_holdings");
/// Secrets that all nodes share, by name; see `cluster` and `net::acme`.
pub const SHARED_SECRET: Table<String, Vec<u8>> = Table::new("shared_secret");

// Counts.

/// (what, of which): see [`count`].
pub const COUNT: Counter<(u8, Id)> = Counter::new("count");

/// First parts of [`COUNT`] keys.
pub mod count {
    /// Answers to a post.
    pub const REPLIES: u8 = 0;
    /// Boosts of a post.
    pub const REBLOGS: u8 = 1;
    /// Likes of a post.
    pub const FAVOURITES: u8 = 2;
    /// Posts and boosts of an account.
    pub const STATUSES: u8 = 3;
    /// Followers of an account.
    pub const FOLLOWERS: u8 = 4;
    /// Whom an account follows.
    pub const FOLLOWING: u8 = 5;
    /// Of the whole server (second part [`crate::base::Id::ZERO`]): local users.
    pub const LOCAL_USERS: u8 = 6;
    /// Of the whole server: local posts.
    pub const LOCAL_STATUSES: u8 = 7;
    /// Pending follow requests of an account.
    pub const FOLLOW_REQUESTS: u8 = 8;
    /// Of a week (second part: see `domain::census`): posts written here.
    pub const WEEK_STATUSES: u8 = 20;
    /// Of a week: people who were here.
    pub const WEEK_LOGINS: u8 = 21;
    /// Of a week: people who joined.
    pub const WEEK_REGISTRATIONS: u8 = 22;
    /// Of a day (second part: days since 1970): people who were here.
    pub const DAY_ACTIVE: u8 = 23;
    /// Earlier versions of a post that are kept.
    pub const VERSIONS: u8 = 30;
    /// Of the whole server: bytes of files of others that are kept.
    pub const CACHED_BYTES: u8 = 40;
    /// Accepted quotes of a post.
    pub const QUOTES: u8 = 31;
}

/// When somebody was last here, to the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct LastSeen {
    /// Days since 1970.
    #[n(0)]
    pub day: u32,
}

impl crate::store::Record for LastSeen {}

/// First parts of [`DIRECTORY`] keys, and what their time is.
pub mod directory {
    /// All, by the day of the last post.
    pub const ACTIVE: u8 = 0;
    /// Those who live here, by the day of the last post.
    pub const ACTIVE_LOCAL: u8 = 1;
    /// All, by when they came to be known here.
    pub const NEW: u8 = 2;
    /// Those who live here, by when they joined.
    pub const NEW_LOCAL: u8 = 3;
}

/// A deleted object.
#[derive(Debug, Clone, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct TombstoneRow {
    /// When it was deleted.
    #[n(0)]
    pub deleted_at: Timestamp,
    /// Its ActivityStreams type before.
    #[n(1)]
    pub former_type: String,
    /// Whose it was; empty if unknown.
    #[n(2)]
    pub actor_uri: String,
}

impl crate::store::Record for TombstoneRow {}
