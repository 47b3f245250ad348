//! `random`: by chance, in proportion to weight.

use std::sync::Arc;

use super::{Scene, turns};
use crate::proxy::Dice;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    turns::at(scene, dice.u64() >> 1)
}
