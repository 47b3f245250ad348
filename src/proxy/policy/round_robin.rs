//! `round_robin`: one after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Scene;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>) -> Option<&'a Arc<Upstream>> {
    let count = u64::from(scene.pool.eligible_len()).max(1);
    let start = scene.turn.fetch_add(1, Relaxed);
    (0..count)
        .filter_map(|step| scene.pool.eligible((start.wrapping_add(step) % count) as u32))
        .find(|upstream| scene.may_use(upstream))
}
