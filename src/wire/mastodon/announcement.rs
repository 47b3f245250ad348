//! Announcements (docs: entities/Announcement, Reaction).

use serde::Serialize;
use utoipa::ToSchema;

use super::account::Emoji;
use super::status::StatusTag;
use crate::base::Timestamp;
use crate::model::{self, CustomEmoji, Site};

/// How many reacted in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reaction {
    /// An emoji, or the shortcode of a custom one.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Whether the reader is one of them.
    pub me: bool,
    /// Only of custom emojis.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri")]
    pub url: Option<String>,
    /// Only of custom emojis.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uri")]
    pub static_url: Option<String>,
}

/// An account that an announcement names: none is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnnouncementAccount {
    id: String,
    username: String,
    url: String,
    acct: String,
}

/// A post that an announcement names: none is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnnouncementStatus {
    id: String,
    url: String,
}

/// An announcement.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Announcement {
    id: String,
    content: String,
    #[schema(required, format = DateTime)]
    starts_at: Option<String>,
    #[schema(required, format = DateTime)]
    ends_at: Option<String>,
    /// Always: what waits is shown to nobody.
    published: bool,
    all_day: bool,
    #[schema(format = DateTime)]
    published_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Only for the one who reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<bool>,
    mentions: Vec<AnnouncementAccount>,
    statuses: Vec<AnnouncementStatus>,
    tags: Vec<StatusTag>,
    emojis: Vec<Emoji>,
    reactions: Vec<Reaction>,
}

impl Announcement {
    /// The announcement. `read` is `None` for those it is not read by: the
    /// ones who made it.
    pub fn new(
        site: &Site,
        row: &model::Announcement,
        emojis: &[CustomEmoji],
        reactions: Vec<Reaction>,
        read: Option<bool>,
    ) -> Announcement {
        Announcement {
            id: row.id.to_string(),
            content: row.content_html.clone(),
            starts_at: row.starts_at.map(Timestamp::rfc3339),
            ends_at: row.ends_at.map(Timestamp::rfc3339),
            published: true,
            all_day: row.all_day,
            published_at: row.published_at.rfc3339(),
            updated_at: row.updated_at.rfc3339(),
            read,
            mentions: Vec::new(),
            statuses: Vec::new(),
            tags: row.tags.iter().map(|tag| StatusTag::new(site, tag)).collect(),
            emojis: emojis.iter().map(Emoji::from).collect(),
            reactions,
        }
    }
}
