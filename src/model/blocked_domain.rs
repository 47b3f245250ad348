//! Domains of which somebody wants to see nothing.

use minicbor::{Decode, Encode};

use crate::base::Id;
use crate::store::Record;

/// A blocked domain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct BlockedDomain {
    /// Orders the list.
    #[n(0)]
    pub id: Id,
    /// Lower case.
    #[n(1)]
    pub domain: String,
}

/// The domains that one account blocks. One row, so that a page of posts is
/// filtered without asking for each author's domain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct BlockedDomains {
    /// Oldest block first.
    #[n(0)]
    pub all: Vec<BlockedDomain>,
}

impl Record for BlockedDomains {}

impl BlockedDomains {
    /// Whether an account's domain is one of them; nobody blocks our own.
    pub fn has(&self, domain: Option<&str>) -> bool {
        domain.is_some_and(|domain| self.all.iter().any(|block| block.domain == domain))
    }
}
