//! One client's subscriptions, and what it is told. The same for WebSocket
//! and SSE.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::channel::{Asked, Channel, Refusal};
use super::{announcements, render};
use crate::base::{Id, Problem};
use crate::domain::conversation;
use crate::domain::list::{self, ListError};
use crate::domain::notification;
use crate::domain::timeline;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::edge::api::conversations::entity as conversation_entity;
use crate::model::{Event, FilterContext, Scopes};
use crate::net::hub::{Listener, News, Topic};

/// Subscriptions of one client.
pub(super) const CHANNELS_MAX: usize = 64;

/// A client with a token.
pub(super) struct Session {
    state: AppState,
    me: Id,
    scopes: Scopes,
    channels: Vec<Subscription>,
    /// What happens; none of it is for this client before it subscribes.
    pub(super) news: Listener,
}

struct Subscription {
    channel: Channel,
    names: Vec<String>,
}

/// What happened, without the channels that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) event: &'static str,
    /// JSON, or a bare id; nothing where there is nothing to say.
    pub(super) payload: Option<String>,
}

/// A message of the WebSocket.
#[derive(Serialize)]
struct Envelope<'a> {
    stream: &'a [String],
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
}

impl Session {
    pub(super) fn new(state: AppState, me: Id, scopes: Scopes, news: Listener) -> Session {
        Session { state, me, scopes, channels: Vec::new(), news }
    }

    /// Adds a channel; one that is there already stays as it is.
    ///
    /// # Errors
    /// Why not.
    pub(super) async fn subscribe(&mut self, asked: &Asked) -> Result<(), Refusal> {
        let channel = Channel::read(asked, &self.scopes)?;
        if self.channels.iter().any(|one| one.channel == channel) {
            return Ok(());
        }
        if self.channels.len() >= CHANNELS_MAX {
            return Err(Refusal::TOO_MANY);
        }
        if let Channel::List(list) = channel {
            self.check_list(list).await?;
        }
        self.channels.push(Subscription { channel, names: asked.names() });
        self.listen();
        Ok(())
    }

    /// Takes a channel away, if it is there.
    ///
    /// # Errors
    /// When it is none at all.
    pub(super) fn unsubscribe(&mut self, asked: &Asked) -> Result<(), Refusal> {
        let channel = Channel::read(asked, &self.scopes)?;
        self.channels.retain(|one| one.channel != channel);
        self.listen();
        Ok(())
    }

