//! Where hashes belong: a table that is filled as in Maglev (Eisenbud and
//! others, NSDI 2016, section 3.4), so that a lookup is one read and a
//! changed list of upstreams moves few keys.

use std::sync::Arc;

use super::Scene;
use crate::proxy::dice::mix;
use crate::proxy::upstream::Upstream;

/// Sizes of the table, all prime. The smallest is taken that has a hundred
/// places for each upstream: shares are then within a few percent.
const SIZES: [u32; 5] = [251, 1021, 4093, 16_381, 65_521];
/// Another place is tried so often if the one a hash belongs to is out.
const PLACES_MAX: u64 = 16;

/// Indexes of upstreams by `hash % len`. Empty without upstreams.
pub(in crate::proxy) fn hash_table(upstreams: &[Arc<Upstream>]) -> Box<[u32]> {
    let Some(heaviest) = upstreams.iter().map(|u| u.place.weight).max() else { return Box::default() };
    let wanted = upstreams.len() as u32 * 100;
    let size = SIZES.into_iter().find(|size| *size >= wanted).unwrap_or(SIZES[SIZES.len() - 1]);
    let mut table = vec![u32::MAX; size as usize];
    let mut columns: Vec<Column> = upstreams.iter().map(|u| Column::new(u, size)).collect();
    let mut filled = 0;
    while filled < size {
        for (index, column) in columns.iter_mut().enumerate() {
            column.credit += column.weight;
            // The heaviest places one each round, the others in proportion.
            if column.credit < heaviest || filled == size {
                continue;
            }
            column.credit -= heaviest;
            if column.place(&mut table, index as u32) {
                filled += 1;
            }
        }
    }
    table.into_boxed_slice()
}

/// One upstream's order of preference for the places of the table.
struct Column {
    at: u64,
    step: u64,
    weight: u32,
    credit: u32,
}

impl Column {
    fn new(upstream: &Upstream, size: u32) -> Column {
        let seed = upstream.name().bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let size = u64::from(size);
        Column {
            at: mix(seed) % size,
            step: 1 + mix(seed ^ 0x5bd1_e995) % (size - 1),
            weight: upstream.place.weight,
            credit: 0,
        }
    }

    /// Takes the next place of its preference that is free.
    fn place(&mut self, table: &mut [u32], index: u32) -> bool {
        for _ in 0..table.len() {
            let at = usize::try_from(self.at).unwrap_or(0);
            self.at = (self.at + self.step) % table.len() as u64;
            if table[at] == u32::MAX {
                table[at] = index;
                return true;
            }
        }
        false
    }
}

/// The upstream a hash belongs to; if that is out, another one, always the
/// same as long as it lasts, and different ones for different hashes.
pub(super) fn find<'a>(scene: &Scene<'a>, hash: u64) -> Option<&'a Arc<Upstream>> {
    let table = &scene.pool.table;
    let size = table.len().max(1) as u64;
    (0..PLACES_MAX)
        .filter_map(|again| table.get((mix(hash.wrapping_add(again)) % size) as usize))
        .filter_map(|&index| scene.pool.upstreams.get(index as usize))
        .find(|upstream| scene.may_use(upstream))
}
