//! News for live listeners: streaming clients and open pages. Small, in
//! memory, sent after the commit; what was missed is found by reading.

use minicbor::{Decode, Encode};

use super::{Status, Visibility};
use crate::base::Id;
use crate::store::{Signal, WriteTx};

/// The signal topic of [`Event`].
pub const EVENT_TOPIC: &str = "event";

/// What decides who hears of a post, so that nobody has to read it for that.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Audience {
    /// Its author or booster.
    #[n(0)]
    pub author: Id,
    /// Whether it belongs on public and hashtag timelines: public and no boost.
    #[n(1)]
    pub is_public: bool,
    /// Whether anybody may know that it exists.
    #[n(2)]
    pub is_open: bool,
    /// Whether its author lives here.
    #[n(3)]
    pub is_local: bool,
    /// Whether it has media.
    #[n(4)]
    pub has_media: bool,
    /// Whether it answers somebody else, which keeps it off public timelines.
    #[n(5)]
    pub is_answer: bool,
    /// Its hashtags as [`Status::tag_key`] writes them.
    #[n(6)]
    pub tags: Vec<String>,
}

impl From<&Status> for Audience {
    fn from(status: &Status) -> Audience {
        let answers = match status.in_reply_to_account {
            Some(answered) => answered != status.account,
            None => status.in_reply_to_uri.is_some(),
        };
        Audience {
            author: status.account,
            is_public: status.visibility == Visibility::Public && !status.is_reblog(),
            is_open: status.visibility.is_open(),
            is_local: status.is_local,
            has_media: !status.attachments.is_empty(),
            is_answer: answers,
            tags: status.tags.iter().map(|tag| Status::tag_key(tag)).collect(),
        }
    }
}

/// Something that open timelines should show.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// A post or boost entered somebody's home timeline.
    #[n(0)]
    Home {
        /// Whose timeline.
        #[n(0)]
        account: Id,
        /// Which post.
        #[n(1)]
        status: Id,
    },
    /// A public post was published or arrived.
    #[n(1)]
    Public {
        /// Which post.
        #[n(0)]
        status: Id,
        /// Who hears of it.
        #[n(1)]
        audience: Audience,
    },
    /// A post was changed.
    #[n(2)]
    Edited {
        /// Which post.
        #[n(0)]
        status: Id,
        /// Who hears of it.
        #[n(1)]
        audience: Audience,
    },
    /// A post or boost is gone.
    #[n(3)]
    Deleted {
        /// Which post.
        #[n(0)]
        status: Id,
        /// Who heard of it.
        #[n(1)]
        audience: Audience,
    },
    /// Somebody has a new notification.
    #[n(4)]
    Notified {
        /// Who.
        #[n(0)]
        account: Id,
        /// Which notification.
        #[n(1)]
        notification: Id,
    },
    /// A token or session was revoked: whoever listens with it must go.
    #[n(5)]
    Revoked {
        /// Id of the token or session.
        #[n(0)]
        credential: Id,
    },
    /// Somebody may not act any more (disabled, suspended, deleted): whoever
    /// listens as them must go.
    #[n(6)]
    Barred {
        /// Who.
        #[n(0)]
        account: Id,
    },
    /// A post or boost entered a list's timeline.
    #[n(7)]
    Listed {
        /// Which list.
        #[n(0)]
        list: Id,
        /// Which post.
        #[n(1)]
        status: Id,
    },
    /// A conversation of direct posts has a new one, or a changed one.
    #[n(8)]
    Conversation {
        /// Whose view of it.
        #[n(0)]
        account: Id,
        /// Its id in that view.
        #[n(1)]
        conversation: Id,
    },
    /// Somebody changed their filters.
    #[n(9)]
    FiltersChanged {
        /// Who.
        #[n(0)]
        account: Id,
    },
    /// Accepted notification requests were merged into the notifications.
    #[n(10)]
    NotificationsMerged {
        /// Whose.
        #[n(0)]
        account: Id,
    },
    /// An announcement was published or changed.
    #[n(11)]
    Announcement {
        /// Which.
        #[n(0)]
        announcement: Id,
    },
    /// An announcement has more or fewer of one reaction.
    #[n(12)]
    AnnouncementReaction {
        /// Which announcement.
        #[n(0)]
        announcement: Id,
        /// The emoji, or the shortcode of a custom one.
        #[n(1)]
        name: String,
        /// How many now.
        #[n(2)]
        count: u64,
    },
    /// An announcement was taken back.
    #[n(13)]
    AnnouncementDeleted {
        /// Which.
        #[n(0)]
        announcement: Id,
    },
}

impl Event {
    /// Tells listeners once the transaction is committed.
    pub fn emit(&self, tx: &mut WriteTx<'_>) {
        let payload = minicbor::to_vec(self).expect("writing to memory cannot fail");
        tx.signal(EVENT_TOPIC, payload);
    }

    /// Reads a store signal; `None` if it is not an event.
    pub fn from_signal(signal: &Signal) -> Option<Event> {
        (signal.topic == EVENT_TOPIC).then(|| minicbor::decode(&signal.payload).ok()).flatten()
    }
}