    fn listen(&self) {
        let mut topics: Vec<Topic> = Vec::new();
        for topic in self.channels.iter().flat_map(|one| one.channel.topics(self.me)) {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        self.news.turn_to(topics);
    }

    /// Whether the list is theirs.
    async fn check_list(&self, list: Id) -> Result<(), Refusal> {
        let owner = self.me;
        let found = self.state.store.read(move |tx| list::get(tx, owner, list)).await;
        found.map(|_| ()).map_err(|error| match error {
            ListError::Store(_) => Refusal::BUSY,
            _ => Refusal::LIST,
        })
    }

    /// The WebSocket's messages for this news, one for each channel.
    pub(super) async fn messages(&self, news: &News) -> Vec<String> {
        let carriers: Vec<&Subscription> =
            self.channels.iter().filter(|one| one.channel.carries(news)).collect();
        if carriers.is_empty() {
            return Vec::new();
        }
        let Some(said) = self.say(news).await else { return Vec::new() };
        let envelope = |one: &&Subscription| {
            let Said { event, payload } = &said;
            serde_json::to_string(&Envelope { stream: &one.names, event, payload: payload.as_deref() })
        };
        carriers.iter().filter_map(|one| envelope(one).ok()).collect()
    }

    /// What there is to say of this news to the one who listens, if any of
    /// their channels carries it.
    pub(super) async fn tidings(&self, news: &News) -> Option<Said> {
        if !self.channels.iter().any(|one| one.channel.carries(news)) {
            return None;
        }
        self.say(news).await
    }

    /// Reads it as the one who listens sees it. Failures are silent: whoever
    /// misses something finds it when they read the timeline.
    async fn say(&self, news: &News) -> Option<Said> {
        use FilterContext::{Home, Public};
        let event = match news {
            News::Changed(held) => return self.status("status.update", held.status, Home).await,
            News::Gone(held) => return said("delete", held.status.to_string()),
            News::Missed => return None,
            News::Event(event) => Arc::clone(event),
        };
        match &*event {
            Event::Home { status, .. } | Event::Listed { status, .. } => {
                self.status("update", *status, Home).await
            }
            Event::Public { status, .. } => self.status("update", *status, Public).await,
            Event::Edited { status, .. } => self.status("status.update", *status, Public).await,
            Event::Deleted { status, .. } => said("delete", status.to_string()),
            Event::Notified { notification, .. } => self.notification(*notification).await,
            Event::NotificationsMerged { .. } => said("notifications_merged", "1".into()),
            Event::FiltersChanged { .. } => Some(Said { event: "filters_changed", payload: None }),
            Event::Announcement { announcement } => {
                let entity = self.announcement(*announcement).await?;
                said("announcement", entity.to_string())
            }
            Event::AnnouncementReaction { announcement, name, count } => {
                let mut reaction = self.reaction(*announcement, name).await;
                reaction["name"] = json!(name);
                reaction["count"] = json!(count);
                reaction["announcement_id"] = json!(announcement.to_string());
                said("announcement.reaction", reaction.to_string())
            }
            Event::AnnouncementDeleted { announcement } => {
                said("announcement.delete", announcement.to_string())
            }
            Event::Conversation { conversation, .. } => self.conversation(*conversation).await,
            Event::Revoked { .. } | Event::Barred { .. } => None,
        }
    }

    fn viewer(&self) -> Viewer {
        Viewer::account(self.me, self.state.now())
    }

    /// A post, if they may see it and want to see it there.
    async fn status(&self, event: &'static str, status: Id, place: FilterContext) -> Option<Said> {
        let viewer = self.viewer();
        let read = self.state.store.read(move |tx| timeline::load_one(tx, viewer, status)).await;
        let loaded = readable(read)?.filter(|loaded| !loaded.is_silenced && !loaded.is_hidden(place))?;
        let entity = render::status(&self.state.site, viewer.id, &loaded);
        said(event, serde_json::to_string(&entity).ok()?)
    }

    async fn conversation(&self, id: Id) -> Option<Said> {
        let viewer = self.viewer();
        let read = self.state.store.read(move |tx| conversation::get(tx, viewer, id)).await;
        let entity = conversation_entity(&self.state, viewer.id, &readable(read)??);
        said("conversation", serde_json::to_string(&entity).ok()?)
    }

    async fn notification(&self, id: Id) -> Option<Said> {
        let viewer = self.viewer();
        let read = self.state.store.read(move |tx| notification::get(tx, viewer, id)).await;
        let alert = readable(read)??;
        let entity = render::notification(&self.state.site, self.me, &alert);
        said("notification", serde_json::to_string(&entity).ok()?)
    }
}

impl Session {
    async fn announcement(&self, id: Id) -> Option<Value> {
        let read = announcements::one(&self.state, self.me, id).await;
        serde_json::to_value(readable(read)??).ok()
    }

    /// The addresses of a custom emoji that is a reaction; an empty object for
    /// one that is text.
    async fn reaction(&self, announcement: Id, name: &str) -> Value {
        let entity = self.announcement(announcement).await.unwrap_or_default();
        let mut all = entity["reactions"].as_array().into_iter().flatten();
        match all.find(|one| one["name"] == name && one["url"].is_string()) {
            Some(custom) => json!({ "url": custom["url"], "static_url": custom["static_url"] }),
            None => json!({}),
        }
    }
}

fn said(event: &'static str, payload: String) -> Option<Said> {
    Some(Said { event, payload: Some(payload) })
}

fn readable<T>(read: Result<T, crate::store::StoreError>) -> Option<T> {
    read.inspect_err(|error| tracing::debug!(%error, "live news not read")).ok()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal.status {
            403 => Problem::forbidden(refusal.error),
            404 => Problem::new(crate::base::ProblemKind::NotFound, refusal.error),
            503 => Problem::new(crate::base::ProblemKind::Unavailable, refusal.error),
            429 => Problem::new(crate::base::ProblemKind::TooMany, refusal.error),
            _ => Problem::malformed(refusal.error),
        }
    }
}
