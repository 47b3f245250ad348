//! Posts that wait for their time (docs: entities/ScheduledStatus).

use serde::Serialize;
use utoipa::ToSchema;

use super::MediaAttachment;
use super::words::{QuotePolicyWord, VisibilityWord};
use crate::model::{self, QuotePolicy, Site};

/// A poll to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduledPoll {
    options: Vec<String>,
    /// Seconds.
    expires_in: u64,
    multiple: bool,
    hide_totals: bool,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ScheduledParams {
    text: String,
    #[schema(required)]
    poll: Option<ScheduledPoll>,
    #[schema(required)]
    media_ids: Option<Vec<String>>,
    #[schema(required)]
    sensitive: Option<bool>,
    #[schema(required)]
    spoiler_text: Option<String>,
    #[schema(required, value_type = Option<VisibilityWord>)]
    visibility: Option<&'static str>,
    #[schema(required)]
    language: Option<String>,
    #[schema(required)]
    in_reply_to_id: Option<u64>,
    #[schema(required)]
    application_id: Option<u64>,
    /// Always null: it is scheduled once.
    #[schema(required)]
    scheduled_at: Option<String>,
    /// Always null.
    #[schema(required)]
    idempotency: Option<String>,
    with_rate_limit: bool,
    #[schema(required)]
    quoted_status_id: Option<String>,
    #[schema(value_type = QuotePolicyWord)]
    quote_approval_policy: &'static str,
}

/// A post that waits for its time.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScheduledStatus {
    id: String,
    #[schema(format = DateTime)]
    scheduled_at: String,
    params: ScheduledParams,
    media_attachments: Vec<MediaAttachment>,
}

/// The word for a policy that can be set; everybody where none was.
fn policy(policy: Option<&QuotePolicy>) -> &'static str {
    match policy.map(|policy| policy.automatic.first()) {
        None => "public",
        Some(None) => "nobody",
        Some(Some(group)) => group.word(),
    }
}

impl ScheduledStatus {
    /// The post as its author sees it.
    pub fn new(site: &Site, row: &model::Scheduled) -> ScheduledStatus {
        let poll = row.poll.as_ref().map(|poll| ScheduledPoll {
            options: poll.options.clone(),
            expires_in: poll.expires_in_s,
            multiple: poll.multiple,
            hide_totals: poll.hide_totals,
        });
        let media: Vec<String> = row.attachments.iter().map(|media| media.id.to_string()).collect();
        ScheduledStatus {
            id: row.id.to_string(),
            scheduled_at: row.at.rfc3339(),
            params: ScheduledParams {
                text: row.text.clone(),
                poll,
                media_ids: (!media.is_empty()).then_some(media),
                sensitive: row.sensitive,
                spoiler_text: Some(row.spoiler_text.clone()).filter(|text| !text.is_empty()),
                visibility: row.visibility.map(model::Visibility::word),
                language: row.language.clone(),
                in_reply_to_id: row.in_reply_to.map(|id| id.0),
                application_id: None,
                scheduled_at: None,
                idempotency: None,
                with_rate_limit: false,
                quoted_status_id: row.quote.map(|id| id.to_string()),
                quote_approval_policy: policy(row.quote_policy.as_ref()),
            },
            media_attachments: row
                .attachments
                .iter()
                .map(|media| MediaAttachment::new(site, media))
                .collect(),
        }
    }
}
