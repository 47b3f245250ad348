//! `least_connections`: the fewest requests under way from here. Strong with
//! few balancers; with many, each sees too little of the whole.

use std::sync::Arc;

use super::{Scene, scan};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    scan::cheapest(scene, dice, |upstream| upstream.in_flight() as f32)
}
