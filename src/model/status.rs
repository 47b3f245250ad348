//! Posts and boosts.

use minicbor::{Decode, Encode};

use super::queue::OrderKey;
use super::queue::tables::{REACH, UNSENT};
use super::tables::{
    LINK_TIMELINE, LOCAL_TIMELINE, PUBLIC_TIMELINE, STATUS, STATUS_BY_AUTHOR, STATUS_BY_THREAD,
    STATUS_BY_URI, STATUS_REBLOGS, STATUS_REPLIES, TAG_TIMELINE,
};
use super::{Ballot, Poll, Quote, QuotePolicy, TimelineEntry, feed};
use crate::base::{Id, Timestamp};
use crate::store::{Record, WriteTx};

/// Who may see a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum Visibility {
    /// Everybody; listed in public timelines.
    #[n(0)]
    #[default]
    Public,
    /// Everybody; not listed.
    #[n(1)]
    Unlisted,
    /// Followers and those mentioned.
    #[n(2)]
    Private,
    /// Only those mentioned.
    #[n(3)]
    Direct,
}

impl Visibility {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Unlisted => "unlisted",
            Visibility::Private => "private",
            Visibility::Direct => "direct",
        }
    }

    /// From the API's word.
    pub fn from_word(word: &str) -> Option<Visibility> {
        Some(match word {
            "public" => Visibility::Public,
            "unlisted" => Visibility::Unlisted,
            "private" => Visibility::Private,
            "direct" => Visibility::Direct,
            _ => return None,
        })
    }

    /// Whether anybody may see it without logging in.
    pub const fn is_open(self) -> bool {
        matches!(self, Visibility::Public | Visibility::Unlisted)
    }
}

/// Somebody named in a post.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mention {
    /// Who.
    #[n(0)]
    pub account: Id,
    /// Name before the @.
    #[n(1)]
    pub username: String,
    /// Handle as seen from here.
    #[n(2)]
    pub acct: String,
    /// Their page.
    #[n(3)]
    pub url: String,
    /// Their actor id.
    #[n(4)]
    pub uri: String,
    /// Addressed but not named in the text (a reply's silent recipients).
    #[n(5)]
    pub is_silent: bool,
}

/// A custom emoji used in a text.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct CustomEmoji {
    /// Name without colons.
    #[n(0)]
    pub shortcode: String,
    /// The picture.
    #[n(1)]
    pub url: String,
}

/// What an attachment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum AttachmentKind {
    /// A picture.
    #[n(0)]
    Image,
    /// A film.
    #[n(1)]
    Video,
    /// Sound.
    #[n(2)]
    Audio,
    /// A film without sound, in a loop.
    #[n(3)]
    Gifv,
    /// Anything else.
    #[n(4)]
    #[default]
    Unknown,
}

/// A picture, film or sound of a post.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Attachment {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// What it is.
    #[n(1)]
    pub kind: AttachmentKind,
    /// Where it is, for remote ones.
    #[n(2)]
    pub remote_url: Option<String>,
    /// Alternative text.
    #[n(3)]
    pub description: Option<String>,
    /// Declared media type.
    #[n(4)]
    pub media_type: Option<String>,
    /// Blurred preview.
    #[n(5)]
    pub blurhash: Option<String>,
    /// Pixels.
    #[n(6)]
    pub width: Option<u32>,
    /// Pixels.
    #[n(7)]
    pub height: Option<u32>,
    /// Focal point in thousandths, x then y, -1000 to 1000.
    #[n(8)]
    pub focus: Option<(i32, i32)>,
    /// The name of the file we keep, for local ones; see [`super::Site::media`].
    #[n(9)]
    pub file: Option<String>,
    /// The name of a smaller picture of it that we keep.
    #[n(10)]
    pub preview: Option<String>,
    /// Pixels of that picture, width then height.
    #[n(11)]
    pub preview_size: Option<(u32, u32)>,
    /// How long it plays.
    #[n(12)]
    pub duration_ms: Option<u64>,
}

/// The app a post was written with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Application {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its page.
    #[n(1)]
    pub website: Option<String>,
}

