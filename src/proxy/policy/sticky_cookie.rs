//! `sticky_cookie`: the upstream the client's cookie names, as long as it is
//! there and healthy; otherwise as `p2c`, and the forwarder sets the cookie.

use std::sync::Arc;

use super::{Scene, p2c};
use crate::proxy::Dice;
use crate::proxy::pool::is_fit;
use crate::proxy::upstream::Upstream;

pub(super) fn pick<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<&'a Arc<Upstream>> {
    let named = scene.ask.sticky.and_then(|token| {
        let is_it = |u: &&Arc<Upstream>| u.place.sticky == token && scene.may_use(u);
        scene.pool.all_eligible().find(is_it)
    });
    // Here nothing is compared, so an overloaded one must be left out by now.
    let named = named.filter(|u| !scene.features.filter || is_fit(u, scene.now, scene.features));
    named.or_else(|| p2c::pick(scene, dice))
}
