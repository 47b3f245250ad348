//! Reading foreign posts: notes, and everything that can be shown as one.

use serde_json::Value;

use super::poll;
use super::quote::{self, Policy};
use super::tag::{self, Tags};
use super::uri::is_id;
use super::value::{
    addresses, cut, file_url, flag, get, id, kind, list, one_id, page_url, text, text_or_map, time, types,
};
use super::{is_public, uri};
use crate::base::Timestamp;
use crate::base::limits::{REMOTE_ALT_MAX_BYTES, REMOTE_ATTACHMENTS_MAX, REMOTE_CONTENT_MAX_BYTES};
use crate::model::{Attachment, AttachmentKind, Poll, Visibility};
use crate::wire::{html, text as plain};

/// Bytes of a content warning or title.
const SUMMARY_MAX_BYTES: usize = 4096;

/// A foreign post.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// Its type, such as `Note`.
    pub kind: String,
    /// Its author's actor id.
    pub attributed_to: String,
    /// Addressees it is for.
    pub to: Vec<String>,
    /// Addressees who may see it too.
    pub cc: Vec<String>,
    /// When it was written, if it says so.
    pub published: Option<Timestamp>,
    /// When it was changed.
    pub updated: Option<Timestamp>,
    /// Clean HTML, with a title where it has one.
    pub content_html: String,
    /// Whether it has text of its own; a vote has none.
    pub has_content: bool,
    /// Content warning, plain text.
    pub spoiler_text: String,
    /// `name`: the chosen answer of a vote, the title of an article.
    pub name: Option<String>,
    /// Media are hidden behind a warning.
    pub sensitive: bool,
    /// ISO 639 code.
    pub language: Option<String>,
    /// Id of the post it answers.
    pub in_reply_to: Option<String>,
    /// Its page.
    pub url: Option<String>,
    /// Mentions, hashtags, emojis.
    pub tags: Tags,
    /// Pictures, films, sounds.
    pub attachments: Vec<Attachment>,
    /// Its poll.
    pub poll: Option<Poll>,
    /// Id of the post it quotes.
    pub quote: Option<String>,
    /// Id of the leave to do so.
    pub quote_approval: Option<String>,
    /// Who may quote it.
    pub quote_policy: Option<Policy>,
}

/// Whether a type can be shown as a post.
pub fn is_post(name: &str) -> bool {
    matches!(name, "Note" | "Question" | "Article" | "Page" | "Image" | "Audio" | "Video" | "Event")
}

impl Object {
    /// Reads a post; `None` if it is none, or has no id or author.
    pub fn read(document: &Value) -> Option<Object> {
        let kind = types(document).into_iter().find(|name| is_post(name))?;
        let name = text_or_map(document, "name").map(|n| cut(n.trim(), SUMMARY_MAX_BYTES).to_owned());
        let content = content(document);
        let spoiler_text = match kind {
            "Note" | "Question" => spoiler(document),
            _ => String::new(),
        };
        Some(Object {
            id: id(document)?.to_owned(),
            kind: kind.to_owned(),
            attributed_to: author(document)?,
            to: addresses(document, "to"),
            cc: addresses(document, "cc"),
            published: time(document, "published"),
            updated: time(document, "updated"),
            content_html: shown(document, kind, name.as_deref(), content),
            has_content: !content.is_empty(),
            spoiler_text,
            name,
            sensitive: flag(document, "sensitive"),
            language: language(document),
            in_reply_to: one_id(document, "inReplyTo"),
            url: page_url(document),
            tags: tag::read(document),
            attachments: attachments(document, kind),
            quote: quote::quoted(document),
            quote_approval: one_id(document, "quoteAuthorization"),
            quote_policy: quote::policy(document, &author(document)?),
            poll: if kind == "Question" { poll::read(document) } else { None },
        })
    }

    /// Who may see it. `followers` is its author's collection. Collections
    /// that are not known count for nothing, so that nothing gets wider than
    /// its author meant.
    pub fn visibility(&self, followers: &str) -> Visibility {
        let has = |list: &[String], wanted: &dyn Fn(&str) -> bool| list.iter().any(|a| wanted(a));
        let is_followers = |address: &str| !followers.is_empty() && address == followers;
        if has(&self.to, &is_public) {
            Visibility::Public
        } else if has(&self.cc, &is_public) {
            Visibility::Unlisted
        } else if has(&self.to, &is_followers) || has(&self.cc, &is_followers) {
            Visibility::Private
        } else {
            Visibility::Direct
        }
    }

    /// Whether an actor is addressed by name.
    pub fn addresses(&self, actor: &str) -> bool {
        self.to.iter().chain(&self.cc).any(|address| address == actor)
    }

    /// The answer of a poll that it votes for: a name, no text, a parent.
    pub fn vote(&self) -> Option<&str> {
        let is_vote = self.kind == "Note" && !self.has_content && self.in_reply_to.is_some();
        self.name.as_deref().filter(|_| is_vote && self.attachments.is_empty())
    }
}

/// The author: one id, or of several (PeerTube: person and channel) the one
/// that is a person.
fn author(document: &Value) -> Option<String> {
    let all = list(document, "attributedTo");
    let person = all.iter().find(|a| kind(a) == "Person").and_then(|a| id(a)).map(str::to_owned);
    person.or_else(|| one_id(document, "attributedTo")).filter(|author| is_id(author))
}

fn content(document: &Value) -> &str {
    cut(text_or_map(document, "content").unwrap_or_default(), REMOTE_CONTENT_MAX_BYTES)
}

