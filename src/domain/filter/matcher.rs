//! Which of somebody's filters a post matches.
//!
//! All words of all filters are looked for in one pass (Aho and Corasick,
//! 1975), so that a page costs the length of its posts, not that times the
//! number of words. The rules are Mastodon's: case does not matter; a whole
//! word has an edge only where the keyword itself begins or ends with a
//! letter, digit or underscore.

use std::collections::HashSet;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use super::text::{fold, searched};
use crate::base::{Id, Timestamp};
use crate::model::{Filter, FilterAction, FilterContext, Filters, Status};

/// Finds looked at in one post. Only words that lie in each other in a text
/// made of nothing else reach it.
const FINDS_MAX: usize = 100_000;

/// A filter that a post matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Which filter.
    pub filter: Arc<Filter>,
    /// Which of its words, as they were typed.
    pub keywords: Vec<String>,
    /// Which of its posts.
    pub statuses: Vec<Id>,
}

impl Match {
    /// Whether the post is not shown there.
    pub fn hides(&self, context: FilterContext) -> bool {
        self.filter.action == FilterAction::Hide && self.applies(context)
    }

    /// Whether the filter is meant for that place.
    pub fn applies(&self, context: FilterContext) -> bool {
        self.filter.contexts.contains(&context)
    }
}

/// One word of one filter.
struct Pattern {
    filter: usize,
    keyword: usize,
    /// A word must begin where it begins.
    begins_word: bool,
    /// A word must end where it ends.
    ends_word: bool,
}

/// Somebody's filters, ready to look for. Made once for a page of posts.
#[derive(Default)]
pub struct Matcher {
    filters: Vec<Arc<Filter>>,
    patterns: Vec<Pattern>,
    words: Option<AhoCorasick>,
    statuses: HashSet<Id>,
}

impl Matcher {
    /// The filters that apply now.
    pub fn new(filters: Filters, now: Timestamp) -> Matcher {
        let filters: Vec<Arc<Filter>> =
            filters.all.into_iter().filter(|filter| filter.is_active(now)).map(Arc::new).collect();
        let (mut patterns, mut words) = (Vec::new(), Vec::new());
        for (number, filter) in filters.iter().enumerate() {
            for (keyword, row) in filter.keywords.iter().enumerate() {
                let word = fold(&row.keyword);
                let edge = |c: Option<char>| row.whole_word && c.is_some_and(is_word);
                let (begins_word, ends_word) = (edge(word.chars().next()), edge(word.chars().next_back()));
                patterns.push(Pattern { filter: number, keyword, begins_word, ends_word });
                words.push(word);
            }
        }
        // It fails only beyond billions of bytes; a person's words are few.
        let words = if words.is_empty() { None } else { AhoCorasick::new(&words).ok() };
        let statuses = filters.iter().flat_map(|filter| &filter.statuses).map(|row| row.status).collect();
        Matcher { filters, patterns, words, statuses }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.words.is_none() && self.statuses.is_empty()
    }

    /// Whether a filter names this post.
    pub fn names(&self, status: Id) -> bool {
        self.statuses.contains(&status)
    }

    /// The filters that a post matches, oldest first. `ids` are those under
    /// which a filter may name it: its own, and that of the boost shown.
    pub fn find(&self, status: &Status, ids: &[Id]) -> Vec<Match> {
        if self.is_empty() {
            return Vec::new();
        }
        let found = self.words.as_ref().map(|words| self.words_in(words, &searched(status)));
        let found = found.unwrap_or_default();
        let named = |filter: &Filter| -> Vec<Id> {
            let rows = filter.statuses.iter().map(|row| row.status);
            rows.filter(|status| ids.contains(status)).collect()
        };
        let of = |number: usize, filter: &Arc<Filter>| -> Option<Match> {
            let rows = filter.keywords.iter().enumerate();
            let keywords: Vec<String> = rows
                .filter(|(keyword, _)| found.contains(&(number, *keyword)))
                .map(|(_, row)| row.keyword.clone())
                .collect();
            let statuses = named(filter);
            let is_match = !keywords.is_empty() || !statuses.is_empty();
            is_match.then(|| Match { filter: filter.clone(), keywords, statuses })
        };
        self.filters.iter().enumerate().filter_map(|(number, filter)| of(number, filter)).collect()
    }

    /// (filter, keyword) of all words that are in a text.
    fn words_in(&self, words: &AhoCorasick, text: &str) -> HashSet<(usize, usize)> {
        let mut found = HashSet::new();
        for find in words.find_overlapping_iter(text).take(FINDS_MAX) {
            let pattern = &self.patterns[find.pattern().as_usize()];
            let before = text[..find.start()].chars().next_back();
            let after = text[find.end()..].chars().next();
            let is_cut = pattern.begins_word && before.is_some_and(is_word)
                || pattern.ends_word && after.is_some_and(is_word);
            if !is_cut
                && found.insert((pattern.filter, pattern.keyword))
                && found.len() == self.patterns.len()
            {
                break;
            }
        }
        found
    }
}

