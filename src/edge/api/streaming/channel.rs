//! What a client can subscribe to, by the names that Mastodon gave it.

use std::sync::Arc;

use serde::Deserialize;

use crate::base::Id;
use crate::domain::oauth::scopes;
use crate::model::{Audience, Event, Scopes, Status};
use crate::net::hub::{News, Topic};

/// Bytes of a hashtag that is listened to.
const TAG_MAX_BYTES: usize = 256;

/// What a client asks for, in a query string or a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Asked {
    /// The channel's name.
    #[serde(default)]
    pub(super) stream: String,
    /// The hashtag of a hashtag channel.
    #[serde(default)]
    pub(super) tag: Option<String>,
    /// The list of the list channel.
    #[serde(default)]
    pub(super) list: Option<String>,
}

/// Why a client does not get a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: &'static str,
}

impl Refusal {
    pub(super) const UNKNOWN: Refusal = Refusal { status: 400, error: "Unknown stream type" };
    pub(super) const NO_TAG: Refusal = Refusal { status: 400, error: "Missing tag name parameter" };
    pub(super) const NO_LIST: Refusal = Refusal { status: 400, error: "Missing list name parameter" };
    pub(super) const SCOPE: Refusal =
        Refusal { status: 403, error: "Access token does not have the required scopes" };
    pub(super) const LIST: Refusal = Refusal { status: 404, error: "Not authorized to stream this list" };
    pub(super) const BUSY: Refusal = Refusal { status: 503, error: "The server is busy" };
    pub(super) const TOO_MANY: Refusal = Refusal { status: 429, error: "Too many subscriptions" };
}

/// Which public posts a channel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Anywhere,
    Here,
    Elsewhere,
}

/// A channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Channel {
    /// The home timeline, with the notifications if the token may read them.
    User { notifications: bool },
    /// The notifications alone.
    Notifications,
    /// Public posts.
    Public { from: Origin, only_media: bool },
    /// Public posts with a hashtag.
    Tag { key: Arc<str>, only_local: bool },
    /// Posts of one of the person's lists.
    List(Id),
    /// Conversations.
    Direct,
}

impl Channel {
    /// Reads what was asked for; whether a list is theirs is for the caller.
    ///
    /// # Errors
    /// What is wrong with it, or that the token may not.
    pub(super) fn read(asked: &Asked, allowed: &Scopes) -> Result<Channel, Refusal> {
        use Origin::{Anywhere, Elsewhere, Here};
        let public = |from, only_media| Ok(Channel::Public { from, only_media });
        let may = |scope: &str| scopes::covers(allowed, scope);
        let needs = |scope: &str| if may(scope) { Ok(()) } else { Err(Refusal::SCOPE) };
        match asked.stream.as_str() {
            "public" => public(Anywhere, false),
            "public:media" => public(Anywhere, true),
            "public:local" => public(Here, false),
            "public:local:media" => public(Here, true),
            "public:remote" => public(Elsewhere, false),
            "public:remote:media" => public(Elsewhere, true),
            "hashtag" => asked.hashtag(false),
            "hashtag:local" => asked.hashtag(true),
            "user" => {
                needs("read:statuses")?;
                Ok(Channel::User { notifications: may("read:notifications") })
            }
            "user:notification" => needs("read:notifications").map(|()| Channel::Notifications),
            "direct" => needs("read:statuses").map(|()| Channel::Direct),
            "list" => {
                needs("read:statuses")?;
                let list = asked.list.as_deref().filter(|list| !list.is_empty()).ok_or(Refusal::NO_LIST)?;
                list.parse().map(Channel::List).map_err(|_| Refusal::LIST)
            }
            _ => Err(Refusal::UNKNOWN),
        }
    }

    /// What to listen to for it.
    pub(super) fn topics(&self, me: Id) -> Vec<Topic> {
        match self {
            Channel::User { notifications } => {
                let mut topics = vec![Topic::Home(me), Topic::Account(me), Topic::Announcements];
                topics.extend(notifications.then_some(Topic::Notifications(me)));
                topics
            }
            Channel::Notifications => vec![Topic::Notifications(me)],
            Channel::Public { from: Origin::Anywhere, .. } => vec![Topic::Public],
            Channel::Public { from: Origin::Here, .. } => vec![Topic::Local],
            Channel::Public { from: Origin::Elsewhere, .. } => vec![Topic::Remote],
            Channel::Tag { key, .. } => vec![Topic::Tag(key.clone())],
            Channel::List(list) => vec![Topic::List(*list)],
            Channel::Direct => vec![Topic::Conversations(me)],
        }
    }

