//! Where and of what an app is told while it is closed (Web Push).

use minicbor::{Decode, Encode};

use super::NotificationKind;
use crate::base::Id;
use crate::store::Record;

/// From whom notifications are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum PushPolicy {
    /// From anybody.
    #[n(0)]
    #[default]
    All,
    /// From those the person follows.
    #[n(1)]
    Followed,
    /// From those who follow the person.
    #[n(2)]
    Follower,
    /// From nobody.
    #[n(3)]
    None,
}

impl PushPolicy {
    /// Every policy.
    pub const ALL: [PushPolicy; 4] =
        [PushPolicy::All, PushPolicy::Followed, PushPolicy::Follower, PushPolicy::None];

    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            PushPolicy::All => "all",
            PushPolicy::Followed => "followed",
            PushPolicy::Follower => "follower",
            PushPolicy::None => "none",
        }
    }

    /// From the API's word.
    pub fn from_word(word: &str) -> Option<PushPolicy> {
        PushPolicy::ALL.into_iter().find(|policy| policy.word() == word)
    }
}

/// An app's subscription; its key is the digest of the app's token.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushSubscription {
    /// Its id for clients, some of which keep it in 32 bits.
    #[n(0)]
    pub number: u32,
    /// Whose.
    #[n(1)]
    pub account: Id,
    /// Where to post. Whoever knows it can push, so it is never logged.
    #[n(2)]
    pub endpoint: String,
    /// The app's public key, a point of P-256.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub public_key: Vec<u8>,
    /// The secret that the app shares with us.
    #[n(4)]
    #[cbor(with = "minicbor::bytes")]
    pub auth: Vec<u8>,
    /// Encrypted as RFC 8291 says, not as the draft before it did.
    #[n(5)]
    pub standard: bool,
    /// Of what it is told.
    #[n(6)]
    pub alerts: Vec<NotificationKind>,
    /// Of whom.
    #[n(7)]
    pub policy: PushPolicy,
}

impl Record for PushSubscription {}

impl std::fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "PushSubscription({} of {}, {:?}, {:?})",
            self.number, self.account, self.alerts, self.policy
        )
    }
}
