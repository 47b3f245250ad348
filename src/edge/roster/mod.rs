//! The nodes as those who run the server see them, once for the page, the API
//! and the metrics: who is there, what each says of itself, and how the front
//! door of the node that answers shares requests out among them.
//!
//! Must not know who asks or how it is printed, nor how requests are passed on.

mod attend;
pub mod entities;
mod exposition;
mod judge;
mod look;
mod share;

use parking_lot::Mutex;

use self::entities::Nodes;
use self::look::Scene;
use self::share::Shares;
use super::AppState;
use super::front::Front;
use crate::config::StoreChoice;

pub use attend::attend;
pub(super) use attend::load;
pub use exposition::exposition;

/// Where this is shown. The node that is asked answers by itself, since each
/// front door knows only what it saw.
pub(super) const PLACES: [&str; 2] = ["/settings/nodes", "/api/waxwing/v1/nodes"];

/// What is remembered for the page of nodes.
#[derive(Default)]
pub(super) struct Roster {
    shares: Mutex<Shares>,
}

/// All nodes as they are now, as this one sees them.
pub fn nodes(state: &AppState) -> Nodes {
    let front = state.front().map(Front::view);
    let now = state.clock.monotonic();
    let sent = front.as_ref().map(|front| state.roster().shares.lock().lately(&share::counted(front)));
    let outlook = state.cluster.outlook();
    let listed = state.cluster.peers().borrow().clone();
    let age = state.load().age();
    look::nodes(&Scene {
        outlook: &outlook,
        listed: &listed,
        front: front.as_ref(),
        sent: sent.as_deref().unwrap_or_default(),
        is_in_memory: matches!(state.config.store, StoreChoice::Memory),
        me: look::Me {
            address: state.config.public_url.authority(),
            load: load(state),
            age,
            is_shared: state.cluster.is_shared(),
            number: state.cluster.number(),
        },
        wall: state.now(),
        now,
    })
}
