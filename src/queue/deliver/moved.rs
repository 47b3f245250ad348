//! An inbox that moved or is gone: those who have it are read again, in case
//! they have another one by now.

use tracing::debug;

use super::super::outcome::Outcome;
use super::Deliver;
use crate::base::{Id, Moment};
use crate::domain::delivery::{OWNERS_MAX, Place, Task, authority_of, enqueue, owners_of};
use crate::model::queue::{Job, Lane};
use crate::store::StoreError;

impl Deliver {
    /// Leaves jobs that read the owners of an attempt's inbox again, if the
    /// answer was that it is elsewhere or nowhere. Once a day for each inbox.
    pub(super) async fn look_for_owners(&self, inbox: Option<String>, outcome: &Outcome) {
        let is_elsewhere = matches!(outcome, Outcome::Gone { .. } | Outcome::Refused { status: 300..=399 });
        let Some(inbox) = inbox.filter(|inbox| is_elsewhere && !self.moved.contains_key(inbox)) else {
            return;
        };
        self.moved.insert(inbox.clone(), ());
        if let Err(error) = self.read_owners_again(inbox).await {
            debug!(%error, "the owners of an inbox that moved are not read again");
        }
    }

    async fn read_owners_again(&self, inbox: String) -> Result<(), StoreError> {
        let Some(host) = authority_of(&inbox) else { return Ok(()) };
        let owners = self.store.read(move |tx| owners_of(tx, &inbox)).await?;
        if owners.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let moment = Moment { now, ids: self.ids.reserve(now, OWNERS_MAX as u16) };
        self.store
            .write(move |tx| {
                let mut moment = moment.clone();
                for uri in &owners {
                    let job = Job::FetchAccount { uri: uri.clone() };
                    let place = Place::Host(host.clone());
                    let task = Task { place, ..Task::local(job, Id::ZERO).lane(Lane::Bulk) };
                    enqueue(tx, &mut moment, &task)?;
                }
                Ok(())
            })
            .await
    }
}
