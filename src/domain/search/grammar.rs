//! What somebody typed into the search field, understood: words, "phrases",
//! `#tags`, `-exclusions`, and operators such as `from:ana` or `has:media`.
//! The operators are Mastodon's; what is none is taken as plain words.

use std::time::Duration;

use super::words::{self, Word};
use crate::base::Timestamp;

/// Parts of a question that count; further ones are dropped.
pub const PARTS_MAX: usize = 32;
/// Words of one phrase that count.
const PHRASE_WORDS_MAX: usize = 32;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Whose posts are looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// All that the asker may find.
    #[default]
    All,
    /// Public posts of people who let them be found.
    Public,
    /// The asker's own, and those they liked, boosted, bookmarked or are
    /// named in.
    Library,
}

/// What a post has or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// Pictures, films or sounds.
    Media,
    /// A picture.
    Image,
    /// A film.
    Video,
    /// Sound.
    Audio,
    /// A poll.
    Poll,
    /// A link to another site.
    Link,
    /// Something playable behind its link.
    Embed,
    /// It answers another post.
    Reply,
    /// It is behind a warning.
    Sensitive,
}

impl Trait {
    /// Its word in the index.
    pub const fn word(self) -> &'static str {
        match self {
            Trait::Media => "media",
            Trait::Image => "image",
            Trait::Video => "video",
            Trait::Audio => "audio",
            Trait::Poll => "poll",
            Trait::Link => "link",
            Trait::Embed => "embed",
            Trait::Reply => "reply",
            Trait::Sensitive => "sensitive",
        }
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These words, one after another.
    Words(Vec<Word>),
    /// This hashtag, lower case, without `#`.
    Tag(String),
    /// This property.
    Is(Trait),
    /// Written in this language (ISO 639).
    Language(String),
    /// Written by this one: a handle, or `me`.
    From(String),
    /// Written in this time, the end not included.
    Within(Option<Timestamp>, Option<Timestamp>),
}

/// A question: all its parts must hold, those that are negated must not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// Parts, and whether each is negated.
    pub parts: Vec<(bool, Part)>,
    /// Where it is looked for.
    pub scope: Scope,
}

impl Ask {
    /// Understands a question.
    pub fn parse(text: &str) -> Ask {
        let mut ask = Ask::default();
        for token in tokens(text) {
            if ask.parts.len() >= PARTS_MAX {
                break;
            }
            match scope(&token) {
                Some(scope) => ask.scope = scope,
                None => ask.parts.extend(part(&token).map(|part| (token.is_negated, part))),
            }
        }
        ask
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// A piece of the question as typed.
#[derive(Debug, PartialEq, Eq)]
struct Token<'t> {
    is_negated: bool,
    /// Before a colon that is followed by something.
    operator: Option<&'t str>,
    /// The rest, without quotes.
    text: &'t str,
    /// All of it but the sign, for operators that are none.
    whole: &'t str,
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let is_negated = rest.starts_with('-');
        rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let name = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let value =
            rest[name..].strip_prefix(':').filter(|v| name > 0 && !v.starts_with(char::is_whitespace));
        let operator = value.filter(|v| !v.is_empty() && !v.starts_with("//")).map(|_| &rest[..name]);
        let from = operator.map_or(0, |name| name.len() + 1);
        let (length, text) = piece(&rest[from..]);
        let whole = &rest[..from + length];
        rest = &rest[from + length..];
        Some(Token { is_negated, operator, text, whole })
    })
}

/// Up to the closing quote, or to the next space: its length as typed, and
/// what it says.
fn piece(text: &str) -> (usize, &str) {
    if let Some(inner) = text.strip_prefix(['"', '“', '”']) {
        let quote = text.len() - inner.len();
        if let Some(end) = inner.find(['"', '“', '”']) {
            let closing = inner[end..].chars().next().map_or(0, char::len_utf8);
            return (quote + end + closing, &inner[..end]);
        }
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end, &text[..end])
}

fn scope(token: &Token<'_>) -> Option<Scope> {
    if !token.operator?.eq_ignore_ascii_case("in") || token.is_negated {
        return None;
    }
    match token.text {
        "all" => Some(Scope::All),
        "public" => Some(Scope::Public),
        "library" => Some(Scope::Library),
        _ => None,
    }
}

fn part(token: &Token<'_>) -> Option<Part> {
    if let Some(part) = token.operator.and_then(|name| operator(&name.to_ascii_lowercase(), token.text)) {
        return Some(part);
    }
    if let Some(tag) = token.whole.strip_prefix(['#', '＃']).filter(|tag| !tag.is_empty()) {
        return Some(Part::Tag(tag.to_lowercase()));
    }
    let mut words = words::asked(token.whole);
    words.truncate(PHRASE_WORDS_MAX);
    (!words.is_empty()).then_some(Part::Words(words))
}

