//! The chance of one thread: cheap enough to throw for every request.

use crate::base::Chance;

/// A small generator (SplitMix64) for choices, never for secrets. Each
/// thread has its own, seeded once from a [`Chance`]: asking the operating
/// system, or a generator that all threads share, costs more than the pick.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeded by the program's source of chance.
    pub fn new(chance: &impl Chance) -> Dice {
        Dice(chance.u64())
    }

    /// The same seed gives the same throws.
    pub const fn seeded(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A random number.
    pub const fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end` (0 if `end` is 0).
    pub const fn below(&mut self, end: u32) -> u32 {
        (((self.u64() >> 32) * end as u64) >> 32) as u32
    }

    /// A number from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f32 {
        (self.u64() >> 40) as f32 / (1u32 << 24) as f32
    }
}

/// Spreads the bits of a number.
pub(super) const fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_replay_and_stay_in_range() {
        let (mut a, mut b) = (Dice::seeded(7), Dice::seeded(7));
        for _ in 0..1000 {
            let throw = a.below(3);
            assert_eq!(throw, b.below(3));
            assert!(throw < 3);
            assert!((0.0..1.0).contains(&a.unit()));
            b.unit();
        }
        assert_eq!(a.below(0), 0);
    }
}
