//! The handler of what follows from decisions of moderators: follows that
//! end, accounts of a server that are brought in line, accounts that are
//! deleted. Each works in steps that may run again after a crash.

use super::handler::{Attempt, Handler};
use super::outcome::{Outcome, Report};
use super::share_profile::targets;
use super::workshop::Workshop;
use crate::base::{Id, Timestamp};
use crate::domain::moderation::{Severing, bury_local, clear, server, sever_step};
use crate::model::queue::Job;
use crate::store::StoreError;

/// Steps of one attempt; what is left is done by the next one.
const STEPS_MAX: usize = 10_000;

/// The handler, with what it works on.
pub fn handler(workshop: Workshop) -> impl Handler {
    move |attempt: Attempt| {
        let workshop = workshop.clone();
        async move { Report::from(run(&workshop, &attempt).await) }
    }
}

async fn run(workshop: &Workshop, attempt: &Attempt) -> Outcome {
    let done = match &attempt.act.job {
        Job::SeverFollows { account, both, domain } => {
            sever(workshop, Severing { account: *account, both: *both, domain: domain.clone() }).await
        }
        Job::SettleServer { domain, was } => settle(workshop, domain, *was).await,
        Job::EraseAccount { account } => erase(workshop, *account).await,
        _ => return Outcome::Broken { detail: "not a decision".into() },
    };
    match done {
        Ok(true) => Outcome::Done,
        Ok(false) => Outcome::TryLater { detail: "there is more than one attempt takes".into() },
        Err(error) => Outcome::TryLater { detail: error.to_string() },
    }
}

async fn sever(workshop: &Workshop, severing: Severing) -> Result<bool, StoreError> {
    for _ in 0..STEPS_MAX {
        let (moment, site) = (workshop.moment(), workshop.site.clone());
        let what = severing.clone();
        let has_more =
            workshop.store.write(move |tx| sever_step(tx, &mut moment.clone(), &site, &what)).await?;
        if !has_more {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn settle(workshop: &Workshop, domain: &str, was: Option<Timestamp>) -> Result<bool, StoreError> {
    let mut after = Id::ZERO;
    // Each step begins behind the last account of the one before, so this ends.
    loop {
        let (moment, domain) = (workshop.moment(), domain.to_owned());
        let next = workshop
            .store
            .write(move |tx| server::settle_step(tx, &mut moment.clone(), &domain, was, after))
            .await?;
        match next {
            Some(next) => after = next,
            None => return Ok(true),
        }
    }
}

async fn erase(workshop: &Workshop, account: Id) -> Result<bool, StoreError> {
    let targets = targets(workshop, account).await?;
    let (moment, site) = (workshop.moment(), workshop.site.clone());
    workshop.store.write(move |tx| bury_local(tx, &mut moment.clone(), &site, account, &targets)).await?;
    for _ in 0..STEPS_MAX {
        let moment = workshop.moment();
        let has_more = workshop.store.write(move |tx| clear(tx, &mut moment.clone(), account)).await?;
        if !has_more {
            return Ok(true);
        }
    }
    Ok(false)
}
