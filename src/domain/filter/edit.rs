//! Changing filters. Each change is one row, read and written whole.

use crate::base::{Id, Moment, Timestamp};
use crate::domain::timeline::load_one;
use crate::domain::visibility::Viewer;
use crate::model::tables::FILTERS;
use crate::model::{Event, Filter, FilterAction, FilterContext, FilterKeyword, FilterStatus, Filters};
use crate::store::{StoreError, WriteTx};

/// Characters of a title (Mastodon: 256).
pub const TITLE_CHARACTERS_MAX: usize = 256;
/// Characters of a keyword (Mastodon: 512).
pub const KEYWORD_CHARACTERS_MAX: usize = 512;
/// Filters of one person.
const FILTERS_MAX: usize = 100;
/// Keywords of one person, in all filters.
const KEYWORDS_MAX: usize = 1000;
/// Bytes of all keywords of one person. They are made ready to look for anew
/// for each page and each post of a stream.
const KEYWORDS_MAX_BYTES: usize = 32 * 1024;
/// Posts that one person filters, in all filters.
const STATUSES_MAX: usize = 1000;

/// Why a filter was not changed.
#[derive(Debug)]
pub enum FilterError {
    /// There is no such filter, keyword or post, or it is another person's.
    Missing,
    /// It has no title.
    NoTitle,
    /// A keyword is empty.
    NoKeyword,
    /// It applies nowhere.
    NoContext,
    /// The title is longer than [`TITLE_CHARACTERS_MAX`].
    LongTitle,
    /// A keyword is longer than [`KEYWORD_CHARACTERS_MAX`].
    LongKeyword,
    /// The filter names that post already.
    Taken,
    /// There are more filters, keywords or posts than may be.
    TooMany,
    /// Version 1 of the API would change a filter of several keywords.
    Shared,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for FilterError {
    fn from(cause: StoreError) -> Self {
        FilterError::Store(cause)
    }
}

/// What becomes of one keyword (`keywords_attributes[]`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeywordChange {
    /// Which; `None` for a new one.
    pub id: Option<Id>,
    /// The word; `None` stays as it is.
    pub keyword: Option<String>,
    /// Not within a longer word; `None` stays as it is (new: yes).
    pub whole_word: Option<bool>,
    /// It goes.
    pub destroy: bool,
}

/// A filter to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// What its owner calls it.
    pub title: String,
    /// Where it applies.
    pub contexts: Vec<FilterContext>,
    /// What becomes of a post that matches.
    pub action: FilterAction,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Its keywords.
    pub keywords: Vec<KeywordChange>,
}

/// What changes of a filter; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// What its owner calls it.
    pub title: Option<String>,
    /// Where it applies.
    pub contexts: Option<Vec<FilterContext>>,
    /// What becomes of a post that matches.
    pub action: Option<FilterAction>,
    /// When it ends; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Keywords that are added, changed or removed.
    pub keywords: Vec<KeywordChange>,
}

/// What version 1 of the API changes: a filter through its only keyword.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OnlyKeyword {
    /// Keyword and title.
    pub phrase: Option<String>,
    /// Not within a longer word.
    pub whole_word: Option<bool>,
    /// Everything else; its title and keywords are not read.
    pub change: Change,
}

/// Reads, changes, checks and keeps the filters of somebody, and tells their
/// apps.
fn edit<T>(
    tx: &mut WriteTx<'_>,
    owner: Id,
    change: impl FnOnce(&mut Vec<Filter>) -> Result<T, FilterError>,
) -> Result<T, FilterError> {
    let mut filters = tx.get(FILTERS, &owner)?.unwrap_or_default();
    let made = change(&mut filters.all)?;
    check(&filters)?;
    if filters.all.is_empty() {
        tx.delete(FILTERS, &owner);
    } else {
        tx.put(FILTERS, &owner, &filters);
    }
    Event::FiltersChanged { account: owner }.emit(tx);
    Ok(made)
}

