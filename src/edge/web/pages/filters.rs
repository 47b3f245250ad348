//! The pages of filters.

use askama::Template;

use super::super::view::{Faults, RegistrationWords, Shell, Theme, When};
use super::super::{assets, ui};

/// A filter in the list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Its words.
    pub words: Vec<String>,
    /// How many posts it names.
    pub posts: usize,
    /// When it ends or ended.
    pub ends: Option<When>,
    /// It has ended.
    pub is_over: bool,
}

/// All filters.
#[derive(Template)]
#[template(path = "settings_filters.html")]
pub struct FiltersPage {
    /// The frame.
    pub shell: Shell,
    /// Oldest first.
    pub filters: Vec<FilterRow>,
}

/// A word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordRow {
    /// Its id; empty for a new one.
    pub id: String,
    /// The word; empty for an empty place.
    pub word: String,
    /// Not within a longer word.
    pub is_whole: bool,
}

impl KeywordRow {
    /// An empty place.
    pub fn blank() -> KeywordRow {
        KeywordRow { id: String::new(), word: String::new(), is_whole: true }
    }
}

/// A filter as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterForm {
    /// Its id; empty for a new one.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Where it applies: words of [`CONTEXTS`].
    pub contexts: Vec<&'static str>,
    /// What becomes of posts: a word of [`ACTIONS`].
    pub action: &'static str,
    /// How long it lasts: `keep`, seconds, or empty for ever.
    pub lasts: String,
    /// It has an end that can be kept.
    pub has_end: bool,
    /// Its words and some empty places.
    pub keywords: Vec<KeywordRow>,
}

/// Where filters apply: the API's words, and those for people.
pub const CONTEXTS: [(&str, &str); 5] = [
    ("home", "Home and lists"),
    ("notifications", "Notifications"),
    ("public", "Public timelines"),
    ("thread", "Threads"),
    ("account", "Profiles"),
];

/// What becomes of posts: the API's words, and those for people.
pub const ACTIONS: [(&str, &str); 3] = [
    ("warn", "Cover them with the filter's name"),
    ("blur", "Cover only their pictures"),
    ("hide", "Leave them out"),
];

/// How long filters may last: seconds and words.
pub const FILTER_LASTS: [(u64, &str); 6] = [
    (1_800, "30 minutes"),
    (3_600, "1 hour"),
    (43_200, "12 hours"),
    (86_400, "1 day"),
    (604_800, "1 week"),
    (2_592_000, "30 days"),
];

/// Making or changing a filter.
#[derive(Template)]
#[template(path = "settings_filter.html")]
pub struct FilterPage {
    /// The frame.
    pub shell: Shell,
    /// As typed.
    pub form: FilterForm,
    /// What is wrong.
    pub faults: Faults,
}
