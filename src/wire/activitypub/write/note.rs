//! Posts as Note objects.

use serde_json::{Map, Value, json};

use super::{audience, set};
use crate::base::Timestamp;
use crate::model::{Account, Attachment, AttachmentKind, CustomEmoji, Mention, Site, Status, Visibility};

/// A post and what its record alone does not say.
#[derive(Clone, Copy)]
pub struct NoteParts<'a> {
    /// Our names.
    pub site: &'a Site,
    /// The post; not a boost.
    pub status: &'a Status,
    /// Its author, who lives here.
    pub author: &'a Account,
    /// ActivityPub id of the post it answers.
    pub parent_uri: Option<&'a str>,
}

/// The Note of a local post, without `@context`.
pub fn note(parts: NoteParts<'_>) -> Value {
    let NoteParts { site, status, author, parent_uri } = parts;
    let addressed = audience(status, &author.followers_uri);
    let content_map = status.language.as_ref().map(|language| json!({ language: status.content_html }));
    let mut map = Map::new();
    map.insert("id".into(), status.uri.clone().into());
    map.insert("type".into(), "Note".into());
    map.insert("attributedTo".into(), author.uri.clone().into());
    map.insert("to".into(), addressed.to.into());
    map.insert("cc".into(), addressed.cc.into());
    map.insert("published".into(), status.created_at.rfc3339().into());
    set(&mut map, "updated", status.edited_at.map(Timestamp::rfc3339));
    map.insert("content".into(), status.content_html.clone().into());
    set(&mut map, "contentMap", content_map);
    set(&mut map, "summary", Some(&*status.spoiler_text).filter(|text| !text.is_empty()));
    map.insert("sensitive".into(), (status.sensitive || !status.spoiler_text.is_empty()).into());
    set(&mut map, "inReplyTo", parent_uri);
    set(&mut map, "url", status.url.as_deref());
    map.insert(
        "attachment".into(),
        status.attachments.iter().filter_map(|media| attachment(site, media)).collect(),
    );
    map.insert("tag".into(), tags(site, status));
    if status.visibility == Visibility::Direct {
        // Pleroma's mark: without it the post is shown among replies.
        map.insert("directMessage".into(), true.into());
    }
    super::quote::add(&mut map, status, author);
    if let Some(poll) = &status.poll {
        super::poll::add(&mut map, poll);
    }
    Value::Object(map)
}

fn tags(site: &Site, status: &Status) -> Value {
    let mentions = status
        .mentions
        .iter()
        .filter(|m| !m.is_silent)
        .map(|m| json!({ "type": "Mention", "href": m.uri, "name": mention_name(site, m) }));
    let hashtags = status.tags.iter().map(|name| {
        json!({
            "type": "Hashtag",
            "href": site.tag_page(&Status::tag_key(name)),
            "name": format!("#{name}"),
        })
    });
    mentions.chain(hashtags).chain(status.emojis.iter().map(emoji)).collect()
}

/// A custom emoji; its picture is its name, because nothing else has one.
pub(super) fn emoji(emoji: &CustomEmoji) -> Value {
    json!({
        "id": emoji.url,
        "type": "Emoji",
        "name": format!(":{}:", emoji.shortcode),
        "icon": super::actor::image(&emoji.url),
    })
}

/// `@user@host` also for people here: to others we are a host.
fn mention_name(site: &Site, mention: &Mention) -> String {
    if mention.acct.contains('@') {
        format!("@{}", mention.acct)
    } else {
        format!("@{}@{}", mention.acct, site.domain)
    }
}

fn attachment(site: &Site, media: &Attachment) -> Option<Value> {
    let url = site.attachment(media)?;
    let kind = match media.kind {
        AttachmentKind::Image => "Image",
        AttachmentKind::Video | AttachmentKind::Gifv => "Video",
        AttachmentKind::Audio => "Audio",
        AttachmentKind::Unknown => "Document",
    };
    let mut map = Map::new();
    map.insert("type".into(), kind.into());
    map.insert("url".into(), url.into());
    set(&mut map, "mediaType", media.media_type.as_deref());
    set(&mut map, "name", media.description.as_deref());
    set(&mut map, "summary", media.description.as_deref());
    set(&mut map, "blurhash", media.blurhash.as_deref());
    set(&mut map, "width", media.width);
    set(&mut map, "height", media.height);
    let focus = media.focus.map(|(x, y)| json!([f64::from(x) / 1000.0, f64::from(y) / 1000.0]));
    set(&mut map, "focalPoint", focus);
    Some(Value::Object(map))
}

/// What is left of a deleted object (ActivityPub, 6.11).
pub fn tombstone(id: &str, former_type: &str, deleted: Timestamp) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), id.into());
    map.insert("type".into(), "Tombstone".into());
    set(&mut map, "formerType", Some(former_type).filter(|t| !t.is_empty()));
    map.insert("deleted".into(), deleted.rfc3339().into());
    Value::Object(map)
}