fn operator(name: &str, value: &str) -> Option<Part> {
    match (name, value) {
        ("from", handle) => {
            Some(Part::From(handle.trim_start_matches('@').to_owned())).filter(|_| handle != "@")
        }
        ("language", code) if is_code(code) => Some(Part::Language(code.to_ascii_lowercase())),
        ("before", date) => day(date).map(|start| Part::Within(None, Some(start))),
        ("after", date) => day(date).map(|start| Part::Within(Some(start.plus(DAY)), None)),
        ("during", date) => day(date).map(|start| Part::Within(Some(start), Some(start.plus(DAY)))),
        ("is", "reply") => Some(Part::Is(Trait::Reply)),
        ("is", "sensitive") => Some(Part::Is(Trait::Sensitive)),
        ("has", "media") => Some(Part::Is(Trait::Media)),
        ("has", "image") => Some(Part::Is(Trait::Image)),
        ("has", "video") => Some(Part::Is(Trait::Video)),
        ("has", "audio") => Some(Part::Is(Trait::Audio)),
        ("has", "poll") => Some(Part::Is(Trait::Poll)),
        ("has", "link") => Some(Part::Is(Trait::Link)),
        ("has", "embed") => Some(Part::Is(Trait::Embed)),
        _ => None,
    }
}

fn is_code(code: &str) -> bool {
    (2..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The start of a day, in UTC.
fn day(date: &str) -> Option<Timestamp> {
    (date.len() == 10).then(|| Timestamp::parse_rfc3339(&format!("{date}T00:00:00Z"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Part {
        Part::Words(words::asked(text))
    }

    #[test]
    fn questions_are_understood() {
        let date = Timestamp::parse_rfc3339("2026-11-23T00:00:00Z").unwrap();
        let yes = |part| vec![(false, part)];
        let cases = [
            ("", vec![]),
            ("  hello  world ", vec![(false, words("hello")), (false, words("world"))]),
            ("\"hello world\"", yes(words("hello world"))),
            ("“hello world”", yes(words("hello world"))),
            ("\"open end", vec![(false, words("open")), (false, words("end"))]),
            ("-cats", vec![(true, words("cats"))]),
            ("+cats", yes(words("cats"))),
            ("-\"two words\"", vec![(true, words("two words"))]),
            ("foo-bar", yes(words("foo bar"))),
            ("#Rust", yes(Part::Tag("rust".into()))),
            ("from:@ana@b.example", yes(Part::From("ana@b.example".into()))),
            ("from:me", yes(Part::From("me".into()))),
            ("FROM:me", yes(Part::From("me".into()))),
            ("-from:me", vec![(true, Part::From("me".into()))]),
            ("has:media", yes(Part::Is(Trait::Media))),
            ("has:poll -has:link", vec![(false, Part::Is(Trait::Poll)), (true, Part::Is(Trait::Link))]),
            ("has:embed", yes(Part::Is(Trait::Embed))),
            ("is:reply", yes(Part::Is(Trait::Reply))),
            ("-is:sensitive", vec![(true, Part::Is(Trait::Sensitive))]),
            ("language:PT-br", yes(Part::Language("pt-br".into()))),
            ("before:2026-11-23", yes(Part::Within(None, Some(date)))),
            ("after:2026-11-23", yes(Part::Within(Some(date.plus(DAY)), None))),
            ("during:2026-11-23", yes(Part::Within(Some(date), Some(date.plus(DAY))))),
            ("during:\"2026-11-23\"", yes(Part::Within(Some(date), Some(date.plus(DAY))))),
            // What is no operator is plain words.
            ("before:noon", yes(words("before noon"))),
            ("has:cheese", yes(words("has cheese"))),
            ("warning:this", yes(words("warning this"))),
            ("from: me", vec![(false, words("from")), (false, words("me"))]),
            ("https://a.example/x", yes(words("https a example x"))),
            ("- : \" …", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(Ask::parse(text).parts, expected, "{text}");
        }
    }

    #[test]
    fn the_place_is_no_condition() {
        let cases = [
            ("cats in:library", Scope::Library, 1),
            ("in:public cats", Scope::Public, 1),
            ("in:all", Scope::All, 0),
            ("in:nowhere", Scope::All, 1),
        ];
        for (text, scope, parts) in cases {
            let ask = Ask::parse(text);
            assert_eq!((ask.scope, ask.parts.len()), (scope, parts), "{text}");
        }
    }

    #[test]
    fn long_and_odd_questions_stay_small() {
        assert_eq!(Ask::parse(&"a ".repeat(5000)).parts.len(), PARTS_MAX);
        for text in ["\"", "-", "a:", ":", "::", "-\"", "a:\"", "é:x", "\"\"", "from:@", "#", "ab:“"] {
            Ask::parse(text);
        }
    }
}
