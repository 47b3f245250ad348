//! Posts (docs: entities/Status, MediaAttachment, Context, StatusEdit,
//! StatusSource).

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::quote::{AnyQuote, QuoteApproval};
use super::words::{MediaWord, VisibilityWord};
use super::{Account, Emoji, FilterResult, Poll, PreviewCard};
use crate::base::{Id, Timestamp};
use crate::model::{self, AttachmentKind, Site};

/// The app a post was written with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StatusApplication)]
pub struct Application {
    name: String,
    #[schema(required)]
    website: Option<String>,
}

/// Somebody named in a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mention {
    id: String,
    username: String,
    #[schema(format = "uri")]
    url: String,
    acct: String,
}

/// A hashtag of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatusTag {
    name: String,
    #[schema(format = "uri")]
    url: String,
}

/// A picture, film or sound.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MediaAttachment {
    id: String,
    #[serde(rename = "type")]
    #[schema(value_type = MediaWord)]
    kind: &'static str,
    #[schema(required, format = "uri")]
    url: Option<String>,
    #[schema(required, format = "uri")]
    preview_url: Option<String>,
    #[schema(required, format = "uri")]
    remote_url: Option<String>,
    #[schema(required)]
    preview_remote_url: Option<String>,
    #[schema(required)]
    text_url: Option<String>,
    #[schema(value_type = Object)]
    meta: Value,
    #[schema(required)]
    description: Option<String>,
    #[schema(required)]
    blurhash: Option<String>,
}

impl MediaAttachment {
    /// The file as clients see it. One that is not ready has no `url` yet.
    pub fn new(site: &Site, media: &model::Attachment) -> MediaAttachment {
        MediaAttachment {
            id: media.id.to_string(),
            kind: match media.kind {
                AttachmentKind::Image => "image",
                AttachmentKind::Video => "video",
                AttachmentKind::Audio => "audio",
                AttachmentKind::Gifv => "gifv",
                AttachmentKind::Unknown => "unknown",
            },
            url: site.attachment(media),
            preview_url: site.attachment_preview(media),
            remote_url: media.remote_url.clone(),
            preview_remote_url: None,
            text_url: None,
            meta: meta(media),
            description: media.description.clone(),
            blurhash: media.blurhash.clone(),
        }
    }
}

/// Sizes and focal point, as far as they are known.
fn meta(media: &model::Attachment) -> Value {
    let mut meta = Map::new();
    let mut original = media.width.zip(media.height).and_then(measures).unwrap_or_default();
    if let Some(duration_ms) = media.duration_ms {
        original.insert("duration".into(), json!(duration_ms as f64 / 1000.0));
    }
    if !original.is_empty() {
        meta.insert("original".into(), original.into());
    }
    if let Some(small) = media.preview_size.and_then(measures) {
        meta.insert("small".into(), small.into());
    }
    if let Some((x, y)) = media.focus {
        let part = |thousandths: i32| f64::from(thousandths.clamp(-1000, 1000)) / 1000.0;
        meta.insert("focus".into(), json!({ "x": part(x), "y": part(y) }));
    }
    Value::Object(meta)
}

/// One size in all the ways in which clients want it.
fn measures((width, height): (u32, u32)) -> Option<Map<String, Value>> {
    if height == 0 {
        return None;
    }
    let mut map = Map::new();
    map.insert("width".into(), width.into());
    map.insert("height".into(), height.into());
    map.insert("size".into(), format!("{width}x{height}").into());
    map.insert("aspect".into(), (f64::from(width) / f64::from(height)).into());
    Some(map)
}

/// What the viewer did with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// Liked it.
    pub favourited: bool,
    /// Boosted it.
    pub reblogged: bool,
    /// Muted its thread.
    pub muted: bool,
    /// Bookmarked it.
    pub bookmarked: bool,
    /// Pinned it; `None` where they cannot.
    pub pinned: Option<bool>,
}

/// What the entity of a post needs besides the post.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Author or booster.
    pub account: Account,
    /// Answers.
    pub replies: u64,
    /// Boosts.
    pub reblogs: u64,
    /// Likes.
    pub favourites: u64,
    /// The viewer's marks; `None` where nobody is logged in.
    pub marks: Option<Marks>,
    /// Filters of the viewer that it matches.
    pub filtered: Vec<FilterResult>,
    /// For a boost: the boosted post and its entity.
    pub reblog: Option<(model::Status, Status)>,
    /// Its poll.
    pub poll: Option<Poll>,
    /// What it quotes.
    pub quote: Option<AnyQuote>,
    /// Who may quote it.
    pub quote_approval: QuoteApproval,
    /// Quotes of it.
    pub quotes: u64,
    /// The preview of its link.
    pub card: Option<PreviewCard>,
}

