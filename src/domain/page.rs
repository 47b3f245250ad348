//! Pages of long lists: which rows a client asks for, and filling a page
//! although some of its rows may not be shown.
//!
//! The rules are Mastodon's: `max_id` and `since_id` are exclusive bounds of
//! a page that begins at the newest row; `min_id` asks for the rows right
//! after it, and wins over `since_id`. Pages are always newest first.

use crate::base::Id;
use crate::store::{Key, Scan};

/// Scans made to fill one page. Rows that may not be shown leave holes; a
/// page that is still short after this many scans is given as it is.
const SCANS_MAX: usize = 4;

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// Only rows before this one.
    pub max_id: Option<Id>,
    /// Only rows after this one, the newest of them.
    pub since_id: Option<Id>,
    /// Only rows after this one, the oldest of them.
    pub min_id: Option<Id>,
    /// How many.
    pub limit: usize,
}

impl Page {
    /// The first page.
    pub fn first(limit: usize) -> Page {
        Page { limit, ..Page::default() }
    }
}

/// A page, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// What it shows.
    pub items: Vec<T>,
    /// The newest row it covers, shown or not: `min_id` of the page before.
    pub newest: Option<Id>,
    /// The oldest row it covers, shown or not: `max_id` of the page after.
    pub oldest: Option<Id>,
    /// Whether there may be older rows.
    pub has_older: bool,
}

impl<T> Paged<T> {
    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            items: self.items.into_iter().map(change).collect(),
            newest: self.newest,
            oldest: self.oldest,
            has_older: self.has_older,
        }
    }
}

/// A range of rows to scan.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    after: Option<Id>,
    before: Option<Id>,
    is_ascending: bool,
    rows: usize,
}

impl Span {
    /// The scan of this range. `base` holds what all keys begin with, `key`
    /// makes the key of one row.
    pub fn scan<K: Key>(&self, base: Scan<K>, key: impl Fn(Id) -> K) -> Scan<K> {
        let mut scan = base.limit(self.rows);
        if let Some(after) = self.after {
            scan = scan.after(&key(after));
        }
        if let Some(before) = self.before {
            scan = scan.before(&key(before));
        }
        if self.is_ascending { scan } else { scan.reverse() }
    }

    /// Whether the range has this row; for rows that are not in a table.
    pub fn holds(&self, id: Id) -> bool {
        self.after.is_none_or(|after| id > after) && self.before.is_none_or(|before| id < before)
    }

    /// Sorts rows of several scans into this range's order and cuts them to
    /// its size.
    pub fn merge<R>(&self, rows: &mut Vec<(Id, R)>) {
        rows.sort_by_key(|(id, _)| *id);
        rows.dedup_by_key(|(id, _)| *id);
        if !self.is_ascending {
            rows.reverse();
        }
        rows.truncate(self.rows);
    }
}

/// Fills a page: `scan` reads rows of a range, `load` makes of each what is
/// shown, or `None` where nothing may be.
///
/// # Errors
/// What `scan` and `load` give.
pub fn fill<R, T, E>(
    page: &Page,
    scan: impl FnMut(&Span) -> Result<Vec<(Id, R)>, E>,
    load: impl FnMut(&[(Id, R)]) -> Result<Vec<Option<T>>, E>,
) -> Result<Paged<T>, E> {
    search(page, (page.limit + 1, SCANS_MAX), scan, load)
}

