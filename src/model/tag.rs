//! Hashtags: how much they are used, and who follows or features them.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// A hashtag's use on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct TagDay {
    /// The day, as its midnight.
    #[n(0)]
    pub day: Timestamp,
    /// Posts.
    #[n(1)]
    pub uses: u32,
    /// Different authors.
    #[n(2)]
    pub accounts: u32,
}

/// A hashtag's latest days of use.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct TagUse {
    /// Latest first, without the days on which it was not used.
    #[n(0)]
    pub days: Vec<TagDay>,
}

impl Record for TagUse {}

/// What one account has to do with a hashtag. One row, so that a list of
/// hashtags needs one read for all.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct AccountTag {
    /// Its open posts with it.
    #[n(0)]
    pub posts: u64,
    /// When it used it last.
    #[n(1)]
    pub last_at: Option<Timestamp>,
    /// Follows it; the value orders the list.
    #[n(2)]
    pub follow: Option<Id>,
    /// Features it; the value orders the list.
    #[n(3)]
    pub feature: Option<Id>,
}

impl Record for AccountTag {}

/// The lower-case name of a hashtag, as a row that points at it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct TagName(#[n(0)] pub String);

impl Record for TagName {}
