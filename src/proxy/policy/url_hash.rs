//! `url_hash`: the same one for the same path and query, so that caches of
//! the upstreams hold different things.

use std::sync::Arc;

use super::{Scene, hashed};
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>) -> Option<&'a Arc<Upstream>> {
    hashed::find(scene, scene.ask.url_hash)
}
