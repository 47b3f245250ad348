//! `p2c_in_flight`: two by chance, then the one with fewer requests under
//! way from here for its weight.

use std::sync::Arc;

use super::{Scene, p2c};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    p2c::best_of(scene, dice, |upstream| (upstream.in_flight() + 1) as f32 / upstream.weight())
}
