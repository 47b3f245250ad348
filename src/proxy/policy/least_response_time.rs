//! `least_response_time`: the shortest expected answer of all, which is the
//! latency, or the age of what is under way if that is worse, times the
//! requests under way from here (as nginx's `least_time`).

use std::sync::Arc;

use super::{Scene, scan};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    let mean_us = scene.pool.latency_us();
    scan::cheapest(scene, dice, |upstream| {
        let latency = scene.features.latency_of(upstream, scene.now, mean_us);
        latency * (upstream.in_flight() + 1) as f32 / upstream.weight()
    })
}
