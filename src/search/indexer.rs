//! Keeps the index up with the store.
//!
//! One round: read what is new, add it, commit the index, then delete the
//! rows of the feed and put the index's stamp into the store, both in one
//! transaction. After a crash anywhere in between the rows are still there
//! and are worked off again; each replaces its entry, so nothing is lost or
//! doubled.

use std::sync::Arc;
use std::time::Duration;

use tantivy::{IndexWriter, Term};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::document::{self, FIELDS};
use super::gather::{self, FeedRow, Page};
use super::shelf::{self, Stamp, Walk};
use super::slots;
use super::{Search, SearchError};
use crate::base::{Clock, Id, IdGenerator};
use crate::cluster::Cluster;
use crate::model::feed;
use crate::model::tables::INDEX_STAMP;
use crate::store::{MISSED, Scan, Signal, Store, StoreError};

/// Entries added between two commits.
const ROUND_MAX: usize = 5000;
/// After news, more of them are waited for, so that they share a commit.
const GATHER_FOR: Duration = Duration::from_millis(500);
/// Without news for so long, memory is given back.
const BUSY_FOR: Duration = Duration::from_secs(5);
/// Looks for news that no signal told of.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Pause after something failed.
const FAILED_FOR: Duration = Duration::from_secs(30);
/// What whoever changes the index has at hand.
#[derive(Default)]
pub(super) struct Work {
    /// The index was compared with the store.
    is_checked: bool,
    /// It failed and has to be made anew.
    is_broken: bool,
    /// Under which number it stands in the store.
    slot: u8,
    /// Other indexes of which no node says that they are its own.
    strays: slots::Strays,
    writer: Option<IndexWriter>,
}

/// The one that keeps an index up with its store.
#[derive(Clone)]
pub struct Indexer {
    /// The index.
    pub search: Search,
    /// The records.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<IdGenerator>,
    /// The other nodes, each with an index of its own.
    pub cluster: Cluster,
}

