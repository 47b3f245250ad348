//! Posts and notifications.

use super::{CardView, PersonView, QuoteLeave, QuotedView, When};
use crate::model::{NotificationKind, Visibility};

/// What sort of file is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A moving picture, silent or not.
    Video,
    /// Sound.
    Audio,
    /// Anything else: a link.
    Other,
}

/// A file attached to a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaView {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is.
    pub url: String,
    /// A smaller picture of it; may be the same address.
    pub preview_url: String,
    /// What it shows, in words; may be empty.
    pub alt: String,
    /// Pixels, width then height, so that the page leaves room for it.
    pub size: Option<(u32, u32)>,
}

/// An answer of a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceView {
    /// Its text.
    pub title: String,
    /// The same as HTML, with pictures for custom emojis.
    pub title_html: String,
    /// Votes for it of all votes, in hundredths; `None` while that is hidden.
    pub percent: Option<u64>,
    /// The reader voted for it.
    pub is_mine: bool,
}

/// A poll as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollView {
    /// Its answers.
    pub choices: Vec<ChoiceView>,
    /// Several may be chosen.
    pub multiple: bool,
    /// The reader may vote now.
    pub can_vote: bool,
    /// All votes.
    pub votes: u64,
    /// Voting has ended.
    pub is_over: bool,
    /// When it ends or ended.
    pub ends: Option<When>,
}

/// What a post answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo {
    /// The address of whom it answers, as on [`PersonView::acct`].
    pub acct: String,
    /// The page of the answered post, if it is known.
    pub path: Option<String>,
}

/// A post as one reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostView {
    /// The post's id (of the post itself, also when it is shown as a boost).
    pub id: String,
    /// The id of its row in the list: the boost's id when boosted.
    pub entry_id: String,
    /// The post's page here: `/@ana/1`.
    pub path: String,
    /// Its page at home, if that is another server.
    pub remote_url: Option<String>,
    /// The ActivityPub id, for `<link rel="alternate">`.
    pub activity_url: Option<String>,
    /// Who wrote it.
    pub author: PersonView,
    /// Who boosted it into this list.
    pub boosted_by: Option<PersonView>,
    /// What it answers.
    pub reply_to: Option<ReplyTo>,
    /// When it was written.
    pub created: When,
    /// When it was last changed.
    pub edited: Option<When>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Content warning; empty for none.
    pub spoiler: String,
    /// The same as HTML, with pictures for custom emojis.
    pub spoiler_html: String,
    /// The text: clean HTML.
    pub content_html: String,
    /// The text without markup, for previews elsewhere.
    pub content_text: String,
    /// BCP 47 tag; empty when unknown.
    pub language: String,
    /// Attached files are covered until asked for.
    pub is_sensitive: bool,
    /// Attached files.
    pub media: Vec<MediaView>,
    /// Its poll.
    pub poll: Option<PollView>,
    /// What it quotes.
    pub quote: Option<QuotedView>,
    /// The preview of its link.
    pub card: Option<CardView>,
    /// Whether the reader may quote it.
    pub leave: QuoteLeave,
    /// How many quotes are known.
    pub quotes: u64,
    /// How many replies are known.
    pub replies: u64,
    /// How many boosts are known.
    pub boosts: u64,
    /// How many likes are known.
    pub likes: u64,
    /// The reader likes it.
    pub is_liked: bool,
    /// The reader boosted it.
    pub is_boosted: bool,
    /// The reader keeps it.
    pub is_bookmarked: bool,
    /// The reader pinned it to their profile.
    pub is_pinned: bool,
    /// The reader hears no more of its thread.
    pub is_thread_muted: bool,
    /// The reader wrote it.
    pub is_mine: bool,
    /// It is the one its page is about.
    pub is_focus: bool,
}

/// Bytes of a text's HTML from which on lists show only its beginning: more
/// than any post of this server has.
const LONG_MIN_BYTES: usize = 6000;

impl PostView {
    /// Whether only the beginning of its text is shown here.
    pub fn is_long(&self) -> bool {
        !self.is_focus && self.content_html.len() >= LONG_MIN_BYTES
    }

    /// Whether its visibility lets the reader boost it.
    pub fn can_boost(&self) -> bool {
        self.visibility.is_open() || (self.is_mine && self.visibility == Visibility::Private)
    }

    /// Whether the reader may pin it to their profile.
    pub fn can_pin(&self) -> bool {
        self.is_mine && self.visibility != Visibility::Direct
    }

    /// A line to recall it by.
    pub fn recall(&self) -> &str {
        match (self.spoiler.as_str(), self.content_text.as_str()) {
            ("", "") => "A post without words",
            ("", text) => text,
            (warning, _) => warning,
        }
    }

    /// Whether the quoted post is shown; then the link to it in the text,
    /// which is for readers that know no quotes, is not.
    pub fn shows_quote(&self) -> bool {
        self.quote.as_ref().is_some_and(|quoted| quoted.post.is_some())
    }

    /// The page on which to quote it.
    pub fn quote_path(&self) -> String {
        format!("/compose?quote={}", self.id)
    }

    /// Whether it shows a post of the reader's, who can take that back.
    pub fn quotes_reader(&self) -> Option<&PostView> {
        self.quote.as_ref()?.post.as_deref().filter(|quoted| quoted.is_mine && !self.is_mine)
    }

    /// The page of its quotes.
    pub fn quotes_path(&self) -> String {
        format!("{}/quotes", self.path)
    }

    /// The page on which to answer it.
    pub fn reply_path(&self) -> String {
        format!("/compose?reply_to={}", self.id)
    }
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationView {
    /// Its id.
    pub id: String,
    /// What it tells.
    pub kind: NotificationKind,
    /// Who caused it.
    pub from: PersonView,
    /// When.
    pub created: When,
    /// The post it is about.
    pub post: Option<PostView>,
    /// What is said of it besides.
    pub detail: Option<String>,
    /// Newer than what the reader saw last.
    pub is_new: bool,
}

impl NotificationView {
    /// Whether it is the server's own word, and from nobody else.
    pub fn is_from_server(&self) -> bool {
        matches!(self.kind, NotificationKind::ModerationWarning | NotificationKind::SeveredRelationships)
    }

    /// Whether it tells of lost follows, which are listed elsewhere.
    pub fn is_severance(&self) -> bool {
        self.kind == NotificationKind::SeveredRelationships
    }

    /// Whether it waits for an answer.
    pub fn is_request(&self) -> bool {
        self.kind == NotificationKind::FollowRequest
    }

    /// Whether the post is shown whole, to be answered, or only recalled.
    pub fn shows_whole_post(&self) -> bool {
        matches!(self.kind, NotificationKind::Mention | NotificationKind::Status)
    }
}
