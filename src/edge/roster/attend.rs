//! What is done for it all the time: leaving what this node's queue did where
//! the others find it, noting how requests are shared out, and saying in the
//! log when the balancer works around a machine.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::entities::{NodeBalance, NodeStanding};
use super::share::{self, NOTE_EVERY};
use super::{AppState, nodes};
use crate::model::NodeLoad;
use crate::model::queue::HourStep;
use crate::model::queue::tables::HOUR;
use crate::store::StoreError;

/// How often the steps of the last hour are left in the store.
const LEAVE_EVERY: Duration = Duration::from_secs(5);
/// Every so many times, it is noted how requests were shared out.
const NOTE_TIMES: u64 = NOTE_EVERY.as_secs() / LEAVE_EVERY.as_secs();
/// Steps that may have changed since the last time.
const STEPS: usize = 2;

/// Does it until the server stops; nothing where the store is ours alone.
pub async fn attend(state: AppState, stop: CancellationToken) {
    if !state.cluster.is_shared() {
        return;
    }
    let mut tick = tokio::time::interval(LEAVE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut outliers = BTreeSet::new();
    for round in 0u64.. {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        leave_steps(&state).await;
        if round % NOTE_TIMES == 0 {
            note_shares(&state, &mut outliers);
        }
    }
}

/// What this node has to do: requests, and deliveries.
pub(in crate::edge) fn load(state: &AppState) -> NodeLoad {
    let report = state.load().report();
    let pulse = state.desk().pulse().unwrap_or_default();
    NodeLoad {
        utilisation_milli: (report.utilisation * 1000.0) as u32,
        in_flight: u32::from(report.rif.unwrap_or_default()),
        deliveries: u32::try_from(pulse.inflight).unwrap_or(u32::MAX),
        delivery_slots: u32::try_from(pulse.slots).unwrap_or(u32::MAX),
        network_down_since: pulse.network_down_since,
    }
}

/// Leaves what our queue did lately where the other nodes find it.
async fn leave_steps(state: &AppState) {
    let steps: Vec<(u32, HourStep)> = state.desk().hour().newest(STEPS);
    if steps.is_empty() {
        return;
    }
    let node = state.cluster.number();
    let left = state.store.write(move |tx| {
        steps.iter().for_each(|(place, step)| tx.put(HOUR, &(node, *place), step));
        Ok::<_, StoreError>(())
    });
    if let Err(error) = left.await {
        // The next time tells it again; what is lost is a bar of a chart.
        debug!(%error, "what the queue did lately could not be left in the store");
    }
}

/// Notes what was sent, and says when somebody begins or ceases to get little.
fn note_shares(state: &AppState, outliers: &mut BTreeSet<String>) {
    let Some(front) = state.front() else { return };
    let now = nodes(state);
    let is_odd = |balance: &NodeBalance| balance.is_outlier;
    let odd = now.nodes.iter().filter(|node| node.balance.as_ref().is_some_and(is_odd));
    let odd: BTreeSet<String> = odd.map(|node| node.address.clone()).collect();
    let is_away = |node: &NodeStanding, address: &str| {
        node.address == address && node.balance.as_ref().is_some_and(|balance| balance.is_unreachable)
    };
    for address in odd.difference(outliers) {
        if now.nodes.iter().any(|node| is_away(node, address)) {
            warn!(
                address,
                "the node at {address} cannot be reached: is its port open, is its `node_address` right?"
            );
        } else {
            warn!(
                address,
                "the node at {address} gets little because it is slow or fails: look at that machine"
            );
        }
    }
    for address in outliers.difference(&odd) {
        info!(address, "the node at {address} gets its share again, or is gone");
    }
    *outliers = odd;
    state.roster().shares.lock().note(share::counted(&front.view()));
}
