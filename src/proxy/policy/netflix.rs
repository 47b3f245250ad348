//! `netflix`: what Netflix published of its edge in 2018, no more: two by
//! chance, compared by client health (connection-related errors), server
//! utilisation (the last the server said) and client utilisation (requests
//! under way from here); the bad filtered out before the comparison;
//! probation of one request; 90 s of warm-up; 30 s of linear decay.
//!
//! Not published: how the three factors become one score, and where the
//! filter cuts. Here each factor is brought to "1 is as much as a server
//! should have" and they are summed; the filter is that of `p2c`.

use std::sync::Arc;

use super::{Scene, p2c};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

/// An upstream with every connection failing is as bad as one with ten times
/// the load.
const HEALTH_WEIGHT: f32 = 10.0;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    p2c::best_of(scene, dice, |upstream| score(scene, upstream))
}

fn score(scene: &Scene<'_>, upstream: &Upstream) -> f32 {
    let (now, features) = (scene.now, scene.features);
    let health = HEALTH_WEIGHT * features.error_share_of(upstream, now);
    let client = upstream.in_flight() as f32 / upstream.limit().unwrap_or(1.0);
    health + features.utilisation_of(upstream, now) + client / upstream.weight()
}
