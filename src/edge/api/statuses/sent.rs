//! What clients send to publish and to edit, for the API's description. The
//! handlers read it leniently, as Mastodon's clients write it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::wire::mastodon::words::{QuotePolicyWord, VisibilityWord};
use crate::wire::mastodon::{ScheduledStatus, Status};

/// A poll to be asked.
#[derive(Debug, ToSchema)]
#[allow(dead_code)] // a description only
pub(super) struct SentPoll {
    /// Two to four answers of at most 50 characters.
    options: Vec<String>,
    /// Seconds, from five minutes to a month.
    expires_in: u64,
    multiple: Option<bool>,
    hide_totals: Option<bool>,
}

/// A new post.
#[derive(Debug, ToSchema)]
#[allow(dead_code)] // a description only
pub(super) struct NewStatus {
    /// Its text; may be blank where media are shown.
    status: Option<String>,
    spoiler_text: Option<String>,
    sensitive: Option<bool>,
    visibility: Option<VisibilityWord>,
    language: Option<String>,
    in_reply_to_id: Option<String>,
    media_ids: Option<Vec<String>>,
    poll: Option<SentPoll>,
    /// At least five minutes ahead; one in the past counts for nothing.
    #[schema(format = DateTime)]
    scheduled_at: Option<String>,
    /// The post it quotes.
    quoted_status_id: Option<String>,
    /// Who may quote it.
    quote_approval_policy: Option<QuotePolicyWord>,
}

/// Changes to a file that a post shows.
#[derive(Debug, ToSchema)]
#[allow(dead_code)] // a description only
pub(super) struct SentMedia {
    id: String,
    description: Option<String>,
    /// Focal point: two numbers from -1 to 1 with a comma between them.
    focus: Option<String>,
}

/// A post after an edit, as a whole: without a poll it has none any more.
#[derive(Debug, ToSchema)]
#[allow(dead_code)] // a description only
pub(super) struct EditedStatus {
    status: Option<String>,
    spoiler_text: Option<String>,
    sensitive: Option<bool>,
    language: Option<String>,
    media_ids: Option<Vec<String>>,
    media_attributes: Option<Vec<SentMedia>>,
    poll: Option<SentPoll>,
    /// Who may quote it.
    quote_approval_policy: Option<QuotePolicyWord>,
}

/// The post, or the one that waits for its time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Published {
    /// Published now.
    Status(Box<Status>),
    /// To be published later.
    Scheduled(Box<ScheduledStatus>),
}