impl Indexer {
    /// Runs until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut signals = self.store.subscribe();
        let mut idle_for = BUSY_FOR;
        while !stop.is_cancelled() {
            self.drop_strays().await;
            let wait = match self.work_off(&stop).await {
                Ok(0) => idle_for,
                Ok(_) => BUSY_FOR,
                Err(SearchError::Store(StoreError::Closed)) => break,
                Err(error) => {
                    warn!(%error, "the search index is behind, trying again in {} s", FAILED_FOR.as_secs());
                    FAILED_FOR
                }
            };
            let news = async {
                match tokio::time::timeout(wait, hear(&mut signals)).await {
                    Ok(()) => tokio::time::sleep(GATHER_FOR).await,
                    Err(_) => self.rest().await,
                }
            };
            idle_for = LOOK_EVERY;
            tokio::select! {
                () = stop.cancelled() => break,
                () = news => {}
            }
        }
        self.rest().await;
    }

    /// Brings everything into the index that the store has now; gives how
    /// many entries were written.
    ///
    /// # Errors
    /// When the index cannot be written, or the store fails.
    pub async fn catch_up(&self) -> Result<usize, SearchError> {
        self.work_off(&CancellationToken::new()).await
    }

    async fn work_off(&self, stop: &CancellationToken) -> Result<usize, SearchError> {
        let mut work = self.search.0.work.lock().await;
        let mut entries = 0;
        while !stop.is_cancelled() {
            match self.round(&mut work).await {
                Ok(Some(more)) => entries += more,
                Ok(None) => break,
                Err(error) => {
                    work.writer = None;
                    work.is_broken |= matches!(error, SearchError::Index(_));
                    return Err(error);
                }
            }
        }
        Ok(entries)
    }

    /// Gives the memory for writing back.
    async fn rest(&self) {
        let writer = self.search.0.work.lock().await.writer.take();
        if let Some(writer) = writer {
            let ended = tokio::task::spawn_blocking(move || writer.wait_merging_threads());
            if let Ok(Err(error)) = ended.await {
                warn!(%error, "the search index could not be tidied up");
            }
        }
    }

    /// One commit; `None` when there was nothing to do.
    async fn round(&self, work: &mut Work) -> Result<Option<usize>, SearchError> {
        let stamp = self.checked(work).await?;
        let mut writer = None;
        let (mut walk, mut entries) = (stamp.walk, 0);
        while walk != Walk::Done && entries < ROUND_MAX {
            let (page, next) = self.store.read(move |tx| gather::walk(tx, walk)).await?;
            entries += page.len();
            writer = Some(self.add(work.writer.take().or(writer.take()), page).await?);
            walk = next;
        }
        let slot = work.slot;
        let (rows, page, author) = self.store.read(move |tx| gather::news(tx, slot)).await?;
        if rows.is_empty() && walk == stamp.walk {
            work.writer = work.writer.take().or(writer);
            return Ok(None);
        }
        entries += page.len();
        let mut writer = self.add(work.writer.take().or(writer), page).await?;
        if let Some(author) = author {
            (writer, entries) = self.add_posts_of(writer, author, entries).await?;
        }
        if walk == Walk::Done && stamp.walk != Walk::Done {
            info!("the search index was made anew");
        }
        let next = Stamp { current: self.fresh_id(), previous: stamp.current, walk };
        work.writer = Some(self.commit(writer, next).await?);
        if !self.settle(work.slot, rows, stamp, next.current).await? {
            // Somebody else works under its number: a folder that was copied.
            work.is_broken = true;
        }
        Ok(Some(entries))
    }

    fn fresh_id(&self) -> Id {
        self.ids.reserve(self.clock.now(), 1).take()
    }

    /// The index's stamp, after it was seen to be of the same moment as the
    /// store; otherwise of an empty index in its place.
    async fn checked(&self, work: &mut Work) -> Result<Stamp, SearchError> {
        let stamp = self.search.0.shelf.read().stamp();
        if work.is_checked
            && !work.is_broken
            && let Some(stamp) = stamp
        {
            return Ok(stamp);
        }
        let kept: Vec<(u8, Id)> = self.store.read(|tx| tx.scan(INDEX_STAMP, Scan::all())).await?;
        let ours = stamp.and_then(|stamp| Some((slots::slot_of(&kept, stamp)?, stamp)));
        if let Some((slot, stamp)) = ours.filter(|_| !work.is_broken) {
            (work.slot, work.is_checked) = (slot, true);
            self.cluster.index_is(slot);
            return Ok(stamp);
        }
        let stamp = self.begin_anew(work).await?;
        (work.is_checked, work.is_broken) = (true, false);
        Ok(stamp)
    }

    async fn begin_anew(&self, work: &mut Work) -> Result<Stamp, SearchError> {
        work.writer = None;
        let search = self.search.clone();
        let emptied = tokio::task::spawn_blocking(move || {
            let old = search.0.shelf.read().clone();
            *search.0.shelf.write() = old.emptied();
        });
        emptied.await.map_err(|_| SearchError::Index("it cannot be emptied".into()))?;
        let id = self.fresh_id();
        let stamp = Stamp { current: id, previous: id, walk: Walk::Posts(Id::ZERO) };
        let is_shared = self.cluster.is_shared();
        work.slot = self.store.write(move |tx| slots::take(tx, is_shared, id)).await?;
        self.cluster.index_is(work.slot);
        let writer = self.search.0.shelf.read().writer()?;
        work.writer = Some(self.commit(writer, stamp).await?);
        Ok(stamp)
    }

    /// Indexes that no node has any more are waited for no longer.
    async fn drop_strays(&self) {
        if !self.cluster.is_shared() || !self.cluster.duty().borrow().has_chores() {
            return;
        }
        let mut work = self.search.0.work.lock().await;
        if let Err(error) = work.strays.drop_old(&self.store, self.clock.monotonic()).await {
            warn!(%error, "indexes of nodes that are gone were not looked for");
        }
    }

    /// Adds entries, where that may take its time.
    async fn add(&self, writer: Option<IndexWriter>, page: Page) -> Result<IndexWriter, SearchError> {
        let writer = match writer {
            Some(writer) => writer,
            None => self.search.0.shelf.read().writer()?,
        };
        blocking(move || {
            put(&writer, &page)?;
            Ok(writer)
        })
        .await
    }

    async fn add_posts_of(
        &self,
        mut writer: IndexWriter,
        author: Id,
        mut entries: usize,
    ) -> Result<(IndexWriter, usize), SearchError> {
        let mut after = Id::ZERO;
        // Each page begins behind the last post of the one before, so this ends.
        loop {
            let (page, last) = self.store.read(move |tx| gather::posts_of(tx, author, after)).await?;
            entries += page.len();
            writer = self.add(Some(writer), page).await?;
            match last {
                Some(last) => after = last,
                None => return Ok((writer, entries)),
            }
        }
    }

    async fn commit(&self, mut writer: IndexWriter, stamp: Stamp) -> Result<IndexWriter, SearchError> {
        let reader = self.search.0.shelf.read().reader.clone();
        blocking(move || {
            shelf::commit(&mut writer, &stamp)?;
            reader.reload()?;
            Ok(writer)
        })
        .await
    }

    /// Notes that rows of the feed, unless they changed in the meantime, are
    /// done; `false` if the store does not know this index as it was `before`.
    async fn settle(
        &self,
        slot: u8,
        rows: Vec<FeedRow>,
        before: Stamp,
        stamp: Id,
    ) -> Result<bool, StoreError> {
        let is_shared = self.cluster.is_shared();
        self.store.write(move |tx| slots::settle(tx, is_shared, (slot, before), &rows, stamp)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SearchError> + Send + 'static,
) -> Result<T, SearchError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| SearchError::Index("writing panicked".into()))?
}

/// Replaces entries.
fn put(writer: &IndexWriter, page: &Page) -> Result<(), SearchError> {
    for (id, post) in &page.posts {
        writer.delete_term(Term::from_field_u64(FIELDS.post, id.0));
        if let Some((status, is_open)) = post {
            writer.add_document(document::post(status, *is_open))?;
        }
    }
    for (id, person) in &page.people {
        writer.delete_term(Term::from_field_u64(FIELDS.person, id.0));
        if let Some(account) = person {
            writer.add_document(document::person(account))?;
        }
    }
    Ok(())
}

/// Until a change is committed that the feed has a row of.
async fn hear(signals: &mut broadcast::Receiver<Arc<Signal>>) {
    loop {
        match signals.recv().await {
            Ok(signal) if signal.topic != feed::TOPIC && signal.topic != MISSED => {}
            // After a lag there may have been news.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            // The store is closed; the next read says so.
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
