//! Turns in proportion to weight, computed when the list of upstreams
//! changes, so that taking a turn needs no lock and no search.

use std::sync::Arc;

use super::Scene;
use crate::proxy::upstream::Upstream;

/// A round has at most so many turns; larger weights are scaled down.
const TURNS_MAX: u32 = 4096;
/// So many turns are passed over at most if those they belong to are out.
const PASSES_MAX: usize = 64;

/// One round: indexes of upstreams, each as often as its weight, spread as
/// evenly as can be (nginx's smooth weighted round robin).
pub(in crate::proxy) fn schedule(upstreams: &[Arc<Upstream>]) -> Box<[u32]> {
    let weights = scaled(upstreams.iter().map(|u| u.place.weight).collect());
    let total: i64 = weights.iter().sum();
    let mut credit = vec![0i64; weights.len()];
    let mut turns = Vec::with_capacity(usize::try_from(total).unwrap_or(0));
    for _ in 0..total {
        for (credit, weight) in credit.iter_mut().zip(&weights) {
            *credit += weight;
        }
        let richest = (0..credit.len()).rev().max_by_key(|&index| credit[index]).unwrap_or(0);
        credit[richest] -= total;
        turns.push(richest as u32);
    }
    turns.into_boxed_slice()
}

/// The weights without common factor and within [`TURNS_MAX`].
fn scaled(weights: Vec<u32>) -> Vec<i64> {
    let factor = weights.iter().copied().fold(0, common_factor).max(1);
    let total: u32 = weights.iter().map(|weight| weight / factor).sum();
    let shrink = (total / TURNS_MAX + 1).max(1);
    weights.into_iter().map(|weight| i64::from((weight / factor / shrink).max(1))).collect()
}

fn common_factor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_factor(b, a % b) }
}

/// Whose turn it is, or the next one's that may be used.
pub(super) fn at<'a>(scene: &Scene<'a>, turn: u64) -> Option<&'a Arc<Upstream>> {
    let turns = &scene.pool.schedule;
    let start = usize::try_from(turn % (turns.len().max(1) as u64)).unwrap_or(0);
    let round = turns.iter().cycle().skip(start).take(turns.len().min(PASSES_MAX));
    round.filter_map(|&index| scene.pool.upstreams.get(index as usize)).find(|u| scene.may_use(u))
}
