//! The delivery queue as those who run the server see it, once for the page,
//! the API and the command line: what [`Desk`] and the store know, as
//! [`entities`].
//!
//! Must not know who asks or how it is printed.

pub mod entities;
mod look;
mod nodes;

use std::sync::Arc;

use self::entities::{
    DeliveryDestination, DeliveryDestinationDetails, DeliveryExplanation, DeliveryHistory, DeliveryLane,
    DeliveryNode, DeliveryOverview, DeliveryStates, DeliveryStretch,
};
use crate::base::{Clock, Id, Timestamp};
use crate::cluster::Cluster;
use crate::domain::delivery::admin;
use crate::edge::AppState;
use crate::model::queue::tables::{DESTINATION, HOUR};
use crate::model::queue::{Breaker, Class, DestinationId, HourStep, InboxId, Lane};
use crate::queue::{Ask, Desk, STEP, Totals, Why};
use crate::store::{Scan, Store, StoreError};

pub use look::{LetterPage, letter_key, letter_name};

/// Where the queue is looked at; cheap to clone.
#[derive(Clone)]
pub struct Office {
    /// The records.
    pub store: Store,
    /// What asks the queue.
    pub desk: Desk,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The other nodes, each with a queue of its own.
    pub cluster: Cluster,
}

impl From<&AppState> for Office {
    fn from(state: &AppState) -> Office {
        Office {
            store: state.store.clone(),
            desk: state.desk().clone(),
            clock: state.clock.clone(),
            cluster: state.cluster.clone(),
        }
    }
}

/// Destinations of one page, and how many there are on all.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// On all pages.
    pub total: usize,
    /// Of this one.
    pub destinations: Vec<DeliveryDestination>,
}

impl Office {
    /// The queue as a whole.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn overview(&self) -> Result<DeliveryOverview, StoreError> {
        let totals = self.desk.totals().await?;
        Ok(overview(&totals, &nodes::queues(&self.cluster.outlook(), &totals)))
    }

    /// The last hour in stretches of so many steps of [`STEP`].
    ///
    /// # Errors
    /// Only the store's.
    pub async fn history(&self, steps: usize) -> Result<DeliveryHistory, StoreError> {
        let hour = self.desk.hour();
        let stretches = if self.cluster.is_shared() {
            let rows = self.store.read(|tx| tx.scan(HOUR, Scan::all())).await?;
            let rows: Vec<HourStep> = rows.into_iter().map(|(_, row): ((u8, u32), _)| row).collect();
            hour.stretches_of_all(steps, &rows)
        } else {
            hour.stretches(steps)
        };
        let stretches = stretches.into_iter().map(|stretch| DeliveryStretch {
            from: stretch.from.rfc3339(),
            delivered: stretch.delivered,
            failed: stretch.failed,
            p50_s: stretch.p50_s,
            p95_s: stretch.p95_s,
            waiting: stretch.waiting,
        });
        Ok(DeliveryHistory { step_s: STEP.as_secs() * steps as u64, stretches: stretches.collect() })
    }

    /// Destinations with their jobs.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn list(&self, ask: &Ask) -> Result<Listed, StoreError> {
        let listing = self.desk.list(ask).await?;
        let outlook = self.cluster.outlook();
        let shown = |view| nodes::sent_by(look::destination(view), outlook.sender(view.id.0));
        let destinations = listing.destinations.iter().map(shown).collect();
        Ok(Listed { total: listing.total, destinations })
    }

    /// One destination with what happened there; `None` if there is no such one.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn details(&self, id: DestinationId) -> Result<Option<DeliveryDestinationDetails>, StoreError> {
        let Some(view) = self.desk.destination(id).await? else { return Ok(None) };
        let known = self.store.read(move |tx| admin::known(tx, id)).await?;
        let mut details = look::details(&view, &known.map(|known| known.history).unwrap_or_default());
        let outlook = self.cluster.outlook();
        details.destination = nodes::sent_by(details.destination, outlook.sender(id.0));
        Ok(Some(details))
    }

    /// Which rule keeps a job from starting.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn explain(
        &self,
        id: DestinationId,
        act: Id,
        inbox: InboxId,
    ) -> Result<DeliveryExplanation, StoreError> {
        let why = self.desk.explain(id, act, inbox).await?;
        let outlook = self.cluster.outlook();
        Ok(match (&why, outlook.sender(id.0)) {
            (Why::Unseen, Some(node)) if !node.is_me => nodes::known_elsewhere(node.number),
            _ => look::explanation(&why),
        })
    }

    /// The number of a destination that is called by its number or, of another
    /// server, by its host.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn find(&self, called: &str) -> Result<Option<DestinationId>, StoreError> {
        let host = called.trim().to_ascii_lowercase();
        let number: Option<u32> = host.parse().ok();
        self.store
            .read(move |tx| match number {
                Some(number) => {
                    let id = DestinationId(number);
                    Ok(tx.get(DESTINATION, &id)?.map(|_| id))
                }
                None => admin::destination_of(tx, Class::Remote, &host),
            })
            .await
    }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::rfc3339)
}

fn alerts(totals: &Totals) -> Vec<String> {
    let full = "There are too many jobs, or the disk is nearly full: only what somebody waits for is taken.";
    let down = |since: Timestamp| {
        format!("Nobody can be reached since {}: this server's own network is down.", since.rfc3339())
    };
    let full = totals.is_overloaded.then(|| full.to_owned());
    full.into_iter().chain(totals.network_down_since.map(down)).collect()
}

fn overview(totals: &Totals, nodes: &[DeliveryNode]) -> DeliveryOverview {
    let lane = |lane: &Lane| DeliveryLane {
        name: lane.name().to_owned(),
        ready: totals.ready[lane.index()],
        oldest_at: time(totals.oldest_ready[lane.index()]),
    };
    DeliveryOverview {
        is_running: totals.is_running || nodes.iter().any(|node| node.slots > 0),
        alerts: alerts(totals).into_iter().chain(nodes::alerts(nodes)).collect(),
        waiting: totals.waiting(),
        deferred: totals.deferred,
        dead_letters: totals.dead,
        oldest_at: time(totals.oldest),
        lanes: Lane::ALL.iter().map(lane).collect(),
        in_flight: if nodes.is_empty() { totals.inflight } else { nodes.iter().map(|n| n.in_flight).sum() },
        slots: if nodes.is_empty() { totals.slots } else { nodes.iter().map(|n| n.slots).sum() },
        nodes: nodes.to_vec(),
        destinations: DeliveryStates {
            closed: totals.in_state(Breaker::Closed),
            open: totals.in_state(Breaker::Open),
            half_open: totals.in_state(Breaker::HalfOpen),
            dormant: totals.in_state(Breaker::Dormant),
            dead: totals.in_state(Breaker::Dead),
            paused: totals.paused,
        },
    }
}
