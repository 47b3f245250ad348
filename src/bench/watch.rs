//! Looks at the instance and at the generator itself while they work: four
//! times a second at the processes, once a second at the instance's metrics.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::allowance;
use super::client::{Ask, Client, Target};
use super::exposition::Exposition;
use super::load::Course;
use super::proc::{self, Busy};
use super::report::data::{Generator, Round, Sample, Used};
use crate::base::Clock;

const LOOK_EVERY: Duration = Duration::from_millis(250);
const METRICS_EVERY: Duration = Duration::from_secs(1);
/// The last look at the metrics may be so late.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// Looks of one run that are kept.
const SAMPLES_MAX: usize = 20_000;
/// Jobs that wait, by lane; counted by the instance each second.
pub const QUEUED: &str = "waxwing_delivery_queued";
/// Seconds between two counts of jobs that show whether they grow.
const BACKLOG_MIN_S: f64 = 1.5;
/// The generator is late when it begins 1 of 100 requests later than this.
const LATE_MS: f64 = 25.0;

/// Who is looked at.
#[derive(Clone)]
pub struct Watched {
    /// The instance's process, if it is on this machine and ours.
    pub pid: Option<u32>,
    /// Its metrics.
    pub metrics: Option<Client>,
    /// Processors that it and the generator may use, and which, if that is known.
    cores: f64,
    allowed: Option<BTreeSet<usize>>,
}

impl Watched {
    /// A process with its admin listener, and how many processors it and this
    /// one may use.
    pub fn new(pid: Option<u32>, admin: Option<SocketAddr>, cores: f64) -> Watched {
        let metrics = admin.map(|address| Client::new(Target::plain(&address.to_string(), address)));
        Watched { pid, metrics, cores, allowed: allowance::allowed() }
    }

    /// Its metrics now; empty ones if there are none.
    pub async fn metrics(&self) -> Exposition {
        let Some(client) = &self.metrics else { return Exposition::default() };
        match client.send(&Ask::get("/metrics")).await {
            Ok(answer) => Exposition::read(&String::from_utf8_lossy(&answer.body)),
            Err(_) => Exposition::default(),
        }
    }
}

/// Looks until it is told to stop.
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    /// Processors that may be used.
    cores: f64,
    samples: Vec<Sample>,
    /// At the first moment that counts, and lately.
    first: Option<(Duration, Exposition)>,
    last: (Duration, Exposition),
    /// While requests were due: when, and how many jobs waited.
    queued: Vec<(Duration, f64)>,
    lane_depth_max: f64,
    file_share_max: f64,
    /// Processor time of the instance and of this process, when it began to count.
    cpu_begin: Option<(Duration, Duration, Duration, Busy)>,
    cpu_end: Option<(Duration, Duration, Duration, Busy)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Watch {
    /// Begins to look.
    pub fn start(watched: Watched, clock: Arc<dyn Clock>, course: Course) -> Watch {
        let seen = Arc::new(Mutex::new(Seen { cores: watched.cores, ..Seen::default() }));
        let task = tokio::spawn(look(watched, clock, course, seen.clone()));
        Watch { seen, task }
    }

    /// The latest look.
    pub fn last(&self) -> Sample {
        self.seen.lock().samples.last().copied().unwrap_or_default()
    }

    /// Adds what was seen to a round.
    pub fn complete(&self, round: &mut Round) {
        let seen = self.seen.lock();
        round.samples = seen.samples.clone();
        round.used = seen.used();
        let (generator_cpu, spent) = seen.generator();
        // Only what was answered while it was looked at.
        let each = |time: Duration| time.as_secs_f64() * 1e6 / round.answered.max(1) as f64;
        round.generator = Generator {
            cpu: generator_cpu,
            us_per_request: each(spent),
            server_us_per_request: each(seen.served()),
            was_limit: round.spent > 0 || is_limit(round, generator_cpu, seen.cores),
        };
    }
}

/// Whether requests began late because of the generator. Late because the
/// server took all processors is the server's affair; one that cannot be seen
/// may be on this machine, too.
fn is_limit(round: &Round, generator_cpu: f64, cores: f64) -> bool {
    let others = if round.is_watched() { round.used.cpu } else { round.used.machine * cores - generator_cpu };
    round.lag_p99_ms > LATE_MS && generator_cpu >= others
}

