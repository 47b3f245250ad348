//! Text that people here write: its mentions, hashtags and links, its length,
//! and its HTML. The rules are Mastodon's, so that a post looks and counts
//! the same in every client.
//!
//! Must not know accounts: who is meant by a mention is asked of the caller.

use std::borrow::Cow;
use std::ops::Range;

use linkify::{LinkFinder, LinkKind};
use unicode_segmentation::UnicodeSegmentation;

use crate::base::limits::URL_CHARACTERS;

/// Most entities linked in one text; the rest stays plain.
const ENTITIES_MAX: usize = 1000;
/// Characters of a link that are shown; the rest is there but invisible.
const LINK_SHOWN_CHARACTERS: usize = 30;
/// Characters of a hashtag's name.
const HASHTAG_CHARACTERS_MAX: usize = 100;

/// Someone mentioned, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle {
    /// The name before the host, in the case it was written in.
    pub username: String,
    /// The host as written; `None` means this server.
    pub domain: Option<String>,
}

/// What a piece of text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// `https://…`
    Link,
    /// `@user` or `@user@host`.
    Mention(Handle),
    /// `#name`, without the sign.
    Hashtag(String),
}

/// Where a mention leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MentionTarget {
    /// The profile's page.
    pub url: String,
    /// The name to show after the `@`.
    pub username: String,
}

/// Answers what the text alone cannot.
pub struct Links<'a> {
    /// The account a mention means, if it is known.
    pub mention: &'a dyn Fn(&Handle) -> Option<MentionTarget>,
    /// The page of a hashtag.
    pub hashtag: &'a dyn Fn(&str) -> String,
}

/// The links, mentions and hashtags of a text, in order and not overlapping.
pub fn entities(text: &str) -> Vec<(Range<usize>, Entity)> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let mut found = Vec::new();
    let mut plain_from = 0;
    let shadow = with_ascii_hosts(text);
    for link in finder.links(&shadow) {
        if !text.get(link.start()..link.end()).is_some_and(is_web_link) {
            continue;
        }
        signs(text, plain_from..link.start(), &mut found);
        found.push((link.start()..link.end(), Entity::Link));
        plain_from = link.end();
        if found.len() >= ENTITIES_MAX {
            break;
        }
    }
    signs(text, plain_from..text.len(), &mut found);
    found.truncate(ENTITIES_MAX);
    found
}

fn is_web_link(link: &str) -> bool {
    let lower = link.get(..8).unwrap_or(link).to_ascii_lowercase();
    (lower.starts_with("https://") || lower.starts_with("http://")) && url::Url::parse(link).is_ok()
}

/// The text with its hosts in ASCII, each place where it was: the finder sees
/// no link in `https://сойка.рф`, and takes `です` for a part of the host in
/// `https://example.comです`.
fn with_ascii_hosts(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut shadow = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, host_on) = rest.split_at(at + 3);
        let end = host_on.find(ends_host).unwrap_or(host_on.len());
        let (host, after) = host_on.split_at(end);
        shadow.push_str(before);
        ascii_host_into(host, &mut shadow);
        rest = after;
    }
    shadow.push_str(rest);
    Cow::Owned(shadow)
}

fn ends_host(c: char) -> bool {
    if c.is_ascii() {
        c.is_whitespace() || "/?#<>\"'()".contains(c)
    } else {
        !c.is_alphanumeric() && !is_mark(c)
    }
}

/// A host with an `x` for each byte of other scripts, cut short by spaces
/// where such letters follow an ASCII top-level domain.
fn ascii_host_into(host: &str, out: &mut String) {
    let last_label = host.rfind('.').map_or(0, |dot| dot + 1);
    let is_ascii_end = host[last_label..].starts_with(|c: char| c.is_ascii_alphabetic());
    let mut filler = "x";
    for (at, c) in host.char_indices() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        if is_ascii_end && at >= last_label {
            filler = " ";
        }
        out.push_str(&filler.repeat(c.len_utf8()));
    }
}

