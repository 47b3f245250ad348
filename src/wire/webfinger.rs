//! WebFinger (RFC 7033): from a handle to an actor, and back.

use serde::Serialize;
use utoipa::ToSchema;

use super::activitypub::uri::is_id;
use super::activitypub::{CONTENT_TYPE, CONTENT_TYPE_LD};
use super::json::{self, JsonError};
use super::text::Handle;

/// The media type of answers.
pub const MEDIA_TYPE: &str = "application/jrd+json";
/// Bytes of a foreign answer.
pub const ANSWER_MAX_BYTES: usize = 64 * 1024;
/// Links and aliases read from an answer.
const LINKS_MAX: usize = 100;
/// Bytes of a `resource` or of a handle.
const RESOURCE_MAX_BYTES: usize = 2048;

/// What somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `acct:user@host`
    Account {
        /// Before the @.
        username: String,
        /// After it, lower case.
        domain: String,
    },
    /// The URL of an actor or profile.
    Url(String),
}

/// Reads the `resource` parameter.
pub fn parse_resource(text: &str) -> Option<Resource> {
    if text.len() > RESOURCE_MAX_BYTES {
        return None;
    }
    let text = text.trim();
    if text.starts_with("https://") || text.starts_with("http://") {
        return is_id(text).then(|| Resource::Url(text.to_owned()));
    }
    let (username, domain) = parse_acct(text.strip_prefix("acct:").unwrap_or(text))?;
    Some(Resource::Account { username, domain })
}

/// Reads `user@host` or `@user@host`; the host in lower case.
pub fn parse_acct(text: &str) -> Option<(String, String)> {
    let text = text.strip_prefix('@').unwrap_or(text);
    if text.len() > RESOURCE_MAX_BYTES {
        return None;
    }
    let (username, domain) = text.rsplit_once('@')?;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | ':');
    // A host with its port, in the one spelling that URLs give it.
    let host = super::activitypub::uri::host(&format!("https://{domain}/"))?;
    let is_bare = !domain.contains(['/', '?', '#', '@']);
    (!username.is_empty() && username.chars().all(is_name) && is_bare).then(|| (username.to_owned(), host))
}

/// A local account's answer.
#[derive(Debug, Clone, Copy)]
pub struct LocalAccount<'a> {
    /// `user@host`.
    pub acct: &'a str,
    /// Its actor id.
    pub actor: &'a str,
    /// Its page.
    pub profile: &'a str,
    /// Its picture.
    pub avatar: Option<&'a str>,
    /// Scheme and host of this server.
    pub origin: &'a str,
}

/// The answer to a query (RFC 7033 §4.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jrd {
    /// `acct:user@host`.
    subject: String,
    /// Other addresses of the same account.
    aliases: Vec<String>,
    /// Where its documents and pages are.
    links: Vec<JrdLink>,
}

/// One document or page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct JrdLink {
    rel: &'static str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

/// The answer about a local account.
pub fn answer(account: LocalAccount<'_>) -> Jrd {
    let link = |rel, kind, href: &str| JrdLink { rel, kind, href: Some(href.to_owned()), template: None };
    let mut links = vec![
        link("self", Some(CONTENT_TYPE), account.actor),
        link("self", Some(CONTENT_TYPE_LD), account.actor),
        link("http://webfinger.net/rel/profile-page", Some("text/html"), account.profile),
        JrdLink {
            rel: "http://ostatus.org/schema/1.0/subscribe",
            template: Some(format!("{}/authorize_interaction?uri={{uri}}", account.origin)),
            ..JrdLink::default()
        },
    ];
    links.extend(account.avatar.map(|avatar| link("http://webfinger.net/rel/avatar", None, avatar)));
    Jrd {
        subject: format!("acct:{}", account.acct),
        aliases: vec![account.profile.to_owned(), account.actor.to_owned()],
        links,
    }
}

/// What another server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The handle it speaks of.
    pub subject: Option<Handle>,
    /// The actor's id.
    pub actor: String,
}

