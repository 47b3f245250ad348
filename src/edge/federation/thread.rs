//! Jobs that fetch: accounts, and the posts above a post. Each asks one server
//! only, in whose lane it is: what the next one has to say is another job in
//! the lane of that one, so that a slow server delays nobody but itself.

use futures_util::FutureExt;

use super::fetch::FetchFailure;
use super::{actors, posts, quotes};
use crate::base::Id;
use crate::domain::delivery::{Place, Task, authority_of, enqueue, finish};
use crate::domain::status::{self, News};
use crate::domain::{quote, remote};
use crate::edge::AppState;
use crate::model::queue::{Body, Job, Lane, OrderKey};
use crate::model::{Account, Status};
use crate::queue::{Attempt, FailureKind, Handler, Outcome, Report};
use crate::store::StoreError;

/// Attempts at one fetch.
const ATTEMPTS_MAX: u8 = 3;

/// The handler of the jobs that fetch.
pub(super) fn handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            let fetched = match &attempt.act.job {
                Job::FetchAccount { uri } => refresh(&state, uri).await,
                Job::FetchThread { uri, is_news, climbed } => {
                    complete(&state, uri, (news(*is_news), usize::from(*climbed))).await
                }
                Job::SettleQuote { uri } => quotes::settle(&state, uri).await,
                Job::FetchReplies { uri, depth } => super::replies::fetch(&state, uri, *depth).await,
                _ => return Outcome::Broken { detail: "not a fetch".into() }.into(),
            };
            report(&state, fetched, &attempt).await
        }
        .boxed()
    }
}

fn news(is_news: bool) -> News {
    if is_news { News::Fresh } else { News::Backfill }
}

/// What a fetch says about the host in whose lane it is. It is not worth many
/// attempts: what is missing is asked for again when somebody looks.
pub(super) async fn report(state: &AppState, result: Result<(), FetchFailure>, attempt: &Attempt) -> Report {
    let later = |why: String| Outcome::TryLater { detail: why }.into();
    let label = match result {
        Ok(()) | Err(FetchFailure::Gone | FetchFailure::Bad(_) | FetchFailure::Own) => {
            return Outcome::Done.into();
        }
        Err(FetchFailure::Unreachable(label)) => label,
        Err(failure) => return later(failure.to_string()),
    };
    if attempt.attempts + 1 >= ATTEMPTS_MAX {
        let key = attempt.key;
        if let Err(error) = state.store.write(move |tx| finish(tx, &key)).await {
            let error: StoreError = error;
            return later(error.to_string());
        }
    }
    Outcome::failed(kind_of(label), 0, label).into()
}

fn kind_of(label: &str) -> FailureKind {
    match label {
        "timeout" => FailureKind::Timeout,
        "tls" => FailureKind::Tls,
        "status" => FailureKind::Server,
        _ => FailureKind::Connection,
    }
}

/// Reads an account again, unless somebody did meanwhile.
async fn refresh(state: &AppState, uri: &str) -> Result<(), FetchFailure> {
    match actors::known(state, uri).await? {
        Some(account) if account.is_local() || !actors::is_stale(state, &account) => Ok(()),
        _ => actors::fetch(state, uri).await.map(drop),
    }
}

/// Fetches what a post answers and what that answers, as far as it is of one
/// server, and hangs it under that.
async fn complete(state: &AppState, uri: &str, (news, climbed): (News, usize)) -> Result<(), FetchFailure> {
    let Some((post, parent)) = dangling(state, uri).await? else { return Ok(()) };
    let fetched = posts::ancestors(state, &parent, climbed).await;
    let moment = state.moment();
    state.store.write(move |tx| remote::link_parent(tx, &mut moment.clone(), post.id, news)).await?;
    fetched
}

/// A post whose parent is not known, with the ActivityPub id of that.
async fn dangling(state: &AppState, uri: &str) -> Result<Option<(Status, String)>, FetchFailure> {
    let uri = uri.to_owned();
    let post = state.store.read(move |tx| status::by_uri(tx, &uri)).await?;
    let post = post.filter(|post| post.in_reply_to.is_none());
    let parent = |post: Status| post.in_reply_to_uri.clone().map(|parent| (post, parent));
    Ok(post.and_then(parent).filter(|(_, parent)| !state.site.owns(parent)))
}

/// Leaves a job that completes a post's thread, if its parent is missing.
pub(super) async fn complete_later(state: &AppState, uri: &str, news: News) -> Result<(), FetchFailure> {
    go_on_later(state, uri, news, 0).await
}

/// The same for one that was fetched as the last of `climbed` above another.
pub(super) async fn climb_later(state: &AppState, uri: &str, climbed: usize) -> Result<(), FetchFailure> {
    go_on_later(state, uri, News::Backfill, climbed).await
}

async fn go_on_later(state: &AppState, uri: &str, news: News, climbed: usize) -> Result<(), FetchFailure> {
    let Some((_, parent)) = dangling(state, uri).await? else { return Ok(()) };
    let Some(host) = authority_of(&parent) else { return Ok(()) };
    let (is_news, climbed) = (news == News::Fresh, u8::try_from(climbed).unwrap_or(u8::MAX));
    let lane = if is_news { Lane::Fresh } else { Lane::Bulk };
    later(state, host, lane, Job::FetchThread { uri: uri.to_owned(), is_news, climbed }).await
}

/// Leaves a job that looks whether a post may quote what it quotes.
pub(super) async fn settle_later(state: &AppState, uri: &str) -> Result<(), FetchFailure> {
    let asked = uri.to_owned();
    let found = state.store.read(move |tx| quote::unsettled(tx, &asked)).await?;
    let quoted = found.map(|found| found.quote.uri).filter(|quoted| !state.site.owns(quoted));
    let Some(host) = quoted.and_then(|quoted| authority_of(&quoted)) else { return Ok(()) };
    later(state, host, Lane::Fresh, Job::SettleQuote { uri: uri.to_owned() }).await
}

/// Leaves a job that reads an account again, if what we know is old.
pub(super) async fn refresh_later(state: &AppState, account: &Account) -> Result<(), FetchFailure> {
    let Some(host) = authority_of(&account.uri).filter(|_| actors::is_stale(state, account)) else {
        return Ok(());
    };
    // One job is enough, however many activities come in until it has run.
    if !state.federation().may_look_for(&account.uri) {
        return Ok(());
    }
    later(state, host, Lane::Bulk, Job::FetchAccount { uri: account.uri.clone() }).await
}

/// Enqueues a fetch that depends on the health of `host`.
async fn later(state: &AppState, host: String, lane: Lane, job: Job) -> Result<(), FetchFailure> {
    let task = task(host, lane, job);
    let moment = state.moment();
    state.store.write(move |tx| enqueue(tx, &mut moment.clone(), &task)).await?;
    Ok(())
}

/// Work that depends on the health of `host`.
pub(super) fn task(host: String, lane: Lane, job: Job) -> Task {
    let (sender, order, body) = (Id::ZERO, OrderKey::NONE, Body::empty());
    Task { job, place: Place::Host(host), lane, sender, order, body }
}