impl Seen {
    fn used(&self) -> Used {
        let (Some(begin), Some(end)) = (self.cpu_begin, self.cpu_end) else { return Used::default() };
        let span_s = (end.0.saturating_sub(begin.0)).as_secs_f64().max(0.001);
        let (first_at, first) = self.first.clone().unwrap_or_default();
        let (last_at, last) = &self.last;
        // Counters grew between two looks, which are not those at the processes.
        let counted_s = last_at.saturating_sub(first_at).as_secs_f64().max(0.001);
        let growth = |name: &str| last.growth(&first, name);
        let cpu = end.1.saturating_sub(begin.1).as_secs_f64() / span_s;
        let commits = growth("waxwing_store_commit_seconds_count");
        let committing_s = growth("waxwing_store_commit_seconds_sum");
        Used {
            cpu,
            machine: self.busy(end.3.share_since(&begin.3), cpu),
            rss_mib: self.samples.iter().map(|sample| sample.rss_mib).fold(0.0, f64::max),
            files: self.file_share_max,
            commit: committing_s / counted_s,
            commit_ms: if commits > 0.0 { committing_s * 1000.0 / commits } else { 0.0 },
            lane_depth: self.lane_depth_max,
            signing: growth("waxwing_delivery_sign_seconds_sum") / counted_s,
            queued: last.sum(QUEUED),
            jobs_per_s: growth("waxwing_delivery_attempts_total") / counted_s,
            jobs_behind_per_s: self.behind_per_s(),
        }
    }

    /// By how many jobs the backlog grew each second.
    fn behind_per_s(&self) -> f64 {
        let (Some((from, before)), Some((until, after))) = (self.queued.first(), self.queued.last()) else {
            return 0.0;
        };
        let span_s = until.saturating_sub(*from).as_secs_f64();
        // Counts of one moment say nothing of growth.
        if span_s < BACKLOG_MIN_S { 0.0 } else { (after - before) / span_s }
    }

    /// The share of the processors that was busy. Under a quota they are not
    /// when all of it is used: then it is what the two of us took.
    fn busy(&self, share: f64, cpu: f64) -> f64 {
        let ours = if self.cores > 0.0 { (cpu + self.generator().0) / self.cores } else { 0.0 };
        share.max(ours.min(1.0))
    }

    /// Processor time of the instance.
    fn served(&self) -> Duration {
        let (Some(begin), Some(end)) = (self.cpu_begin, self.cpu_end) else { return Duration::ZERO };
        end.1.saturating_sub(begin.1)
    }

    fn generator(&self) -> (f64, Duration) {
        let (Some(begin), Some(end)) = (self.cpu_begin, self.cpu_end) else { return Default::default() };
        let spent = end.2.saturating_sub(begin.2);
        let span_s = end.0.saturating_sub(begin.0).as_secs_f64().max(0.001);
        (spent.as_secs_f64() / span_s, spent)
    }
}

/// An instance with too much to do answers late, also when it is asked for its
/// metrics: that must not keep anybody from seeing what it uses.
async fn look(watched: Watched, clock: Arc<dyn Clock>, course: Course, seen: Arc<Mutex<Seen>>) {
    tokio::join!(processes(&watched, &*clock, course, &seen), figures(&watched, &*clock, course, &seen));
}

fn every(span: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(span);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    ticks
}

/// Reads the metrics.
async fn figures(watched: &Watched, clock: &dyn Clock, course: Course, seen: &Mutex<Seen>) {
    let mut ticks = every(METRICS_EVERY);
    for _ in 0..SAMPLES_MAX {
        ticks.tick().await;
        let now = clock.monotonic();
        // The first that counts is read when counting begins.
        if now < course.from() && now + METRICS_EVERY > course.from() {
            tokio::time::sleep(course.from() - now).await;
        }
        let metrics = watched.metrics().await;
        let now = clock.monotonic();
        if metrics.is_empty() || now < course.from() {
            continue;
        }
        let mut seen = seen.lock();
        seen.lane_depth_max = seen.lane_depth_max.max(metrics.sum("waxwing_store_lane_depth"));
        seen.first.get_or_insert_with(|| (now, metrics.clone()));
        // Afterwards it only shrinks.
        if now <= course.until() {
            seen.queued.push((now, metrics.sum(QUEUED)));
        }
        // What happens after the last request counts no more, unless nothing
        // was heard before.
        if now < course.until() + LAST_LOOK || seen.last.0 <= seen.first.as_ref().map_or(now, |first| first.0)
        {
            seen.last = (now, metrics);
        }
    }
}

