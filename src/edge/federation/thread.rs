//! Jobs that fetch: accounts, and the posts above a post.

use futures_util::FutureExt;

use super::fetch::FetchFailure;
use super::{actors, posts};
use crate::base::Id;
use crate::base::limits::ANCESTORS_MAX;
use crate::domain::delivery::{Place, Task, authority_of, enqueue};
use crate::domain::{remote, status};
use crate::edge::AppState;
use crate::model::Account;
use crate::model::queue::{Body, Job, Lane, OrderKey};
use crate::queue::{Attempt, Handler, Outcome, Report};

/// The handler of [`crate::model::queue::JobKind::FetchAccount`].
pub(super) fn account_handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            match &attempt.act.job {
                Job::FetchAccount { uri } => report(actors::by_uri(&state, uri).await.map(drop)),
                _ => Outcome::Broken { detail: "not an account".into() }.into(),
            }
        }
        .boxed()
    }
}

/// The handler of [`crate::model::queue::JobKind::FetchThread`].
pub(super) fn thread_handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            match &attempt.act.job {
                Job::FetchThread { uri } => report(complete(&state, uri).await),
                _ => Outcome::Broken { detail: "not a thread".into() }.into(),
            }
        }
        .boxed()
    }
}

fn report(result: Result<(), FetchFailure>) -> Report {
    match result {
        Ok(()) | Err(FetchFailure::Gone | FetchFailure::Bad(_) | FetchFailure::Own) => Outcome::Done.into(),
        Err(failure) => Outcome::TryLater { detail: failure.to_string() }.into(),
    }
}

/// Fetches what a post answers, and hangs it under that.
async fn complete(state: &AppState, uri: &str) -> Result<(), FetchFailure> {
    let id = posts::by_uri(state, uri).await?;
    let asked = uri.to_owned();
    let post = state.store.read(move |tx| status::by_uri(tx, &asked)).await?;
    let Some(post) = post.filter(|post| post.in_reply_to.is_none()) else { return Ok(()) };
    let Some(parent) = post.in_reply_to_uri else { return Ok(()) };
    posts::ancestors(state, &parent, ANCESTORS_MAX).await;
    state.store.write(move |tx| remote::link_parent(tx, id)).await?;
    Ok(())
}

/// Leaves a job that completes a post's thread, if its parent is missing.
pub(super) async fn complete_later(state: &AppState, uri: &str) -> Result<(), FetchFailure> {
    let asked = uri.to_owned();
    let post = state.store.read(move |tx| status::by_uri(tx, &asked)).await?;
    let parent = post.filter(|post| post.in_reply_to.is_none()).and_then(|post| post.in_reply_to_uri);
    let Some(host) =
        parent.filter(|parent| !state.site.owns(parent)).and_then(|parent| authority_of(&parent))
    else {
        return Ok(());
    };
    later(state, host, Job::FetchThread { uri: uri.to_owned() }).await
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
    later(state, host, Job::FetchAccount { uri: account.uri.clone() }).await
}

/// Enqueues a fetch that depends on the health of `host`.
async fn later(state: &AppState, host: String, job: Job) -> Result<(), FetchFailure> {
    let task = Task {
        job,
        place: Place::Host(host),
        lane: Lane::Bulk,
        sender: Id::ZERO,
        order: OrderKey::NONE,
        body: Body::empty(),
    };
    let moment = state.moment();
    state.store.write(move |tx| enqueue(tx, &mut moment.clone(), &task)).await?;
    Ok(())
}
