//! The handler of [`Job::TendPoll`]: shares new tallies of a poll, and tells
//! everybody of its end. The rules are [`crate::domain::poll`]'s.

use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::base::Id;
use crate::domain::delivery::finish;
use crate::domain::poll::{self, Tended};
use crate::model::queue::Job;
use crate::store::StoreError;

/// The handler, with what it works on.
pub fn handler(workshop: Workshop) -> impl Handler {
    move |attempt: Attempt| {
        let workshop = workshop.clone();
        async move {
            Report::from(match run(&workshop, &attempt).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        }
    }
}

async fn run(workshop: &Workshop, attempt: &Attempt) -> Result<(), StoreError> {
    let Job::TendPoll { status } = attempt.act.job else { return Ok(()) };
    let tended = tend(workshop, status).await?;
    let key = attempt.key;
    workshop
        .store
        .write(move |tx| {
            if finish(tx, &key)? && tended == Tended::Ended {
                poll::ended(tx, status)?;
            }
            Ok::<_, StoreError>(())
        })
        .await
}

async fn tend(workshop: &Workshop, status: Id) -> Result<Tended, StoreError> {
    let moment = workshop.moment();
    let tended = workshop.store.write(move |tx| poll::tend(tx, &mut moment.clone(), status)).await?;
    let mut next = (tended == Tended::Ended).then_some(Id::ZERO);
    // Each step begins behind the last voter of the one before, so this ends.
    while let Some(after) = next {
        let moment = workshop.moment();
        next = workshop.store.write(move |tx| poll::tell_voters(tx, &moment, status, after)).await?;
    }
    Ok(tended)
}
