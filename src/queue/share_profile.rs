//! The handler of [`Job::ShareProfile`]: tells the servers of an account's
//! followers that its profile changed.

use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::base::Id;
use crate::domain::delivery::{Delivery, Targets, deliver, finish};
use crate::model::Account;
use crate::model::queue::{ActivityKind, Body, Job, OrderKey};
use crate::model::tables::{ACCOUNT, FOLLOWERS};
use crate::store::{ReadTx, Scan, StoreError};
use crate::wire::activitypub::write;

/// Followers read at once.
const STEP_MAX: usize = 1000;

/// The handler, with what it works on.
pub fn handler(workshop: Workshop) -> impl Handler {
    move |attempt: Attempt| {
        let workshop = workshop.clone();
        async move {
            Report::from(match share(&workshop, &attempt).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        }
    }
}

async fn share(workshop: &Workshop, attempt: &Attempt) -> Result<(), StoreError> {
    let Job::ShareProfile { account: id } = attempt.act.job else { return Ok(()) };
    let Some(account) = workshop.store.read(move |tx| tx.get(ACCOUNT, &id)).await? else { return Ok(()) };
    let targets = targets(workshop, id).await?;
    let site = &workshop.site;
    let document = write::actor(site, &account, &|picture| site.picture_url(picture));
    let update = write::update_actor(&document, attempt.act.created_at);
    let body = Body::new(write::to_bytes(&update)).map_err(|error| StoreError::Engine(error.to_string()))?;
    let (key, moment) = (attempt.key, workshop.moment());
    workshop
        .store
        .write(move |tx| {
            if finish(tx, &key)? {
                let kind = ActivityKind::UpdateActor;
                let delivery =
                    Delivery { actor: id, kind, order: OrderKey::of(id), lane: None, body: body.clone() };
                deliver(tx, &mut moment.clone(), &delivery, &targets)?;
            }
            Ok::<_, StoreError>(())
        })
        .await
}

/// The inboxes of all remote followers, each server once.
pub(super) async fn targets(workshop: &Workshop, account: Id) -> Result<Targets, StoreError> {
    let mut targets = Targets::new();
    let mut after = Id::ZERO;
    // Each round begins behind the last follow of the one before, so this ends.
    loop {
        let (followers, next) = workshop.store.read(move |tx| followers(tx, account, after)).await?;
        for follower in followers.iter().filter(|follower| !follower.is_local()) {
            targets.add(&follower.inbox, follower.shared_inbox.as_deref());
        }
        match next {
            Some(next) => after = next,
            None => return Ok(targets),
        }
    }
}

fn followers(tx: &ReadTx<'_>, account: Id, after: Id) -> Result<(Vec<Account>, Option<Id>), StoreError> {
    let range = Scan::prefix(&(account,)).after(&(account, after)).limit(STEP_MAX);
    let rows = tx.scan(FOLLOWERS, range)?;
    let next = rows.last().filter(|_| rows.len() == STEP_MAX).map(|((_, follow), _)| *follow);
    let ids: Vec<Id> = rows.into_iter().map(|(_, follower)| follower).collect();
    Ok((tx.get_many(ACCOUNT, &ids)?.into_iter().flatten().collect(), next))
}
