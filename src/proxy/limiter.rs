//! How many requests this server takes at a time, found out by itself: as
//! long as answers take as long as they did when little was going on, more
//! are let in; when they take longer, fewer. What is over the limit is shed
//! at once, for a quick refusal that goes elsewhere is better than a wait
//! that ends in a timeout.
//!
//! The rule is the gradient of Netflix's concurrency-limits (`Gradient2Limit`)
//! and of Envoy's adaptive concurrency: the limit times (usual latency /
//! latency now), plus room for a short queue.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::Tick;

/// The limit at the start.
const LIMIT_FIRST: f32 = 64.0;
/// The lowest limit: a server that takes nothing learns nothing.
const LIMIT_MIN: f32 = 8.0;
/// The highest limit.
const LIMIT_MAX: f32 = 10_000.0;
/// The limit is set anew after so long, in microseconds …
const WINDOW_US: u64 = 100_000;
/// … if so many answers were given.
const SAMPLES_MIN: u32 = 10;
/// Latency may be so many times the usual before the limit falls.
const TOLERANCE: f32 = 1.5;
/// One window never cuts more than to this share.
const GRADIENT_MIN: f32 = 0.5;
/// How far each window moves the limit towards its aim.
const SMOOTHING: f32 = 0.2;
/// How far each window moves the usual latency upwards while little goes on:
/// then it is not load that makes answers slower. Downwards it follows at
/// once, for a faster answer proves what is possible.
const USUAL_UP_QUIET: f32 = 0.05;
/// The same while much goes on: hours, or overload would become usual.
const USUAL_UP_BUSY: f32 = 0.000_02;
/// What a refused one is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Counts requests and sets their limit. Shared by all threads, without
/// locks.
#[derive(Debug)]
pub struct Limiter {
    in_flight: AtomicU32,
    /// `f32` bits.
    limit: AtomicU32,
    /// `f32` bits, microseconds; 0 is unknown.
    usual_us: AtomicU32,
    window_end_us: AtomicU64,
    sum_us: AtomicU64,
    samples: AtomicU32,
    most_in_flight: AtomicU32,
    shed: AtomicU64,
}

/// Whether a request may begin.
#[derive(Debug)]
pub enum Admission<'a> {
    /// It may; give the permit back when it is answered.
    Granted(Permit<'a>),
    /// It is refused: answer 503 with [`SHED_HEADER`](super::SHED_HEADER) and
    /// this `Retry-After`.
    Shed(Duration),
}

/// A request that was let in. End it with [`finish`](Self::finish); if it is
/// only dropped, its latency is not learnt.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    began: Tick,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Permit<'_> {
    /// The answer is there. Streams without end should only be dropped.
    pub fn finish(self, now: Tick) {
        self.limiter.learn(now, now.micros_since(self.began));
    }
}

impl Default for Limiter {
    fn default() -> Limiter {
        Limiter {
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(LIMIT_FIRST.to_bits()),
            usual_us: AtomicU32::new(0),
            window_end_us: AtomicU64::new(0),
            sum_us: AtomicU64::new(0),
            samples: AtomicU32::new(0),
            most_in_flight: AtomicU32::new(0),
            shed: AtomicU64::new(0),
        }
    }
}

