//! Earlier versions of posts.

use minicbor::{Decode, Encode};

use super::{Attachment, CustomEmoji, Status};
use crate::base::Timestamp;
use crate::store::Record;

/// What a post showed at one time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Version {
    /// When it was written so.
    #[n(0)]
    pub at: Timestamp,
    /// Clean HTML.
    #[n(1)]
    pub content_html: String,
    /// Content warning.
    #[n(2)]
    pub spoiler_text: String,
    /// Media are hidden behind a warning.
    #[n(3)]
    pub sensitive: bool,
    /// Pictures, films, sounds.
    #[n(4)]
    pub attachments: Vec<Attachment>,
    /// Custom emojis.
    #[n(5)]
    pub emojis: Vec<CustomEmoji>,
    /// Answers of its poll; empty for none.
    #[n(6)]
    pub poll_options: Vec<String>,
}

impl Record for Version {}

impl Version {
    /// What a post shows now.
    pub fn of(status: &Status) -> Version {
        let options = status.poll.iter().flat_map(|poll| &poll.options);
        Version {
            at: status.edited_at.unwrap_or(status.created_at),
            content_html: status.content_html.clone(),
            spoiler_text: status.spoiler_text.clone(),
            sensitive: status.sensitive,
            attachments: status.attachments.clone(),
            emojis: status.emojis.clone(),
            poll_options: options.map(|option| option.title.clone()).collect(),
        }
    }
}
