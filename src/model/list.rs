//! Lists: some of those whom one follows, read apart.

use minicbor::{Decode, Encode};

use crate::base::Id;
use crate::store::Record;

/// Which answers of its members a list shows. Answers to its owner and to
/// oneself are shown always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum RepliesPolicy {
    /// To other members.
    #[n(0)]
    #[default]
    List,
    /// To anybody whom the owner follows.
    #[n(1)]
    Followed,
    /// None.
    #[n(2)]
    None,
}

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct List {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// Whose.
    #[n(1)]
    pub owner: Id,
    /// Its name.
    #[n(2)]
    pub title: String,
    /// Which answers it shows.
    #[n(3)]
    pub replies: RepliesPolicy,
    /// Its members' posts stay out of the home timeline.
    #[n(4)]
    pub is_exclusive: bool,
}

impl Record for List {}

/// A place on a list; part of the relation from the owner to the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ListPlace {
    /// The list.
    #[n(0)]
    pub list: Id,
    /// Orders the list's members.
    #[n(1)]
    pub at: Id,
}