fn check(filters: &Filters) -> Result<(), FilterError> {
    let all = &filters.all;
    let keywords = all.iter().map(|filter| filter.keywords.len()).sum::<usize>();
    let statuses = all.iter().map(|filter| filter.statuses.len()).sum::<usize>();
    let words = all.iter().flat_map(|filter| &filter.keywords);
    let bytes = words.map(|row| row.keyword.len()).sum::<usize>();
    if all.len() > FILTERS_MAX
        || keywords > KEYWORDS_MAX
        || bytes > KEYWORDS_MAX_BYTES
        || statuses > STATUSES_MAX
    {
        return Err(FilterError::TooMany);
    }
    all.iter().try_for_each(check_one)
}

fn check_one(filter: &Filter) -> Result<(), FilterError> {
    if filter.title.trim().is_empty() {
        return Err(FilterError::NoTitle);
    }
    if filter.title.chars().count() > TITLE_CHARACTERS_MAX {
        return Err(FilterError::LongTitle);
    }
    if filter.contexts.is_empty() {
        return Err(FilterError::NoContext);
    }
    for row in &filter.keywords {
        if row.keyword.trim().is_empty() {
            return Err(FilterError::NoKeyword);
        }
        if row.keyword.chars().count() > KEYWORD_CHARACTERS_MAX {
            return Err(FilterError::LongKeyword);
        }
    }
    Ok(())
}

fn by_id(all: &mut [Filter], id: Id) -> Result<&mut Filter, FilterError> {
    all.iter_mut().find(|filter| filter.id == id).ok_or(FilterError::Missing)
}

/// The filter that has this keyword, and where in it.
fn by_keyword(all: &mut [Filter], id: Id) -> Result<(&mut Filter, usize), FilterError> {
    let place = |filter: &Filter| filter.keywords.iter().position(|row| row.id == id);
    all.iter_mut().find_map(|filter| place(filter).map(|at| (filter, at))).ok_or(FilterError::Missing)
}

/// Makes a filter. Takes one id, and one for each keyword.
///
/// # Errors
/// When it is not valid, or the store fails.
pub fn create(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    owner: Id,
    draft: &Draft,
) -> Result<Filter, FilterError> {
    let mut filter = Filter {
        id: moment.id(),
        title: draft.title.clone(),
        contexts: draft.contexts.clone(),
        action: draft.action,
        expires_at: draft.expires_at,
        keywords: Vec::new(),
        statuses: Vec::new(),
    };
    apply(moment, &mut filter, &draft.keywords)?;
    edit(tx, owner, |all| {
        all.push(filter.clone());
        Ok(filter)
    })
}

/// Changes a filter. Takes one id for each new keyword.
///
/// # Errors
/// When it is missing or would not be valid, or the store fails.
pub fn update(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    owner: Id,
    id: Id,
    change: &Change,
) -> Result<Filter, FilterError> {
    edit(tx, owner, |all| {
        let filter = by_id(all, id)?;
        filter.title = change.title.clone().unwrap_or_else(|| filter.title.clone());
        apply_rest(filter, change);
        apply(moment, filter, &change.keywords)?;
        Ok(filter.clone())
    })
}

fn apply_rest(filter: &mut Filter, change: &Change) {
    filter.contexts = change.contexts.clone().unwrap_or_else(|| filter.contexts.clone());
    filter.action = change.action.unwrap_or(filter.action);
    filter.expires_at = change.expires_at.unwrap_or(filter.expires_at);
}

fn apply(moment: &mut Moment, filter: &mut Filter, changes: &[KeywordChange]) -> Result<(), FilterError> {
    for change in changes {
        let Some(id) = change.id else {
            if !change.destroy {
                let keyword = change.keyword.clone().unwrap_or_default();
                let whole_word = change.whole_word.unwrap_or(true);
                filter.keywords.push(FilterKeyword { id: moment.id(), keyword, whole_word });
            }
            continue;
        };
        let at = filter.keywords.iter().position(|row| row.id == id).ok_or(FilterError::Missing)?;
        if change.destroy {
            filter.keywords.remove(at);
        } else {
            alter(&mut filter.keywords[at], change);
        }
    }
    Ok(())
}

fn alter(row: &mut FilterKeyword, change: &KeywordChange) {
    row.keyword = change.keyword.clone().unwrap_or_else(|| row.keyword.clone());
    row.whole_word = change.whole_word.unwrap_or(row.whole_word);
}