/// Like [`fill`], where few rows of a list are shown: reads `rows` at once,
/// up to `scans_max` times.
///
/// # Errors
/// What `scan` and `load` give.
pub fn search<R, T, E>(
    page: &Page,
    (rows, scans_max): (usize, usize),
    mut scan: impl FnMut(&Span) -> Result<Vec<(Id, R)>, E>,
    mut load: impl FnMut(&[(Id, R)]) -> Result<Vec<Option<T>>, E>,
) -> Result<Paged<T>, E> {
    let is_ascending = page.min_id.is_some();
    let mut span = Span { after: page.min_id.or(page.since_id), before: page.max_id, is_ascending, rows };
    let (mut items, mut first, mut last, mut has_more) = (Vec::new(), None, None, page.limit > 0);
    for _ in 0..scans_max {
        if !has_more || items.len() >= page.limit {
            break;
        }
        let rows = scan(&span)?;
        has_more = rows.len() >= span.rows;
        for ((id, _), item) in rows.iter().zip(load(&rows)?) {
            if items.len() == page.limit {
                has_more = true;
                break;
            }
            first = first.or(Some(*id));
            last = Some(*id);
            items.extend(item);
        }
        if is_ascending { span.after = last.or(span.after) } else { span.before = last.or(span.before) }
    }
    if is_ascending {
        items.reverse();
        // What lies before `min_id` was not looked at: it may well be there.
        return Ok(Paged { items, newest: last, oldest: first, has_older: true });
    }
    Ok(Paged { items, newest: first, oldest: last, has_older: has_more })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Fills from rows 1..=count of which only those that `is_shown` admits.
    fn pages(count: u64, is_shown: impl Fn(u64) -> bool, page: Page) -> Paged<u64> {
        let scan = |span: &Span| {
            let mut rows: Vec<(Id, u64)> = (1..=count).map(|n| (Id(n), n)).collect();
            rows.retain(|(id, _)| span.holds(*id));
            span.merge(&mut rows);
            Ok::<_, Infallible>(rows)
        };
        let load = |rows: &[(Id, u64)]| Ok(rows.iter().map(|(_, n)| is_shown(*n).then_some(*n)).collect());
        match fill(&page, scan, load) {
            Ok(page) => page,
            Err(never) => match never {},
        }
    }

    #[test]
    fn bounds_mean_what_mastodon_means() {
        let (max_id, since_id, min_id) = (Some(Id(8)), Some(Id(2)), Some(Id(2)));
        let page = Page { limit: 3, ..Page::default() };
        assert_eq!(pages(9, |_| true, page).items, [9, 8, 7]);
        assert_eq!(pages(9, |_| true, Page { max_id, ..page }).items, [7, 6, 5]);
        assert_eq!(pages(9, |_| true, Page { since_id, ..page }).items, [9, 8, 7]);
        assert_eq!(pages(9, |_| true, Page { min_id, ..page }).items, [5, 4, 3]);
        assert_eq!(pages(9, |_| true, Page { min_id, since_id: Some(Id(6)), ..page }).items, [5, 4, 3]);
        assert_eq!(pages(9, |_| true, Page { min_id, max_id: Some(Id(4)), ..page }).items, [3]);
    }

    #[test]
    fn the_last_page_knows_that_it_is_the_last() {
        assert!(!pages(3, |_| true, Page::first(3)).has_older);
        assert!(pages(4, |_| true, Page::first(3)).has_older);
        assert_eq!(pages(0, |_| true, Page::first(3)).oldest, None);
    }

    proptest! {
        #[test]
        fn a_walk_sees_every_shown_row_once_in_either_direction(
            hidden in proptest::collection::hash_set(1u64..60, 0..40),
            limit in 1usize..8,
        ) {
            let is_shown = |n| !hidden.contains(&n);
            let expected: Vec<u64> = (1..60).filter(|n| is_shown(*n)).collect();
            let (mut seen, mut page) = (Vec::new(), Page::first(limit));
            loop {
                let got = pages(59, is_shown, page);
                prop_assert!(got.items.len() <= limit);
                seen.extend(got.items);
                if !got.has_older { break }
                page.max_id = got.oldest;
            }
            seen.reverse();
            prop_assert_eq!(&seen, &expected);

            let (mut seen, mut page) = (Vec::new(), Page { min_id: Some(Id(0)), ..Page::first(limit) });
            loop {
                let got = pages(59, is_shown, page);
                let Some(newest) = got.newest else { break };
                seen.extend(got.items.into_iter().rev());
                page.min_id = Some(newest);
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