    /// Whether it carries this news; they reach everyone who listens to any of
    /// its topics.
    pub(super) fn carries(&self, news: &News) -> bool {
        let event = match news {
            News::Changed(held) | News::Gone(held) => {
                return match held.list {
                    None => matches!(self, Channel::User { .. }),
                    Some(list) => *self == Channel::List(list),
                };
            }
            News::Missed => return false,
            News::Event(event) => &**event,
        };
        match event {
            Event::Public { audience, .. }
            | Event::Edited { audience, .. }
            | Event::Deleted { audience, .. } => self.shows(audience),
            Event::Home { .. }
            | Event::FiltersChanged { .. }
            | Event::Announcement { .. }
            | Event::AnnouncementReaction { .. }
            | Event::AnnouncementDeleted { .. } => matches!(self, Channel::User { .. }),
            Event::Notified { .. } | Event::NotificationsMerged { .. } => {
                matches!(self, Channel::Notifications | Channel::User { notifications: true })
            }
            Event::Listed { list, .. } => *self == Channel::List(*list),
            Event::Conversation { .. } => *self == Channel::Direct,
            Event::Revoked { .. } | Event::Barred { .. } => false,
        }
    }

    fn shows(&self, post: &Audience) -> bool {
        match self {
            Channel::Public { from, only_media } => {
                let fits = match from {
                    Origin::Anywhere => true,
                    Origin::Here => post.is_local,
                    Origin::Elsewhere => !post.is_local,
                };
                post.is_public && !post.is_answer && fits && (!only_media || post.has_media)
            }
            Channel::Tag { key, only_local } => {
                post.is_public && (!only_local || post.is_local) && post.tags.iter().any(|tag| **tag == **key)
            }
            _ => false,
        }
    }
}

impl Asked {
    /// The names in each message: the channel, and which hashtag or list.
    pub(super) fn names(&self) -> Vec<String> {
        let which = match self.stream.as_str() {
            "list" => self.list.clone(),
            "hashtag" | "hashtag:local" => self.tag.clone(),
            _ => None,
        };
        std::iter::once(self.stream.clone()).chain(which).collect()
    }

    fn hashtag(&self, only_local: bool) -> Result<Channel, Refusal> {
        let tag = self.tag.as_deref().map(|tag| tag.trim_start_matches('#'));
        let tag = tag.filter(|tag| !tag.is_empty() && tag.len() <= TAG_MAX_BYTES).ok_or(Refusal::NO_TAG)?;
        Ok(Channel::Tag { key: Status::tag_key(tag).into(), only_local })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str, tag: Option<&str>, list: Option<&str>, scopes: &str) -> Result<Channel, Refusal> {
        let asked =
            Asked { stream: stream.into(), tag: tag.map(str::to_owned), list: list.map(str::to_owned) };
        Channel::read(&asked, &scopes.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn channels_are_named_as_in_mastodon_and_take_their_scope() {
        let home = Channel::User { notifications: true };
        let cases = [
            (read("user", None, None, "read"), Ok(home)),
            (read("user", None, None, "read:statuses"), Ok(Channel::User { notifications: false })),
            (read("user", None, None, "write read:notifications"), Err(Refusal::SCOPE)),
            (read("user:notification", None, None, "read:notifications"), Ok(Channel::Notifications)),
            (read("user:notification", None, None, "read:statuses"), Err(Refusal::SCOPE)),
            (read("direct", None, None, "write"), Err(Refusal::SCOPE)),
            (read("list", None, None, "read"), Err(Refusal::NO_LIST)),
            (read("list", None, Some("x"), "read"), Err(Refusal::LIST)),
            (read("list", None, Some("7"), "read"), Ok(Channel::List(Id(7)))),
            (read("hashtag", None, None, "write"), Err(Refusal::NO_TAG)),
            (read("hashtag", Some(""), None, "write"), Err(Refusal::NO_TAG)),
            (
                read("hashtag:local", Some("#Rust"), None, "write"),
                Ok(Channel::Tag { key: "rust".into(), only_local: true }),
            ),
            (
                read("public:remote:media", None, None, "write"),
                Ok(Channel::Public { from: Origin::Elsewhere, only_media: true }),
            ),
            (read("", None, None, "read"), Err(Refusal::UNKNOWN)),
            (read("everything", None, None, "read"), Err(Refusal::UNKNOWN)),
        ];
        for (got, expected) in cases {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_public_channel_carries_what_its_timeline_shows() {
        let post = |change: fn(&mut Audience)| {
            let mut audience = Audience { is_public: true, is_local: true, ..Audience::default() };
            change(&mut audience);
            News::Event(Arc::new(Event::Public { status: Id(1), audience }))
        };
        let all = [
            post(|_| ()),
            post(|post| post.is_local = false),
            post(|post| post.has_media = true),
            post(|post| post.is_answer = true),
            post(|post| (post.tags, post.is_answer) = (vec!["rust".into()], true)),
            post(|post| post.is_public = false),
        ];
        let cases = [
            ("public", [true, true, true, false, false, false]),
            ("public:local", [true, false, true, false, false, false]),
            ("public:remote", [false, true, false, false, false, false]),
            ("public:media", [false, false, true, false, false, false]),
            ("public:local:media", [false, false, true, false, false, false]),
            ("public:remote:media", [false; 6]),
            ("hashtag", [false, false, false, false, true, false]),
            ("user", [false; 6]),
        ];
        for (name, expected) in cases {
            let channel = read(name, Some("Rust"), None, "read").unwrap();
            assert_eq!(all.each_ref().map(|news| channel.carries(news)), expected, "{name}");
        }
    }
}
