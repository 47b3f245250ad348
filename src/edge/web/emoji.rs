//! Custom emojis in texts, as pictures that this server passes on.

use std::collections::HashMap;

use crate::model::{CustomEmoji, Site};
use crate::wire::text::escape;

/// Puts pictures in place of the shortcodes in clean HTML. What stands
/// within tags and what no emoji is known for stays as it is.
pub(super) fn in_html(site: &Site, html: &str, emojis: &[CustomEmoji]) -> String {
    let pictures = pictures(site, emojis);
    if pictures.is_empty() || !html.contains(':') {
        return html.to_owned();
    }
    let (mut out, mut rest) = (String::with_capacity(html.len() * 2), html);
    while let Some(tag) = rest.find('<') {
        text(&mut out, &rest[..tag], &pictures);
        let end = rest[tag..].find('>').map_or(rest.len(), |end| tag + end + 1);
        out.push_str(&rest[tag..end]);
        rest = &rest[end..];
    }
    text(&mut out, rest, &pictures);
    out
}

/// The same for plain text; gives HTML.
pub(super) fn in_text(site: &Site, text: &str, emojis: &[CustomEmoji]) -> String {
    in_html(site, &escape(text), emojis)
}

/// Picture tags by shortcode; the content policy of pages shows only those
/// that this server passes on.
fn pictures<'a>(site: &Site, emojis: &'a [CustomEmoji]) -> HashMap<&'a str, String> {
    let picture = |emoji: &'a CustomEmoji| {
        let url = site.passed_on(&emoji.url);
        let name = escape(&emoji.shortcode);
        let tag = format!(
            r#"<img class="emoji" src="{}" alt=":{name}:" title=":{name}:" loading="lazy">"#,
            escape(&url)
        );
        site.owns(&url).then_some((emoji.shortcode.as_str(), tag))
    };
    emojis.iter().filter_map(picture).collect()
}

fn text(out: &mut String, text: &str, pictures: &HashMap<&str, String>) {
    let mut rest = text;
    while let Some(start) = rest.find(':') {
        let after = &rest[start + 1..];
        let length = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        let is_shortcode = after[length..].starts_with(':') && !ends_in_word(&rest[..start]);
        match pictures.get(&after[..length]).filter(|_| is_shortcode) {
            Some(picture) => {
                out.push_str(&rest[..start]);
                out.push_str(picture);
                rest = &after[length + 1..];
            }
            None => {
                out.push_str(&rest[..=start]);
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

/// `a:b:` is no emoji: what comes before the colon is part of a word.
fn ends_in_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcodes_become_pictures_only_where_they_are_text() {
        let site = Site::new("https", "social.example");
        let emoji = |code: &str| CustomEmoji {
            shortcode: code.to_owned(),
            url: format!("https://social.example/media/{code}.png"),
        };
        let emojis = [emoji("wren"), emoji("owl")];
        let picture = |code: &str| {
            format!(
                r#"<img class="emoji" src="https://social.example/media/{code}.png" alt=":{code}:" title=":{code}:" loading="lazy">"#
            )
        };
        for (html, expected) in [
            ("<p>a :wren: b</p>", format!("<p>a {} b</p>", picture("wren"))),
            (":wren::owl:", picture("wren") + &picture("owl")),
            ("::wren:", format!(":{}", picture("wren"))),
            ("<a href=\"x:wren:y\">:robin:</a>", "<a href=\"x:wren:y\">:robin:</a>".to_owned()),
            ("12:wren:30 é:owl:", "12:wren:30 é:owl:".to_owned()),
            ("<unclosed :wren:", "<unclosed :wren:".to_owned()),
            (":", ":".to_owned()),
        ] {
            assert_eq!(in_html(&site, html, &emojis), expected, "{html}");
        }
        assert_eq!(in_text(&site, "<b> :owl:", &emojis), format!("&lt;b&gt; {}", picture("owl")));
        let strange = CustomEmoji { shortcode: "x".to_owned(), url: "https://far.example/x.png".to_owned() };
        assert_eq!(in_html(&site, ":x:", &[strange]), ":x:", "without the proxy it would not be shown");
    }
}
