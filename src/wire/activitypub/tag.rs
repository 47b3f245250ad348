//! The `tag` property: mentions, hashtags and custom emojis.

use serde_json::Value;

use super::value::{cut, file_url, get, kind, list, one_id, text};
use crate::base::limits::{REMOTE_MENTIONS_MAX, REMOTE_TAGS_MAX};
use crate::model::CustomEmoji;

/// Bytes of a hashtag's name.
const HASHTAG_MAX_BYTES: usize = 400;
/// Bytes of an emoji's name.
const EMOJI_MAX_BYTES: usize = 256;

/// Somebody named by a Mention tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMention {
    /// Their actor id (or page: some servers write that).
    pub href: String,
    /// How they are written, such as `@user@host`.
    pub name: String,
}

/// What the tags of an object say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    /// Who is named.
    pub mentions: Vec<TagMention>,
    /// Hashtags without the sign, each once.
    pub hashtags: Vec<String>,
    /// Custom emojis.
    pub emojis: Vec<CustomEmoji>,
}

/// Reads the tags of an object or actor.
pub(super) fn read(object: &Value) -> Tags {
    let mut tags = Tags::default();
    for tag in list(object, "tag").into_iter().take(REMOTE_TAGS_MAX) {
        match kind(tag) {
            "Mention" if tags.mentions.len() < REMOTE_MENTIONS_MAX => tags.mentions.extend(mention(tag)),
            "Hashtag" => tags.hashtags.extend(hashtag(tag)),
            "Emoji" | "toot:Emoji" => tags.emojis.extend(emoji(tag)),
            _ => {}
        }
    }
    let mut seen = Vec::new();
    tags.hashtags.retain(|name| {
        let key = name.to_lowercase();
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    tags
}

fn mention(tag: &Value) -> Option<TagMention> {
    let href = one_id(tag, "href")?;
    Some(TagMention { href, name: text(tag, "name").unwrap_or_default().to_owned() })
}

fn hashtag(tag: &Value) -> Option<String> {
    let name = text(tag, "name")?.trim().trim_start_matches(['#', '＃']);
    let is_name = !name.is_empty() && name.len() <= HASHTAG_MAX_BYTES && !name.contains(char::is_whitespace);
    is_name.then(|| name.to_owned())
}

/// The id may be missing (Akkoma, FEP-9098), the name with or without colons.
fn emoji(tag: &Value) -> Option<CustomEmoji> {
    let shortcode = text(tag, "name")?.trim_matches(':');
    let is_name = !shortcode.is_empty()
        && cut(shortcode, EMOJI_MAX_BYTES).len() == shortcode.len()
        && shortcode.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+'));
    let url =
        list(tag, "icon").into_iter().find_map(file_url).or_else(|| get(tag, "icon").and_then(file_url))?;
    is_name.then(|| CustomEmoji { shortcode: shortcode.to_owned(), url })
}
