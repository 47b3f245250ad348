//! What came of a run.

/// A bucket of the histogram is a tenth of a millisecond.
const BUCKET_US: u64 = 100;
/// Clients wait a second.
const BUCKETS: usize = 10_001;

/// Figures of one run, or of several together.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// Runs that are summed here.
    pub runs: u64,
    /// Requests of clients.
    pub requests: u64,
    /// Requests without a good answer within a second.
    pub failed: u64,
    /// Tries beside the first of each request.
    pub extra: u64,
    /// Tries that met a server while it failed fast or was down.
    pub met_broken: u64,
    sum_us: u64,
    histogram: Vec<u32>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            runs: 1,
            requests: 0,
            failed: 0,
            extra: 0,
            met_broken: 0,
            sum_us: 0,
            histogram: vec![0; BUCKETS],
        }
    }
}

impl Tally {
    pub(super) fn answered(&mut self, latency_us: u64) {
        self.sum_us += latency_us;
        self.histogram[((latency_us / BUCKET_US) as usize).min(BUCKETS - 1)] += 1;
    }

    /// Adds the figures of another run.
    pub fn add(&mut self, other: &Tally) {
        self.runs += other.runs;
        self.requests += other.requests;
        self.failed += other.failed;
        self.extra += other.extra;
        self.met_broken += other.met_broken;
        self.sum_us += other.sum_us;
        for (mine, others) in self.histogram.iter_mut().zip(&other.histogram) {
            *mine += others;
        }
    }

    /// Failed requests of one run, on average.
    pub fn failed_per_run(&self) -> u64 {
        self.failed / self.runs.max(1)
    }

    /// Mean latency of good answers, in milliseconds.
    pub fn mean_ms(&self) -> f64 {
        let answered: u64 = self.histogram.iter().map(|count| u64::from(*count)).sum();
        self.sum_us as f64 / 1000.0 / answered.max(1) as f64
    }

    /// A percentile of the latency of good answers, in milliseconds.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let answered: u64 = self.histogram.iter().map(|count| u64::from(*count)).sum();
        let rank = (answered as f64 * share) as u64;
        let mut seen = 0;
        let bucket = self.histogram.iter().position(|count| {
            seen += u64::from(*count);
            seen > rank
        });
        bucket.unwrap_or(BUCKETS - 1) as f64 / 10.0
    }

    /// Extra requests for each hundred of clients.
    pub fn extra_percent(&self) -> f64 {
        100.0 * self.extra as f64 / self.requests.max(1) as f64
    }
}
