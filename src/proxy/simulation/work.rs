//! How much work each request is, and when they come: drawn from the seed and
//! the request's number alone, so that every contender meets the same.

use crate::proxy::dice::mix;

/// The mean of the work, in microseconds.
const WORK_US: f64 = 40_000.0;
/// The width of its lognormal distribution.
const SIGMA: f64 = 0.5;
/// How much more a heavy request is.
const HEAVY: f64 = 5.0;

/// A number above 0 up to 1.
fn unit(key: u64) -> f64 {
    ((mix(key) >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// The numbers of one request.
#[derive(Clone, Copy)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64, request: usize) -> Draw {
        Draw(mix(mix(seed) ^ (request as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    fn unit(self, of: u64) -> f64 {
        unit(self.0 ^ of.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// Time to the next request, in microseconds, at so many a second.
    pub(super) fn gap_us(self, per_s: f64) -> u64 {
        (-self.unit(1).ln() * 1e6 / per_s) as u64
    }

    /// Which of so many balancers it comes to.
    pub(super) fn balancer(self, of: usize) -> usize {
        (self.unit(2) * of as f64) as usize % of
    }

    pub(super) fn is_idempotent(self, share: f64) -> bool {
        self.unit(3) <= share
    }

    /// Which of ten thousand clients sent it.
    pub(super) fn client(self) -> u64 {
        (self.unit(4) * 10_000.0) as u64
    }

    /// What is asked for; hashes of that are spread as they are.
    pub(super) fn page(self) -> u64 {
        mix(self.0)
    }

    /// The work of its n-th try, in microseconds on a healthy server.
    pub(super) fn work_us(self, nth: usize, heavy: f64) -> f64 {
        let (a, b) = (self.unit(10 + 2 * nth as u64), self.unit(11 + 2 * nth as u64));
        let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
        let work = WORK_US * (SIGMA * normal - SIGMA * SIGMA / 2.0).exp();
        if self.unit(5) <= heavy { work * HEAVY } else { work }
    }
}
