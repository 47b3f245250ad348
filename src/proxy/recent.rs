//! The latest latencies of the whole pool, for the moment at which a
//! request is unusually slow.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// So many are kept.
const KEPT: usize = 512;
/// The percentile is computed anew after so many.
const EVERY: u32 = 32;
/// What is taken for it before so many were seen, in microseconds.
const UNKNOWN_US: u32 = 100_000;

/// A ring of latencies in microseconds and their 95th percentile.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Box<[AtomicU32]>,
    count: AtomicU32,
    p95_us: AtomicU32,
}

impl Recent {
    pub(super) fn new() -> Recent {
        let ring = (0..KEPT).map(|_| AtomicU32::new(0)).collect();
        Recent { ring, count: AtomicU32::new(0), p95_us: AtomicU32::new(UNKNOWN_US) }
    }

    pub(super) fn p95_us(&self) -> u32 {
        self.p95_us.load(Relaxed)
    }

    pub(super) fn add(&self, latency_us: u64) {
        let number = self.count.fetch_add(1, Relaxed);
        let latency_us = u32::try_from(latency_us).unwrap_or(u32::MAX).max(1);
        self.ring[number as usize % KEPT].store(latency_us, Relaxed);
        if number % EVERY == EVERY - 1 {
            self.p95_us.store(self.compute(), Relaxed);
        }
    }

    fn compute(&self) -> u32 {
        let mut all = [0; KEPT];
        let mut len = 0;
        for latency in self.ring.iter().map(|place| place.load(Relaxed)).filter(|us| *us > 0) {
            all[len] = latency;
            len += 1;
        }
        let known = &mut all[..len];
        let rank = len * 95 / 100;
        if len == 0 { UNKNOWN_US } else { *known.select_nth_unstable(rank.min(len - 1)).1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_follows_the_latest() {
        let recent = Recent::new();
        assert_eq!(recent.p95_us(), UNKNOWN_US);
        for latency in 1..=100 {
            recent.add(latency);
        }
        assert!((90..=96).contains(&recent.p95_us()), "{}", recent.p95_us());
        for _ in 0..KEPT {
            recent.add(7);
        }
        assert_eq!(recent.p95_us(), 7);
    }
}
