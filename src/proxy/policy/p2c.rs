//! `p2c`, the default: two by chance, then the one that is expected to
//! answer sooner.

use std::sync::Arc;

use super::Scene;
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

/// Candidates that are compared. Three fail a little less and scatter a
/// little less; see the table that the simulation prints.
const CANDIDATES: u32 = 2;
/// After so many draws that found nothing, the pick scans.
const DRAWS_MAX: u32 = 16;
/// How much errors weigh: at half the requests failing, an upstream costs
/// six times as much as without.
const ERROR_WEIGHT: f32 = 10.0;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    best_of(scene, dice, |upstream| cost(scene, upstream))
}

/// The expected time to an answer, in no unit; lower is better.
pub(in crate::proxy) fn cost(scene: &Scene<'_>, upstream: &Upstream) -> f32 {
    let (now, features) = (scene.now, scene.features);
    let latency = features.latency_of(upstream, now, scene.pool.latency_us());
    let queue = features.queue_of(upstream, now);
    let limit = upstream.limit().unwrap_or_else(|| scene.pool.limit());
    let errors = features.error_share_of(upstream, now);
    latency * (queue + 1.0) / limit * (1.0 + ERROR_WEIGHT * errors) / upstream.weight()
}

/// The cheapest of a few distinct ones that are drawn by chance, where new
/// ones are drawn less; the first drawn among equals.
pub(super) fn best_of<'a>(
    scene: &Scene<'a>,
    dice: &mut Dice,
    cost: impl Fn(&Upstream) -> f32,
) -> Option<&'a Arc<Upstream>> {
    let count = scene.pool.eligible_len();
    let wanted = CANDIDATES.min(count);
    let mut best: Option<(&Arc<Upstream>, f32)> = None;
    let mut seen = [u32::MAX; CANDIDATES as usize];
    let mut found = 0;
    for _ in 0..DRAWS_MAX {
        let Some(upstream) = scene.pool.eligible(dice.below(count)) else { continue };
        if seen.contains(&upstream.id) || !scene.may_use(upstream) || is_held_back(scene, upstream, dice) {
            continue;
        }
        seen[found as usize] = upstream.id;
        found += 1;
        // A single candidate needs no comparison.
        let its = if wanted == 1 { 0.0 } else { cost(upstream) };
        if best.is_none_or(|(_, least)| its < least) {
            best = Some((upstream, its));
        }
        if found == wanted {
            break;
        }
    }
    best.map(|(upstream, _)| upstream)
}

/// Whether a young server is passed over this time, to warm up slowly.
fn is_held_back(scene: &Scene<'_>, upstream: &Upstream, dice: &mut Dice) -> bool {
    let ramp = scene.features.ramp_of(upstream.age_s(scene.now));
    // Where all are young, nobody can spare them the load.
    let oldest = scene.pool.ramp_max();
    ramp < oldest && dice.unit() >= ramp / oldest
}
