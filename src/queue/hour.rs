//! What the queue did in the last hour: one ring of ten-second steps in
//! memory, for charts. Bounded by its size, so it costs the same whether one
//! delivery is made or a million.
//!
//! Must not know who looks or how it is drawn. It begins empty at each start;
//! what has to outlive that is for a metrics server to scrape. Where several
//! nodes share a store, each leaves its steps there ([`Hour::newest`]), and
//! they are added up by whoever looks ([`Hour::stretches_of_all`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Timestamp};
use crate::model::queue::HourStep;

/// How long one step is.
pub const STEP: Duration = Duration::from_secs(10);
/// Steps that are kept: an hour.
pub const STEPS: usize = 360;
/// Latencies are sorted into this many bins, two to each doubling.
const BINS: usize = 40;
/// The upper bound of the first bin; the last one ends at 87 minutes.
const FIRST_BIN_MS: f64 = 5.0;

/// The last hour; cheap to clone.
#[derive(Clone)]
pub struct Hour {
    clock: Arc<dyn Clock>,
    ring: Arc<Mutex<Vec<Step>>>,
    /// What makes a step's number one by the calendar, as it was when this
    /// began: a clock that is set must not tear steps apart.
    to_calendar: u64,
}

#[derive(Clone)]
struct Step {
    /// Which step since the clock began.
    number: u64,
    tally: Tally,
}

/// What happened in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tally {
    delivered: u32,
    failed: u32,
    bins: [u32; BINS],
    waiting: Option<u64>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { delivered: 0, failed: 0, bins: [0; BINS], waiting: None }
    }
}

impl Tally {
    /// Of a row.
    fn read(row: &HourStep) -> Tally {
        let mut tally =
            Tally { delivered: row.delivered, failed: row.failed, waiting: row.waiting, ..Tally::default() };
        tally.bins.iter_mut().zip(&row.bins).for_each(|(bin, count)| *bin = *count);
        tally
    }

    fn row(&self, number: u64) -> HourStep {
        let used = self.bins.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
        let bins = self.bins[..used].to_vec();
        HourStep { number, delivered: self.delivered, failed: self.failed, bins, waiting: self.waiting }
    }

    /// Adds what another node did in the same step. What waits, each of them
    /// counted in the store of all.
    fn add(&mut self, other: &Tally) {
        self.delivered = self.delivered.saturating_add(other.delivered);
        self.failed = self.failed.saturating_add(other.failed);
        self.bins.iter_mut().zip(other.bins).for_each(|(sum, bin)| *sum = sum.saturating_add(bin));
        self.waiting = self.waiting.max(other.waiting);
    }
}

/// What happened in a stretch of the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Stretch {
    /// When it began.
    pub from: Timestamp,
    /// Deliveries that were accepted.
    pub delivered: u64,
    /// Attempts that were not.
    pub failed: u64,
    /// Half of the deliveries took no longer than this from the moment they
    /// were written until they were accepted, in seconds.
    pub p50_s: Option<f64>,
    /// 95 of 100 took no longer than this.
    pub p95_s: Option<f64>,
    /// Jobs that waited at the end of it; `None` where nobody counted.
    pub waiting: Option<u64>,
}

impl Step {
    fn new(number: u64) -> Step {
        Step { number, tally: Tally::default() }
    }
}

impl Hour {
    /// An hour in which nothing happened yet.
    pub fn new(clock: Arc<dyn Clock>) -> Hour {
        let ring = (0..STEPS as u64).map(Step::new).collect();
        let mut hour = Hour { clock, ring: Arc::new(Mutex::new(ring)), to_calendar: 0 };
        let step_ms = STEP.as_millis() as u64;
        let begins_ms = hour.begins().as_millis().max(0) as u64;
        hour.to_calendar = ((begins_ms + step_ms / 2) / step_ms).wrapping_sub(hour.number());
        hour
    }

    /// A delivery was accepted, this long after it was written.
    pub fn delivered(&self, latency: Duration) {
        self.note(|tally| {
            tally.delivered = tally.delivered.saturating_add(1);
            let bin = &mut tally.bins[bin_of(latency)];
            *bin = bin.saturating_add(1);
        });
    }

    /// An attempt at a delivery failed.
    pub fn failed(&self) {
        self.note(|tally| tally.failed = tally.failed.saturating_add(1));
    }

    /// So many jobs wait.
    pub fn waiting(&self, jobs: u64) {
        self.note(|tally| tally.waiting = Some(jobs));
    }

