//! The words that entities take for a value, as the API's description lists
//! them. The entities themselves hold the word as text.

use serde::Serialize;
use utoipa::ToSchema;

/// Who may see a post.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Visibility)]
pub enum VisibilityWord {
    /// Everybody, and it is in public timelines.
    Public,
    /// Everybody, and it is not in public timelines.
    Unlisted,
    /// Followers and those it names.
    Private,
    /// Those it names.
    Direct,
}

/// What an attachment is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MediaType)]
pub enum MediaWord {
    /// A still picture.
    Image,
    /// A film.
    Video,
    /// A film without sound that repeats.
    Gifv,
    /// Sound.
    Audio,
    /// Something that is not shown.
    Unknown,
}

/// What happened.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationType)]
pub enum NotificationWord {
    /// Somebody named the person.
    Mention,
    /// Somebody posted whose posts are to be told.
    Status,
    /// Somebody boosted a post.
    Reblog,
    /// Somebody follows.
    Follow,
    /// Somebody asks to follow.
    FollowRequest,
    /// Somebody liked a post.
    Favourite,
    /// A poll ended.
    Poll,
    /// A boosted post was edited.
    Update,
    /// Somebody quoted a post.
    Quote,
    /// A quoted post was edited.
    QuotedUpdate,
    /// Follows ended because of a block between servers.
    SeveredRelationships,
    /// A moderator took action.
    ModerationWarning,
    /// Somebody signed up.
    #[serde(rename = "admin.sign_up")]
    AdminSignUp,
    /// Somebody reported.
    #[serde(rename = "admin.report")]
    AdminReport,
}

/// Who may quote a post without asking.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuotePolicy)]
pub enum QuotePolicyWord {
    /// Everybody.
    Public,
    /// Followers.
    Followers,
    /// The author alone.
    Nobody,
}

/// Where a filter applies.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilterContext)]
pub enum FilterContextWord {
    /// The home timeline and lists.
    Home,
    /// Notifications.
    Notifications,
    /// Public timelines and hashtags.
    Public,
    /// What is around a post.
    Thread,
    /// The posts of one account.
    Account,
}

/// What becomes of a post that matches a filter.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FilterAction)]
pub enum FilterActionWord {
    /// It is shown behind the filter's title.
    Warn,
    /// It is not shown.
    Hide,
    /// Its media are covered.
    Blur,
}

/// What becomes of notifications from some people.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PolicyAnswer)]
pub enum PolicyAnswerWord {
    /// They are told.
    Accept,
    /// They wait with the requests.
    Filter,
    /// They are not kept.
    Drop,
}
