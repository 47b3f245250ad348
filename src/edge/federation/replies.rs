//! Answers to a post of another server that nobody sent here: fetched when
//! somebody opens the thread, as Mastodon 4.4 does.
//!
//! A collection of answers is only a list of places to look at. Its pages are
//! of the post's own server, each answer is what its own server says it is,
//! and it has to answer a post of this thread.

use serde_json::Value;

use super::fetch::{self, FetchFailure};
use super::{posts, thread};
use crate::base::Id;
use crate::domain::delivery::{Task, authority_of, enqueue};
use crate::domain::status::{self, News};
use crate::edge::AppState;
use crate::model::Status;
use crate::model::queue::{Job, Lane};
use crate::model::tables::STATUS_BY_THREAD;
use crate::store::Scan;
use crate::wire::activitypub::{collection, uri};

/// Posts of one thread; none are looked for beyond that.
const THREAD_MAX: usize = 500;
/// Answers of one post that are looked at.
const ANSWERS_MAX: usize = 100;
/// Pages of one collection that are read.
const PAGES_MAX: usize = 8;
/// Answers to answers that are followed down.
const DEPTH_MAX: u8 = 6;

/// Leaves jobs that fetch what is above and below a post that somebody opens,
/// if it is of another server and that was not done lately. Nothing that fails
/// here matters to whoever reads.
pub(crate) async fn look_below(state: &AppState, post: &Status) {
    let is_there = !post.is_local && post.visibility.is_open() && !post.is_reblog();
    let Some(host) = authority_of(&post.uri).filter(|_| is_there) else { return };
    if !state.federation().may_look_below(post.id) {
        return;
    }
    let _ = later(state, vec![(host, post.uri.clone())], 0).await;
    let _ = thread::complete_later(state, &post.uri, News::Backfill).await;
}

/// Does the part of one server: reads a post, keeps it if it is an answer in a
/// thread that is known, and leaves jobs for what answers it.
///
/// # Errors
/// Why its server did not give it.
pub(super) async fn fetch(state: &AppState, uri: &str, depth: u8) -> Result<(), FetchFailure> {
    let document = fetch::document(state, uri).await?;
    let known = match find(state, uri).await? {
        Some(post) => Some(post),
        None => keep(state, &document).await?,
    };
    let Some(post) = known.filter(|post| !post.is_local && post.visibility.is_open()) else {
        return Ok(());
    };
    if depth >= DEPTH_MAX || is_full(state, post.thread).await? {
        return Ok(());
    }
    let answers = answers(state, &post.uri, &document["replies"]).await;
    let mut unknown = Vec::new();
    for answer in answers {
        let host = authority_of(&answer).filter(|_| !state.site.owns(&answer));
        if let Some(host) = host
            && find(state, &answer).await?.is_none()
        {
            unknown.push((host, answer));
        }
    }
    unknown.truncate(state.federation().take_answers(post.thread, unknown.len()));
    later(state, unknown, depth + 1).await
}

async fn find(state: &AppState, uri: &str) -> Result<Option<Status>, FetchFailure> {
    let uri = uri.to_owned();
    Ok(state.store.read(move |tx| status::by_uri(tx, &uri)).await?)
}

/// Keeps an open post that answers one that is known.
async fn keep(state: &AppState, document: &Value) -> Result<Option<Status>, FetchFailure> {
    let found = posts::read(state, document).await?;
    let Some(parent) = found.in_reply_to.clone().filter(|_| found.visibility.is_open()) else {
        return Ok(None);
    };
    let Some(parent) = find(state, &parent).await? else { return Ok(None) };
    if is_full(state, parent.thread).await? {
        return Ok(None);
    }
    let (uri, quotes) = (found.uri.clone(), found.quote.is_some());
    posts::keep(state, found, News::Backfill).await?;
    if quotes {
        thread::settle_later(state, &uri).await?;
    }
    find(state, &uri).await
}

async fn is_full(state: &AppState, thread: Id) -> Result<bool, FetchFailure> {
    let rows = state
        .store
        .read(move |tx| {
            Ok::<_, crate::store::StoreError>(
                tx.scan(STATUS_BY_THREAD, Scan::prefix(&(thread,)).limit(THREAD_MAX))?.len(),
            )
        })
        .await?;
    Ok(rows >= THREAD_MAX)
}

/// The answers that a post's own server lists, as far as it does so soon.
async fn answers(state: &AppState, post: &str, replies: &Value) -> Vec<String> {
    let (mut found, mut asked): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut next = Some(replies.clone());
    while let Some(here) = next.take() {
        let part = match here.as_str() {
            Some(page) => {
                let is_new = !asked.iter().any(|known| known == page);
                if asked.len() >= PAGES_MAX || !is_new || !uri::is_same_host(page, post) {
                    break;
                }
                asked.push(page.to_owned());
                let Ok((document, answered_by)) = fetch::get(state, page).await else { break };
                if !uri::is_same_host(&answered_by, post) {
                    break;
                }
                collection::part(&document)
            }
            None => collection::part(&here),
        };
        found.extend(part.items.into_iter().filter(|item| uri::is_id(item) && item != post));
        if found.len() >= ANSWERS_MAX {
            break;
        }
        next = part.next;
    }
    found.sort();
    found.dedup();
    found.truncate(ANSWERS_MAX);
    found
}

async fn later(state: &AppState, posts: Vec<(String, String)>, depth: u8) -> Result<(), FetchFailure> {
    let task = |(host, uri)| thread::task(host, Lane::Bulk, Job::FetchReplies { uri, depth });
    let tasks: Vec<Task> = posts.into_iter().map(task).collect();
    if tasks.is_empty() {
        return Ok(());
    }
    let moment = state.moment_with(tasks.len() as u16);
    state
        .store
        .write(move |tx| {
            let mut moment = moment.clone();
            tasks.iter().try_for_each(|task| enqueue(tx, &mut moment, task).map(drop))
        })
        .await?;
    Ok(())
}
