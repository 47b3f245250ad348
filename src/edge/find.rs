//! Posts and people by their words, for the API and the pages: asks the
//! index, then loads what may be shown, until a page is full.

use std::collections::HashMap;

use super::AppState;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::account;
use crate::domain::search::{self, Ask, Part, Scope};
use crate::domain::timeline::Loaded;
use crate::domain::visibility::Viewer;
use crate::model::Site;
use crate::search::{SearchError, Wanted};
use crate::store::{ReadTx, StoreError};

/// Accounts that the index is asked for.
const PEOPLE_MAX: usize = 100;
/// Hits of the index that are loaded for one page. Those the asker does not
/// want to see leave holes.
const HITS_MAX: usize = 1000;
/// Hits loaded at once.
const HITS_AT_ONCE: usize = 100;

/// Which posts are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// As typed.
    pub(crate) text: String,
    /// Only posts of this account.
    pub(crate) author: Option<Id>,
    /// Only posts after this one.
    pub(crate) after: Option<Id>,
    /// Only posts before this one.
    pub(crate) before: Option<Id>,
    /// Posts that are skipped.
    pub(crate) offset: usize,
    /// How many.
    pub(crate) limit: usize,
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Problem {
        match error {
            SearchError::Store(error) => error.into(),
            error => Problem::new(ProblemKind::Unavailable, "Search is busy; try again in a moment")
                .retry_after(5)
                .because(error),
        }
    }
}

/// Accounts that the index finds by these words; empty for handles, which
/// are looked up by themselves.
pub(crate) async fn people(state: &AppState, text: &str) -> Result<Vec<Id>, Problem> {
    if text.contains('@') {
        return Ok(Vec::new());
    }
    Ok(state.search.people(text.to_owned(), PEOPLE_MAX).await?)
}

/// Posts that somebody finds, newest first; none for those who are not
/// logged in.
///
/// # Errors
/// 503 when too many search at once.
pub(crate) async fn posts(state: &AppState, viewer: Viewer, query: Query) -> Result<Vec<Loaded>, Problem> {
    let (Some(me), ask) = (viewer.id, Ask::parse(&query.text)) else { return Ok(Vec::new()) };
    if ask.is_empty() && query.author.is_none() && ask.scope != Scope::Library || query.limit == 0 {
        return Ok(Vec::new());
    }
    let site = state.site.clone();
    let Query { author, after, before, .. } = query;
    let wanted = state.store.read(move |tx| {
        let (authors, library) = (authors(tx, &site, &ask)?, library(tx, me, ask.scope)?);
        Ok::<_, StoreError>(Wanted { ask, me, library, authors, author, after, before })
    });
    fill(state, viewer, wanted.await?, query.offset, query.limit).await
}

fn library(tx: &ReadTx<'_>, me: Id, scope: Scope) -> Result<Vec<Id>, StoreError> {
    if scope == Scope::Public { Ok(Vec::new()) } else { search::library(tx, me) }
}

/// The accounts that the question names.
fn authors(tx: &ReadTx<'_>, site: &Site, ask: &Ask) -> Result<HashMap<String, Id>, StoreError> {
    let mut authors = HashMap::new();
    // As many as a question has parts: a few.
    for (_, part) in &ask.parts {
        if let Part::From(handle) = part
            && let Some(found) = account::by_handle(tx, site, handle)?
        {
            authors.insert(handle.clone(), found.id);
        }
    }
    Ok(authors)
}

/// A page of those hits that may be shown.
async fn fill(
    state: &AppState,
    viewer: Viewer,
    wanted: Wanted,
    offset: usize,
    limit: usize,
) -> Result<Vec<Loaded>, Problem> {
    let mut found: Vec<Loaded> = Vec::new();
    for from in (0..HITS_MAX).step_by(HITS_AT_ONCE) {
        let hits = state.search.posts(wanted.clone(), from, HITS_AT_ONCE).await?;
        let is_last = hits.len() < HITS_AT_ONCE;
        found.extend(state.store.read(move |tx| search::findable(tx, viewer, &hits)).await?);
        if is_last || found.len() >= offset + limit {
            break;
        }
    }
    Ok(found.into_iter().skip(offset).take(limit).collect())
}
