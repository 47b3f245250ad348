//! What the machine says of this process, and of many numbers the middle and the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::task::JoinHandle;

/// The wall clock in microseconds, the same in all processes.
pub(crate) fn micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The value below which this share of the numbers lies; 0 of none.
pub(crate) fn percentile(numbers: &mut [f64], share: f64) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    numbers.sort_by(f64::total_cmp);
    numbers[((numbers.len() - 1) as f64 * share).round() as usize]
}

/// Memory of this process in MiB.
pub(crate) fn rss_mib() -> f64 {
    let kib = |text: String| {
        let line = text.lines().find(|line| line.starts_with("VmRSS:"))?.to_owned();
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    std::fs::read_to_string("/proc/self/status").ok().and_then(kib).unwrap_or(0.0) / 1024.0
}

/// Processor time that this process has used.
pub(crate) fn cpu() -> Duration {
    cpu_of(std::process::id())
}

/// Processor time that a process has used, with its threads that have ended:
/// `utime` and `stime` of proc_pid_stat(5), in hundredths of a second.
pub(crate) fn cpu_of(pid: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name may hold anything, and ends at the last bracket.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

#[allow(dead_code)] // for the benchmark
/// Processor time of those threads of a process that live and whose names begin so.
pub(crate) fn cpu_of_threads(pid: u32, name: &str) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let named = threads
        .map(|thread| thread.path())
        .filter(|path| std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.starts_with(name)));
    // The first field is nanoseconds; proc(5) has only ticks, which threads
    // that run for less than one mostly fall between.
    let used = named.filter_map(|path| {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    });
    used.sum()
}

/// How often it is looked how late a sleeper wakes, and what is usual.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const USUAL_LATE: Duration = Duration::from_millis(5);

#[allow(dead_code)] // for the matrix
/// How late this process gets the processor on a machine that has more to do.
/// A limit of time holds in addition to that.
pub(crate) struct Lag {
    late_us: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

#[allow(dead_code)]
impl Lag {
    /// Counts from now on.
    pub(crate) fn start() -> Lag {
        let late_us = Arc::new(AtomicU64::new(0));
        let sum = late_us.clone();
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                tokio::time::sleep(LOOK_EVERY).await;
                let late = begun.elapsed().saturating_sub(LOOK_EVERY + USUAL_LATE);
                sum.fetch_add(u64::try_from(late.as_micros()).unwrap_or(0), Ordering::Relaxed);
            }
        });
        Lag { late_us, task }
    }

    /// All of it so far, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        Duration::from_micros(self.late_us.load(Ordering::Relaxed)).as_secs_f64()
    }
}

impl Drop for Lag {
    fn drop(&mut self) {
        self.task.abort();
    }
}
