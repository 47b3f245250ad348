//! Rows of timelines, and how far they were read.

use minicbor::{Decode, Encode};

use super::Visibility;
use crate::base::{Id, Timestamp};
use crate::store::Record;

/// What a timeline knows of a post without reading it: enough to fetch
/// everything the page shows in one further round trip, and to filter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TimelineEntry {
    /// Who wrote or boosted it.
    #[n(0)]
    pub account: Id,
    /// The boosted post.
    #[n(1)]
    pub reblog_of: Option<Id>,
    /// Its author.
    #[n(2)]
    pub reblog_of_account: Option<Id>,
    /// Who may see it.
    #[n(3)]
    pub visibility: Visibility,
    /// The post it answers.
    #[n(4)]
    pub in_reply_to: Option<Id>,
    /// Its author.
    #[n(5)]
    pub in_reply_to_account: Option<Id>,
    /// Has pictures, films or sounds.
    #[n(6)]
    pub has_media: bool,
    /// Of home timelines: the hashtags that brought it there, where the
    /// author is not followed.
    #[n(7)]
    pub followed_tags: Option<Vec<String>>,
}

impl Record for TimelineEntry {}

/// Rows of home timelines have the same shape.
pub type HomeEntry = TimelineEntry;

/// How far somebody has read a timeline (Mastodon API: markers).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Marker {
    /// The newest item seen.
    #[n(0)]
    pub last_read: Id,
    /// Counts changes.
    #[n(1)]
    pub version: u32,
    /// When it was set.
    #[n(2)]
    pub updated_at: Timestamp,
}

impl Record for Marker {}