/// Finds `@` and `#` entities in `range`.
fn signs(text: &str, range: Range<usize>, found: &mut Vec<(Range<usize>, Entity)>) {
    let mut at = range.start;
    while let Some(offset) = text[at..range.end].find(['@', '#', '＃']) {
        let start = at + offset;
        let sign = text[start..].chars().next().unwrap_or('@');
        let before = text[..start].chars().next_back();
        let rest = &text[start + sign.len_utf8()..range.end];
        let entity = match sign {
            '@' => mention_at(before, rest),
            _ => hashtag_at(before, rest),
        };
        at = start + sign.len_utf8();
        if let Some((length, entity)) = entity {
            found.push((start..at + length, entity));
            at += length;
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn mention_at(before: Option<char>, rest: &str) -> Option<(usize, Entity)> {
    if before.is_some_and(|c| is_word(c) || c == '=' || c == '/') {
        return None;
    }
    let name = name_length(rest, |c| c.is_ascii_alphanumeric() || c == '_');
    if name == 0 {
        return None;
    }
    let username = rest[..name].to_owned();
    let domain = rest[name..].strip_prefix('@').map(|host| {
        let length = name_length(host, is_word);
        &host[..length]
    });
    let domain = domain.filter(|host| !host.is_empty());
    let length = name + domain.map_or(0, |host| 1 + host.len());
    let domain = domain.map(str::to_owned);
    Some((length, Entity::Mention(Handle { username, domain })))
}

/// Bytes of a name that may have dots and dashes inside but not at its ends.
fn name_length(text: &str, is_letter: impl Fn(char) -> bool) -> usize {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        if is_letter(c) {
            length = at + c.len_utf8();
        } else if length == 0 || !(c == '.' || c == '-' || c == ':' && is_port(&text[at..])) {
            break;
        }
    }
    length
}

/// A host of a test or private network may have a port.
fn is_port(text: &str) -> bool {
    text[1..].starts_with(|c: char| c.is_ascii_digit()) && text.starts_with(':')
}

fn hashtag_at(before: Option<char>, rest: &str) -> Option<(usize, Entity)> {
    if before.is_some_and(|c| is_word(c) || matches!(c, '=' | '/' | ')' | '&')) {
        return None;
    }
    let mut length = 0;
    for (at, c) in rest.char_indices().take(HASHTAG_CHARACTERS_MAX) {
        if is_word(c) || is_mark(c) && length > 0 {
            length = at + c.len_utf8();
        } else if length == 0 || !matches!(c, '·' | '・' | '\u{200c}') {
            break;
        }
    }
    let name = &rest[..length];
    // A number alone is "#1 in the charts", not a tag.
    name.chars().any(|c| c.is_alphabetic()).then(|| (length, Entity::Hashtag(name.to_owned())))
}

/// Combining marks belong to the letters before them (Devanagari, Thai).
fn is_mark(c: char) -> bool {
    let mut pair = String::from("a");
    pair.push(c);
    !c.is_alphanumeric() && !c.is_whitespace() && c != '\u{200c}' && pair.graphemes(true).count() == 1
}

/// The key under which spellings of a hashtag are one tag.
pub fn hashtag_key(name: &str) -> String {
    name.trim_start_matches(['#', '＃']).to_lowercase()
}

/// Every account mentioned, each once, in order.
pub fn mentions(text: &str) -> Vec<Handle> {
    let mut handles: Vec<Handle> = Vec::new();
    for (_, entity) in entities(text) {
        if let Entity::Mention(handle) = entity
            && !handles.iter().any(|h| same_handle(h, &handle))
        {
            handles.push(handle);
        }
    }
    handles
}

fn same_handle(a: &Handle, b: &Handle) -> bool {
    let host = |h: &Handle| h.domain.as_deref().unwrap_or("").to_lowercase();
    a.username.eq_ignore_ascii_case(&b.username) && host(a) == host(b)
}

/// Every hashtag, each once (by [`hashtag_key`]), as first written.
pub fn hashtags(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, entity) in entities(text) {
        if let Entity::Hashtag(name) = entity
            && !names.iter().any(|n| hashtag_key(n) == hashtag_key(&name))
        {
            names.push(name);
        }
    }
    names
}

/// Characters of a text as Mastodon counts them: what people see as one
/// character is one, a link to a named host is [`URL_CHARACTERS`], and of
/// `@user@host` only `@user` counts.
pub fn characters(text: &str) -> usize {
    let mut count = 0;
    let mut plain_from = 0;
    for (range, entity) in entities(text) {
        count += text[plain_from..range.start].graphemes(true).count();
        count += match entity {
            Entity::Link if has_public_host(&text[range.clone()]) => URL_CHARACTERS,
            Entity::Link => text[range.clone()].graphemes(true).count(),
            Entity::Mention(handle) => 1 + handle.username.len(),
            Entity::Hashtag(_) => text[range.clone()].graphemes(true).count(),
        };
        plain_from = range.end;
    }
    count + text[plain_from..].graphemes(true).count()
}

/// Whether a link leads to a host that anybody could have: with a domain that
/// ends in letters, and nobody's password. Addresses such as
/// `http://127.0.0.1` count as they are written, since Mastodon's apps see no
/// link there. They look the end up in a list of all top-level domains; a list
/// of our own would be out of date and refuse what an app allows.
fn has_public_host(link: &str) -> bool {
    let Ok(link) = url::Url::parse(link) else { return false };
    let last_label = link.domain().and_then(|host| host.rsplit_once('.')).map(|(_, last)| last);
    let is_named =
        last_label.is_some_and(|l| l.len() > 1 && l.starts_with(|c: char| c.is_ascii_alphabetic()));
    is_named && link.username().is_empty() && link.password().is_none()
}

/// Escapes text for HTML, in content and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    escape_into(text, &mut out);
    out
}

