//! Files of other servers, passed on under our own address: readers tell no
//! strangers that they read, and pages need to load from nowhere else.
//!
//! The first who asks makes us fetch, through the guarded client; others who
//! ask meanwhile wait for the same. What comes is kept if it is a picture,
//! film or sound by its bytes, whatever its server calls it.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use moka::sync::Cache;
use parking_lot::Mutex;
use tokio::sync::{Mutex as Turn, Semaphore};
use tokio::time::timeout;

use super::serve::{self, Kept};
use super::{names, tend};
use crate::base::limits::FILM_MAX_BYTES;
use crate::base::{Problem, ProblemKind};
use crate::domain::cache::{self, CacheKey};
use crate::domain::delivery::authority_of;
use crate::domain::moderation::server::rejects_media;
use crate::domain::secret;
use crate::edge::AppState;
use crate::model::CachedFile;
use crate::net::client::{Outgoing, Times};
use crate::store::StoreError;
use crate::wire::media::Format;

/// Files fetched at once; each is held in memory until it is whole.
const FETCHES_MAX: usize = 4;
/// How long one waits for its turn to be fetched.
const TURN_MAX: Duration = Duration::from_secs(20);
/// How long one fetch may take.
const FETCH_MAX: Duration = Duration::from_secs(90);
/// How long a file that could not be fetched is not asked for again.
const PAUSE: Duration = Duration::from_secs(300);
/// Failures that are remembered.
const FAILURES_MAX: u64 = 20_000;
/// Between two pieces of a file.
const READ_MAX: Duration = Duration::from_secs(10);
/// A file elsewhere may change under its address; readers ask again after a week.
const A_WEEK: &str = "public, max-age=604800";
/// What we ask others for.
const ACCEPT: &str = "image/avif,image/webp,image/*,video/*,audio/*;q=0.9";

/// What one process remembers of fetches.
pub(crate) struct Fetches {
    under_way: Mutex<HashMap<CacheKey, Weak<Turn<()>>>>,
    failed: Cache<CacheKey, ()>,
    slots: Semaphore,
}

impl Default for Fetches {
    fn default() -> Self {
        Fetches {
            under_way: Mutex::default(),
            failed: Cache::builder().max_capacity(FAILURES_MAX).time_to_live(PAUSE).build(),
            slots: Semaphore::new(FETCHES_MAX),
        }
    }
}

impl Fetches {
    /// The lock of those who want the same file. It is gone with the last.
    fn turn(&self, key: CacheKey) -> Arc<Turn<()>> {
        let mut under_way = self.under_way.lock();
        if let Some(turn) = under_way.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        under_way.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(Turn::new(()));
        under_way.insert(key, Arc::downgrade(&turn));
        turn
    }
}

/// `GET /media/proxy/{signature}/{address}`.
pub(super) async fn remote(
    State(state): State<AppState>,
    Path((mac, address)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let address = state.site.proxied(&mac, &address).ok_or_else(Problem::not_found)?;
    let key = secret::digest(&address);
    refuse_unwanted(&state, &address).await?;
    let file = match kept(&state, key).await? {
        Some(file) => file,
        None => brought(&state, key, address).await?,
    };
    let format =
        file.name.rsplit('.').next().and_then(Format::of_extension).ok_or_else(Problem::not_found)?;
    serve::send(&state, Kept { name: &file.name, format, caching: A_WEEK }, &headers).await
}

/// Files of servers whose files moderators do not want are not passed on.
async fn refuse_unwanted(state: &AppState, address: &str) -> Result<(), Problem> {
    let host = authority_of(address).ok_or_else(Problem::not_found)?;
    let site = state.site.clone();
    let is_unwanted = state.store.read(move |tx| rejects_media(tx, &site, &host)).await?;
    if is_unwanted { Err(Problem::not_found()) } else { Ok(()) }
}

/// The file if it is here.
async fn kept(state: &AppState, key: CacheKey) -> Result<Option<CachedFile>, Problem> {
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

/// Fetches a file, or waits for whoever does.
async fn brought(state: &AppState, key: CacheKey, address: String) -> Result<CachedFile, Problem> {
    let fetches = state.fetches();
    if fetches.failed.contains_key(&key) {
        return Err(unreachable());
    }
    let turn = fetches.turn(key);
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
        let fetched = fetch(&state, key, &address).await;
        if let Err(problem) = &fetched
            && problem.kind == ProblemKind::NotFound
        {
            state.fetches().failed.insert(key, ());
        }
        fetched
    });
    fetch.await.map_err(Problem::internal)?
}

fn unreachable() -> Problem {
    Problem::new(ProblemKind::NotFound, "The file cannot be had from its server")
}

async fn fetch(state: &AppState, key: CacheKey, address: &str) -> Result<CachedFile, Problem> {
    let busy = || Problem::new(ProblemKind::Unavailable, "Many files are being fetched; try again");
    let slot = timeout(TURN_MAX, state.fetches().slots.acquire()).await.map_err(|_| busy())?;
    let _slot = slot.map_err(Problem::internal)?;
    let times = Times { total: FETCH_MAX, read: READ_MAX, ..Times::default() };
    let request = Outgoing::get(address).accept(ACCEPT).answer_max_bytes(FILM_MAX_BYTES).times(times);
    let answer = state.client.send(request).await.map_err(|error| unreachable().because(error))?;
    let format = Format::of(&answer.body).ok_or_else(unreachable)?;
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
    Ok(file)
}
