//! `weighted_least_connections`: the fewest requests under way from here for
//! its weight, the new one included, so that idle servers differ, too.

use std::sync::Arc;

use super::{Scene, scan};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    scan::cheapest(scene, dice, |upstream| (upstream.in_flight() + 1) as f32 / upstream.weight())
}