fn spoiler(document: &Value) -> String {
    let summary = cut(text_or_map(document, "summary").unwrap_or_default(), SUMMARY_MAX_BYTES);
    // Plain text by convention; a few servers write HTML.
    if summary.contains('<') { html::to_text(&html::clean(summary)) } else { summary.trim().to_owned() }
}

/// The HTML to show: articles and the like get their title and address.
fn shown(document: &Value, kind: &str, name: Option<&str>, content: &str) -> String {
    let mut out = String::new();
    let is_note = matches!(kind, "Note" | "Question");
    if let Some(title) = name.filter(|title| !is_note && !title.is_empty()) {
        out.push_str(&format!("<p><strong>{}</strong></p>", plain::escape(title)));
    }
    let is_markdown = text(document, "mediaType").is_some_and(|t| t != "text/html" && t.starts_with("text/"));
    match is_markdown {
        true => out.push_str(&format!("<p>{}</p>", plain::escape(content).replace('\n', "<br>"))),
        false => out.push_str(content),
    }
    if !is_note && let Some(page) = linked_page(document) {
        let address = plain::escape(&page);
        out.push_str(&format!("<p><a href=\"{address}\">{address}</a></p>"));
    }
    html::clean(&out)
}

/// What an article or link post leads to: the page it shares (Lemmy), else
/// its own.
fn linked_page(document: &Value) -> Option<String> {
    let is_page = |link: &&Value| kind(link) == "Link" && !text(link, "mediaType").is_some_and(is_media);
    let shared = list(document, "attachment").into_iter().find(is_page).and_then(file_url);
    shared.or_else(|| page_url(document)).or_else(|| id(document).map(str::to_owned))
}

/// The language of the translation that is shown; the only one where there
/// is one; else unknown (GoToSocial's rule).
fn language(document: &Value) -> Option<String> {
    let map = get(document, "contentMap")?.as_object()?;
    let shown = text(document, "content");
    let matching = map.iter().find(|(_, html)| shown.is_some() && html.as_str() == shown);
    let only = (map.len() == 1).then(|| map.iter().next()).flatten();
    let (tag, _) = matching.or(only)?;
    let code = tag.split(['-', '_']).next()?.to_ascii_lowercase();
    let is_code = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
    (is_code && code != "und").then_some(code)
}

fn attachments(document: &Value, kind: &str) -> Vec<Attachment> {
    let mut all: Vec<Attachment> = list(document, "attachment")
        .into_iter()
        .filter_map(attachment)
        .take(REMOTE_ATTACHMENTS_MAX)
        .collect();
    if all.is_empty() && matches!(kind, "Image" | "Audio" | "Video") {
        all.extend(attachment_of_itself(document));
    }
    all
}

fn attachment(value: &Value) -> Option<Attachment> {
    if !matches!(kind(value), "Document" | "Image" | "Video" | "Audio" | "Link") {
        return None;
    }
    let url = file_url(value)?;
    let media_type = text(value, "mediaType").map(|t| cut(t, 100).to_owned());
    if kind(value) == "Link" && !media_type.as_deref().is_some_and(is_media) {
        return None;
    }
    let alt = text(value, "summary").or_else(|| text(value, "name")).unwrap_or_default();
    let alt = cut(alt.trim(), REMOTE_ALT_MAX_BYTES);
    let pixels = |name: &str| get(value, name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    Some(Attachment {
        kind: attachment_kind(kind(value), media_type.as_deref()),
        remote_url: Some(url),
        description: (!alt.is_empty()).then(|| alt.to_owned()),
        media_type,
        blurhash: text(value, "blurhash").filter(|b| b.len() <= 200).map(str::to_owned),
        width: pixels("width").filter(|n| *n > 0),
        height: pixels("height").filter(|n| *n > 0),
        focus: focus(value),
        ..Attachment::default()
    })
}

fn is_media(media_type: &str) -> bool {
    ["image/", "video/", "audio/"].iter().any(|family| media_type.starts_with(family))
}

fn attachment_kind(kind: &str, media_type: Option<&str>) -> AttachmentKind {
    match media_type.and_then(|t| t.split('/').next()) {
        Some("image") => AttachmentKind::Image,
        Some("video") => AttachmentKind::Video,
        Some("audio") => AttachmentKind::Audio,
        _ => match kind {
            "Image" => AttachmentKind::Image,
            "Video" => AttachmentKind::Video,
            "Audio" => AttachmentKind::Audio,
            _ => AttachmentKind::Unknown,
        },
    }
}

/// PeerTube and Funkwhale: the file is among the object's own links.
fn attachment_of_itself(document: &Value) -> Option<Attachment> {
    let links = list(document, "url");
    let file = links.iter().find(|link| text(link, "mediaType").is_some_and(is_media))?;
    let media_type = text(file, "mediaType");
    Some(Attachment {
        kind: attachment_kind("", media_type),
        remote_url: file_url(file).filter(|url| uri::is_id(url)),
        media_type: media_type.map(|t| cut(t, 100).to_owned()),
        ..Attachment::default()
    })
}

fn focus(value: &Value) -> Option<(i32, i32)> {
    let point = get(value, "focalPoint")?.as_array()?;
    let thousandths =
        |n: &Value| n.as_f64().filter(|n| n.is_finite()).map(|n| (n.clamp(-1.0, 1.0) * 1000.0) as i32);
    Some((thousandths(point.first()?)?, thousandths(point.get(1)?)?))
}