fn escape_into(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// A local text as HTML: paragraphs at empty lines, breaks at others, and
/// links, mentions and hashtags marked up as Mastodon does, so that clients
/// recognise them.
pub fn to_html(text: &str, links: &Links<'_>) -> String {
    let text = text.replace("\r\n", "\n");
    let mut out = String::with_capacity(text.len() * 2);
    for paragraph in text.split("\n\n").map(|p| p.trim_matches('\n')).filter(|p| !p.trim().is_empty()) {
        out.push_str("<p>");
        for (line_number, line) in paragraph.split('\n').enumerate() {
            if line_number > 0 {
                out.push_str("<br />");
            }
            line_into(line, links, &mut out);
        }
        out.push_str("</p>");
    }
    out
}

/// One line without a paragraph around it, for names and profile fields.
pub fn line_to_html(line: &str, links: &Links<'_>) -> String {
    let mut out = String::with_capacity(line.len() * 2);
    line_into(line, links, &mut out);
    out
}

fn line_into(line: &str, links: &Links<'_>, out: &mut String) {
    let mut plain_from = 0;
    for (range, entity) in entities(line) {
        escape_into(&line[plain_from..range.start], out);
        let written = &line[range.clone()];
        match entity {
            Entity::Link => link_into(written, out),
            Entity::Hashtag(name) => hashtag_into(&name, &(links.hashtag)(&name), out),
            Entity::Mention(handle) => match (links.mention)(&handle) {
                Some(target) => mention_into(&target, out),
                None => escape_into(written, out),
            },
        }
        plain_from = range.end;
    }
    escape_into(&line[plain_from..], out);
}

fn link_into(link: &str, out: &mut String) {
    let lower = link.to_ascii_lowercase();
    let prefix = ["https://www.", "http://www.", "https://", "http://"]
        .into_iter()
        .find(|p| lower.starts_with(p))
        .map_or(0, str::len);
    let rest = &link[prefix..];
    let cut = rest.char_indices().nth(LINK_SHOWN_CHARACTERS).map_or(rest.len(), |(at, _)| at);
    out.push_str("<a href=\"");
    escape_into(link, out);
    out.push_str("\" rel=\"nofollow noopener noreferrer\" target=\"_blank\" translate=\"no\">");
    out.push_str("<span class=\"invisible\">");
    escape_into(&link[..prefix], out);
    out.push_str(if cut < rest.len() {
        "</span><span class=\"ellipsis\">"
    } else {
        "</span><span class=\"\">"
    });
    escape_into(&rest[..cut], out);
    out.push_str("</span><span class=\"invisible\">");
    escape_into(&rest[cut..], out);
    out.push_str("</span></a>");
}

fn hashtag_into(name: &str, url: &str, out: &mut String) {
    out.push_str("<a href=\"");
    escape_into(url, out);
    out.push_str("\" class=\"mention hashtag\" rel=\"tag\">#<span>");
    escape_into(name, out);
    out.push_str("</span></a>");
}

fn mention_into(target: &MentionTarget, out: &mut String) {
    out.push_str("<span class=\"h-card\" translate=\"no\"><a href=\"");
    escape_into(&target.url, out);
    out.push_str("\" class=\"u-url mention\">@<span>");
    escape_into(&target.username, out);
    out.push_str("</span></a></span>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        to_html(
            text,
            &Links {
                mention: &|h| {
                    (h.username != "nobody").then(|| MentionTarget {
                        url: format!("https://x.test/@{}", h.username),
                        username: h.username.clone(),
                    })
                },
                hashtag: &|name| format!("https://x.test/tags/{}", hashtag_key(name)),
            },
        )
    }

    #[test]
    fn mentions_are_found_where_mastodon_finds_them() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> = mentions(text)
                .into_iter()
                .map(|h| match h.domain {
                    Some(d) => format!("{}@{d}", h.username),
                    None => h.username,
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check("hi @ana and @Bo@peer.example!", &["ana", "Bo@peer.example"]);
        check("@ana. @ana.b. (@c)", &["ana", "ana.b", "c"]);
        check("@a@peer.example.", &["a@peer.example"]);
        check("@a@localhost:8443: hi", &["a@localhost:8443"]);
        check("mail a@b.example", &[]);
        check("https://peer.example/@ana", &[]);
        check("@ana @ANA", &["ana"]);
        check("@ @@ @-", &[]);
        check("日本@ana と、@ana", &["ana"]);
    }

    #[test]
    fn hashtags_need_a_letter_and_a_border() {
        let check = |text: &str, expected: &[&str]| assert_eq!(hashtags(text), expected, "{text}");
        check("#one #two, #Three.", &["one", "two", "Three"]);
        check("#1 #2nd a#b /#c", &["2nd"]);
        check("＃日本語 #हिन्दी", &["日本語", "हिन्दी"]);
        check("#tag #TAG", &["tag"]);
        check("https://x.test/#frag", &[]);
        check("#", &[]);
    }

    #[test]
    fn links_count_23_and_remote_mentions_their_local_part() {
        assert_eq!(characters("hello"), 5);
        assert_eq!(characters("https://example.com/a/very/long/path/that/goes/on"), 23);
        assert_eq!(characters("see https://a.example ok"), 4 + 23 + 3);
        assert_eq!(characters("@ana@peer.example"), 4);
        assert_eq!(characters("👩‍👩‍👧é"), 2);
        assert_eq!(characters("#tag"), 4);
        assert_eq!(characters("https://пример.рф/страница"), 23);
        assert_eq!(characters("見てhttps://example.comです、https://例え.рф/道"), 2 + 23 + 3 + 23);
        for as_written in [
            "http://127.0.0.1:3000/x",
            "https://[2001:db8::1]/status",
            "http://localhost/",
            "http://ana:pw@a.example/x",
        ] {
            assert_eq!(characters(as_written), as_written.len());
        }
    }

    #[test]
    fn text_becomes_paragraphs_breaks_and_links() {
        assert_eq!(html("a\nb\n\n\nc"), "<p>a<br />b</p><p>c</p>");
        assert_eq!(html("  \n\n "), "");
        assert_eq!(html("<b>&\"' @nobody"), "<p>&lt;b&gt;&amp;&quot;&#39; @nobody</p>");
        assert_eq!(
            html("@ana #Tag"),
            "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://x.test/@ana\" \
             class=\"u-url mention\">@<span>ana</span></a></span> <a href=\"https://x.test/tags/tag\" \
             class=\"mention hashtag\" rel=\"tag\">#<span>Tag</span></a></p>"
        );
    }

    #[test]
    fn long_links_are_cut_for_the_eye_only() {
        let out = html("https://www.example.com/0123456789/0123456789/0123");
        assert!(out.contains("<span class=\"invisible\">https://www.</span>"), "{out}");
        assert!(out.contains("<span class=\"ellipsis\">example.com/0123456789/0123456</span>"), "{out}");
        assert!(out.contains("<span class=\"invisible\">789/0123</span>"), "{out}");
        assert!(out.contains("href=\"https://www.example.com/0123456789/0123456789/0123\""), "{out}");
    }

    #[test]
    fn markup_cannot_escape_from_a_link() {
        let out = html("https://a.example/\"onclick=\"x<script>");
        assert!(!out.contains("<script") && !out.contains("\"onclick"), "{out}");
        let out = html("javascript:alert(1) ftp://a.example");
        assert!(!out.contains("<a"), "{out}");
    }

    #[test]
    fn odd_text_never_panics() {
        for text in ["@", "#", "＃", "@é@", "#\u{200c}", "a\u{301}#b@c", "@a@", "@a@.", "@a@b:", "\u{0}@a"]
        {
            let _ = (entities(text), characters(text), html(text));
        }
    }
}