/// A post or boost.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Status {
    id: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required)]
    in_reply_to_id: Option<String>,
    #[schema(required)]
    in_reply_to_account_id: Option<String>,
    sensitive: bool,
    spoiler_text: String,
    #[schema(value_type = VisibilityWord)]
    visibility: &'static str,
    #[schema(required)]
    language: Option<String>,
    #[schema(format = "uri")]
    uri: String,
    #[schema(required, format = "uri")]
    url: Option<String>,
    replies_count: u64,
    reblogs_count: u64,
    favourites_count: u64,
    quotes_count: u64,
    #[schema(required, format = DateTime)]
    edited_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favourited: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reblogged: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    muted: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bookmarked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filtered: Option<Vec<FilterResult>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// In place of `content` in the answer to a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[schema(required, no_recursion)]
    reblog: Option<Box<Status>>,
    #[schema(required)]
    application: Option<Application>,
    account: Account,
    media_attachments: Vec<MediaAttachment>,
    mentions: Vec<Mention>,
    tags: Vec<StatusTag>,
    emojis: Vec<Emoji>,
    #[schema(required)]
    quote: Option<AnyQuote>,
    quote_approval: QuoteApproval,
    #[schema(required)]
    card: Option<PreviewCard>,
    #[schema(required)]
    poll: Option<Poll>,
}

impl Status {
    /// The post as clients see it. A boost shows the content of its original,
    /// too, for clients that look no deeper.
    pub fn new(site: &Site, status: &model::Status, facts: Facts) -> Status {
        let Facts {
            account,
            replies,
            reblogs,
            favourites,
            marks,
            filtered,
            reblog,
            poll,
            quote,
            quote_approval,
            quotes,
            card,
        } = facts;
        let (shown, reblog) = match &reblog {
            Some((original, entity)) => (original, Some(Box::new(entity.clone()))),
            None => (status, None),
        };
        let url = status.url.clone().or_else(|| shown.url.clone()).filter(|url| !url.is_empty());
        Status {
            id: status.id.to_string(),
            created_at: status.created_at.rfc3339(),
            in_reply_to_id: text(status.in_reply_to),
            in_reply_to_account_id: text(status.in_reply_to_account),
            sensitive: shown.sensitive,
            spoiler_text: shown.spoiler_text.clone(),
            visibility: status.visibility.word(),
            language: shown.language.clone(),
            uri: status.uri.clone(),
            url,
            replies_count: replies,
            reblogs_count: reblogs,
            favourites_count: favourites,
            quotes_count: quotes,
            edited_at: shown.edited_at.map(Timestamp::rfc3339),
            favourited: marks.map(|marks| marks.favourited),
            reblogged: marks.map(|marks| marks.reblogged),
            muted: marks.map(|marks| marks.muted),
            bookmarked: marks.map(|marks| marks.bookmarked),
            pinned: marks.and_then(|marks| marks.pinned),
            filtered: marks.map(|_| filtered),
            content: Some(shown.content_html.clone()),
            text: None,
            reblog,
            application: status
                .application
                .as_ref()
                .map(|app| Application { name: app.name.clone(), website: app.website.clone() }),
            account,
            media_attachments: shown
                .attachments
                .iter()
                .map(|media| MediaAttachment::new(site, media))
                .collect(),
            mentions: shown.mentions.iter().filter(|m| !m.is_silent).map(Mention::from).collect(),
            tags: shown.tags.iter().map(|tag| StatusTag::new(site, tag)).collect(),
            emojis: shown.emojis.iter().map(|emoji| Emoji::new(site, emoji)).collect(),
            quote,
            quote_approval,
            card,
            poll,
        }
    }

    /// The answer to its deletion: what was typed in place of the HTML, so
    /// that it can be written anew.
    #[must_use]
    pub fn deleted(mut self, typed: &str) -> Status {
        self.content = None;
        self.text = Some(typed.to_owned());
        self
    }
}

fn text(id: Option<Id>) -> Option<String> {
    id.map(|id| id.to_string())
}

impl From<&model::Mention> for Mention {
    fn from(mention: &model::Mention) -> Mention {
        Mention {
            id: mention.account.to_string(),
            username: mention.username.clone(),
            url: mention.url.clone(),
            acct: mention.acct.clone(),
        }
    }
}

impl StatusTag {
    /// A hashtag with its page.
    pub fn new(site: &Site, tag: &str) -> StatusTag {
        let name = model::Status::tag_key(tag);
        StatusTag { url: site.tag_page(&name), name }
    }
}

/// The thread around a post.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Context {
    /// What it answers, first post first.
    pub ancestors: Vec<Status>,
    /// What answers it.
    pub descendants: Vec<Status>,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatusSource {
    id: String,
    text: String,
    spoiler_text: String,
}

impl From<&model::Status> for StatusSource {
    fn from(status: &model::Status) -> StatusSource {
        StatusSource {
            id: status.id.to_string(),
            text: status.text.clone(),
            spoiler_text: status.spoiler_text.clone(),
        }
    }
}

/// An answer of a poll at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EditedOption {
    title: String,
}

/// The poll of a post at some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct EditedPoll {
    options: Vec<EditedOption>,
}

