//! The handler of [`Job::FanOut`]: brings a post home to local followers and
//! writes one delivery for each remote server. The rules are
//! [`crate::domain::fan_out`]'s; here the post becomes JSON.

use std::sync::Arc;

use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::base::{Id, Timestamp};
use crate::domain::delivery::{Targets, finish};
use crate::domain::fan_out::{self, Plan};
use crate::model::Status;
use crate::model::queue::{Body, Job, Verb};
use crate::model::tables::STATUS;
use crate::store::{ReadTx, StoreError, WriteTx};
use crate::wire::activitypub::write::{self, NoteParts};

/// The handler, with what it works on.
pub fn handler(workshop: Workshop) -> impl Handler {
    move |attempt: Attempt| {
        let workshop = workshop.clone();
        async move { Report::from(run(workshop, attempt).await) }
    }
}

async fn run(workshop: Workshop, attempt: Attempt) -> Outcome {
    let Job::FanOut { status, verb } = attempt.act.job else {
        return Outcome::Broken { detail: "not a fan-out".into() };
    };
    match bring(&workshop, &attempt, status, verb).await {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::TryLater { detail: error.to_string() },
    }
}

/// A plan, and what its delivery is rendered from.
struct Errand {
    plan: Plan,
    parent: Option<Status>,
}

async fn bring(workshop: &Workshop, attempt: &Attempt, status: Id, verb: Verb) -> Result<(), StoreError> {
    let act = attempt.act.clone();
    let errand = workshop.store.read(move |tx| read(tx, status, verb, &act.body)).await?;
    let Some(errand) = errand.map(Arc::new) else { return Ok(()) };
    let mut targets = errand.plan.targets();
    let mut after = Id::ZERO;
    // Each step moves past the followers it took, so this ends.
    loop {
        let (shared, moment) = (errand.clone(), workshop.moment());
        let step = workshop.store.write(move |tx| fan_out::step(tx, &moment, &shared.plan, after)).await?;
        for (inbox, shared_inbox) in step.inboxes {
            targets.add(&inbox, shared_inbox.as_deref());
        }
        match step.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let mut place = errand.plan.first_tag();
    // Each step moves past the followers it took, so this ends.
    while let Some(at) = place {
        let (shared, moment) = (errand.clone(), workshop.moment());
        let steps = move |tx: &mut WriteTx<'_>| fan_out::step_tags(tx, &moment, &shared.plan, at);
        place = workshop.store.write(steps).await?;
    }
    conclude(workshop, attempt, errand, targets).await
}

fn read(tx: &ReadTx<'_>, status: Id, verb: Verb, body: &Body) -> Result<Option<Errand>, StoreError> {
    let Some(plan) = fan_out::plan(tx, status, verb, body)? else { return Ok(None) };
    let parent = plan.status.in_reply_to.map(|id| tx.get(STATUS, &id)).transpose()?.flatten();
    Ok(Some(Errand { plan, parent }))
}

/// The deliveries and the end of the job are one transaction.
async fn conclude(
    workshop: &Workshop,
    attempt: &Attempt,
    errand: Arc<Errand>,
    targets: Targets,
) -> Result<(), StoreError> {
    let body = (errand.plan.is_told() && !targets.is_empty())
        .then(|| render(workshop, &errand, attempt.act.created_at))
        .flatten()
        .map(Body::new)
        .transpose()
        .map_err(|error| StoreError::Engine(error.to_string()))?;
    let (key, moment) = (attempt.key, workshop.moment());
    workshop
        .store
        .write(move |tx| {
            if finish(tx, &key)? {
                fan_out::send(tx, &mut moment.clone(), &errand.plan, body.as_ref(), &targets)?;
            }
            Ok::<_, StoreError>(())
        })
        .await
}

/// The Create, Update or Announce; a deletion carries no post.
///
/// `at` is when the job was written: the same each time it runs.
fn render(workshop: &Workshop, errand: &Errand, at: Timestamp) -> Option<Vec<u8>> {
    let Plan { status, author, original, verb, concerned } = &errand.plan;
    if *verb == Verb::Delete {
        return None;
    }
    if let Some(original) = original {
        let writer = concerned.iter().find(|account| account.id == original.account);
        let writer = writer.map_or("", |account| account.uri.as_str());
        return Some(write::to_bytes(&write::announce(status, author, &original.uri, writer)));
    }
    let parent_uri =
        errand.parent.as_ref().map(|parent| parent.uri.as_str()).or(status.in_reply_to_uri.as_deref());
    let note = write::note(NoteParts { site: &workshop.site, status, author, parent_uri });
    Some(write::to_bytes(&match (verb, status.edited_at) {
        (Verb::Update, Some(at)) => write::update_note(&note, at),
        (Verb::Tally, _) => write::update_poll(&note, at),
        _ => write::create(&note),
    }))
}
