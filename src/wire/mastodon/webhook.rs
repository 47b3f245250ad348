//! Webhooks as those who run the server see them. Mastodon has pages for
//! them and no API; the entity is Waxwing's own.

use serde::Serialize;
use utoipa::ToSchema;

use crate::model;

/// An address that is told of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Webhook {
    id: String,
    #[schema(format = "uri")]
    url: String,
    events: Vec<&'static str>,
    enabled: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// The key of the signatures. Only where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Webhook {
    /// The same with its secret.
    #[must_use]
    pub fn with_secret(record: &model::Webhook) -> Webhook {
        Webhook { secret: Some(record.secret.clone()), ..record.into() }
    }
}

impl From<&model::Webhook> for Webhook {
    fn from(record: &model::Webhook) -> Webhook {
        Webhook {
            id: record.id.to_string(),
            url: record.url.clone(),
            events: record.events.iter().map(|event| event.word()).collect(),
            enabled: record.is_enabled,
            created_at: record.created_at.rfc3339(),
            updated_at: record.updated_at.rfc3339(),
            secret: None,
        }
    }
}
