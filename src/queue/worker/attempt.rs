//! One attempt: reads the act, runs its handler, bounds its time.

use std::sync::Arc;

use tracing::error;

use super::super::handler::{Attempt, Handlers, Ours};
use super::super::outcome::{FailureKind, Outcome, Report};
use super::super::plan::Start;
use super::super::{ATTEMPT_MAX, LOCAL_ATTEMPT_MAX};
use crate::base::Timestamp;
use crate::model::queue::tables::{ACT, INBOX};
use crate::model::queue::{Act, Inbox, InboxId};
use crate::store::{Store, StoreError};

pub(super) async fn run(
    store: Store,
    handlers: Handlers,
    start: Start,
    now: Timestamp,
    is_overloaded: bool,
    ours: Ours,
) -> Report {
    ours.set(true);
    let read = read(&store, &start).await;
    ours.set(false);
    let (act, inbox) = match read {
        Ok((Some(act), inbox)) if !act.is_superseded => (act, inbox),
        Ok(_) => return Outcome::Superseded.into(),
        Err(error) => return Outcome::TryLater { detail: error.to_string() }.into(),
    };
    let kind = act.job.kind();
    if is_overloaded && kind.adds_much() {
        return Outcome::TryLater { detail: "the queue is full".into() }.into();
    }
    let Some(handler) = handlers.get(kind) else {
        error!(kind = kind.name(), "no handler for a kind of job");
        return Outcome::TryLater { detail: format!("no handler for {}", kind.name()) }.into();
    };
    let is_remote = start.class.is_remote();
    let is_shared = inbox.as_ref().is_some_and(|inbox| inbox.is_shared);
    let limit = if is_remote { ATTEMPT_MAX } else { LOCAL_ATTEMPT_MAX };
    let attempt = Attempt {
        key: start.key,
        act: Arc::new(act),
        inbox: inbox.map(|inbox| inbox.url),
        authority: start.authority,
        profile: start.profile,
        attempts: start.row.attempts,
        now,
        answer_within: start.answer_within,
        ours: ours.clone(),
    };
    match tokio::time::timeout(limit, handler.run(attempt)).await {
        Ok(report) if matches!(report.outcome, Outcome::Gone { .. }) => {
            Report { outcome: Outcome::Gone { is_shared }, ..report }
        }
        Ok(report) => report,
        Err(_) if is_remote && !ours.is_so() => {
            Outcome::failed(FailureKind::Timeout, 0, "no answer in time").into()
        }
        Err(_) => Outcome::TryLater { detail: "took too long".into() }.into(),
    }
}

async fn read(store: &Store, start: &Start) -> Result<(Option<Act>, Option<Inbox>), StoreError> {
    let (act, inbox) = (start.key.act, start.key.inbox);
    store
        .read(move |tx| {
            let found = tx.get(ACT, &act)?;
            let inbox = if inbox == InboxId::NONE { None } else { tx.get(INBOX, &inbox)? };
            Ok((found, inbox))
        })
        .await
}
