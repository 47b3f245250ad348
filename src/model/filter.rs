//! What people do not want to read (docs: entities/Filter).

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::Record;

/// Where a filter applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum FilterContext {
    /// The home timeline and lists.
    #[n(0)]
    Home,
    /// Notifications.
    #[n(1)]
    Notifications,
    /// Public timelines and hashtags.
    #[n(2)]
    Public,
    /// What is around a post.
    #[n(3)]
    Thread,
    /// The posts of one account.
    #[n(4)]
    Account,
}

impl FilterContext {
    /// Every context.
    pub const ALL: [FilterContext; 5] = [
        FilterContext::Home,
        FilterContext::Notifications,
        FilterContext::Public,
        FilterContext::Thread,
        FilterContext::Account,
    ];

    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            FilterContext::Home => "home",
            FilterContext::Notifications => "notifications",
            FilterContext::Public => "public",
            FilterContext::Thread => "thread",
            FilterContext::Account => "account",
        }
    }

    /// From the API's word.
    pub fn from_word(word: &str) -> Option<FilterContext> {
        FilterContext::ALL.into_iter().find(|context| context.word() == word)
    }
}

/// What becomes of a post that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(index_only)]
pub enum FilterAction {
    /// It is shown behind the filter's title.
    #[n(0)]
    #[default]
    Warn,
    /// It is not shown.
    #[n(1)]
    Hide,
    /// Its media are covered.
    #[n(2)]
    Blur,
}

impl FilterAction {
    /// The API's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            FilterAction::Warn => "warn",
            FilterAction::Hide => "hide",
            FilterAction::Blur => "blur",
        }
    }
}

/// A word or phrase of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FilterKeyword {
    /// Our id; also the id of the filter in version 1 of the API.
    #[n(0)]
    pub id: Id,
    /// As it was typed.
    #[n(1)]
    pub keyword: String,
    /// Not within a longer word.
    #[n(2)]
    pub whole_word: bool,
}

/// A post that a filter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FilterStatus {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// Which post.
    #[n(1)]
    pub status: Id,
}

/// Words and posts that somebody does not want to see.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Filter {
    /// Our id.
    #[n(0)]
    pub id: Id,
    /// What its owner calls it.
    #[n(1)]
    pub title: String,
    /// Where it applies.
    #[n(2)]
    pub contexts: Vec<FilterContext>,
    /// What becomes of a post that matches.
    #[n(3)]
    pub action: FilterAction,
    /// When it stops to apply; it is kept then.
    #[n(4)]
    pub expires_at: Option<Timestamp>,
    /// Its words.
    #[n(5)]
    pub keywords: Vec<FilterKeyword>,
    /// Its posts.
    #[n(6)]
    pub statuses: Vec<FilterStatus>,
}

impl Filter {
    /// Whether it applies now.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// All filters of one person. One row, because every page of posts needs
/// them all, and needs them together with the posts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Filters {
    /// Oldest first.
    #[n(0)]
    pub all: Vec<Filter>,
}

impl Record for Filters {}
