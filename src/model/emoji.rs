//! Custom emojis of this server.

use minicbor::{Decode, Encode};

use crate::base::Timestamp;
use crate::store::Record;

/// A custom emoji that people here may use.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LocalEmoji {
    /// What is written between colons.
    #[n(0)]
    pub shortcode: String,
    /// Name of its picture in our media folder.
    #[n(1)]
    pub picture: String,
    /// The group it is in, in lists of emojis.
    #[n(2)]
    pub category: Option<String>,
    /// Whether lists of emojis show it; it works in any case.
    #[n(3)]
    pub is_listed: bool,
    /// When it was made.
    #[n(4)]
    pub created_at: Timestamp,
}

impl Record for LocalEmoji {}

impl LocalEmoji {
    /// Letters of the shortest shortcode.
    pub const SHORTCODE_MIN: usize = 2;
    /// Letters of the longest one.
    pub const SHORTCODE_MAX: usize = 64;

    /// Whether this may stand between colons: letters, digits, underscores.
    pub fn is_shortcode(text: &str) -> bool {
        (LocalEmoji::SHORTCODE_MIN..=LocalEmoji::SHORTCODE_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
}