    fn number(&self) -> u64 {
        // The first step is not 0, so that the hour before it has numbers, too.
        self.clock.monotonic().as_secs() / STEP.as_secs() + STEPS as u64
    }

    /// When the step of this moment began.
    fn begins(&self) -> Timestamp {
        let into_s = self.clock.monotonic().as_secs() % STEP.as_secs();
        self.clock.now().minus(Duration::from_secs(into_s))
    }

    fn note(&self, change: impl FnOnce(&mut Tally)) {
        let number = self.number();
        let mut ring = self.ring.lock();
        let step = &mut ring[(number % STEPS as u64) as usize];
        if step.number != number {
            *step = Step::new(number);
        }
        change(&mut step.tally);
    }

    /// The number by the calendar of the step of this moment.
    pub fn today(&self) -> u64 {
        self.number().wrapping_add(self.to_calendar)
    }

    /// The newest steps in which anything was noted, at most so many, as rows
    /// for others; with their place in the ring of the node that writes them.
    pub fn newest(&self, steps: usize) -> Vec<(u32, HourStep)> {
        let (last, ring) = (self.number(), self.ring.lock());
        let steps = steps.clamp(1, STEPS) as u64;
        let kept = (last + 1 - steps..=last).filter_map(|number| {
            let step = &ring[(number % STEPS as u64) as usize];
            (step.number == number && step.tally != Tally::default()).then_some(step)
        });
        kept.map(|step| {
            let number = step.number.wrapping_add(self.to_calendar);
            ((number % STEPS as u64) as u32, step.tally.row(number))
        })
        .collect()
    }

    /// The hour in stretches of so many steps (1 to [`STEPS`]), the oldest
    /// first. The last one is not over yet.
    pub fn stretches(&self, steps: usize) -> Vec<Stretch> {
        let ring = self.ring.lock().clone();
        let at = |number: u64| {
            let step = &ring[(number % STEPS as u64) as usize];
            (step.number == number).then_some(&step.tally)
        };
        stretches(steps, self.number(), self.begins(), at)
    }

    /// The same of all nodes together, from what each left in the store.
    pub fn stretches_of_all(&self, steps: usize, rows: &[HourStep]) -> Vec<Stretch> {
        let mut all: HashMap<u64, Tally> = HashMap::new();
        rows.iter().for_each(|row| all.entry(row.number).or_default().add(&Tally::read(row)));
        stretches(steps, self.today(), self.begins(), |number| all.get(&number))
    }
}

/// The hour that ends with the step `last`, which began then, in stretches.
fn stretches<'a>(
    steps: usize,
    last: u64,
    begins: Timestamp,
    at: impl Fn(u64) -> Option<&'a Tally>,
) -> Vec<Stretch> {
    let steps = steps.clamp(1, STEPS) as u64;
    let count = (STEPS as u64).div_ceil(steps);
    let stretch = |place: u64| {
        let end = last.saturating_sub((count - 1 - place) * steps);
        let first = (end + 1).saturating_sub(steps).max(last + 1 - STEPS as u64);
        let from = begins.minus(STEP.saturating_mul((last - first) as u32));
        together(from, (first..=end).filter_map(&at))
    };
    (0..count).map(stretch).collect()
}

fn together<'a>(from: Timestamp, steps: impl Iterator<Item = &'a Tally>) -> Stretch {
    let mut stretch = Stretch { from, ..Stretch::default() };
    let mut bins = [0u64; BINS];
    for step in steps {
        stretch.delivered += u64::from(step.delivered);
        stretch.failed += u64::from(step.failed);
        stretch.waiting = step.waiting.or(stretch.waiting);
        bins.iter_mut().zip(step.bins).for_each(|(sum, bin)| *sum += u64::from(bin));
    }
    stretch.p50_s = quantile(&bins, 0.5);
    stretch.p95_s = quantile(&bins, 0.95);
    stretch
}

fn bin_of(latency: Duration) -> usize {
    let ms = latency.as_secs_f64() * 1000.0;
    let bin = 2.0 * (ms.max(FIRST_BIN_MS) / FIRST_BIN_MS).log2();
    (bin.ceil() as usize).min(BINS - 1)
}

