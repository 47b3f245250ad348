//! Webhooks, for those who run the server.

use super::{Faults, When};
use crate::base::Timestamp;
use crate::domain::delivery::authority_of;
use crate::model::{Webhook, WebhookEvent};

/// Events as words for people, in the order of the form.
pub const WEBHOOK_EVENTS: [(WebhookEvent, &str); 7] = [
    (WebhookEvent::AccountCreated, "Somebody signs up"),
    (WebhookEvent::AccountApproved, "Somebody may use their account"),
    (WebhookEvent::AccountUpdated, "A profile here changes"),
    (WebhookEvent::ReportCreated, "Somebody is reported"),
    (WebhookEvent::ReportUpdated, "A report is worked on"),
    (WebhookEvent::StatusCreated, "Somebody here posts or boosts"),
    (WebhookEvent::StatusUpdated, "Somebody here edits a post"),
];

/// A webhook that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookView {
    /// Its id.
    pub id: String,
    /// Where it is told.
    pub url: String,
    /// The host of that, by which the list of deliveries is searched.
    pub host: String,
    /// The words of what it is told.
    pub events: Vec<String>,
    /// Whether it is told at all.
    pub is_enabled: bool,
    /// When it was made.
    pub created: When,
}

impl WebhookView {
    /// Of a webhook.
    pub fn new(webhook: &Webhook, now: Timestamp) -> WebhookView {
        WebhookView {
            id: webhook.id.to_string(),
            url: webhook.url.clone(),
            host: authority_of(&webhook.url).unwrap_or_default(),
            events: webhook.events.iter().map(|event| event.word().to_owned()).collect(),
            is_enabled: webhook.is_enabled,
            created: When::new(webhook.created_at, now),
        }
    }

    /// Whether it is told of this.
    pub fn hears(&self, event: &WebhookEvent) -> bool {
        self.events.iter().any(|word| word == event.word())
    }
}

/// A secret that was just made, shown this once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecret {
    /// Whose.
    pub url: String,
    /// It.
    pub secret: String,
}

/// A webhook that is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookForm {
    /// Where to post.
    pub url: String,
    /// The words of its events.
    pub events: Vec<String>,
    /// What is wrong.
    pub faults: Faults,
}

impl WebhookForm {
    /// Whether it was wished to be told of this.
    pub fn hears(&self, event: &WebhookEvent) -> bool {
        self.events.iter().any(|word| word == event.word())
    }
}
