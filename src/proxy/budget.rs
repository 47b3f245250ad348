//! What retries and hedges together may cost. Without it, a slow minute
//! makes everybody send everything twice, and that makes the next one slow.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Tick;

/// Tokens are kept in thousandths.
const ONE: u64 = 1000;
/// Each request earns a tenth of a further one.
const EARNED: u64 = ONE / 10;
/// More are never saved up.
const MOST: u64 = 50 * ONE;
/// So many are there at the start.
const FIRST: u64 = 10 * ONE;
/// Each second earns at least this, so that quiet services may retry, too.
const PER_SECOND: u64 = ONE;

/// Tokens for extra requests, in one word: thousandths of tokens in the low
/// 24 bits, thousandths earned in this second in the next 12, and the
/// second.
#[derive(Debug)]
pub struct Budget(AtomicU64);

struct Parts {
    tokens: u64,
    earned: u64,
    second: u64,
}

impl Parts {
    const fn of(word: u64) -> Parts {
        Parts { tokens: word & 0xff_ffff, earned: (word >> 24) & 0xfff, second: word >> 36 }
    }

    const fn word(&self) -> u64 {
        self.tokens | (self.earned << 24) | (self.second << 36)
    }

    /// Begins a new second, where it is one; the past one is topped up.
    fn at(mut self, now: Tick) -> Parts {
        let second = (now.as_micros() / 1_000_000) & 0xfff_ffff;
        if second != self.second {
            self.tokens = (self.tokens + PER_SECOND.saturating_sub(self.earned)).min(MOST);
            self.earned = 0;
            self.second = second;
        }
        self
    }
}

impl Budget {
    /// With the tokens of a start.
    pub fn new(now: Tick) -> Budget {
        let begun = Parts { tokens: 0, earned: 0, second: 0 }.at(now);
        Budget(AtomicU64::new(Parts { tokens: FIRST, ..begun }.word()))
    }

    /// A client's request came.
    pub(super) fn earn(&self, now: Tick) {
        let old = self.0.load(Relaxed);
        let mut parts = Parts::of(old).at(now);
        parts.tokens = (parts.tokens + EARNED).min(MOST);
        parts.earned = (parts.earned + EARNED).min(PER_SECOND);
        // Where two meet, one earns nothing: the budget is a bound.
        let _ = self.0.compare_exchange(old, parts.word(), Relaxed, Relaxed);
    }

    /// Takes a token for an extra request; `false` if there is none.
    pub(super) fn take(&self, now: Tick) -> bool {
        let taken = self.0.fetch_update(Relaxed, Relaxed, |old| {
            let mut parts = Parts::of(old).at(now);
            parts.tokens = parts.tokens.checked_sub(ONE)?;
            Some(parts.word())
        });
        taken.is_ok()
    }

    /// Whole tokens left.
    pub fn left(&self, now: Tick) -> u32 {
        (Parts::of(self.0.load(Relaxed)).at(now).tokens / ONE) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(budget: &Budget, now: Tick) -> u32 {
        (0..1000).filter(|_| budget.take(now)).count() as u32
    }

    #[test]
    fn extra_requests_are_a_tenth_of_the_requests() {
        let now = Tick::from_millis(10);
        let budget = Budget::new(now);
        assert_eq!(drain(&budget, now), 10);
        for _ in 0..200 {
            budget.earn(now);
        }
        assert_eq!(drain(&budget, now), 20);
        for _ in 0..10_000 {
            budget.earn(now);
        }
        assert_eq!(drain(&budget, now), 50, "no more is saved up");
    }

    #[test]
    fn a_quiet_service_may_retry_once_a_second() {
        let budget = Budget::new(Tick::default());
        drain(&budget, Tick::default());
        budget.earn(Tick::from_millis(500));
        assert_eq!(drain(&budget, Tick::from_millis(900)), 0);
        assert_eq!(drain(&budget, Tick::from_millis(1000)), 1, "topped up, what was earned included");
        assert_eq!(drain(&budget, Tick::from_millis(1999)), 0);
    }
}
