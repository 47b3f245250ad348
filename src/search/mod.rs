//! Full-text search: an index of posts and accounts in a folder beside the
//! store.
//!
//! The store is the truth. What changes there leaves a row in its feed
//! ([`crate::model::feed`]) in the same transaction; the [`Indexer`] works the
//! rows off and deletes them when the index is on disk. An index that is
//! missing, damaged, of another version, or of another moment than the store,
//! is made anew from the store. What a search gives is only a hint: the caller
//! loads every hit for the one who asks (`domain::search::findable`).
//!
//! Must not know requests, nor how results are shown.

mod document;
mod gather;
mod indexer;
mod query;
mod shelf;
mod slots;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::{Mutex, Semaphore};

use crate::base::Id;
use crate::store::StoreError;
pub use indexer::Indexer;
pub use query::Wanted;
use shelf::Shelf;

/// Questions answered at once; more wait.
const QUESTIONS_MAX: usize = 2;
/// Longest time one question may take, waiting included.
const QUESTION_MAX: Duration = Duration::from_secs(5);

/// Where an index is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In memory, for a store in memory.
    Memory,
    /// In this folder, which is the index's alone.
    Folder(PathBuf),
}

/// Why something was not found or not indexed.
#[derive(Debug)]
pub enum SearchError {
    /// Too many ask, or it took too long.
    Busy,
    /// The index cannot be read or written.
    Index(String),
    /// The store failed.
    Store(StoreError),
}

impl std::fmt::Display for SearchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SearchError::Busy => f.write_str("too many searches at once"),
            SearchError::Index(detail) => write!(f, "search index: {detail}"),
            SearchError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SearchError {}

impl From<tantivy::TantivyError> for SearchError {
    fn from(error: tantivy::TantivyError) -> SearchError {
        SearchError::Index(error.to_string())
    }
}

impl From<StoreError> for SearchError {
    fn from(error: StoreError) -> SearchError {
        SearchError::Store(error)
    }
}

/// The index; cheap to clone.
#[derive(Clone)]
pub struct Search(Arc<Inner>);

struct Inner {
    shelf: RwLock<Shelf>,
    /// Held by whoever changes the index.
    work: Mutex<indexer::Work>,
    slots: Arc<Semaphore>,
}

impl Search {
    /// Opens the index, or begins an empty one. Never fails: where the folder
    /// cannot be used, the index is in memory and made anew at each start.
    pub fn open(place: Place) -> Search {
        Search(Arc::new(Inner {
            shelf: RwLock::new(Shelf::open(place)),
            work: Mutex::default(),
            slots: Arc::new(Semaphore::new(QUESTIONS_MAX)),
        }))
    }

    /// Posts that a question finds, newest first.
    ///
    /// # Errors
    /// When too many ask, or the index cannot be read.
    pub async fn posts(&self, wanted: Wanted, offset: usize, limit: usize) -> Result<Vec<Id>, SearchError> {
        self.ask(move |shelf| query::posts(shelf, &wanted, offset, limit)).await
    }

    /// Accounts that have all these words in their name, or in the profile of
    /// those who want to be found, newest first.
    ///
    /// # Errors
    /// As for [`Search::posts`].
    pub async fn people(&self, text: String, limit: usize) -> Result<Vec<Id>, SearchError> {
        self.ask(move |shelf| query::people(shelf, &text, limit)).await
    }

    /// Runs a question where it may take its time.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Shelf) -> Result<T, SearchError> + Send + 'static,
    ) -> Result<T, SearchError> {
        let (shelf, slots) = (self.0.shelf.read().clone(), self.0.slots.clone());
        let answer = async move {
            let slot = slots.acquire_owned().await.map_err(|_| SearchError::Busy)?;
            let asked = tokio::task::spawn_blocking(move || {
                // Held to the end, also when nobody waits any more.
                let _slot = slot;
                question(&shelf)
            });
            asked.await.map_err(|_| SearchError::Index("the search panicked".into()))?
        };
        tokio::time::timeout(QUESTION_MAX, answer).await.unwrap_or(Err(SearchError::Busy))
    }
}
