//! What a web page says of itself: the metadata from which a preview card is
//! made (OpenGraph, Twitter cards, plain HTML). Read by a tokenizer alone: no
//! tree is built, so any page costs time in proportion to its length and
//! hardly any memory. Must not know who asks, nor fetch anything.

use std::cell::RefCell;
use std::collections::HashMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use url::Url;

use crate::base::Timestamp;
use crate::model::PreviewCard;

/// Bytes of a page that are read.
pub const PAGE_MAX_BYTES: usize = 1024 * 1024;
/// Metadata of one page that is looked at.
const META_MAX: usize = 300;
/// Characters of a title or name.
pub(super) const TITLE_MAX: usize = 300;
/// Characters of a description.
const DESCRIPTION_MAX: usize = 1000;
/// Bytes of an address.
const URL_MAX_BYTES: usize = 2048;

/// What a page says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Its card; `None` without a title. The caller fills in what it is kept
    /// under.
    pub card: Option<PreviewCard>,
    /// The handle of the account that it says wrote it (`fediverse:creator`).
    pub creator: Option<String>,
    /// Where it has its oEmbed document.
    pub oembed: Option<String>,
}

/// Reads a page. `charset` is what its `Content-Type` says; `base` is where it
/// came from.
pub fn page(bytes: &[u8], charset: Option<&str>, base: &Url) -> Page {
    let found = read(&decode(bytes, charset));
    Page {
        card: card(&found, base),
        creator: found.first(&["fediverse:creator"]).map(|handle| tidy(handle, TITLE_MAX)),
        oembed: found.first(&["<oembed>"]).and_then(|href| address(href, base)),
    }
}

fn card(found: &Found, base: &Url) -> Option<PreviewCard> {
    let text = |names: &[&str], most: usize| {
        found.first(names).map(|text| tidy(text, most)).filter(|t| !t.is_empty())
    };
    let address = |names: &[&str]| found.first(names).and_then(|text| address(text, base));
    let title = text(&["og:title", "twitter:title", "<title>"], TITLE_MAX)?;
    let author = text(&["author", "article:author", "dc.creator"], TITLE_MAX);
    Some(PreviewCard {
        title,
        description: text(&["og:description", "twitter:description", "description"], DESCRIPTION_MAX)
            .unwrap_or_default(),
        author_url: author.as_deref().and_then(address_alone),
        author_name: author.filter(|author| address_alone(author).is_none()).unwrap_or_default(),
        provider_name: text(&["og:site_name"], TITLE_MAX).unwrap_or_default(),
        image: address(&[
            "og:image:secure_url",
            "og:image",
            "og:image:url",
            "twitter:image",
            "twitter:image:src",
        ]),
        image_description: text(&["og:image:alt", "twitter:image:alt"], DESCRIPTION_MAX).unwrap_or_default(),
        width: found.number("og:image:width"),
        height: found.number("og:image:height"),
        published_at: found.first(&["article:published_time"]).and_then(Timestamp::parse_rfc3339),
        language: text(&["<lang>", "og:locale"], 16).map(|code| code.replace('_', "-")),
        ..PreviewCard::default()
    })
}

/// UTF-8 unless the server says Latin-1; broken characters are marked.
fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let is_latin = charset.is_some_and(|name| {
        matches!(name.to_ascii_lowercase().as_str(), "iso-8859-1" | "latin1" | "windows-1252")
    });
    if is_latin {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(bytes).into_owned()
    }
}

pub(super) fn tidy(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().take(most).collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(most).collect()
}

/// A web address, also relative to the page.
pub(super) fn address(text: &str, base: &Url) -> Option<String> {
    let url = base.join(text.trim()).ok()?;
    let is_web = matches!(url.scheme(), "https" | "http") && url.as_str().len() <= URL_MAX_BYTES;
    is_web.then(|| url.into())
}

fn address_alone(text: &str) -> Option<String> {
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    is_web.then(|| Url::parse(text).ok()).flatten().map(Into::into)
}

/// Metadata by name, the first of each.
#[derive(Default)]
struct Found {
    values: HashMap<String, String>,
}

impl Found {
    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.values.get(*name)).map(String::as_str)
    }

    fn number(&self, name: &str) -> u32 {
        self.first(&[name]).and_then(|text| text.trim().parse().ok()).unwrap_or(0).min(100_000)
    }
}

fn read(html: &str) -> Found {
    let sink = Sink::default();
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // The sink asks for no scripts to be run, so one feed takes everything.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.state.into_inner().found
}

#[derive(Default)]
struct Sink {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    found: Found,
    is_title: bool,
}

