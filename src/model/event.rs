//! News for live listeners: streaming clients and open pages. Small, in
//! memory, sent after the commit; what was missed is found by reading.

use minicbor::{Decode, Encode};

use crate::base::Id;
use crate::store::{Signal, WriteTx};

/// The signal topic of [`Event`].
pub const EVENT_TOPIC: &str = "event";

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
        /// Whether its author lives here.
        #[n(1)]
        is_local: bool,
    },
    /// A post was changed.
    #[n(2)]
    Edited {
        /// Which post.
        #[n(0)]
        status: Id,
    },
    /// A post or boost is gone.
    #[n(3)]
    Deleted {
        /// Which post.
        #[n(0)]
        status: Id,
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
