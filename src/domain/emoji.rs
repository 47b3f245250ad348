//! Custom emojis of this server, and finding emojis in text.

use crate::base::{Id, Moment};
use crate::domain::moderation::{Entry, ModerationError, Staff, log};
use crate::model::tables::EMOJI;
use crate::model::{CustomEmoji, LocalEmoji, Permission, Site};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Custom emojis of one text that are looked up.
const IN_TEXT_MAX: usize = 50;
/// Code points of the longest emoji of Unicode, a family with skin tones or
/// the flag of a region.
const SEQUENCE_MAX: usize = 10;

/// The custom emoji with this shortcode.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, shortcode: &str) -> Result<Option<LocalEmoji>, StoreError> {
    tx.get(EMOJI, &shortcode.to_owned())
}

/// All custom emojis, by shortcode.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<LocalEmoji>, StoreError> {
    Ok(tx.scan(EMOJI, Scan::all())?.into_iter().map(|(_, emoji)| emoji).collect())
}

/// As posts and profiles keep it.
pub fn shown(site: &Site, emoji: &LocalEmoji) -> CustomEmoji {
    CustomEmoji { shortcode: emoji.shortcode.clone(), url: site.media(&emoji.picture) }
}

/// The custom emojis of these shortcodes, in their order; `None` where there
/// is none. One round trip.
///
/// # Errors
/// Only the store's.
pub fn of_names(
    tx: &ReadTx<'_>,
    site: &Site,
    names: &[String],
) -> Result<Vec<Option<CustomEmoji>>, StoreError> {
    let found = tx.get_many(EMOJI, names)?;
    Ok(found.iter().map(|emoji| emoji.as_ref().map(|emoji| shown(site, emoji))).collect())
}

/// The custom emojis that texts name, each once; one round trip, none where
/// nothing stands between colons.
///
/// # Errors
/// Only the store's.
pub fn in_text(tx: &ReadTx<'_>, site: &Site, texts: &[&str]) -> Result<Vec<CustomEmoji>, StoreError> {
    let mut names: Vec<String> = texts.iter().flat_map(|text| shortcodes(text)).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(IN_TEXT_MAX);
    Ok(of_names(tx, site, &names)?.into_iter().flatten().collect())
}

/// What stands between colons, is a shortcode, and is no part of a word.
fn shortcodes(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut before: Option<char> = None;
    while let Some(colon) = rest.find(':') {
        before = rest[..colon].chars().next_back().or(before);
        let inner = &rest[colon + 1..];
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let name = &inner[..end];
        let after = inner[end..].strip_prefix(':');
        let is_free = before.is_none_or(|c| !c.is_alphanumeric() && c != ':');
        match after {
            Some(after) if is_free && LocalEmoji::is_shortcode(name) => {
                found.push(name);
                rest = after;
                before = Some(' ');
            }
            _ => {
                rest = inner;
                before = Some(':');
            }
        }
    }
    found
}

/// Keeps a custom emoji, new or in the place of one with the same shortcode.
/// Gives the picture that is no longer used. Takes one id.
///
/// # Errors
/// When `by` may not, or the shortcode is none.
pub fn save(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    new: &LocalEmoji,
) -> Result<Option<String>, ModerationError> {
    by.may(Permission::ManageCustomEmojis)?;
    if !LocalEmoji::is_shortcode(&new.shortcode) {
        return Err(ModerationError::Invalid("Shortcode has 2 to 64 letters a-z, digits and underscores"));
    }
    let old = get(tx, &new.shortcode)?;
    tx.put(EMOJI, &new.shortcode, new);
    let action = if old.is_some() { "update" } else { "create" };
    logged(tx, moment, by, action, &new.shortcode);
    Ok(old.map(|old| old.picture).filter(|picture| *picture != new.picture))
}

/// Removes a custom emoji; gives it. Takes one id.
///
/// # Errors
/// When there is none, or `by` may not.
pub fn remove(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    shortcode: &str,
) -> Result<LocalEmoji, ModerationError> {
    by.may(Permission::ManageCustomEmojis)?;
    let old = get(tx, shortcode)?.ok_or(ModerationError::Missing)?;
    tx.delete(EMOJI, &old.shortcode);
    logged(tx, moment, by, "destroy", shortcode);
    Ok(old)
}

fn logged(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, action: &str, shortcode: &str) {
    let entry = Entry { action, kind: "custom_emoji", target: Id::ZERO, name: shortcode, note: "" };
    log(tx, moment, by, entry);
}

/// Whether a text is one emoji of Unicode, as far as code points tell:
/// pictures with their joiners, tones and selectors, flags, keycaps.
pub fn is_unicode_emoji(text: &str) -> bool {
    let points: Vec<u32> = text.chars().map(u32::from).collect();
    if points.is_empty() || points.len() > SEQUENCE_MAX {
        return false;
    }
    let is_keycap = matches!(points[..], [0x23 | 0x2a | 0x30..=0x39, 0xfe0f, 0x20e3]);
    let joins = |p: u32| matches!(p, 0x200d | 0xfe0f | 0x1f3fb..=0x1f3ff | 0xe0020..=0xe007f);
    let is_picture = |p: u32| {
        matches!(
            p,
            0xa9 | 0xae | 0x203c | 0x2049 | 0x2122 | 0x2139 | 0x2194..=0x21aa | 0x231a..=0x23ff
                | 0x24c2 | 0x25aa..=0x27bf | 0x2934 | 0x2935 | 0x2b05..=0x2b55 | 0x3030 | 0x303d
                | 0x3297 | 0x3299 | 0x1f000..=0x1faff
        )
    };
    let is_flag = points.len() == 2 && points.iter().all(|p| (0x1f1e6..=0x1f1ff).contains(p));
    // Pictures stand side by side only where something joins them.
    let parts = points.split(|p| *p == 0x200d);
    let is_sequence = parts
        .into_iter()
        .all(|part| part.first().is_some_and(|p| is_picture(*p)) && part.iter().skip(1).all(|p| joins(*p)));
    is_keycap || is_flag || is_sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcodes_stand_between_colons_and_apart() {
        let cases: [(&str, &[&str]); 9] = [
            (":fox:", &["fox"]),
            ("a :fox: b :red_panda:", &["fox", "red_panda"]),
            (":fox::owl:", &["fox", "owl"]),
            ("12:30:45", &[]),
            ("https://a.example:8080:x", &[]),
            (":not a code:", &[]),
            ("(:fox:)", &["fox"]),
            (":x:", &[]),
            ("::fox:", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(shortcodes(text), expected, "{text}");
        }
    }

    #[test]
    fn emojis_of_unicode_are_told_from_text() {
        for good in ["🐦", "❤️", "👍🏽", "🇩🇪", "1️⃣", "👩‍💻", "🏳️‍🌈", "✅"]
        {
            assert!(is_unicode_emoji(good), "{good}");
        }
        for bad in ["", "a", "1", "hi", "🐦🐦", "<b>", "ü", "\u{200d}", "🐦x"] {
            assert!(!is_unicode_emoji(bad), "{bad}");
        }
    }
}
