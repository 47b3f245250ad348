//! Posts that are to be published later.

use minicbor::{Decode, Encode};

use super::{Application, Attachment, NewPoll, QuotePolicy, Visibility};
use crate::base::{Id, Timestamp};
use crate::store::Record;

/// A post as it was typed, with its time. What is `None` will follow the
/// author's defaults of that time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Scheduled {
    /// Our id; sorts by when it was written.
    #[n(0)]
    pub id: Id,
    /// Who wrote it.
    #[n(1)]
    pub account: Id,
    /// When it is to be published.
    #[n(2)]
    pub at: Timestamp,
    /// The text.
    #[n(3)]
    pub text: String,
    /// Content warning.
    #[n(4)]
    pub spoiler_text: String,
    /// Who may see it.
    #[n(5)]
    pub visibility: Option<Visibility>,
    /// Media are hidden behind a warning.
    #[n(6)]
    pub sensitive: Option<bool>,
    /// ISO 639 code.
    #[n(7)]
    pub language: Option<String>,
    /// The post it answers.
    #[n(8)]
    pub in_reply_to: Option<Id>,
    /// Uploads that it will show.
    #[n(9)]
    pub attachments: Vec<Attachment>,
    /// Its poll; the time runs from publication.
    #[n(10)]
    pub poll: Option<NewPoll>,
    /// The app it was written with.
    #[n(11)]
    pub application: Option<Application>,
    /// The post it quotes.
    #[n(12)]
    pub quote: Option<Id>,
    /// Who may quote it.
    #[n(13)]
    pub quote_policy: Option<QuotePolicy>,
}

impl Record for Scheduled {}
