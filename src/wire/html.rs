//! HTML from other servers: made safe to show, and read as text.
//!
//! The elements that stay are Mastodon's (4.2 and later); everything else
//! loses its tags but keeps its text, except what is never text (scripts,
//! styles). Headings become bold paragraphs.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::Builder;

const ELEMENTS: [&str; 33] = [
    "p",
    "br",
    "span",
    "a",
    "abbr",
    "del",
    "s",
    "pre",
    "blockquote",
    "code",
    "b",
    "strong",
    "u",
    "sub",
    "sup",
    "i",
    "em",
    "ul",
    "ol",
    "li",
    "ruby",
    "rt",
    "rp",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "small",
    "q",
    "mark",
];

/// Schemes a link may have; the list is Mastodon's.
const LINK_SCHEMES: [&str; 10] =
    ["http", "https", "dat", "dweb", "ipfs", "ipns", "gopher", "xmpp", "magnet", "gemini"];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(cleaner);

fn cleaner() -> Builder<'static> {
    let attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("a", HashSet::from(["href", "class", "translate"])),
        ("span", HashSet::from(["class", "translate"])),
        ("p", HashSet::from(["class"])),
        ("ol", HashSet::from(["start", "reversed"])),
        ("li", HashSet::from(["value"])),
    ]);
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(["script", "style", "template", "noscript", "iframe", "object"]))
        .tag_attributes(attributes)
        .attribute_filter(attribute)
        .url_schemes(HashSet::from(LINK_SCHEMES))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer"))
        .set_tag_attribute_value("a", "target", "_blank");
    builder
}

fn attribute<'v>(_element: &str, name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match name {
        "class" => {
            let kept: Vec<&str> = value.split_ascii_whitespace().filter(|c| is_known_class(c)).collect();
            (!kept.is_empty()).then(|| Cow::Owned(kept.join(" ")))
        }
        "translate" => (value == "no").then_some(Cow::Borrowed(value)),
        "start" | "value" => value.parse::<i32>().is_ok().then_some(Cow::Borrowed(value)),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// Classes that mean something: microformats, and Mastodon's own.
fn is_known_class(class: &str) -> bool {
    let is_name = |rest: &str| {
        !rest.is_empty() && rest.len() <= 40 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    match class {
        "mention" | "hashtag" | "ellipsis" | "invisible" | "quote-inline" => true,
        _ => ["h-", "p-", "u-", "dt-", "e-"].iter().any(|p| class.strip_prefix(p).is_some_and(is_name)),
    }
}

/// Foreign HTML made safe: only known elements and attributes, links that
/// say nothing of where they were clicked. The caller limits its size first
/// (`REMOTE_CONTENT_MAX_BYTES`).
pub fn clean(html: &str) -> String {
    if is_too_deep(html) || has_too_many_ampersands(html) {
        return super::text::escape(&to_text(html));
    }
    bold_headings(CLEANER.clean(html).to_string())
}

/// `&` and byte 0xC2 in one document. The serialiser looks for the next `<`
/// from each of them, so many of them in a long text cost quadratic time.
const AMPERSANDS_MAX: usize = 4000;

fn has_too_many_ampersands(html: &str) -> bool {
    html.bytes().filter(|b| matches!(b, b'&' | 0xC2)).count() > AMPERSANDS_MAX
}

/// Open elements at one time. HTML's rules for wrongly nested formatting cost
/// time quadratic in the nesting, so deeper documents lose their markup.
const NESTING_MAX: usize = 100;

/// Whether more than [`NESTING_MAX`] elements may be open at once. Counts
/// start tags per name, less the end tags that can close them; elements that
/// close themselves do not count.
fn is_too_deep(html: &str) -> bool {
    let mut open: HashMap<&str, usize> = HashMap::new();
    let mut depth = 0;
    for piece in html.split('<').skip(1) {
        let is_end = piece.starts_with('/');
        let piece = piece.trim_start_matches('/');
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
        let name = &piece[..end];
        if name.is_empty() || matches!(name, "p" | "br" | "li" | "hr" | "img" | "wbr") {
            continue;
        }
        let count = open.entry(name).or_default();
        match is_end {
            false => {
                *count += 1;
                depth += 1;
            }
            true if *count > 0 => {
                *count -= 1;
                depth -= 1;
            }
            true => {}
        }
        if depth > NESTING_MAX {
            return true;
        }
    }
    false
}

/// The cleaner writes tags in one spelling and escapes `<` in text, so the
/// exact strings below are tags and nothing else.
fn bold_headings(html: String) -> String {
    if !html.contains("<h") {
        return html;
    }
    let mut html = html;
    for level in 1..=6 {
        html = html
            .replace(&format!("<h{level}>"), "<p><strong>")
            .replace(&format!("</h{level}>"), "</strong></p>");
    }
    html
}

/// The text of *cleaned* HTML: paragraphs are parted by an empty line,
/// breaks are line ends, entities are characters.
pub fn to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = match rest.as_bytes()[0] {
            b'<' => tag_as_text(rest, &mut out),
            _ => entity_as_text(rest, &mut out),
        };
    }
    out.push_str(rest);
    out.trim().to_owned()
}

