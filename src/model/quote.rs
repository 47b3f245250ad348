//! Quotes of posts, and who may quote (FEP-044f).

use minicbor::{Decode, Encode};

use crate::base::Id;

/// What the author of a quoted post says to the quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum QuoteState {
    /// Nothing yet.
    #[n(0)]
    #[default]
    Pending,
    /// It may be shown.
    #[n(1)]
    Accepted,
    /// It may not.
    #[n(2)]
    Rejected,
    /// It may no longer.
    #[n(3)]
    Revoked,
}

impl QuoteState {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            QuoteState::Pending => "pending",
            QuoteState::Accepted => "accepted",
            QuoteState::Rejected => "rejected",
            QuoteState::Revoked => "revoked",
        }
    }
}

/// The post that a post quotes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Quote {
    /// Its ActivityPub id.
    #[n(0)]
    pub uri: String,
    /// Its id here, if it is known.
    #[n(1)]
    pub status: Option<Id>,
    /// Its author, if known.
    #[n(2)]
    pub account: Option<Id>,
    /// What its author says.
    #[n(3)]
    pub state: QuoteState,
    /// The stamp that allows it (QuoteAuthorization); one's own posts need
    /// none.
    #[n(4)]
    pub approval: Option<String>,
}

/// People whom a policy may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum QuoteGroup {
    /// Everybody.
    #[n(0)]
    Public,
    /// Followers of the author.
    #[n(1)]
    Followers,
    /// Others; who exactly is not known here.
    #[n(2)]
    Unsupported,
}

impl QuoteGroup {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            QuoteGroup::Public => "public",
            QuoteGroup::Followers => "followers",
            QuoteGroup::Unsupported => "unsupported_policy",
        }
    }
}

/// Who may quote a post. Its author always may.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct QuotePolicy {
    /// Without being asked for.
    #[n(0)]
    pub automatic: Vec<QuoteGroup>,
    /// After the author has looked.
    #[n(1)]
    pub manual: Vec<QuoteGroup>,
}

impl QuotePolicy {
    /// From the API's word: `public`, `followers` or `nobody`.
    pub fn from_word(word: &str) -> Option<QuotePolicy> {
        let automatic = match word {
            "public" => vec![QuoteGroup::Public],
            "followers" => vec![QuoteGroup::Followers],
            "nobody" => Vec::new(),
            _ => return None,
        };
        Some(QuotePolicy { automatic, manual: Vec::new() })
    }

    /// Everybody.
    pub fn everybody() -> QuotePolicy {
        QuotePolicy { automatic: vec![QuoteGroup::Public], manual: Vec::new() }
    }

    /// The API's word that comes next to it.
    pub fn word(&self) -> &'static str {
        let has = |group| self.automatic.contains(&group);
        match () {
            () if has(QuoteGroup::Public) => "public",
            () if has(QuoteGroup::Followers) => "followers",
            () => "nobody",
        }
    }

    /// What it says of somebody who is not the author.
    pub fn permits(&self, is_follower: bool) -> QuotePermission {
        let has = |all: &[QuoteGroup]| {
            all.contains(&QuoteGroup::Public) || is_follower && all.contains(&QuoteGroup::Followers)
        };
        match () {
            () if has(&self.automatic) => QuotePermission::Automatic,
            () if has(&self.manual) => QuotePermission::Manual,
            () if [&self.automatic, &self.manual]
                .iter()
                .any(|all| all.contains(&QuoteGroup::Unsupported)) =>
            {
                QuotePermission::Unknown
            }
            () => QuotePermission::Denied,
        }
    }
}

/// Whether somebody may quote a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotePermission {
    /// Yes.
    Automatic,
    /// Once the author has looked.
    Manual,
    /// No.
    Denied,
    /// Only their server can tell.
    Unknown,
}

impl QuotePermission {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            QuotePermission::Automatic => "automatic",
            QuotePermission::Manual => "manual",
            QuotePermission::Denied => "denied",
            QuotePermission::Unknown => "unknown",
        }
    }
}
