//! Actor documents.

use serde_json::{Map, Value, json};

use super::set;
use crate::model::{Account, ActorKind, Picture, Site};
use crate::wire::activitypub::ACTIVITY_STREAMS;

fn context() -> Value {
    json!([
        ACTIVITY_STREAMS,
        "https://w3id.org/security/v1",
        {
            "schema": "http://schema.org#",
            "PropertyValue": "schema:PropertyValue",
            "value": "schema:value",
            "toot": "http://joinmastodon.org/ns#",
            "Emoji": "toot:Emoji",
            "featured": { "@id": "toot:featured", "@type": "@id" },
            "discoverable": "toot:discoverable",
            "indexable": "toot:indexable",
            "suspended": "toot:suspended",
            "attributionDomains": { "@id": "toot:attributionDomains", "@type": "@id" },
            "showFeatured": "toot:showFeatured",
            "showMedia": "toot:showMedia",
            "showRepliesInMedia": "toot:showRepliesInMedia",
            "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
            "alsoKnownAs": { "@id": "as:alsoKnownAs", "@type": "@id" },
            "movedTo": { "@id": "as:movedTo", "@type": "@id" },
            "webfinger": { "@id": "https://purl.archive.org/socialweb/webfinger#webfinger" }
        }
    ])
}

/// The document of a local account. `picture_url` answers where a picture of
/// ours is served.
pub fn actor(site: &Site, account: &Account, picture_url: &dyn Fn(&Picture) -> String) -> Value {
    let bare = account.suspended_at.map(|_| account.without_profile());
    let account = bare.as_ref().unwrap_or(account);
    let kind = match account.kind {
        ActorKind::Person => "Person",
        ActorKind::Service => "Service",
        ActorKind::Group => "Group",
        ActorKind::Application => "Application",
        ActorKind::Organization => "Organization",
    };
    let id = &account.uri;
    let mut map = Map::new();
    map.insert("@context".into(), context());
    map.insert("id".into(), id.clone().into());
    map.insert("type".into(), kind.into());
    map.insert("preferredUsername".into(), account.username.clone().into());
    map.insert("webfinger".into(), format!("{}@{}", account.username, site.domain).into());
    map.insert("name".into(), account.name().into());
    map.insert("summary".into(), account.note_html.clone().into());
    map.insert("url".into(), account.url.clone().into());
    map.insert("published".into(), account.created_at.rfc3339().into());
    map.insert("inbox".into(), format!("{id}/inbox").into());
    map.insert("outbox".into(), account.outbox_uri.clone().into());
    map.insert("followers".into(), account.followers_uri.clone().into());
    map.insert("following".into(), account.following_uri.clone().into());
    set(&mut map, "featured", Some(&*account.featured_uri).filter(|uri| !uri.is_empty()));
    map.insert("endpoints".into(), json!({ "sharedInbox": site.shared_inbox() }));
    map.insert("publicKey".into(), key(&account.key_id, id, &account.public_key_pem));
    map.insert("manuallyApprovesFollowers".into(), account.is_locked.into());
    map.insert("discoverable".into(), account.is_discoverable.into());
    map.insert("indexable".into(), account.is_indexable.into());
    set(&mut map, "attributionDomains", account.attribution_domains.clone());
    let tabs = account.tabs.unwrap_or_default();
    map.insert("showFeatured".into(), tabs.featured.into());
    map.insert("showMedia".into(), tabs.media.into());
    map.insert("showRepliesInMedia".into(), tabs.media_replies.into());
    set(&mut map, "icon", account.avatar.as_ref().map(|p| image(&picture_url(p))));
    set(&mut map, "image", account.header.as_ref().map(|p| image(&picture_url(p))));
    map.insert("attachment".into(), fields(account));
    map.insert("tag".into(), account.emojis.iter().flatten().map(super::note::emoji).collect());
    set(&mut map, "alsoKnownAs", Some(account.also_known_as.clone()).filter(|all| !all.is_empty()));
    set(&mut map, "movedTo", account.moved_to.as_deref());
    if account.suspended_at.is_some() {
        map.insert("suspended".into(), true.into());
    }
    Value::Object(map)
}

fn key(id: &str, owner: &str, pem: &str) -> Value {
    json!({ "id": id, "owner": owner, "publicKeyPem": pem })
}

fn fields(account: &Account) -> Value {
    account
        .fields
        .iter()
        .map(|field| json!({ "type": "PropertyValue", "name": field.name, "value": field.value_html }))
        .collect()
}

pub(super) fn image(url: &str) -> Value {
    let path = url.split('?').next().unwrap_or(url).to_ascii_lowercase();
    let media_type = [
        ("png", "image/png"),
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("gif", "image/gif"),
        ("webp", "image/webp"),
    ]
    .into_iter()
    .find(|(suffix, _)| path.ends_with(&format!(".{suffix}")));
    match media_type {
        Some((_, media_type)) => json!({ "type": "Image", "mediaType": media_type, "url": url }),
        None => json!({ "type": "Image", "url": url }),
    }
}

/// What the server's own actor is known by.
#[derive(Clone, Copy)]
pub struct InstanceActor<'a> {
    /// Our names.
    pub site: &'a Site,
    /// Id of its key.
    pub key_id: &'a str,
    /// Public half of its key.
    pub public_key_pem: &'a str,
}

/// The document of the server's own actor, which signs fetches. It is always
/// served to everybody, so that two strict servers can learn each other's key.
pub fn instance_actor(parts: InstanceActor<'_>) -> Value {
    let InstanceActor { site, key_id, public_key_pem } = parts;
    let id = site.instance_actor();
    json!({
        "@context": context(),
        "id": id,
        "type": "Application",
        "preferredUsername": site.domain,
        "webfinger": format!("{0}@{0}", site.domain),
        "name": site.domain,
        "summary": "",
        "url": format!("{}/", site.origin),
        "inbox": format!("{id}/inbox"),
        "outbox": format!("{id}/outbox"),
        "endpoints": { "sharedInbox": site.shared_inbox() },
        "publicKey": key(key_id, &id, public_key_pem),
        "manuallyApprovesFollowers": true,
    })
}
