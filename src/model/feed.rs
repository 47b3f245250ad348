//! What the search index has to look at again: one row for each post or
//! account that changed, written in the transaction that changes it and
//! deleted when the index has it on disk.
//!
//! A row says only *what* changed; the index reads its present state. So a
//! row that is worked off twice does no harm, many changes of one post are
//! one row, and every post has a row of its own: nothing is hot.

use std::hash::{DefaultHasher, Hash, Hasher};

use minicbor::{Decode, Encode};

use super::tables::INDEX_FEED;
use super::{Account, Status};
use crate::base::Id;
use crate::store::{Record, WriteTx};

/// First part of a key: a post.
pub const POST: u8 = 0;
/// An account itself.
pub const PERSON: u8 = 1;
/// All posts of an account.
pub const POSTS_OF: u8 = 2;

/// The signal that there is something to look at.
pub const TOPIC: &str = "index";

/// A digest of the state that is to be looked at. A row may go when its mark
/// is still the one of the state that was looked at by every index there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Mark {
    /// The digest.
    #[n(0)]
    pub of: u64,
    /// One bit for each index that has looked, by its slot: each node has an
    /// index of its own.
    #[n(1)]
    #[cbor(default)]
    pub done: u32,
}

/// Slots for indexes of nodes.
pub const SLOTS: u8 = 32;

impl Record for Mark {}

impl Mark {
    /// Of what is not there any more.
    pub const GONE: Mark = Mark { of: 0, done: 0 };

    /// Whether the index at a slot has looked.
    pub fn is_done_by(self, slot: u8) -> bool {
        self.done & (1 << (slot % SLOTS)) != 0
    }

    /// Notes that the index at a slot has looked.
    #[must_use]
    pub fn done_by(self, slot: u8) -> Mark {
        Mark { done: self.done | (1 << (slot % SLOTS)), ..self }
    }

    fn new(state: impl Hash) -> Mark {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        Mark { of: hasher.finish(), done: 0 }
    }
}

/// Of everything by which a post can be found.
pub(super) fn of_post(status: &Status) -> Mark {
    let media: Vec<_> =
        status.attachments.iter().map(|media| (media.kind as u8, media.description.as_deref())).collect();
    let mentions: Vec<u64> = status.mentions.iter().map(|mention| mention.account.0).collect();
    let text = (&status.content_html, &status.spoiler_text, &status.tags, &status.language);
    let about = (status.visibility as u8, status.sensitive, status.in_reply_to.map(|id| id.0), &status.link);
    let poll: Vec<&str> =
        status.poll.iter().flat_map(|poll| &poll.options).map(|option| option.title.as_str()).collect();
    Mark::new((text, about, media, mentions, poll))
}

/// Of everything by which an account can be found.
pub(super) fn of_person(account: &Account) -> Mark {
    let names = (&account.username, &account.domain, &account.display_name, &account.note_html);
    Mark::new((names, account.is_discoverable, account.is_visible()))
}

/// Of what decides whether strangers find an account's posts.
pub(super) fn of_posts(account: &Account) -> Mark {
    Mark::new((account.is_indexable, account.is_visible()))
}

/// Writes a row, if the state changed.
pub(super) fn touch(tx: &mut WriteTx<'_>, what: u8, id: Id, before: Option<Mark>, now: Mark) {
    if before != Some(now) {
        tx.put(INDEX_FEED, &(what, id), &now);
        tx.signal(TOPIC, Vec::new());
    }
}
