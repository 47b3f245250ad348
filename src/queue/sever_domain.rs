//! The handler of [`Job::SeverDomain`]: ends follows between somebody and a domain
//! that they block. The rules are [`crate::domain::relation::sever`]'s.

use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::workshop::Workshop;
use crate::domain::domain_block::is_blocked;
use crate::domain::relation::{SeverPlace, sever};
use crate::model::queue::Job;
use crate::store::{StoreError, WriteTx};

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
    let Job::SeverDomain { account, domain } = attempt.act.job.clone() else { return Ok(()) };
    let mut place = Some(SeverPlace::default());
    // Each step moves past the follows it took, so this ends.
    while let Some(at) = place {
        let (moment, site, domain) = (workshop.moment(), workshop.site.clone(), domain.clone());
        let step = move |tx: &mut WriteTx<'_>| {
            // They may have changed their mind.
            if !is_blocked(tx, account, Some(&domain))? {
                return Ok(None);
            }
            sever(tx, &mut moment.clone(), &site, account, &domain, at)
        };
        place = workshop.store.write(step).await?;
    }
    Ok(())
}
