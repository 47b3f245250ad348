//! Jobs that fetch: accounts, and the posts above a post.

use futures_util::FutureExt;

use super::fetch::FetchFailure;
use super::{actors, posts};
use crate::base::Id;
use crate::base::limits::ANCESTORS_MAX;
use crate::domain::delivery::{Place, Task, authority_of, enqueue, finish};
use crate::domain::{remote, status};
use crate::edge::AppState;
use crate::model::Account;
use crate::model::queue::{Body, Job, Lane, OrderKey};
use crate::queue::{Attempt, FailureKind, Handler, Outcome, Report};
use crate::store::StoreError;

/// Attempts at one fetch.
const ATTEMPTS_MAX: u8 = 3;

/// The handler of [`crate::model::queue::JobKind::FetchAccount`].
pub(super) fn account_handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            match &attempt.act.job {
                Job::FetchAccount { uri } => report(&state, refresh(&state, uri).await, &attempt).await,
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
                Job::FetchThread { uri } => report(&state, complete(&state, uri).await, &attempt).await,
                _ => Outcome::Broken { detail: "not a thread".into() }.into(),
            }
        }
        .boxed()
    }
}

/// What a fetch says about the host in whose lane it is. It is not worth many
/// attempts: what is missing is asked for again when somebody looks.
async fn report(state: &AppState, result: Result<(), FetchFailure>, attempt: &Attempt) -> Report {
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

/// Fetches what a post answers, and hangs it under that.
async fn complete(state: &AppState, uri: &str) -> Result<(), FetchFailure> {
    let id = posts::by_uri(state, uri).await?;
    let asked = uri.to_owned();
    let post = state.store.read(move |tx| status::by_uri(tx, &asked)).await?;
    let Some(post) = post.filter(|post| post.in_reply_to.is_none()) else { return Ok(()) };
    let Some(parent) = post.in_reply_to_uri else { return Ok(()) };
    let climbed = posts::ancestors(state, &parent, ANCESTORS_MAX).await;
    state.store.write(move |tx| remote::link_parent(tx, id)).await?;
    climbed
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