impl Limiter {
    /// Lets a request in, or refuses it.
    pub fn admit(&self, now: Tick) -> Admission<'_> {
        let before = self.in_flight.fetch_add(1, Relaxed);
        if before >= self.limit() {
            self.in_flight.fetch_sub(1, Relaxed);
            self.shed.fetch_add(1, Relaxed);
            return Admission::Shed(RETRY_AFTER);
        }
        Admission::Granted(self.begin(now, before))
    }

    /// Lets a request in whatever the limit is, for those that have nowhere
    /// else to go.
    pub fn enter(&self, now: Tick) -> Permit<'_> {
        let before = self.in_flight.fetch_add(1, Relaxed);
        self.begin(now, before)
    }

    fn begin(&self, now: Tick, before: u32) -> Permit<'_> {
        if before + 1 > self.most_in_flight.load(Relaxed) {
            self.most_in_flight.fetch_max(before + 1, Relaxed);
        }
        Permit { limiter: self, began: now }
    }

    /// How many it takes at a time.
    pub fn limit(&self) -> u32 {
        f32::from_bits(self.limit.load(Relaxed)) as u32
    }

    /// Requests under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Requests refused so far.
    pub fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }

    fn learn(&self, now: Tick, latency_us: u64) {
        self.sum_us.fetch_add(latency_us, Relaxed);
        let samples = self.samples.fetch_add(1, Relaxed) + 1;
        let end = self.window_end_us.load(Relaxed);
        if samples < SAMPLES_MIN || now.as_micros() < end {
            return;
        }
        let next = now.as_micros() + WINDOW_US;
        // Whoever moves the end of the window does the work for all.
        if self.window_end_us.compare_exchange(end, next, Relaxed, Relaxed).is_ok() {
            let samples = self.samples.swap(0, Relaxed).max(1);
            let mean_us = self.sum_us.swap(0, Relaxed) as f32 / samples as f32;
            let most = self.most_in_flight.swap(self.in_flight(), Relaxed);
            self.adapt(mean_us, most);
        }
    }

    fn adapt(&self, mean_us: f32, most_in_flight: u32) {
        let usual = f32::from_bits(self.usual_us.load(Relaxed));
        let limit = f32::from_bits(self.limit.load(Relaxed));
        let is_quiet = (most_in_flight as f32) < limit / 2.0;
        let usual = if usual <= 0.0 || mean_us < usual {
            mean_us.max(1.0)
        } else {
            usual + (mean_us - usual) * if is_quiet { USUAL_UP_QUIET } else { USUAL_UP_BUSY }
        };
        self.usual_us.store(usual.to_bits(), Relaxed);
        let gradient = (TOLERANCE * usual / mean_us.max(1.0)).clamp(GRADIENT_MIN, 1.0);
        // A limit that is not reached says nothing about a higher one.
        if gradient >= 1.0 && is_quiet {
            return;
        }
        let aim = limit * gradient + limit.sqrt();
        let new = limit + (aim - limit) * SMOOTHING;
        self.limit.store(new.clamp(LIMIT_MIN, LIMIT_MAX).to_bits(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server of eight slots of 10 ms under so many requests a second, for
    /// some seconds; the longest answer of the second half in microseconds.
    fn serve(limiter: &Limiter, per_s: u64, seconds: u64) -> u64 {
        let mut slots = [0u64; 8];
        let mut longest = 0;
        let mut under_way: std::collections::VecDeque<(u64, Permit<'_>)> = Default::default();
        // Ends come in the order of arrivals, as all work takes as long.
        for number in 0..per_s * seconds {
            let at = number * 1_000_000 / per_s;
            while under_way.front().is_some_and(|(end, _)| *end <= at) {
                let (end, permit) = under_way.pop_front().unwrap();
                permit.finish(Tick::from_micros(end));
            }
            if let Admission::Granted(permit) = limiter.admit(Tick::from_micros(at)) {
                let slot = slots.iter_mut().min().unwrap();
                *slot = (*slot).max(at) + 10_000;
                if number > per_s * seconds / 2 {
                    longest = longest.max(*slot - at);
                }
                under_way.push_back((*slot, permit));
            }
        }
        longest
    }

    #[test]
    fn nothing_is_shed_within_the_servers_power() {
        let limiter = Limiter::default();
        let longest = serve(&limiter, 600, 20);
        assert_eq!((limiter.shed(), limiter.in_flight()), (0, 0));
        assert!(longest <= 20_000, "{longest}");
    }

    #[test]
    fn overload_is_shed_so_that_the_rest_is_quick() {
        let limiter = Limiter::default();
        let longest = serve(&limiter, 1600, 60);
        let share = limiter.shed() as f64 / (1600.0 * 60.0);
        assert!((0.4..0.6).contains(&share), "half of it is too much: {share}");
        assert!(longest < 100_000, "{longest} us with a limit of {}", limiter.limit());
    }

    #[test]
    fn the_limit_stays_in_its_bounds() {
        let limiter = Limiter::default();
        for window in 1..1000u64 {
            for _ in 0..SAMPLES_MIN {
                limiter.learn(Tick::from_micros(window * WINDOW_US), window * window * 1000);
            }
        }
        assert!(limiter.limit() >= LIMIT_MIN as u32 && limiter.limit() <= LIMIT_MAX as u32);
    }

    #[test]
    fn a_dropped_permit_gives_its_place_back() {
        let limiter = Limiter::default();
        let admitted = limiter.admit(Tick::default());
        assert_eq!(limiter.in_flight(), 1);
        drop(admitted);
        assert_eq!(limiter.in_flight(), 0);
    }
}
