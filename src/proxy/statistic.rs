//! Statistics that many threads keep without locks: each is one 64-bit
//! word. Where two writers meet, one sample is dropped; statistics bear it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Tick;
use super::tick::secs_between;

/// How fast the mean latency follows, in seconds; measured in the simulation.
const LATENCY_TAU_S: f32 = 3.0;
/// A new latency sample weighs at least this much, however dense they come.
const LATENCY_WEIGHT_MIN: f32 = 0.05;
/// How fast counters forget, in seconds.
const COUNT_TAU_S: f32 = 5.0;
/// Counters forget in steps, for a step must be more than their resolution.
const COUNT_STEP_MS: u32 = 250;
/// Fraction bits of a counter.
const COUNT_SCALE: f32 = 16.0;

const fn pack(high: u32, low: u32) -> u64 {
    ((high as u64) << 32) | low as u64
}

const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// How many requests are under way and how old they are on average: the
/// count in the lower 16 bits, the sum of the send times in the upper 48.
/// One `fetch_add` changes both, so no reader sees one without the other
/// (two words would show ages of hours between the two stores).
#[derive(Debug, Default)]
pub(super) struct Flight(AtomicU64);

/// Room is kept below the 16 bits for threads that start at the same time.
pub(super) const IN_FLIGHT_MAX: u32 = 60_000;

impl Flight {
    fn delta(sent: Tick) -> u64 {
        (sent.as_micros() << 16).wrapping_add(1)
    }

    pub(super) fn start(&self, sent: Tick) {
        self.0.fetch_add(Flight::delta(sent), Relaxed);
    }

    pub(super) fn end(&self, sent: Tick) {
        self.0.fetch_sub(Flight::delta(sent), Relaxed);
    }

    pub(super) fn count(&self) -> u32 {
        (self.0.load(Relaxed) & 0xffff) as u32
    }

    /// The count, and the mean age in microseconds.
    pub(super) fn read(&self, now: Tick) -> (u32, f32) {
        let word = self.0.load(Relaxed);
        let count = word & 0xffff;
        if count == 0 {
            return (0, 0.0);
        }
        let sum = word >> 16;
        let ages = count.wrapping_mul(now.as_micros()).wrapping_sub(sum) & 0xffff_ffff_ffff;
        // "Negative": started by a thread whose clock reading is newer.
        let ages = if ages > 1 << 47 { 0 } else { ages };
        (count as u32, ages as f32 / count as f32)
    }
}

/// A latency, averaged so that newer samples count more: microseconds as
/// `f32`, and when the last sample came in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Latency(AtomicU64);

impl Latency {
    /// Microseconds, and seconds since the last sample.
    pub(super) fn read(&self, now: Tick) -> Option<(f32, f32)> {
        let (bits, at) = unpack(self.0.load(Relaxed));
        let mean = f32::from_bits(bits);
        (mean > 0.0).then(|| (mean, secs_between(at, now.millis32())))
    }

    pub(super) fn add(&self, now: Tick, sample_us: f32) {
        let old = self.0.load(Relaxed);
        let sample_us = sample_us.max(1.0);
        let mean = match self.read(now) {
            None => sample_us,
            Some((mean, age_s)) => {
                let weight = (1.0 - (-age_s / LATENCY_TAU_S).exp()).max(LATENCY_WEIGHT_MIN);
                mean + (sample_us - mean) * weight
            }
        };
        let new = pack(mean.to_bits(), now.millis32());
        let _ = self.0.compare_exchange_weak(old, new, Relaxed, Relaxed);
    }

    /// Adds a span that was waited in vain: the latency is at least that, so
    /// it says something only if it is longer than what is known.
    pub(super) fn add_at_least(&self, now: Tick, waited_us: f32) {
        if self.read(now).is_none_or(|(mean, _)| waited_us > mean) {
            self.add(now, waited_us);
        }
    }
}

/// Two counters that forget by halves every 3.5 s: 16 bits each with four
/// bits of fraction, and when they last changed in milliseconds.
#[derive(Debug, Default)]
pub(super) struct Counts(AtomicU64);

impl Counts {
    fn load(&self) -> ([f32; 2], u32) {
        let (both, at) = unpack(self.0.load(Relaxed));
        ([(both >> 16) as f32 / COUNT_SCALE, (both & 0xffff) as f32 / COUNT_SCALE], at)
    }

    /// Both counts as they are now, forgotten exponentially.
    pub(super) fn read(&self, now: Tick) -> [f32; 2] {
        let (counts, at) = self.load();
        let left = (-secs_between(at, now.millis32()) / COUNT_TAU_S).exp();
        counts.map(|count| count * left)
    }

    /// Both counts as they were when the last event came, and how many
    /// seconds ago that was.
    pub(super) fn last(&self, now: Tick) -> ([f32; 2], f32) {
        let (counts, at) = self.load();
        (counts, secs_between(at, now.millis32()))
    }

