//! `join_shortest_queue`: the shortest queue of all: what the servers
//! reported last, corrected by what was sent since, at least what is under
//! way from here. Reports are old by the time they are used, so many
//! balancers herd onto the same server; `p2c` exists because of that.

use std::sync::Arc;

use super::{Scene, scan};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    scan::cheapest(scene, dice, |upstream| scene.features.queue_of(upstream, scene.now) / upstream.weight())
}
