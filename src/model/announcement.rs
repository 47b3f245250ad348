//! What those who run the server tell everybody here.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// An announcement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Announcement {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// As typed.
    #[n(1)]
    pub text: String,
    /// The same as clean HTML.
    #[n(2)]
    pub content_html: String,
    /// When what it tells of begins.
    #[n(3)]
    pub starts_at: Option<Timestamp>,
    /// When what it tells of ends; it is not shown after that.
    #[n(4)]
    pub ends_at: Option<Timestamp>,
    /// Only the days of the two times matter.
    #[n(5)]
    pub all_day: bool,
    /// When it was shown first.
    #[n(6)]
    pub published_at: Timestamp,
    /// When it last changed.
    #[n(7)]
    pub updated_at: Timestamp,
    /// Hashtags in the text, without `#`.
    #[n(8)]
    pub tags: Vec<String>,
}

impl Record for Announcement {}

impl Announcement {
    /// Whether it is shown.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}