    /// Counts one event in the first or the second counter.
    pub(super) fn add(&self, now: Tick, second: bool) {
        let old = self.0.load(Relaxed);
        let (mut counts, at) = self.load();
        let mut mark = at;
        if secs_between(at, now.millis32()) * 1000.0 >= COUNT_STEP_MS as f32 {
            counts = self.read(now);
            mark = now.millis32();
        }
        counts[usize::from(second)] += 1.0;
        let most = f32::from(u16::MAX) / COUNT_SCALE;
        if counts.iter().any(|count| *count > most) {
            // Full: halving both keeps their ratio.
            counts = counts.map(|count| count / 2.0);
        }
        // Rounding down lets a rare error really disappear.
        let [first, second] = counts.map(|count| (count * COUNT_SCALE) as u32);
        let new = pack((first << 16) | second, mark);
        let _ = self.0.compare_exchange_weak(old, new, Relaxed, Relaxed);
    }

    pub(super) fn clear(&self) {
        self.0.store(0, Relaxed);
    }
}

/// What an upstream said last of itself: requests under way there, its
/// utilisation in thousandths, and when in milliseconds.
#[derive(Debug, Default)]
pub(super) struct LastReport(AtomicU64);

/// A read [`LastReport`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reported {
    /// `None`: it does not say.
    pub(super) rif: Option<f32>,
    pub(super) utilisation: f32,
    pub(super) age_s: f32,
}

impl LastReport {
    pub(super) fn set(&self, now: Tick, rif: Option<u16>, utilisation: f32) {
        // The lowest bits of the utilisation say "there is a report" and
        // "it names the requests".
        let milli = (utilisation.clamp(0.0, 65.0) * 1000.0) as u32 & !3;
        let marks = 1 | (u32::from(rif.is_some()) << 1);
        let rif = u32::from(rif.unwrap_or(0));
        self.0.store(pack((rif << 16) | milli | marks, now.millis32()), Relaxed);
    }

    pub(super) fn read(&self, now: Tick) -> Option<Reported> {
        let word = self.0.load(Relaxed);
        if word == 0 {
            return None;
        }
        let (both, at) = unpack(word);
        Some(Reported {
            rif: (both & 2 != 0).then_some((both >> 16) as f32),
            utilisation: (both & 0xfffc) as f32 / 1000.0,
            age_s: secs_between(at, now.millis32()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Tick {
        Tick::from_millis(millis)
    }

    #[test]
    fn requests_under_way_age_together() {
        let flight = Flight::default();
        flight.start(ms(10));
        flight.start(ms(30));
        assert_eq!(flight.read(ms(50)), (2, 30_000.0));
        assert_eq!(flight.read(ms(5)), (2, 0.0), "a clock that is behind shows no age");
        flight.end(ms(10));
        assert_eq!(flight.read(ms(50)), (1, 20_000.0));
        flight.end(ms(30));
        assert_eq!(flight.read(ms(50)), (0, 0.0));
    }

    #[test]
    fn sums_of_send_times_may_overflow() {
        let flight = Flight::default();
        let late = Tick::from_micros((1 << 48) - 5_000_000);
        for _ in 0..1000 {
            flight.start(late);
        }
        assert_eq!(flight.read(late.plus_micros(2_000_000)), (1000, 2_000_000.0));
    }

    #[test]
    fn latency_follows_new_samples() {
        let latency = Latency::default();
        assert_eq!(latency.read(ms(1)), None);
        latency.add(ms(1), 1000.0);
        latency.add(ms(1), 2000.0);
        let (mean, _) = latency.read(ms(1)).unwrap();
        assert!((mean - 1050.0).abs() < 1.0, "{mean}");
        latency.add(ms(30_001), 2000.0);
        assert!(latency.read(ms(30_001)).unwrap().0 > 1999.0);
        latency.add_at_least(ms(30_001), 10.0);
        assert!(latency.read(ms(30_001)).unwrap().0 > 1999.0);
    }

    #[test]
    fn counters_forget_even_between_dense_successes() {
        let counts = Counts::default();
        counts.add(ms(0), true);
        for at in 0..20_000 {
            counts.add(ms(at), false);
        }
        let [ok, errors] = counts.read(ms(20_000));
        assert!(errors < 0.05 && ok > 2000.0, "{ok} {errors}");
    }

    #[test]
    fn full_counters_keep_their_ratio() {
        let counts = Counts::default();
        for event in 0..40_000 {
            counts.add(ms(0), event % 4 == 0);
        }
        let [ok, errors] = counts.read(ms(0));
        assert!((errors / (ok + errors) - 0.25).abs() < 0.02, "{ok} {errors}");
    }

    #[test]
    fn marks_survive_the_wrap_of_the_milliseconds() {
        let latency = Latency::default();
        let before = ms(u64::from(u32::MAX) - 100);
        latency.add(before, 1000.0);
        let (_, age_s) = latency.read(before.plus_micros(1_000_000)).unwrap();
        assert!((age_s - 1.0).abs() < 0.01, "{age_s}");
    }
}
