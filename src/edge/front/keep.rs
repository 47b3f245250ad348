//! Looking after the door while the server runs: who is there, how they are,
//! and what this node says of itself.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Front;
use crate::edge::{AppState, roster};
use crate::proxy::Dice;
use crate::proxy::forward::look_after;
use crate::store::LANE_MAX;

/// For so long after it said that it wants nothing new a node takes what
/// comes nevertheless: two signs of life, so that all others have heard.
pub const DRAIN_LINGER: Duration = Duration::from_secs(2);
/// How often resting connections are looked through, and the others told how
/// full this node is.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How often it is measured how late the runtime wakes what is due.
const WAKE_EVERY: Duration = Duration::from_millis(100);

/// Runs until `end`; from `stop` on, nothing new is wanted here. Does nothing
/// on a store that is ours alone.
pub async fn keep(state: AppState, stop: CancellationToken, end: CancellationToken) {
    let Some(front) = state.front() else { return };
    let dice = Dice::seeded(state.chance.u64());
    tokio::join!(
        look_after(front.shared.clone(), dice, end.clone()),
        follow(front, &stop, &end),
        tell(&state, front, &end),
        measure(&state, &end),
    );
    front.close();
}

async fn follow(front: &Front, stop: &CancellationToken, end: &CancellationToken) {
    let mut peers = front.cluster.peers();
    loop {
        let known = peers.borrow_and_update().clone();
        front.follow(&known);
        tokio::select! {
            () = end.cancelled() => return,
            () = stop.cancelled(), if !front.load.is_draining() => front.drain(),
            changed = peers.changed() => if changed.is_err() { return },
        }
    }
}

async fn tell(state: &AppState, front: &Front, end: &CancellationToken) {
    let mut tick = interval(TELL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = end.cancelled() => return front.worker.close_resting(),
            _ = tick.tick() => {}
        }
        front.worker.sweep();
        front.cluster.set_load(roster::load(state));
    }
}

/// How late sleepers wake, and how much waits for the store.
async fn measure(state: &AppState, end: &CancellationToken) {
    loop {
        let before = state.clock.monotonic();
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(WAKE_EVERY) => {}
        }
        let late = state.clock.monotonic().saturating_sub(before + WAKE_EVERY);
        state.load().press(late, state.store.lane_depth() as f32 / LANE_MAX as f32);
    }
}
