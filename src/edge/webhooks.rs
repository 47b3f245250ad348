//! What may be a webhook, and the job that renders an event for them: the
//! entities that the admin API shows, as they are when the job runs.

use futures_util::FutureExt;
use serde::Serialize;

use super::AppState;
use super::api::{admin_account, admin_reports, render};
use crate::base::{Id, Problem, Timestamp};
use crate::domain::moderation::report;
use crate::domain::timeline::load;
use crate::domain::visibility::Viewer;
use crate::domain::webhook::{self, Message, WEBHOOKS_MAX};
use crate::model::WebhookEvent;
use crate::model::queue::{Body, Job, JobKind};
use crate::model::tables::STATUS;
use crate::net::client::parse_url;
use crate::queue::{Attempt, Handler, Handlers, Outcome, Report};
use crate::store::StoreError;
use crate::wire::webhook::payload;

/// Objects of one event: the reports that one decision resolves.
const OBJECTS_MAX: usize = 1000;
/// Random bytes of a secret (Mastodon: 20).
const SECRET_BYTES: usize = 24;

/// Reads the words of events.
pub(super) fn events(words: &[String]) -> Result<Vec<WebhookEvent>, Problem> {
    let all: Option<Vec<_>> = words.iter().map(|word| WebhookEvent::from_word(word.trim())).collect();
    all.ok_or_else(|| Problem::invalid("Validation failed: Events is invalid"))
}

/// The address, if it may be asked at all. Names are looked at again each
/// time, by what they stand for then.
pub(super) fn address(state: &AppState, url: &str) -> Result<String, Problem> {
    let url = parse_url(url.trim()).ok().filter(|url| state.client.may_ask(url));
    let url = url.filter(|url| !state.site.owns(url.as_str()));
    let refused = "Validation failed: Url is not a valid URL of a public server";
    url.map(String::from).ok_or_else(|| Problem::invalid(refused))
}

/// The key of signatures, for one who brings none.
pub(super) fn new_secret(state: &AppState) -> String {
    state.chance.secret(SECRET_BYTES)
}

/// With the handler of [`JobKind::Webhook`].
pub fn jobs(handlers: Handlers, state: &AppState) -> Handlers {
    handlers.on(JobKind::Webhook, handler(state.clone()))
}

fn handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            Report::from(match spread(&state, &attempt).await {
                Ok(()) => Outcome::Done,
                Err(problem) => Outcome::TryLater { detail: problem.to_string() },
            })
        }
        .boxed()
    }
}

async fn spread(state: &AppState, attempt: &Attempt) -> Result<(), Problem> {
    let Job::Webhook { event, objects } = &attempt.act.job else { return Ok(()) };
    let (event, at) = (*event, attempt.act.created_at);
    let mut messages = Vec::new();
    for object in objects.iter().take(OBJECTS_MAX) {
        // What is gone by now is not told of.
        let Some(json) = rendered(state, event, at, *object).await? else { continue };
        messages.push(Message { object: *object, body: Body::new(json).map_err(Problem::internal)? });
    }
    let needed = messages.len() * WEBHOOKS_MAX;
    let (key, moment) = (attempt.key, state.moment_with(u16::try_from(needed).unwrap_or(u16::MAX)));
    let send = move |tx: &mut crate::store::WriteTx<'_>| {
        webhook::send(tx, &mut moment.clone(), &key, event, &messages)
    };
    Ok(state.store.write(send).await?)
}

async fn rendered(
    state: &AppState,
    event: WebhookEvent,
    at: Timestamp,
    object: Id,
) -> Result<Option<Vec<u8>>, Problem> {
    use WebhookEvent::*;
    Ok(match event {
        AccountApproved | AccountCreated | AccountUpdated => {
            message(event, at, there(admin_account(state, object).await)?)
        }
        ReportCreated | ReportUpdated => {
            let found = state.store.read(move |tx| report::get(tx, object)).await?;
            let rendered = admin_reports(state, found.into_iter().collect()).await?;
            message(event, at, rendered.into_iter().next())
        }
        StatusCreated | StatusUpdated => message(event, at, status(state, object).await?),
    })
}

fn message<T: Serialize>(event: WebhookEvent, at: Timestamp, object: Option<T>) -> Option<Vec<u8>> {
    object.map(|object| payload(event, at, &object))
}

fn there<T>(found: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.kind == crate::base::ProblemKind::NotFound => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The post with its author's eyes: who runs the server sees all that is
/// written there, and nobody's own marks.
async fn status(state: &AppState, id: Id) -> Result<Option<crate::wire::mastodon::status::Status>, Problem> {
    let now = state.now();
    let found = state.store.read(move |tx| {
        let Some(author) = tx.get(STATUS, &id)?.map(|status| status.account) else { return Ok(None) };
        Ok::<_, StoreError>(load(tx, Viewer::account(author, now), &[id])?.pop().flatten())
    });
    let found = found.await?.map(|loaded| crate::domain::timeline::Loaded { marks: None, ..loaded });
    Ok(found.map(|loaded| render::status(&state.site, None, &loaded)))
}
