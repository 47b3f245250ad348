//! Addresses that are told what happens here, as those who run the server
//! wish (docs: admin/webhooks).

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// What a webhook may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum WebhookEvent {
    /// Somebody here may use their account from now on.
    #[n(0)]
    AccountApproved,
    /// Somebody signed up.
    #[n(1)]
    AccountCreated,
    /// Somebody here changed their profile, or moderators changed it.
    #[n(2)]
    AccountUpdated,
    /// Somebody is reported.
    #[n(3)]
    ReportCreated,
    /// A report is looked into, resolved or changed.
    #[n(4)]
    ReportUpdated,
    /// Somebody here posts or boosts.
    #[n(5)]
    StatusCreated,
    /// Somebody here edits a post.
    #[n(6)]
    StatusUpdated,
}

impl WebhookEvent {
    /// Every event.
    pub const ALL: [WebhookEvent; 7] = [
        WebhookEvent::AccountApproved,
        WebhookEvent::AccountCreated,
        WebhookEvent::AccountUpdated,
        WebhookEvent::ReportCreated,
        WebhookEvent::ReportUpdated,
        WebhookEvent::StatusCreated,
        WebhookEvent::StatusUpdated,
    ];

    /// Mastodon's word for it (app/models/webhook.rs).
    pub const fn word(self) -> &'static str {
        match self {
            WebhookEvent::AccountApproved => "account.approved",
            WebhookEvent::AccountCreated => "account.created",
            WebhookEvent::AccountUpdated => "account.updated",
            WebhookEvent::ReportCreated => "report.created",
            WebhookEvent::ReportUpdated => "report.updated",
            WebhookEvent::StatusCreated => "status.created",
            WebhookEvent::StatusUpdated => "status.updated",
        }
    }

    /// From Mastodon's word.
    pub fn from_word(word: &str) -> Option<WebhookEvent> {
        WebhookEvent::ALL.into_iter().find(|event| event.word() == word)
    }
}

/// An address that is told of events.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Webhook {
    /// Its id.
    #[n(0)]
    pub id: Id,
    /// Where to post. It may hold a secret, so it is never logged.
    #[n(1)]
    pub url: String,
    /// Of what it is told.
    #[n(2)]
    pub events: Vec<WebhookEvent>,
    /// The key of its signatures.
    #[n(3)]
    pub secret: String,
    /// Whether it is told at all.
    #[n(4)]
    pub is_enabled: bool,
    /// When it was made.
    #[n(5)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(6)]
    pub updated_at: Timestamp,
}

impl Record for Webhook {}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({}, {:?}, enabled: {})", self.id, self.events, self.is_enabled)
    }
}
