//! Looking at every upstream: for the policies that want the best of all,
//! and when chance found nobody.

use std::sync::Arc;

use super::Scene;
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

/// The cheapest of all that may be used; a different one among equals each
/// time, for many balancers that begin at the same one would herd.
pub(super) fn cheapest<'a>(
    scene: &Scene<'a>,
    dice: &mut Dice,
    cost: impl Fn(&Upstream) -> f32,
) -> Option<&'a Arc<Upstream>> {
    let count = scene.pool.eligible_len();
    let start = dice.below(count);
    let mut best: Option<(&Arc<Upstream>, f32)> = None;
    for step in 0..count {
        let at = (start + step) % count;
        let Some(upstream) = scene.pool.eligible(at).filter(|u| scene.may_use(u)) else { continue };
        let its = cost(upstream);
        if best.is_none_or(|(_, least)| its < least) {
            best = Some((upstream, its));
        }
    }
    best.map(|(upstream, _)| upstream)
}

/// When the policy found nobody: the one with the fewest requests under way,
/// first of those not ejected, then of all that were not tried and are not
/// leaving, then of those that are leaving.
pub(super) fn last_resort<'a>(scene: &Scene<'a>) -> Option<&'a Arc<Upstream>> {
    let of = |fits: &dyn Fn(&Upstream) -> bool| {
        let untried = scene.pool.upstreams.iter().filter(|u| scene.ask.may_use(u.id) && !u.is_full());
        untried.filter(|u| fits(u)).min_by_key(|u| u.in_flight())
    };
    of(&|u| !u.draining() && !u.is_ejected(scene.now))
        .or_else(|| of(&|u| !u.draining()))
        .or_else(|| of(&|_| true))
}