/// One version of a post.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StatusEdit {
    content: String,
    spoiler_text: String,
    sensitive: bool,
    #[schema(format = DateTime)]
    created_at: String,
    account: Account,
    /// Only where it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    poll: Option<EditedPoll>,
    media_attachments: Vec<MediaAttachment>,
    emojis: Vec<Emoji>,
}

impl StatusEdit {
    /// A version of a post of this account.
    pub fn new(site: &Site, version: &model::Version, account: Account) -> StatusEdit {
        let option = |title: &String| EditedOption { title: title.clone() };
        let options: Vec<EditedOption> = version.poll_options.iter().map(option).collect();
        StatusEdit {
            content: version.content_html.clone(),
            spoiler_text: version.spoiler_text.clone(),
            sensitive: version.sensitive,
            created_at: version.at.rfc3339(),
            account,
            poll: (!options.is_empty()).then_some(EditedPoll { options }),
            media_attachments: version
                .attachments
                .iter()
                .map(|media| MediaAttachment::new(site, media))
                .collect(),
            emojis: version.emojis.iter().map(|emoji| Emoji::new(site, emoji)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mastodon::Person;

    fn account() -> Account {
        let account = model::Account { id: Id(7), ..model::Account::default() };
        let person = Person { account: &account, statuses: 0, followers: 0, following: 0, role: None };
        Account::new(&Site::new("https", "social.example"), &person)
    }

    fn facts(marks: Option<Marks>) -> Facts {
        Facts {
            account: account(),
            replies: 1,
            reblogs: 2,
            favourites: 3,
            marks,
            filtered: Vec::new(),
            reblog: None,
            poll: None,
            quote: None,
            quote_approval: QuoteApproval::new(&Default::default(), None),
            quotes: 0,
            card: None,
        }
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    const ALWAYS: &str = "id created_at in_reply_to_id in_reply_to_account_id sensitive spoiler_text visibility \
        language uri url replies_count reblogs_count favourites_count edited_at content reblog application account \
        media_attachments mentions tags emojis card poll quote";

    #[test]
    fn every_key_is_there_and_null_where_empty() {
        let status = model::Status { id: Id(9), url: Some(String::new()), ..model::Status::default() };
        let site = Site::new("https", "social.example");
        let value = serde_json::to_value(Status::new(&site, &status, facts(None))).unwrap();
        for key in ALWAYS.split_whitespace() {
            assert!(value.get(key).is_some(), "{key}");
        }
        for key in ["in_reply_to_id", "language", "url", "edited_at", "reblog", "card", "poll", "quote"] {
            assert_eq!(value[key], Value::Null, "{key}");
        }
        for key in ["favourited", "reblogged", "muted", "bookmarked", "filtered", "pinned", "text"] {
            assert!(value.get(key).is_none(), "{key} without a user: {:?}", keys(&value));
        }
        let mine = Marks { pinned: Some(false), ..Marks::default() };
        let value = serde_json::to_value(Status::new(&site, &status, facts(Some(mine)))).unwrap();
        assert_eq!(value["filtered"], json!([]));
        assert_eq!((&value["favourited"], &value["pinned"]), (&json!(false), &json!(false)));
    }

    #[test]
    fn a_boost_shows_its_original_inside_and_out() {
        let site = Site::new("https", "social.example");
        let original =
            model::Status { id: Id(9), content_html: "<p>hi</p>".into(), ..model::Status::default() };
        let entity = Status::new(&site, &original, facts(None));
        let boost = model::Status { id: Id(10), reblog_of: Some(Id(9)), ..model::Status::default() };
        let facts = Facts { reblog: Some((original, entity)), ..facts(None) };
        let value = serde_json::to_value(Status::new(&site, &boost, facts)).unwrap();
        assert_eq!((&value["id"], &value["reblog"]["id"]), (&json!("10"), &json!("9")));
        assert_eq!(value["content"], value["reblog"]["content"]);
    }

    #[test]
    fn a_deleted_post_has_its_text_instead_of_html() {
        let status = model::Status { text: "hi".into(), ..model::Status::default() };
        let entity = Status::new(&Site::new("https", "social.example"), &status, facts(None));
        let value = serde_json::to_value(entity.deleted(&status.text)).unwrap();
        assert_eq!(value["text"], "hi");
        assert!(value.get("content").is_none());
    }

    #[test]
    fn media_tell_what_is_known_of_them() {
        let media = model::Attachment {
            kind: AttachmentKind::Image,
            remote_url: Some("https://b.example/x.png".into()),
            width: Some(50),
            height: Some(25),
            focus: Some((500, -2000)),
            ..model::Attachment::default()
        };
        let value = serde_json::to_value(MediaAttachment::new(&Site::new("https", "social.example"), &media))
            .unwrap();
        assert_eq!(value["type"], "image");
        assert_eq!(
            value["meta"]["original"],
            json!({"width": 50, "height": 25, "size": "50x25", "aspect": 2.0})
        );
        assert_eq!(value["meta"]["focus"], json!({"x": 0.5, "y": -1.0}));
        assert_eq!(value["description"], Value::Null);
    }
}