fn tag_as_text<'h>(html: &'h str, out: &mut String) -> &'h str {
    let Some(end) = html.find('>') else {
        return "";
    };
    let name = html[1..end].split([' ', '/']).find(|n| !n.is_empty()).unwrap_or("");
    let is_end = html.starts_with("</");
    match name {
        "br" => out.push('\n'),
        "p" | "blockquote" | "pre" | "ul" | "ol" if is_end => out.push_str("\n\n"),
        "li" if is_end => out.push('\n'),
        _ => {}
    }
    &html[end + 1..]
}

/// Longest entity read, with `&` and `;`.
const ENTITY_MAX_BYTES: usize = 12;

fn entity_as_text<'h>(html: &'h str, out: &mut String) -> &'h str {
    let end = html.bytes().take(ENTITY_MAX_BYTES).position(|b| b == b';');
    let known = end.and_then(|end| Some((entity(&html[1..end])?, end)));
    match known {
        Some((c, end)) => {
            out.push(c);
            &html[end + 1..]
        }
        None => {
            out.push('&');
            &html[1..]
        }
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_markup_stays() {
        let check = |html: &str, expected: &str| assert_eq!(clean(html), expected, "{html}");
        check("<p>hi <b>you</b><br></p>", "<p>hi <b>you</b><br></p>");
        check("<script>alert(1)</script>x<style>p{}</style>", "x");
        check("<img src=x onerror=alert(1)>a", "a");
        check("<p onclick=x style=y>a</p>", "<p>a</p>");
        check("<div>a</div>", "a");
        check("<h2>T</h2><p>x</p>", "<p><strong>T</strong></p><p>x</p>");
        check("caf&eacute; &amp &nope; &#x26;", "café &amp; &amp;nope; &amp;");
        check("a &lt;h1&gt; b", "a &lt;h1&gt; b");
        check("<svg><script>x</script></svg>y", "y");
        check("<iframe src=//a></iframe>z", "z");
        check(
            "<ol start=3 reversed=x><li value=q>a</li></ol>",
            "<ol start=\"3\" reversed=\"x\"><li>a</li></ol>",
        );
    }

    #[test]
    fn links_keep_only_safe_schemes_and_say_nothing_of_us() {
        let link = clean("<a href=\"https://a.example/x?y=1\" class=\"mention evil u-url\" id=z>a</a>");
        assert!(link.contains("href=\"https://a.example/x?y=1\""), "{link}");
        assert!(link.contains("class=\"mention u-url\""), "{link}");
        assert!(link.contains("rel=\"nofollow noopener noreferrer\""), "{link}");
        assert!(link.contains("target=\"_blank\"") && !link.contains("id="), "{link}");
        for bad in
            ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:x", " javascript:x", "/relative", "//a"]
        {
            let out = clean(&format!("<a href=\"{bad}\">a</a>"));
            assert!(!out.contains("href"), "{bad}: {out}");
        }
    }

    #[test]
    fn mastodons_own_markup_survives() {
        let html = "<p><span class=\"h-card\" translate=\"no\"><a href=\"https://a.example/@b\" \
                    class=\"u-url mention\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">\
                    @<span>b</span></a></span> <span class=\"invisible\">https://</span></p>";
        let out = clean(html);
        for part in ["class=\"h-card\"", "translate=\"no\"", "class=\"u-url mention\"", "class=\"invisible\""]
        {
            assert!(out.contains(part), "{part} in {out}");
        }
    }

    #[test]
    fn cleaning_twice_changes_nothing() {
        for html in ["<p>a<h1>b</h1>", "<a href=https://a.example>x", "<<b>>&amp;&lt;", "<p><ul><li>a"] {
            let once = clean(html);
            assert_eq!(clean(&once), once, "{html}");
        }
    }

    #[test]
    fn pathological_markup_ends_soon() {
        let pieces = [
            "<b>",
            "<a href=x>",
            "<p><b><i>",
            "</b>",
            "<ul><li>",
            "<table><tr><td>",
            "<!--",
            "&",
            "<b></i>",
            "<b><p></b>",
            "<b><i></b></i>",
            "<a><p></a>",
            "<p><li>",
            "</p>",
            "<svg><b></svg></b>",
            "&a",
            "&#",
            "&amp",
            "&amp;",
            "&#1;",
        ];
        for piece in pieces {
            let html = piece.repeat(crate::base::limits::REMOTE_CONTENT_MAX_BYTES / piece.len());
            let _ = clean(&html);
        }
    }

    #[test]
    fn text_is_read_back() {
        let check = |html: &str, expected: &str| assert_eq!(to_text(html), expected, "{html}");
        check("<p>a<br />b</p><p>c</p>", "a\nb\n\nc");
        check("a &amp; b &lt;c&gt; &#39;d&#x27; &nope; &", "a & b <c> 'd' &nope; &");
        check("<a href=\"x\">link</a>", "link");
        check("<", "");
        check("<ul><li>a</li><li>b</li></ul>", "a\nb");
    }
}