/// A post, or a boost of one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Status {
    /// Our id; sorts by time.
    #[n(0)]
    pub id: Id,
    /// Who wrote or boosted it.
    #[n(1)]
    pub account: Id,
    /// The ActivityPub id: of the object, or of the Announce for a boost.
    #[n(2)]
    pub uri: String,
    /// The page for people.
    #[n(3)]
    pub url: Option<String>,
    /// Clean HTML.
    #[n(4)]
    pub content_html: String,
    /// What a local author typed; empty for remote posts.
    #[n(5)]
    pub text: String,
    /// Content warning, plain text.
    #[n(6)]
    pub spoiler_text: String,
    /// Who may see it.
    #[n(7)]
    pub visibility: Visibility,
    /// Media are hidden behind a warning.
    #[n(8)]
    pub sensitive: bool,
    /// ISO 639 code.
    #[n(9)]
    pub language: Option<String>,
    /// The post it answers, if we know it.
    #[n(10)]
    pub in_reply_to: Option<Id>,
    /// The author of that post.
    #[n(11)]
    pub in_reply_to_account: Option<Id>,
    /// The id of the post it answers when we do not have it.
    #[n(12)]
    pub in_reply_to_uri: Option<String>,
    /// The post it boosts.
    #[n(13)]
    pub reblog_of: Option<Id>,
    /// The author of the boosted post.
    #[n(14)]
    pub reblog_of_account: Option<Id>,
    /// When it was written.
    #[n(15)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[n(16)]
    pub edited_at: Option<Timestamp>,
    /// Who is named.
    #[n(17)]
    pub mentions: Vec<Mention>,
    /// Hashtags without #, as written, each once.
    #[n(18)]
    pub tags: Vec<String>,
    /// Pictures, films, sounds.
    #[n(19)]
    pub attachments: Vec<Attachment>,
    /// Custom emojis.
    #[n(20)]
    pub emojis: Vec<CustomEmoji>,
    /// The app it was written with.
    #[n(21)]
    pub application: Option<Application>,
    /// Whether the author lives here.
    #[n(22)]
    pub is_local: bool,
    /// The first post of its thread, as far as we know.
    #[n(23)]
    pub thread: Id,
    /// Its poll. See [`Status::save_poll`].
    #[n(24)]
    pub poll: Option<Poll>,
    /// The post it quotes.
    #[n(25)]
    pub quote: Option<Quote>,
    /// Who may quote it; `None` for nobody but its author.
    #[n(26)]
    pub quote_policy: Option<QuotePolicy>,
    /// The first link of its text to another site; its preview card is kept
    /// under this.
    #[n(30)]
    pub link: Option<String>,
}

impl Record for Status {}

impl Status {
    /// Whether it is a boost.
    pub fn is_reblog(&self) -> bool {
        self.reblog_of.is_some()
    }

    /// The id of the post whose content is shown: its own or the boosted.
    pub fn shown(&self) -> Id {
        self.reblog_of.unwrap_or(self.id)
    }

    /// Whether an account is named in it.
    pub fn mentions(&self, account: Id) -> bool {
        self.mentions.iter().any(|m| m.account == account)
    }

    /// What timelines need to know of it without reading it.
    pub fn entry(&self) -> TimelineEntry {
        TimelineEntry {
            account: self.account,
            reblog_of: self.reblog_of,
            reblog_of_account: self.reblog_of_account,
            visibility: self.visibility,
            in_reply_to: self.in_reply_to,
            in_reply_to_account: self.in_reply_to_account,
            has_media: !self.attachments.is_empty(),
            followed_tags: None,
        }
    }

    /// The key form of a hashtag: folded to lower case.
    pub fn tag_key(tag: &str) -> String {
        tag.to_lowercase()
    }

    /// The key forms of its hashtags, in order, each once.
    pub fn tag_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.tags.iter().map(|t| Status::tag_key(t)).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether it is listed in the public timelines.
    fn is_listed(&self) -> bool {
        self.visibility == Visibility::Public && !self.is_reblog()
    }

