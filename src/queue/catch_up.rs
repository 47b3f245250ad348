//! The handler of [`Job::CatchUp`]: a destination that is back gets what it
//! was left out of. The rules are [`crate::domain::delivery`]'s.

use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::base::Id;
use crate::domain::delivery::{catch_up, finish, left_out};
use crate::model::queue::{DestinationId, Job};
use crate::store::StoreError;

/// The handler, with what it works on.
pub fn handler(workshop: Workshop) -> impl Handler {
    move |attempt: Attempt| {
        let workshop = workshop.clone();
        async move {
            let Job::CatchUp { destination, from } = attempt.act.job else {
                return Report::from(Outcome::Broken { detail: "not a catching up".into() });
            };
            Report::from(match run(&workshop, &attempt, destination, from).await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::TryLater { detail: error.to_string() },
            })
        }
    }
}

async fn run(
    workshop: &Workshop,
    attempt: &Attempt,
    destination: DestinationId,
    from: Id,
) -> Result<(), StoreError> {
    let (mut found, mut before, now) = (Vec::new(), None, attempt.now);
    // Each step ends before the first row of the one before, so this ends.
    loop {
        let read = workshop.store.read(move |tx| {
            let next = left_out(tx, now, destination, from, before, &mut found)?;
            Ok::<_, StoreError>((found, next))
        });
        (found, before) = read.await?;
        if before.is_none() {
            break;
        }
    }
    let key = attempt.key;
    let count = workshop
        .store
        .write(move |tx| if finish(tx, &key)? { catch_up(tx, destination, &found) } else { Ok(0) })
        .await?;
    tracing::info!(destination = destination.0, count, "a server that is back catches up");
    Ok(())
}
