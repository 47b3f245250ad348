//! oEmbed documents (oembed.com): what a page is when it is shown in another.
//!
//! Their HTML is never passed on. All that is taken of it is the address of
//! the first frame, if that is https; the frame around it is ours.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use serde_json::Value;
use url::Url;

use super::json;
use super::page::{TITLE_MAX, address, attribute, tidy};
use crate::model::{Frame, Player, PreviewCard};

/// Bytes of HTML that are looked through for a frame.
const HTML_MAX_BYTES: usize = 16 * 1024;
/// Pixels of a frame's side.
const SIDE_MAX: u64 = 4096;

/// The card with what the document says, which goes before what the page said;
/// `base` is where the page came from. A document that is none changes nothing.
pub fn card(document: &[u8], base: &Url, of_page: Option<PreviewCard>) -> Option<PreviewCard> {
    let Some((document, player)) =
        json::parse(document).ok().and_then(|d| Some((d.clone(), player(&d, base)?)))
    else {
        return of_page;
    };
    let text =
        |name: &str| document[name].as_str().map(|text| tidy(text, TITLE_MAX)).filter(|t| !t.is_empty());
    let link = |name: &str| document[name].as_str().and_then(|text| address(text, base));
    let mut card = of_page.unwrap_or_default();
    card.title = text("title").unwrap_or(card.title);
    if let Some(name) = text("author_name") {
        (card.author_name, card.author_url) = (name, link("author_url"));
    }
    if let Some(name) = text("provider_name") {
        (card.provider_name, card.provider_url) = (name, link("provider_url"));
    }
    let image = match &player {
        Player::Photo { url } => Some(url.clone()),
        Player::Video(_) | Player::Rich(_) => link("thumbnail_url"),
    };
    if image.is_some() {
        let (width, height) = if matches!(player, Player::Photo { .. }) {
            ("width", "height")
        } else {
            ("thumbnail_width", "thumbnail_height")
        };
        (card.image, card.width, card.height) = (image, side(&document, width), side(&document, height));
    }
    card.player = Some(player);
    (!card.title.is_empty()).then_some(card)
}

fn player(document: &Value, base: &Url) -> Option<Player> {
    let frame = || {
        let url = frame(document["html"].as_str()?, base)?;
        Some(Frame { url, width: side(document, "width"), height: side(document, "height") })
    };
    match document["type"].as_str()? {
        "photo" => Some(Player::Photo { url: address(document["url"].as_str()?, base)? }),
        "video" => frame().map(Player::Video),
        "rich" => frame().map(Player::Rich),
        _ => None,
    }
}

/// Numbers come as text, too.
fn side(document: &Value, name: &str) -> u32 {
    let value = &document[name];
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()).unwrap_or(0);
    u32::try_from(number.min(SIDE_MAX)).unwrap_or(0)
}

/// The https address of the first frame.
fn frame(html: &str, base: &Url) -> Option<String> {
    let mut end = html.len().min(HTML_MAX_BYTES);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let tokenizer = Tokenizer::new(Frames::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&html[..end]));
    // The sink asks for no scripts to be run, so one feed takes everything.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let url = address(&tokenizer.sink.first.into_inner()?, base)?;
    let parsed = Url::parse(&url).ok()?;
    let is_plain = parsed.scheme() == "https" && parsed.username().is_empty() && parsed.password().is_none();
    is_plain.then_some(url)
}

#[derive(Default)]
struct Frames {
    first: RefCell<Option<String>>,
}

impl TokenSink for Frames {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token
            && tag.kind == TagKind::StartTag
            && &*tag.name == "iframe"
        {
            let mut first = self.first.borrow_mut();
            *first = first.take().or_else(|| attribute(&tag, "src"));
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(document: &Value) -> Option<PreviewCard> {
        let page =
            PreviewCard { title: "page".into(), author_name: "somebody".into(), ..PreviewCard::default() };
        card(document.to_string().as_bytes(), &Url::parse("https://v.example/watch/1").unwrap(), Some(page))
    }

    #[test]
    fn films_become_frames_of_ours() {
        let film = json!({
            "type": "video", "title": "A film", "author_name": "Ana", "author_url": "https://v.example/ana",
            "provider_name": "V", "provider_url": "https://v.example/", "thumbnail_url": "/t.jpg",
            "thumbnail_width": 480, "thumbnail_height": "360", "width": "640", "height": 99_999_999,
            "html": "<script>alert(1)</script><p onclick=x><iframe onload=alert(1) src=\"/embed/1\"></iframe><iframe src='https://w.example/'>",
        });
        let card = of(&film).unwrap();
        let frame = Frame { url: "https://v.example/embed/1".into(), width: 640, height: 4096 };
        assert_eq!(card.player, Some(Player::Video(frame)));
        assert_eq!((card.title.as_str(), card.author_name.as_str()), ("A film", "Ana"));
        assert_eq!(
            (card.image.as_deref(), card.width, card.height),
            (Some("https://v.example/t.jpg"), 480, 360)
        );
        assert_eq!(card.provider_url.as_deref(), Some("https://v.example/"));
    }

    #[test]
    fn what_has_no_good_frame_is_a_link() {
        for html in [
            "<iframe src='http://v.example/embed'>",
            "<iframe src='javascript:alert(1)'>",
            "<iframe src='data:text/html,x'>",
            "<iframe src='https://u:p@v.example/'>",
            "<iframe srcdoc='<script>x</script>'>",
            "<!-- <iframe src='https://v.example/'> -->",
            "<object data='https://v.example/'>",
            "",
        ] {
            for kind in ["video", "rich"] {
                let card = of(&json!({ "type": kind, "title": "x", "html": html })).unwrap();
                assert_eq!((card.player, card.title.as_str()), (None, "page"), "{html}");
            }
        }
        for other in [
            json!({ "type": "link", "title": "x" }),
            json!([]),
            json!({ "type": "photo", "url": "javascript:x" }),
        ] {
            assert_eq!(of(&other).unwrap().player, None, "{other}");
        }
        assert_eq!(card(b"{", &Url::parse("https://v.example").unwrap(), None), None);
    }

    #[test]
    fn pictures_are_their_own_preview() {
        let card = of(&json!({ "type": "photo", "url": "/p.png", "width": 3, "height": 4 })).unwrap();
        assert_eq!(card.player, Some(Player::Photo { url: "https://v.example/p.png".into() }));
        assert_eq!((card.image.as_deref(), card.width, card.height), (Some("https://v.example/p.png"), 3, 4));
        assert_eq!(card.title, "page");
    }
}
