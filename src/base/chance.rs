//! Randomness as an argument, so that whatever uses it can be replayed.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where random bytes come from. The running program uses the operating
/// system's; tests and simulations a seed that they print.
pub trait Chance: Send + Sync + 'static {
    /// Fills `out` with random bytes.
    fn fill(&self, out: &mut [u8]);

    /// A random number.
    fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number from 0 up to, not including, 1.
    fn unit(&self) -> f64 {
        (self.u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `end` (0 if `end` is 0).
    fn below(&self, end: u64) -> u64 {
        ((u128::from(self.u64()) * u128::from(end)) >> 64) as u64
    }

    /// A secret of `bytes` random bytes, written in base64url.
    fn secret(&self, bytes: usize) -> String {
        use base64::Engine;
        let mut raw = vec![0; bytes];
        self.fill(&mut raw);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(raw)
    }
}

/// A small seeded generator (SplitMix64). Not for secrets outside tests.
pub struct FixedChance(AtomicU64);

impl FixedChance {
    /// The same seed gives the same sequence.
    pub fn new(seed: u64) -> FixedChance {
        FixedChance(AtomicU64::new(seed))
    }
}

impl Chance for FixedChance {
    fn fill(&self, out: &mut [u8]) {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in out.chunks_mut(8) {
            let mut z = self.0.fetch_add(GOLDEN, Ordering::Relaxed).wrapping_add(GOLDEN);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        let (a, b) = (FixedChance::new(7), FixedChance::new(7));
        assert_eq!((a.u64(), a.below(10), a.secret(9)), (b.u64(), b.below(10), b.secret(9)));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let chance = FixedChance::new(1);
        for _ in 0..1000 {
            assert!(chance.below(3) < 3);
            assert!((0.0..1.0).contains(&chance.unit()));
        }
        assert_eq!(chance.below(0), 0);
    }
}
