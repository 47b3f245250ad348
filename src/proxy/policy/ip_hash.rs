//! `ip_hash`: the same one for the same client address.

use std::sync::Arc;

use super::{Scene, hashed};
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>) -> Option<&'a Arc<Upstream>> {
    hashed::find(scene, scene.ask.address_hash)
}
