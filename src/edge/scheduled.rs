//! Publishing posts whose time has come: the handler of
//! [`crate::model::queue::JobKind::PublishScheduled`].

use futures_util::FutureExt;
use tracing::warn;

use super::AppState;
use super::compose::{self, Written};
use crate::base::{Problem, ProblemKind};
use crate::domain::delivery::finish;
use crate::domain::status::{self, Draft};
use crate::domain::{scheduled, user};
use crate::model::Scheduled;
use crate::model::queue::{Job, JobKey, JobKind};
use crate::queue::{Attempt, Handler, Handlers, Outcome};
use crate::store::StoreError;

/// With the handler of waiting posts.
pub fn jobs(handlers: Handlers, state: &AppState) -> Handlers {
    handlers.on(JobKind::PublishScheduled, handler(state.clone()))
}

/// Publishes the post of a job.
pub fn handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move { run(&state, &attempt).await.into() }.boxed()
    }
}

/// A waiting post as it was typed.
pub(crate) fn written(row: &Scheduled) -> Written {
    Written {
        text: row.text.clone(),
        spoiler: row.spoiler_text.clone(),
        visibility: row.visibility,
        sensitive: row.sensitive,
        language: row.language.clone(),
        in_reply_to: row.in_reply_to,
        media: row.attachments.iter().map(|attachment| attachment.id).collect(),
        application: row.application.clone(),
        idempotency_key: None,
        poll: row.poll.clone(),
        quote: row.quote,
        quote_policy: row.quote_policy.clone(),
        shown_quote: None,
    }
}

async fn run(state: &AppState, attempt: &Attempt) -> Outcome {
    let Job::PublishScheduled { account, scheduled: id } = attempt.act.job else {
        return Outcome::Broken { detail: "not a waiting post".into() };
    };
    let now = state.now();
    let found = state
        .store
        .read(move |tx| Ok::<_, StoreError>((scheduled::due(tx, now, account, id)?, user::get(tx, account)?)))
        .await;
    let (row, author) = match found {
        Ok((Some(row), author)) => (row, author),
        Ok((None, _)) => return Outcome::Done,
        Err(error) => return Outcome::TryLater { detail: error.to_string() },
    };
    let Some(author) = author.filter(|author| author.state == crate::model::UserState::Active) else {
        return drop_row(state, attempt.key, row).await;
    };
    let published = match compose::draft(state, &author, written(&row)).await {
        Ok(draft) => publish(state, attempt.key, row.clone(), draft).await,
        Err(problem) => Err(problem),
    };
    match published {
        Ok(()) => Outcome::Done,
        Err(problem) if is_refusal(&problem) => {
            warn!(account = %account, "a scheduled post cannot be published any more: {}", problem.detail);
            drop_row(state, attempt.key, row).await
        }
        Err(problem) => Outcome::TryLater { detail: problem.to_string() },
    }
}

/// The post cannot be published now or ever: what it answers is gone, say.
fn is_refusal(problem: &Problem) -> bool {
    matches!(problem.kind, ProblemKind::Invalid | ProblemKind::NotFound)
}

/// The post, its row and its job in one transaction: it is published once.
async fn publish(state: &AppState, key: JobKey, row: Scheduled, draft: Draft) -> Result<(), Problem> {
    let (moment, site) = (state.moment_with(draft.ids_needed()), state.site.clone());
    let written = state.store.write(move |tx| {
        if finish(tx, &key)? && scheduled::take(tx, moment.now, &row)? {
            status::publish(tx, &mut moment.clone(), &site, &draft)?;
        }
        Ok::<_, status::StatusError>(())
    });
    written.await.map_err(Problem::from)
}

async fn drop_row(state: &AppState, key: JobKey, row: Scheduled) -> Outcome {
    let now = state.now();
    let dropped = state.store.write(move |tx| {
        if finish(tx, &key)? {
            scheduled::take(tx, now, &row)?;
        }
        Ok::<_, StoreError>(())
    });
    match dropped.await {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::TryLater { detail: error.to_string() },
    }
}
