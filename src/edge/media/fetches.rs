//! Bringing files of other servers: small ones by a job in the lane of their
//! host, so that a host that hangs holds up nobody else's pictures; films while
//! somebody waits for them, because they take longer than a job may.
//!
//! What comes is kept if it is a picture, film or sound by its bytes, whatever
//! its server calls it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, Notify, Semaphore};
use tokio::time::timeout;

use super::proxy::refuse_unwanted;
use super::{names, tend};
use crate::base::limits::FILM_MAX_BYTES;
use crate::base::{Problem, ProblemKind};
use crate::domain::cache::{self, CacheKey};
use crate::domain::delivery::finish;
use crate::domain::secret;
use crate::edge::{AppState, nodes};
use crate::model::CachedFile;
use crate::model::queue::{Job, JobKey};
use crate::net::client::{Answer, FetchError, Outgoing, Times};
use crate::queue::{Attempt, Handler, Outcome, Report, outcome_of};
use crate::store::{StoreError, WriteTx};
use crate::wire::media::Format;

/// Bytes of a file that a job fetches; more is a film.
const SMALL_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Such files fetched at once; each is held in memory until it is whole.
const SMALL_AT_ONCE: usize = 32;
/// Attempts of a job at a file.
const ATTEMPTS_MAX: u8 = 3;
/// How long one attempt may take; the worker ends it a little later.
const SMALL_FETCH_MAX: Duration = Duration::from_secs(13);
/// How long a reader waits for a job.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// A job for the same file is not written again so soon.
const ASKED_FOR: Duration = Duration::from_secs(600);

/// Films fetched at once; each is held in memory until it is whole.
const FILMS_AT_ONCE: usize = 4;
/// How long one waits for its turn to be fetched.
const TURN_MAX: Duration = Duration::from_secs(20);
/// How long one film may take.
const FILM_FETCH_MAX: Duration = Duration::from_secs(90);
/// Between two pieces of a file.
const READ_MAX: Duration = Duration::from_secs(10);

/// How long a file that could not be fetched is not asked for again.
const PAUSE: Duration = Duration::from_secs(300);
/// How long it is known that a file is a film.
const FILM_FOR: Duration = Duration::from_secs(24 * 3600);
/// Files of which something is remembered.
const REMEMBERED_MAX: u64 = 20_000;
/// What we ask others for.
const ACCEPT: &str = "image/avif,image/webp,image/*,video/*,audio/*;q=0.9";

/// What one process remembers of fetches.
pub(crate) struct Fetches {
    /// Those who wait for a job hear when it ended.
    awaited: Mutex<HashMap<CacheKey, Weak<Notify>>>,
    asked: Cache<CacheKey, ()>,
    films: Cache<CacheKey, ()>,
    films_under_way: Mutex<HashMap<CacheKey, Weak<Turn<()>>>>,
    failed: Cache<CacheKey, ()>,
    small_slots: Semaphore,
    film_slots: Semaphore,
}

impl Default for Fetches {
    fn default() -> Self {
        let for_a_while = |time| Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(time).build();
        Fetches {
            awaited: Mutex::default(),
            asked: for_a_while(ASKED_FOR),
            films: for_a_while(FILM_FOR),
            films_under_way: Mutex::default(),
            failed: for_a_while(PAUSE),
            small_slots: Semaphore::new(SMALL_AT_ONCE),
            film_slots: Semaphore::new(FILMS_AT_ONCE),
        }
    }
}

/// The one value that all who want the same file hold; it is gone with the
/// last of them.
fn shared<T: Default>(all: &Mutex<HashMap<CacheKey, Weak<T>>>, key: CacheKey) -> Arc<T> {
    let mut all = all.lock();
    if let Some(one) = all.get(&key).and_then(Weak::upgrade) {
        return one;
    }
    all.retain(|_, one| one.strong_count() > 0);
    let one = Arc::new(T::default());
    all.insert(key, Arc::downgrade(&one));
    one
}

/// How an attempt at a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The file is here, or nothing can be said against it.
    Settled,
    /// It is too large for a job.
    Film,
    /// It cannot be had, or is no picture, film or sound.
    Failed,
}

/// News of a file, for all nodes: those who wait for it may wait on another
/// one than its job ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) key: CacheKey,
    pub(crate) ending: Ending,
    /// Nothing more is tried unless somebody asks again.
    pub(crate) is_last: bool,
}