    /// Keeps the record and its index rows.
    pub fn save(tx: &mut WriteTx<'_>, old: Option<&Status>, new: &Status) {
        if let Some(old) = old {
            Status::unindex(tx, old);
        }
        if !new.is_reblog() {
            feed::touch(tx, feed::POST, new.id, old.map(feed::of_post), feed::of_post(new));
        }
        let entry = new.entry();
        tx.put(STATUS, &new.id, new);
        tx.put(STATUS_BY_URI, &new.uri, &new.id);
        tx.put(STATUS_BY_AUTHOR, &(new.account, new.id), &entry);
        if let Some(parent) = new.in_reply_to {
            tx.put(STATUS_REPLIES, &(parent, new.id), &new.account);
        }
        match new.reblog_of {
            Some(original) => tx.put(STATUS_REBLOGS, &(original, new.id), &new.account),
            None => tx.put(STATUS_BY_THREAD, &(new.thread, new.id), &entry),
        }
        if new.is_listed() {
            tx.put(PUBLIC_TIMELINE, &(new.id,), &entry);
            if new.is_local {
                tx.put(LOCAL_TIMELINE, &(new.id,), &entry);
            }
            for tag in new.tag_keys() {
                tx.put(TAG_TIMELINE, &(tag, new.id), &entry);
            }
            if let Some(link) = &new.link {
                tx.put(LINK_TIMELINE, &(link.clone(), new.id), &entry);
            }
        }
    }

    /// Keeps a new state of its poll; no index row knows of that.
    pub fn save_poll(tx: &mut WriteTx<'_>, status: &Status, poll: Poll) {
        tx.put(STATUS, &status.id, &Status { poll: Some(poll), ..status.clone() });
    }

    /// Keeps a new state of its quote; no index row of a post knows of that.
    /// Gives the post after it.
    pub fn save_quote(tx: &mut WriteTx<'_>, status: &Status, quote: Quote) -> Status {
        let new = Status { quote: Some(quote), ..status.clone() };
        tx.put(STATUS, &new.id, &new);
        new
    }

    /// Removes the record and its index rows. Home timelines, notifications
    /// and favourites that point at it are found missing when they are read,
    /// and cleaned by the job that follows a deletion.
    pub fn delete(tx: &mut WriteTx<'_>, old: &Status) {
        Status::unindex(tx, old);
        if !old.is_reblog() {
            feed::touch(tx, feed::POST, old.id, None, feed::Mark::GONE);
        }
        tx.delete(STATUS, &old.id);
        tx.delete(REACH, &OrderKey::of(old.id));
        tx.forget(UNSENT, &OrderKey::of(old.id));
    }

    fn unindex(tx: &mut WriteTx<'_>, old: &Status) {
        tx.delete(STATUS_BY_URI, &old.uri);
        tx.delete(STATUS_BY_AUTHOR, &(old.account, old.id));
        if let Some(parent) = old.in_reply_to {
            tx.delete(STATUS_REPLIES, &(parent, old.id));
        }
        match old.reblog_of {
            Some(original) => tx.delete(STATUS_REBLOGS, &(original, old.id)),
            None => tx.delete(STATUS_BY_THREAD, &(old.thread, old.id)),
        }
        if old.is_listed() {
            tx.delete(PUBLIC_TIMELINE, &(old.id,));
            tx.delete(LOCAL_TIMELINE, &(old.id,));
            for tag in old.tag_keys() {
                tx.delete(TAG_TIMELINE, &(tag, old.id));
            }
            if let Some(link) = &old.link {
                tx.delete(LINK_TIMELINE, &(link.clone(), old.id));
            }
        }
    }
}

/// What one account did with one post. One row, so that a page of posts
/// needs one read for all of a viewer's marks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Interaction {
    /// Liked; the value is the like's id.
    #[n(0)]
    pub favourite: Option<Id>,
    /// Bookmarked; the value orders the list.
    #[n(1)]
    pub bookmark: Option<Id>,
    /// Boosted; the value is the boost.
    #[n(2)]
    pub reblog: Option<Id>,
    /// No notifications from its thread.
    #[n(3)]
    pub muted: bool,
    /// Pinned to the profile; the value orders the pins.
    #[n(4)]
    pub pin: Option<Id>,
    /// ActivityPub id of a remote like, for Undo by id.
    #[n(5)]
    pub favourite_uri: Option<String>,
    /// What was voted for in its poll.
    #[n(6)]
    pub ballot: Option<Ballot>,
}

impl Interaction {
    /// The vote in a poll, unless its answers were changed since.
    pub fn ballot_in(&self, poll: &Poll) -> Option<&Ballot> {
        self.ballot.as_ref().filter(|ballot| ballot.round == poll.round)
    }
}

impl Record for Interaction {}
