//! Reading foreign actors.

use serde_json::Value;

use super::tag;
use super::uri::{is_id, is_same_host};
use super::value::{
    cut, file_url, flag, get, id, kind, list, one_id, page_url, reference, text, text_or_map, time,
};
use crate::base::Timestamp;
use crate::base::limits::{
    REMOTE_FIELDS_MAX, REMOTE_NAME_MAX_BYTES, REMOTE_NOTE_MAX_BYTES, REMOTE_USERNAME_MAX_BYTES,
};
use crate::model::{Account, ActorKind, Field, Picture, ProfileTabs};
use crate::wire::html;

/// Keys read from one actor (Mastodon's limit).
const KEYS_MAX: usize = 10;
/// Aliases read from one actor.
const ALIASES_MAX: usize = 256;
/// Hosts that may name one actor as author (Mastodon: 256).
const ATTRIBUTION_MAX: usize = 256;
/// Bytes of a host's name (RFC 1035).
const HOST_MAX_BYTES: usize = 253;
/// Bytes of a field's name or value.
const FIELD_MAX_BYTES: usize = 2047;

/// A key as an actor lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorKey {
    /// Its id.
    pub id: String,
    /// Whose it says it is.
    pub owner: String,
    /// SPKI or PKCS#1 PEM.
    pub pem: String,
}

/// A foreign actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account it describes, cleaned and cut. `id` and `domain` are not
    /// set: who it is here, and whether its handle is its own, is decided
    /// elsewhere.
    pub account: Account,
    /// The handle it claims to have (FEP-2c59), `user@host`.
    pub webfinger: Option<String>,
    /// Its keys that name it as owner.
    pub keys: Vec<ActorKey>,
}

/// Why a document is no actor that we can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorError {
    /// Not of an actor type.
    Kind,
    /// Without a usable id.
    Id,
    /// Without an inbox of its own host.
    Inbox,
    /// Without a usable name.
    Username,
    /// Without a key of its own.
    Key,
}

impl std::fmt::Display for ActorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ActorError::Kind => "the document is not an actor",
            ActorError::Id => "the actor has no usable id",
            ActorError::Inbox => "the actor has no inbox on its own host",
            ActorError::Username => "the actor has no usable preferredUsername",
            ActorError::Key => "the actor has no usable public key",
        })
    }
}

impl std::error::Error for ActorError {}

/// Whether a type is one of actors.
pub fn actor_kind(name: &str) -> Option<ActorKind> {
    Some(match name {
        "Person" => ActorKind::Person,
        "Service" => ActorKind::Service,
        "Group" => ActorKind::Group,
        "Application" => ActorKind::Application,
        "Organization" => ActorKind::Organization,
        _ => return None,
    })
}

impl Actor {
    /// Reads an actor document.
    ///
    /// # Errors
    /// What it lacks.
    pub fn read(document: &Value) -> Result<Actor, ActorError> {
        let actor_kind = actor_kind(kind(document)).ok_or(ActorError::Kind)?;
        let uri = id(document).ok_or(ActorError::Id)?.to_owned();
        let inbox =
            one_id(document, "inbox").filter(|inbox| is_same_host(inbox, &uri)).ok_or(ActorError::Inbox)?;
        let webfinger = text(document, "webfinger").map(|w| w.trim_start_matches("acct:").to_owned());
        let username = username(document, webfinger.as_deref()).ok_or(ActorError::Username)?;
        let keys = keys(document, &uri);
        let main_key = keys.first().ok_or(ActorError::Key)?;
        let collection =
            |name: &str| one_id(document, name).filter(|c| is_same_host(c, &uri)).unwrap_or_default();
        let tags = tag::read(document);
        let account = Account {
            username,
            display_name: plain_name(document),
            note_html: html::clean(cut(
                text_or_map(document, "summary").unwrap_or_default(),
                REMOTE_NOTE_MAX_BYTES,
            )),
            fields: fields(document),
            avatar: picture(document, "icon"),
            header: picture(document, "image"),
            url: page_url(document).unwrap_or_else(|| uri.clone()),
            inbox,
            shared_inbox: shared_inbox(document, &uri),
            followers_uri: collection("followers"),
            following_uri: collection("following"),
            outbox_uri: collection("outbox"),
            featured_uri: collection("featured"),
            key_id: main_key.id.clone(),
            public_key_pem: main_key.pem.clone(),
            kind: actor_kind,
            is_locked: flag(document, "manuallyApprovesFollowers"),
            is_discoverable: flag(document, "discoverable"),
            is_indexable: flag(document, "indexable"),
            created_at: time(document, "published").unwrap_or(Timestamp::from_millis(0)),
            also_known_as: aliases(document),
            moved_to: one_id(document, "movedTo"),
            attribution_domains: attribution_domains(document),
            tabs: tabs(document),
            emojis: Some(tags.emojis).filter(|emojis| !emojis.is_empty()),
            uri,
            ..Account::default()
        };
        Ok(Actor { account, webfinger, keys })
    }
}