impl Fetches {
    /// An attempt has ended, here or on another node.
    pub(crate) fn hear(&self, news: &Fetched) {
        match news.ending {
            Ending::Settled => self.failed.invalidate(&news.key),
            Ending::Film => self.films.insert(news.key, ()),
            Ending::Failed => self.failed.insert(news.key, ()),
        }
        if news.is_last {
            self.asked.invalidate(&news.key);
        }
        if let Some(waiting) = self.awaited.lock().get(&news.key).and_then(Weak::upgrade) {
            waiting.notify_waiters();
        }
    }
}

/// The file if it is here.
pub(super) async fn kept(state: &AppState, key: CacheKey) -> Result<Option<CachedFile>, Problem> {
    let now = state.now();
    let found = state.store.read(move |tx| cache::find(tx, now, key)).await?;
    let Some((file, is_to_note)) = found else { return Ok(None) };
    if state.files.size(&file.name).await?.is_none() {
        return Ok(None);
    }
    if is_to_note {
        let noted = state.store.write(move |tx| cache::touch(tx, now, key)).await;
        noted.map_err(|error: StoreError| Problem::from(error))?;
    }
    Ok(Some(file))
}

/// Has a file fetched, and waits for it.
pub(super) async fn brought(state: &AppState, key: CacheKey, address: String) -> Result<CachedFile, Problem> {
    let fetches = state.fetches();
    if fetches.films.contains_key(&key) {
        return film(state, key, address).await;
    }
    if fetches.failed.contains_key(&key) {
        return Err(unreachable());
    }
    let news = shared(&fetches.awaited, key);
    let heard = news.notified();
    tokio::pin!(heard);
    // From here on nothing is missed; it may have come just before.
    heard.as_mut().enable();
    if let Some(file) = kept(state, key).await? {
        return Ok(file);
    }
    ask(state, key, &address).await?;
    let is_in_time = timeout(WAIT_MAX, heard).await.is_ok();
    if let Some(file) = kept(state, key).await? {
        return Ok(file);
    }
    if fetches.films.contains_key(&key) {
        return film(state, key, address).await;
    }
    if !is_in_time {
        // The job goes on; meanwhile nobody waits in vain.
        fetches.failed.insert(key, ());
    }
    Err(unreachable())
}

/// Leaves the job that fetches a file, once for all who ask at the time.
async fn ask(state: &AppState, key: CacheKey, address: &str) -> Result<(), Problem> {
    let asked = &state.fetches().asked;
    if !asked.entry(key).or_insert(()).is_fresh() {
        return Ok(());
    }
    let (moment, url) = (state.moment(), address.to_owned());
    let write = move |tx: &mut WriteTx<'_>| cache::ask(tx, &mut moment.clone(), &url);
    state.store.write(write).await.map_err(|error: StoreError| {
        asked.invalidate(&key);
        error.into()
    })
}

fn unreachable() -> Problem {
    Problem::new(ProblemKind::NotFound, "The file cannot be had from its server")
}

/// The handler of [`crate::model::queue::JobKind::FetchFile`].
pub(super) fn handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            let Job::FetchFile { url } = &attempt.act.job else {
                return Report::from(Outcome::Broken { detail: "not a file".into() });
            };
            let key = secret::digest(url);
            let (outcome, ending) = match small(&state, key, url, &attempt).await {
                Ok(ended) => ended,
                Err(problem) => (Outcome::TryLater { detail: problem.to_string() }, Ending::Settled),
            };
            let is_last = !is_tried_again(&outcome, &attempt);
            settle(&state, Fetched { key, ending, is_last }, attempt.key).await;
            Report::from(outcome)
        }
        .boxed()
    }
}

