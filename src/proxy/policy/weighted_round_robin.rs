//! `weighted_round_robin`: one after the other, each as often as its weight,
//! evenly spread.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::{Scene, turns};
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>) -> Option<&'a Arc<Upstream>> {
    turns::at(scene, scene.turn.fetch_add(1, Relaxed))
}