/// Letters, digits, marks and the underscore.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterKeyword, FilterStatus};

    const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

    fn filter(id: u64, keywords: &[(&str, bool)]) -> Filter {
        let keyword = |(n, (keyword, whole_word)): (usize, &(&str, bool))| FilterKeyword {
            id: Id(id * 100 + n as u64),
            keyword: (*keyword).into(),
            whole_word: *whole_word,
        };
        Filter {
            id: Id(id),
            title: format!("filter {id}"),
            contexts: vec![FilterContext::Home],
            action: FilterAction::Hide,
            expires_at: None,
            keywords: keywords.iter().enumerate().map(keyword).collect(),
            statuses: Vec::new(),
        }
    }

    fn post(text: &str) -> Status {
        Status { id: Id(7), content_html: format!("<p>{text}</p>"), ..Status::default() }
    }

    fn matches(keyword: &str, whole_word: bool, text: &str) -> bool {
        let filters = Filters { all: vec![filter(1, &[(keyword, whole_word)])] };
        !Matcher::new(filters, NOW).find(&post(text), &[Id(7)]).is_empty()
    }

    #[test]
    fn words_are_found_as_mastodon_finds_them() {
        let whole = true;
        let cases = [
            ("cat", whole, "a CAT sat", true),
            ("cat", whole, "concatenate", false),
            ("cat", whole, "cats", false),
            ("cat", whole, "_cat", false),
            ("cat", whole, "the (cat).", true),
            ("cat", whole, "concatenate, cat", true),
            ("cat", !whole, "concatenate", true),
            ("#cat", whole, "my#cat", true),
            ("#cat", whole, "#cats", false),
            ("c++", whole, "c++20", true),
            ("c++", whole, "objc++", false),
            (":-)", whole, "x:-)x", true),
            ("two words", whole, "these Two Words here", true),
            ("ΟΔΟΣ", whole, "μια οδός οδος", true),
            ("straße", whole, "die STRAßE", true),
            ("é", whole, "é", true),
            ("é", whole, "née", false),
            ("猫", whole, "黒猫です", false),
            ("猫", !whole, "黒猫です", true),
            ("<b>", !whole, "<strong>b</strong>", false),
            ("a.c", !whole, "abc", false),
        ];
        for (keyword, whole_word, text, expected) in cases {
            assert_eq!(
                matches(keyword, whole_word, text),
                expected,
                "{keyword} (whole {whole_word}) in {text}"
            );
        }
    }

    #[test]
    fn a_match_names_the_words_and_the_posts() {
        let named = Filter { statuses: vec![FilterStatus { id: Id(1), status: Id(7) }], ..filter(2, &[]) };
        let ended = Filter { expires_at: Some(NOW), ..filter(3, &[("one", true)]) };
        let first = filter(1, &[("One", true), ("two", true), ("three", true)]);
        let matcher = Matcher::new(Filters { all: vec![first, named, ended] }, NOW);
        let found = matcher.find(&post("three ones, one"), &[Id(8), Id(7)]);
        let found: Vec<(u64, Vec<String>, Vec<Id>)> =
            found.into_iter().map(|m| (m.filter.id.0, m.keywords, m.statuses)).collect();
        let keywords = vec!["One".to_owned(), "three".to_owned()];
        assert_eq!(found, [(1, keywords, vec![]), (2, vec![], vec![Id(7)])]);
    }

    #[test]
    fn nothing_is_looked_for_where_nothing_applies() {
        let ended = Filter { expires_at: Some(NOW), ..filter(3, &[("one", true)]) };
        assert!(Matcher::new(Filters { all: vec![ended] }, NOW).is_empty());
        assert!(Matcher::default().find(&post("one"), &[Id(7)]).is_empty());
    }

    /// A thousand words that lie in each other, forty posts made of them: the
    /// finds are bounded, and the words that count are there.
    #[test]
    fn many_words_and_long_posts_stay_cheap() {
        let words: Vec<String> = (1..=500).map(|n| "a".repeat(n)).collect();
        let keywords: Vec<(&str, bool)> = words.iter().map(|word| (word.as_str(), true)).collect();
        let matcher =
            Matcher::new(Filters { all: vec![filter(1, &keywords), filter(2, &[("end", true)])] }, NOW);
        for _ in 0..40 {
            assert_eq!(matcher.find(&post("end of this"), &[Id(7)]).len(), 1);
            assert_eq!(matcher.find(&post(&"a".repeat(60_000)), &[Id(7)]).len(), 0);
        }
    }
}