/// One attempt at a file that is not large.
async fn small(
    state: &AppState,
    key: CacheKey,
    url: &str,
    attempt: &Attempt,
) -> Result<(Outcome, Ending), Problem> {
    let is_unwanted = refuse_unwanted(state, url).await.is_err();
    if is_unwanted || kept(state, key).await?.is_some() {
        return Ok((Outcome::Done, Ending::Settled));
    }
    let _slot = state.fetches().small_slots.acquire().await.map_err(Problem::internal)?;
    let times =
        Times { headers: attempt.answer_within, read: READ_MAX, total: SMALL_FETCH_MAX, ..Times::default() };
    let request = Outgoing::get(url).accept(ACCEPT).answer_max_bytes(SMALL_MAX_BYTES).times(times);
    Ok(match state.client.send(request).await {
        Ok(answer) => match save(state, key, answer).await? {
            Some(_) => (Outcome::Done, Ending::Settled),
            None => (Outcome::Done, Ending::Failed),
        },
        Err(FetchError::TooLarge(_)) => (Outcome::Done, Ending::Film),
        Err(error) => (outcome_of(Err(error), attempt.now), Ending::Failed),
    })
}

/// Tells those who wait how an attempt ended. Whoever looks again after the
/// last one asks again, so its job is gone first; what is left to say to the
/// queue is about the host.
async fn settle(state: &AppState, news: Fetched, job: JobKey) {
    let is_shared = state.cluster.is_shared();
    if news.is_last || is_shared {
        let written = state.store.write(move |tx| {
            if news.is_last {
                finish(tx, &job)?;
            }
            if is_shared {
                nodes::tell_fetched(tx, &news);
            }
            Ok::<_, StoreError>(())
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, "the end of a fetch was not written down; who waits for the file waits in vain");
        }
    }
    state.fetches().hear(&news);
}

fn is_tried_again(outcome: &Outcome, attempt: &Attempt) -> bool {
    let may_pass = matches!(
        outcome,
        Outcome::Failed { .. }
            | Outcome::TooMany { .. }
            | Outcome::Unavailable { .. }
            | Outcome::TryLater { .. }
    );
    may_pass && attempt.attempts + 1 < ATTEMPTS_MAX
}

/// Fetches a film, or waits for whoever does.
async fn film(state: &AppState, key: CacheKey, address: String) -> Result<CachedFile, Problem> {
    let turn = shared(&state.fetches().films_under_way, key);
    let state = state.clone();
    // A task of its own: whoever asked may go away, as players of films do
    // when they ask for another part, and what is half fetched is for others.
    let fetch = tokio::spawn(async move {
        let _turn = turn.lock().await;
        if let Some(file) = kept(&state, key).await? {
            return Ok(file);
        }
        if state.fetches().failed.contains_key(&key) {
            return Err(unreachable());
        }
        let fetched = whole_film(&state, key, &address).await;
        if fetched.as_ref().is_err_and(|problem| problem.kind == ProblemKind::NotFound) {
            state.fetches().failed.insert(key, ());
        }
        fetched
    });
    fetch.await.map_err(Problem::internal)?
}

async fn whole_film(state: &AppState, key: CacheKey, address: &str) -> Result<CachedFile, Problem> {
    let busy = || Problem::new(ProblemKind::Unavailable, "Many files are being fetched; try again");
    let slot = timeout(TURN_MAX, state.fetches().film_slots.acquire()).await.map_err(|_| busy())?;
    let _slot = slot.map_err(Problem::internal)?;
    let times = Times { total: FILM_FETCH_MAX, read: READ_MAX, ..Times::default() };
    let request = Outgoing::get(address).accept(ACCEPT).answer_max_bytes(FILM_MAX_BYTES).times(times);
    let answer = state.client.send(request).await.map_err(|error| unreachable().because(error))?;
    save(state, key, answer).await?.ok_or_else(unreachable)
}

/// Keeps what came; `None` if it is no picture, film or sound.
async fn save(state: &AppState, key: CacheKey, answer: Answer) -> Result<Option<CachedFile>, Problem> {
    let Some(format) = Format::of(&answer.body) else { return Ok(None) };
    let now = state.now();
    let name = names::cached(&names::stem(&*state.chance), format);
    let bytes = answer.body.len() as u64;
    state.files.put(&name, answer.body).await?;
    let file = CachedFile { name, bytes, fetched_at: now, used_at: now };
    let new = file.clone();
    let replaced = state.store.write(move |tx| cache::keep(tx, key, &new)).await;
    match replaced.map_err(|error: StoreError| Problem::from(error)) {
        Ok(Some(old)) => state.files.delete(&old.name).await?,
        Ok(None) => {}
        Err(problem) => {
            tend::remove_quietly(state, &file.name).await;
            return Err(problem);
        }
    }
    state.fetches().failed.invalidate(&key);
    Ok(Some(file))
}
