//! What of a post is looked through: warning, text, answers of its poll and
//! descriptions of its media.

use crate::model::Status;

/// Bytes of one post that are looked through; what follows is not read by
/// people either.
const TEXT_MAX_BYTES: usize = 64 * 1024;
/// Longest entity read, with `&` and `;`.
const ENTITY_MAX_BYTES: usize = 12;

/// Everything that people read of a post, each part on lines of its own, in
/// the form that [`fold`] gives.
pub(super) fn searched(status: &Status) -> String {
    let mut text = String::with_capacity(status.content_html.len());
    let part = |text: &mut String, more: &str| {
        text.push_str(more);
        text.push_str("\n\n");
    };
    part(&mut text, &status.spoiler_text);
    plain(&status.content_html, &mut text);
    text.push_str("\n\n");
    for option in status.poll.iter().flat_map(|poll| &poll.options) {
        part(&mut text, &option.title);
    }
    for description in status.attachments.iter().filter_map(|media| media.description.as_ref()) {
        part(&mut text, description);
    }
    text.truncate(text.floor_char_boundary(TEXT_MAX_BYTES));
    fold(&text)
}

/// Lower case, with one form of sigma: two texts that differ only in case
/// become the same.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// The text of clean HTML: good enough to look for words in.
fn plain(html: &str, out: &mut String) {
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('<') {
            let Some(end) = rest.find('>') else { return };
            let name = rest[1..end].trim_start_matches('/');
            // The tags within a line (links, emphasis) part no words.
            if ["p", "br", "li", "pre", "blockquote", "h"].iter().any(|block| name.starts_with(block)) {
                out.push('\n');
            }
            rest = &rest[end + 1..];
        } else {
            let end = rest.bytes().take(ENTITY_MAX_BYTES).position(|b| b == b';');
            let known = end.and_then(|end| Some((entity(&rest[1..end])?, end)));
            let (character, end) = known.unwrap_or(('&', 0));
            out.push(character);
            rest = &rest[end + 1..];
        }
    }
    out.push_str(rest);
}

/// The entities that clean HTML has.
fn entity(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attachment, Poll, PollOption};

    #[test]
    fn what_people_read_is_looked_through() {
        let attachment = Attachment { description: Some("A Cat".into()), ..Attachment::default() };
        let option = PollOption { title: "Yes".into(), ..PollOption::default() };
        let status = Status {
            poll: Some(Poll { options: vec![option], ..Poll::default() }),
            spoiler_text: "CW".into(),
            content_html: "<p>So &lt;b&gt; <a href=\"/secret\">#<span>Tag</span></a><br>x&#39;s &amp; y&</p>"
                .into(),
            attachments: vec![attachment],
            ..Status::default()
        };
        assert_eq!(searched(&status), "cw\n\n\nso <b> #tag\nx's & y&\n\n\nyes\n\na cat\n\n");
    }

    #[test]
    fn odd_markup_ends() {
        for html in ["<", "&", "a<b", "&#x110000;", "&;", "<p", "é<é", "&é;"] {
            plain(html, &mut String::new());
        }
    }
}