/// Looks at the processes.
async fn processes(watched: &Watched, clock: &dyn Clock, course: Course, seen: &Mutex<Seen>) {
    let mut ticks = every(LOOK_EVERY);
    let mut before: Option<(Duration, Duration, Duration, Busy)> = None;
    for _ in 0..SAMPLES_MAX {
        ticks.tick().await;
        let now = clock.monotonic();
        let cpu_of = |pid: Option<u32>| pid.map_or(Duration::ZERO, |pid| proc::cpu(Some(pid)));
        let times = (now, cpu_of(watched.pid), proc::cpu(None), Busy::now(watched.allowed.as_ref()));
        let counts = now >= course.from();
        let sample = before.map(|before| sample(watched, course, before, times));
        before = Some(times);
        let mut seen = seen.lock();
        if counts && now < course.until() + LOOK_EVERY {
            seen.cpu_begin.get_or_insert(times);
            seen.cpu_end = Some(times);
        }
        if let Some((sample, file_share)) = sample {
            seen.file_share_max = seen.file_share_max.max(file_share);
            seen.samples.push(sample);
        }
    }
}

type Times = (Duration, Duration, Duration, Busy);

fn sample(watched: &Watched, course: Course, before: Times, now: Times) -> (Sample, f64) {
    let span_s = now.0.saturating_sub(before.0).as_secs_f64().max(0.001);
    let share = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() / span_s;
    let (open, most) = watched.pid.map_or((0, 0), |pid| proc::files(Some(pid)));
    let sample = Sample {
        at_s: now.0.as_secs_f64() - course.from().as_secs_f64(),
        cpu: share(now.1, before.1),
        generator_cpu: share(now.2, before.2),
        machine: now.3.share_since(&before.3),
        rss_mib: watched.pid.map_or(0.0, |pid| proc::rss_mib(Some(pid))),
        files: open,
    };
    (sample, if most == 0 { 0.0 } else { open as f64 / most as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_is_used_up_is_busy() {
        let at = |ms: u64, spent_ms: u64| {
            let spent = Duration::from_millis(spent_ms);
            (Duration::from_millis(ms), spent, spent, Busy::default())
        };
        // Both took 0.7 of a processor, of one and a half.
        let seen =
            Seen { cores: 1.5, cpu_begin: Some(at(0, 0)), cpu_end: Some(at(1000, 700)), ..Seen::default() };
        assert!((seen.used().machine - 1.4 / 1.5).abs() < 1e-9);
        assert_eq!((seen.busy(0.97, 0.1), seen.busy(0.2, 9.0)), (0.97, 1.0));
    }

    #[test]
    fn a_backlog_that_grows_is_seen_while_requests_are_due() {
        let behind = |queued: &[(u64, f64)]| {
            let queued = queued.iter().map(|(at_s, jobs)| (Duration::from_secs(*at_s), *jobs)).collect();
            Seen { queued, ..Seen::default() }.behind_per_s()
        };
        assert_eq!(behind(&[(10, 100.0), (11, 400.0), (14, 900.0)]), 200.0);
        assert_eq!(behind(&[(10, 900.0), (14, 100.0)]), -200.0);
        assert_eq!((behind(&[]), behind(&[(10, 100.0), (11, 400.0)])), (0.0, 0.0));
    }

    #[test]
    fn a_generator_beside_an_unseen_server_is_not_the_limit_for_that() {
        let cores = 4.0;
        let late = |rss_mib, cpu, lag_p99_ms, generator_cpu| {
            let used = Used { rss_mib, cpu, machine: 1.0, ..Used::default() };
            is_limit(&Round { lag_p99_ms, used, ..Round::default() }, generator_cpu, cores)
        };
        // Of a machine that is busy it took a tenth: the rest may be the server.
        assert!(!late(0.0, 0.0, 300.0, cores / 10.0));
        assert!(late(0.0, 0.0, 300.0, cores * 0.9));
        assert!(late(80.0, 0.1, 300.0, 0.5) && !late(80.0, 0.9, 300.0, 0.5));
        assert!(!late(80.0, 0.1, 3.0, 0.5));
    }
}