/// The latency that a share of all stays below, within half a doubling.
fn quantile(bins: &[u64; BINS], share: f64) -> Option<f64> {
    let all: u64 = bins.iter().sum();
    if all == 0 {
        return None;
    }
    let mut left = (share * all as f64).ceil().max(1.0);
    for (bin, count) in bins.iter().enumerate() {
        if left <= *count as f64 {
            // Between the bounds, as if those in the bin were spread evenly.
            let part = left / *count as f64;
            return Some(FIRST_BIN_MS / 1000.0 * 2f64.powf((bin as f64 - 1.0 + part) / 2.0));
        }
        left -= *count as f64;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ManualClock;

    fn hour() -> (ManualClock, Hour) {
        let clock = ManualClock::at(Timestamp::from_secs(1_764_000_000));
        (clock.clone(), Hour::new(Arc::new(clock)))
    }

    #[test]
    fn what_happens_is_seen_for_an_hour_and_no_longer() {
        let (clock, hour) = hour();
        hour.delivered(Duration::from_millis(120));
        hour.failed();
        hour.waiting(7);
        for (wait_s, is_seen) in [(0, true), (3500, true), (89, true), (11, false), (3600, false)] {
            clock.advance(Duration::from_secs(wait_s));
            let stretches = hour.stretches(1);
            assert_eq!(stretches.len(), STEPS);
            let sum: u64 = stretches.iter().map(|stretch| stretch.delivered + stretch.failed).sum();
            assert_eq!(sum, if is_seen { 2 } else { 0 }, "after {wait_s} s more");
            assert_eq!(stretches.iter().any(|stretch| stretch.waiting == Some(7)), is_seen);
        }
    }

    #[test]
    fn minutes_add_up_and_lie_one_after_another() {
        let (clock, hour) = hour();
        for _ in 0..90 {
            clock.advance(Duration::from_secs(10));
            hour.delivered(Duration::from_secs(1));
        }
        let minutes = hour.stretches(6);
        assert_eq!(minutes.len(), 60);
        assert_eq!(minutes.iter().map(|minute| minute.delivered).sum::<u64>(), 90);
        assert_eq!(minutes[59].delivered, 6);
        for pair in minutes.windows(2) {
            assert_eq!(pair[1].from.since(pair[0].from), Duration::from_secs(60));
        }
        assert_eq!(clock.now().since(minutes[59].from), Duration::from_secs(50));
    }

    #[test]
    fn latencies_come_back_within_half_a_doubling() {
        let (_, hour) = hour();
        for (latency_ms, times) in [(100, 90), (2_000, 10)] {
            (0..times).for_each(|_| hour.delivered(Duration::from_millis(latency_ms)));
        }
        let all = hour.stretches(STEPS)[0];
        let (p50_s, p95_s) = (all.p50_s.unwrap(), all.p95_s.unwrap());
        assert!((0.07..0.15).contains(&p50_s) && (1.4..2.9).contains(&p95_s), "{p50_s} {p95_s}");
        assert_eq!(Stretch::default().p50_s, None);
    }

    #[test]
    fn what_nodes_leave_in_the_store_adds_up() {
        let (clock, one) = hour();
        // Another machine: up for longer, and two seconds ahead.
        let ahead = ManualClock::at(Timestamp::from_secs(1_764_000_002 - 7777));
        ahead.advance(Duration::from_secs(7777));
        let other = Hour::new(Arc::new(ahead));
        for hour in [&one, &other] {
            (0..3).for_each(|_| hour.delivered(Duration::from_millis(120)));
            hour.failed();
            hour.waiting(7);
        }
        let rows: Vec<HourStep> =
            [one.newest(2), other.newest(2)].concat().into_iter().map(|(_, row)| row).collect();
        assert_eq!(rows.len(), 2, "a step in which nothing happened is not told");
        assert!(rows.iter().all(|row| row.bins.len() < BINS));
        let last = one.stretches_of_all(1, &rows).pop().unwrap();
        assert_eq!(
            (last.delivered, last.failed, last.waiting),
            (6, 2, Some(7)),
            "what waits is counted once"
        );
        assert!(last.p50_s.is_some_and(|p50_s| (0.07..0.15).contains(&p50_s)), "{last:?}");
        clock.advance(Duration::from_secs(600));
        assert_eq!(one.stretches_of_all(6, &rows)[49].delivered, 6);
        clock.advance(Duration::from_secs(3600));
        assert!(one.stretches_of_all(6, &rows).iter().all(|minute| minute.delivered == 0));
    }

    #[test]
    fn no_latency_is_too_short_or_too_long() {
        let (_, hour) = hour();
        hour.delivered(Duration::ZERO);
        hour.delivered(Duration::from_secs(1_000_000));
        assert_eq!(hour.stretches(STEPS)[0].delivered, 2);
    }
}
