//! What the machine says of this process, and of many numbers the middle and the end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    // Fields 14 and 15 of proc(5), in ticks; a tick is 10 ms on every Linux.
    let ticks = |text: String| {
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    let ticks = std::fs::read_to_string("/proc/self/stat").ok().and_then(ticks).unwrap_or(0);
    Duration::from_millis(ticks * 10)
}