/// Names that can stand in a handle. WordPress and others use dots, Lemmy
/// communities capitals, some servers other scripts.
fn username(document: &Value, webfinger: Option<&str>) -> Option<String> {
    let from_webfinger = || webfinger.and_then(|w| w.split('@').next());
    let name = text(document, "preferredUsername").or_else(from_webfinger)?;
    let is_name = !name.is_empty()
        && name.len() <= REMOTE_USERNAME_MAX_BYTES
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | ':'));
    is_name.then(|| name.to_owned())
}

fn plain_name(document: &Value) -> String {
    let name = text_or_map(document, "name").unwrap_or_default();
    let line: String = name.chars().filter(|c| !c.is_control()).collect();
    cut(line.trim(), REMOTE_NAME_MAX_BYTES).to_owned()
}

/// `publicKey` may be an object or a list; one that names another owner is
/// not this actor's.
fn keys(document: &Value, uri: &str) -> Vec<ActorKey> {
    list(document, "publicKey")
        .into_iter()
        .take(KEYS_MAX)
        .filter_map(|key| {
            let owner = one_id(key, "owner").unwrap_or_else(|| uri.to_owned());
            let pem = text(key, "publicKeyPem")?.to_owned();
            Some(ActorKey { id: id(key)?.to_owned(), owner, pem })
        })
        .filter(|key| key.owner == uri && is_same_host(&key.id, uri))
        .collect()
}

fn shared_inbox(document: &Value, uri: &str) -> Option<String> {
    let endpoints = get(document, "endpoints")?;
    one_id(endpoints, "sharedInbox").filter(|inbox| is_same_host(inbox, uri))
}

fn picture(document: &Value, name: &str) -> Option<Picture> {
    list(document, name).into_iter().find_map(file_url).map(Picture::Remote)
}

fn fields(document: &Value) -> Vec<Field> {
    list(document, "attachment")
        .into_iter()
        .filter(|field| kind(field).trim_start_matches("schema:") == "PropertyValue")
        .take(REMOTE_FIELDS_MAX)
        .map(|field| Field {
            name: html::to_text(&html::clean(cut(text(field, "name").unwrap_or_default(), FIELD_MAX_BYTES))),
            value_html: html::clean(cut(text(field, "value").unwrap_or_default(), FIELD_MAX_BYTES)),
            ..Field::default()
        })
        .collect()
}

/// Aliases may hold `at://` and the like (Bridgy), which are left out.
fn aliases(document: &Value) -> Vec<String> {
    let all = list(document, "alsoKnownAs").into_iter().take(ALIASES_MAX).filter_map(reference);
    all.filter(|alias| is_id(alias)).map(str::to_owned).collect()
}

/// Hosts whose pages may name the actor as author.
fn attribution_domains(document: &Value) -> Option<Vec<String>> {
    let all = list(document, "attributionDomains").into_iter().filter_map(Value::as_str);
    let is_short = |host: &&str| !host.is_empty() && host.len() <= HOST_MAX_BYTES;
    let all = all.filter(is_short).take(ATTRIBUTION_MAX).map(str::to_lowercase);
    Some(all.collect()).filter(|all: &Vec<String>| !all.is_empty())
}

/// What Mastodon 4.6 says of a profile's parts; what is not said is shown.
fn tabs(document: &Value) -> Option<ProfileTabs> {
    let shows = |name: &str| get(document, name).and_then(Value::as_bool).unwrap_or(true);
    let tabs = ProfileTabs {
        media: shows("showMedia"),
        media_replies: shows("showRepliesInMedia"),
        featured: shows("showFeatured"),
    };
    Some(tabs).filter(|tabs| *tabs != ProfileTabs::default())
}

/// What is behind a key's id when that is not the actor itself: the key, with
/// its owner. GoToSocial serves a small actor there, others a bare key.
pub fn read_key(document: &Value, key_id: &str) -> Option<ActorKey> {
    if let Some(pem) = text(document, "publicKeyPem") {
        let owner = one_id(document, "owner").or_else(|| one_id(document, "controller"))?;
        return (id(document)? == key_id).then(|| ActorKey {
            id: key_id.to_owned(),
            owner,
            pem: pem.to_owned(),
        });
    }
    let uri = id(document)?;
    list(document, "publicKey").into_iter().take(KEYS_MAX).find_map(|key| {
        let owner = one_id(key, "owner").unwrap_or_else(|| uri.to_owned());
        let pem = text(key, "publicKeyPem")?.to_owned();
        (id(key)? == key_id).then(|| ActorKey { id: key_id.to_owned(), owner, pem })
    })
}