/// Removes a filter.
///
/// # Errors
/// When it is missing, or the store fails.
pub fn delete(tx: &mut WriteTx<'_>, owner: Id, id: Id) -> Result<(), FilterError> {
    edit(tx, owner, |all| {
        by_id(all, id)?;
        all.retain(|filter| filter.id != id);
        Ok(())
    })
}

/// Adds a keyword to a filter. Takes one id.
///
/// # Errors
/// When the filter is missing or the keyword not valid, or the store fails.
pub fn add_keyword(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    owner: Id,
    filter: Id,
    change: &KeywordChange,
) -> Result<FilterKeyword, FilterError> {
    edit(tx, owner, |all| {
        let filter = by_id(all, filter)?;
        apply(moment, filter, &[KeywordChange { id: None, destroy: false, ..change.clone() }])?;
        filter.keywords.last().cloned().ok_or(FilterError::Missing)
    })
}

/// Changes a keyword of any filter of somebody.
///
/// # Errors
/// When it is missing or would not be valid, or the store fails.
pub fn change_keyword(
    tx: &mut WriteTx<'_>,
    owner: Id,
    id: Id,
    change: &KeywordChange,
) -> Result<FilterKeyword, FilterError> {
    edit(tx, owner, |all| {
        let (filter, at) = by_keyword(all, id)?;
        alter(&mut filter.keywords[at], change);
        Ok(filter.keywords[at].clone())
    })
}

/// Removes a keyword. `with_filter` also removes a filter of which nothing
/// is left, as version 1 of the API wants it: there the two are one.
///
/// # Errors
/// When it is missing, or the store fails.
pub fn delete_keyword(tx: &mut WriteTx<'_>, owner: Id, id: Id, with_filter: bool) -> Result<(), FilterError> {
    edit(tx, owner, |all| {
        let (filter, at) = by_keyword(all, id)?;
        filter.keywords.remove(at);
        let (emptied, is_empty) = (filter.id, filter.keywords.is_empty() && filter.statuses.is_empty());
        if with_filter && is_empty {
            all.retain(|filter| filter.id != emptied);
        }
        Ok(())
    })
}

/// Changes a filter through its only keyword (version 1 of the API).
///
/// # Errors
/// [`FilterError::Shared`] when more than the keyword would change and the
/// filter has others; when it is missing or not valid, or the store fails.
pub fn change_only_keyword(
    tx: &mut WriteTx<'_>,
    owner: Id,
    id: Id,
    only: &OnlyKeyword,
) -> Result<Filter, FilterError> {
    edit(tx, owner, |all| {
        let (filter, at) = by_keyword(all, id)?;
        let row =
            KeywordChange { keyword: only.phrase.clone(), whole_word: only.whole_word, ..Default::default() };
        alter(&mut filter.keywords[at], &row);
        let before = filter.clone();
        apply_rest(filter, &only.change);
        if filter.keywords.len() == 1 {
            filter.title = only.phrase.clone().unwrap_or_else(|| filter.title.clone());
        } else if *filter != before {
            return Err(FilterError::Shared);
        }
        Ok(filter.clone())
    })
}

/// Adds a post to a filter. Takes one id.
///
/// # Errors
/// [`FilterError::Missing`] for a post that its owner may not see, too;
/// [`FilterError::Taken`] when it is there already; or the store's.
pub fn add_status(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    owner: Id,
    filter: Id,
    status: Id,
) -> Result<FilterStatus, FilterError> {
    load_one(tx, Viewer::account(owner, moment.now), status)?.ok_or(FilterError::Missing)?;
    edit(tx, owner, |all| {
        let filter = by_id(all, filter)?;
        if filter.statuses.iter().any(|row| row.status == status) {
            return Err(FilterError::Taken);
        }
        let row = FilterStatus { id: moment.id(), status };
        filter.statuses.push(row);
        Ok(row)
    })
}

/// Takes a post out of a filter.
///
/// # Errors
/// When it is missing, or the store fails.
pub fn delete_status(tx: &mut WriteTx<'_>, owner: Id, id: Id) -> Result<(), FilterError> {
    edit(tx, owner, |all| {
        let has = |filter: &&mut Filter| filter.statuses.iter().any(|row| row.id == id);
        let filter = all.iter_mut().find(has).ok_or(FilterError::Missing)?;
        filter.statuses.retain(|row| row.id != id);
        Ok(())
    })
}