/// Reads a foreign answer; `None` inside if it names no actor.
///
/// # Errors
/// When it is not JSON within bounds.
pub fn read(bytes: &[u8]) -> Result<Option<Found>, JsonError> {
    if bytes.len() > ANSWER_MAX_BYTES {
        return Err(JsonError::TooLarge);
    }
    let document = json::parse(bytes)?;
    let links = document["links"].as_array().map(Vec::as_slice).unwrap_or_default();
    let actor = links.iter().take(LINKS_MAX).find_map(|link| {
        let media_type = link["type"].as_str()?;
        let is_actor = link["rel"] == "self" && is_activity_type(media_type);
        link["href"].as_str().filter(|href| is_actor && is_id(href))
    });
    let subject = document["subject"].as_str().and_then(|s| parse_acct(s.strip_prefix("acct:")?));
    let subject = subject.map(|(username, domain)| Handle { username, domain: Some(domain) });
    Ok(actor.map(|actor| Found { subject, actor: actor.to_owned() }))
}

/// Whether a media type is that of ActivityPub documents: one of two, and
/// nothing that a server might serve for uploads.
pub fn is_activity_type(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "application/activity+json" => true,
        "application/ld+json" => parts.any(|parameter| {
            let Some(profile) = parameter.strip_prefix("profile=") else { return false };
            let profiles = profile.trim_matches('"');
            profiles.split_ascii_whitespace().any(|p| p == super::activitypub::ACTIVITY_STREAMS)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_handles_or_urls() {
        let account = |username: &str, domain: &str| {
            Some(Resource::Account { username: username.into(), domain: domain.into() })
        };
        assert_eq!(parse_resource("acct:Ana@Social.Example"), account("Ana", "social.example"));
        assert_eq!(parse_resource("@ana@social.example"), account("ana", "social.example"));
        assert_eq!(parse_resource("acct:ana@localhost:8443"), account("ana", "localhost:8443"));
        assert_eq!(
            parse_resource("acct:social.example@social.example"),
            account("social.example", "social.example")
        );
        assert_eq!(
            parse_resource("https://a.example/@b"),
            Some(Resource::Url("https://a.example/@b".into()))
        );
        for bad in [
            "",
            "ana",
            "acct:@x.example",
            "acct:a@",
            "acct:a b@x.example",
            "https://u@x.example/",
            "acct:a@x.example/y",
            "mailto:",
            "acct:a@b@c d",
        ] {
            assert_eq!(parse_resource(bad), None, "{bad}");
        }
    }

    #[test]
    fn our_own_answer_is_read_back() {
        let ours = answer(LocalAccount {
            acct: "ana@social.example",
            actor: "https://social.example/ap/users/1",
            profile: "https://social.example/@ana",
            avatar: Some("https://social.example/a.png"),
            origin: "https://social.example",
        });
        let found = read(&serde_json::to_vec(&ours).unwrap()).unwrap().unwrap();
        assert_eq!(found.actor, "https://social.example/ap/users/1");
        let handle = Handle { username: "ana".into(), domain: Some("social.example".into()) };
        assert_eq!(found.subject, Some(handle));
    }

    #[test]
    fn answers_without_an_actor_name_nobody() {
        let check = |document: &str| assert_eq!(read(document.as_bytes()), Ok(None), "{document}");
        check("{}");
        check(r#"{"links":"x"}"#);
        check(r#"{"links":[{"rel":"self","type":"text/html","href":"https://a.example/"}]}"#);
        check(r#"{"links":[{"rel":"self","type":"application/activity+json","href":"javascript:x"}]}"#);
        assert!(read(&[b' '; ANSWER_MAX_BYTES + 1]).is_err());
    }

    #[test]
    fn only_two_media_types_are_activities() {
        for good in [
            "application/activity+json",
            "Application/Activity+JSON; charset=utf-8",
            "application/ld+json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/ld+json; charset=utf-8; profile=\"x https://www.w3.org/ns/activitystreams\"",
        ] {
            assert!(is_activity_type(good), "{good}");
        }
        for bad in [
            "",
            "application/json",
            "text/html",
            "application/ld+json",
            "image/png",
            "application/ld+json; profile=\"x\"",
        ] {
            assert!(!is_activity_type(bad), "{bad}");
        }
    }
}