impl State {
    fn keep(&mut self, name: &str, value: String) {
        if self.found.values.len() < META_MAX && !value.trim().is_empty() {
            self.found.values.entry(name.to_ascii_lowercase()).or_insert(value);
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let is_start = tag.kind == TagKind::StartTag;
        match (&*tag.name, is_start) {
            ("meta", true) => self.meta(tag),
            ("link", true) => self.link(tag),
            ("html", true) => {
                if let Some(lang) = attribute(tag, "lang") {
                    self.keep("<lang>", lang);
                }
            }
            ("title", true) => {
                // Only the first: pictures (SVG) have titles, too.
                self.is_title = !self.found.values.contains_key("<title>");
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            ("title", false) => self.is_title = false,
            ("script", true) => return TokenSinkResult::RawData(RawKind::ScriptData),
            ("style" | "noscript" | "iframe" | "textarea" | "xmp", true) => {
                return TokenSinkResult::RawData(RawKind::Rawtext);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn meta(&mut self, tag: &Tag) {
        let name = attribute(tag, "property").or_else(|| attribute(tag, "name"));
        if let (Some(name), Some(content)) = (name, attribute(tag, "content")) {
            self.keep(&name, content);
        }
    }

    fn link(&mut self, tag: &Tag) {
        let is_oembed = attribute(tag, "type").is_some_and(|kind| kind == "application/json+oembed");
        if let Some(href) = attribute(tag, "href").filter(|_| is_oembed) {
            self.keep("<oembed>", href);
        }
    }

    fn text(&mut self, text: &str) {
        if self.is_title {
            let title = self.found.values.entry("<title>".into()).or_default();
            let room = (4 * TITLE_MAX).saturating_sub(title.len());
            title.extend(text.chars().take(room));
        }
    }
}

pub(super) fn attribute(tag: &Tag, name: &str) -> Option<String> {
    let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
    found.map(|attribute| attribute.value.to_string())
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.state.borrow_mut().tag(&tag),
            Token::CharacterTokens(text) => {
                self.state.borrow_mut().text(&text);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card_of(html: &str) -> Option<PreviewCard> {
        page(html.as_bytes(), None, &Url::parse("https://a.example/x/y").unwrap()).card
    }

    #[test]
    fn opengraph_comes_before_the_plain_page() {
        let card = card_of(
            "<!doctype html><html lang=en><head><title>Plain &amp; simple</title>\
             <meta property=og:title content='The &quot;title&quot;'>\
             <meta property='og:description' content='  Two\n lines '>\
             <meta name='description' content='other'>\
             <meta property='og:site_name' content='A'>\
             <meta property='og:image' content='/pic.png'><meta property='og:image:width' content=640>\
             <meta property='og:image:height' content=320><meta property='og:image:alt' content='A boat'>\
             <meta name=author content='Ana'>\
             <meta property='article:published_time' content='2026-11-23T10:00:00Z'>",
        )
        .unwrap();
        let expected = PreviewCard {
            title: "The \"title\"".into(),
            description: "Two lines".into(),
            provider_name: "A".into(),
            image: Some("https://a.example/pic.png".into()),
            image_description: "A boat".into(),
            width: 640,
            height: 320,
            author_name: "Ana".into(),
            published_at: Timestamp::parse_rfc3339("2026-11-23T10:00:00Z"),
            language: Some("en".into()),
            ..PreviewCard::default()
        };
        assert_eq!(card, expected);
    }

    #[test]
    fn a_page_without_a_title_has_no_card() {
        for html in [
            "",
            "<p>x</p>",
            "<title> </title>",
            "<script><title>x</title></script>",
            "<meta property=og:title>",
        ] {
            assert_eq!(card_of(html), None, "{html}");
        }
        assert_eq!(card_of("<title>a</title><svg><title>b</title></svg>").unwrap().title, "a");
    }

    #[test]
    fn odd_pages_are_read_as_far_as_they_go() {
        assert_eq!(card_of("<title>open").unwrap().title, "open");
        let bad = card_of("<title>t</title><meta property=og:image content='javascript:alert(1)'>").unwrap();
        assert_eq!(bad.image, None);
        let latin =
            page(b"<title>caf\xe9</title>", Some("ISO-8859-1"), &Url::parse("https://a.example").unwrap());
        assert_eq!(latin.card.unwrap().title, "café");
        for piece in ["<", "<meta ", "<!--", "&", "<a b=c ", "<title>", "<script>", "</", "\u{0}"] {
            let html = piece.repeat(PAGE_MAX_BYTES / 8 / piece.len());
            let _ = card_of(&html);
        }
        let long = card_of(&format!("<title>{}</title>", "x".repeat(100_000))).unwrap();
        assert_eq!(long.title.chars().count(), TITLE_MAX);
    }
}
