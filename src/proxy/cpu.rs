//! How busy the processors are, from the text of `/proc/stat`, which
//! somebody else reads every quarter of a second.

use super::Tick;

/// How fast the smoothed value follows, in seconds.
const TAU_S: f32 = 1.0;

/// The counters of all processors together, in the kernel's ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// Idle, or waiting for a disk.
    pub idle: u64,
    /// All, the idle included.
    pub total: u64,
}

impl CpuTimes {
    /// Reads the first line of `/proc/stat` (`man 5 proc_stat`): user, nice,
    /// system, idle, iowait, irq, softirq, steal; what follows is contained
    /// in user and nice. `None` if it is something else.
    pub fn parse(stat: &str) -> Option<CpuTimes> {
        let mut words = stat.lines().next()?.split_ascii_whitespace();
        if words.next() != Some("cpu") {
            return None;
        }
        let mut times = CpuTimes::default();
        let mut count = 0;
        for (index, word) in words.take(8).enumerate() {
            let ticks: u64 = word.parse().ok()?;
            times.total = times.total.checked_add(ticks)?;
            if index == 3 || index == 4 {
                times.idle = times.idle.checked_add(ticks)?;
            }
            count += 1;
        }
        (count >= 4).then_some(times)
    }
}

/// A smoothed share of busy time.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuMeter {
    last: Option<(Tick, CpuTimes)>,
    busy: f32,
}

impl CpuMeter {
    /// Takes in a reading; gives how busy the processors are, 0 to 1.
    pub fn add(&mut self, now: Tick, times: CpuTimes) -> f32 {
        if let Some((at, before)) = self.last {
            let total = times.total.saturating_sub(before.total);
            let idle = times.idle.saturating_sub(before.idle).min(total);
            if total > 0 {
                let busy = 1.0 - idle as f32 / total as f32;
                let weight = 1.0 - (-now.secs_since(at) / TAU_S).exp();
                self.busy += (busy - self.busy) * weight;
            }
        }
        self.last = Some((now, times));
        self.busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read() {
        let stat = "cpu  100 1 50 800 40 5 4 0 0 0\ncpu0 50 0 25 400 20 2 2 0 0 0\n";
        assert_eq!(CpuTimes::parse(stat), Some(CpuTimes { idle: 840, total: 1000 }));
        for wrong in
            ["", "cpu", "cpu 1 2", "intr 1 2 3 4", "cpu 1 2 x 4", "cpu 1 2 3 99999999999999999999999"]
        {
            assert_eq!(CpuTimes::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn load_is_smoothed_over_a_second() {
        let mut meter = CpuMeter::default();
        let mut times = CpuTimes::default();
        meter.add(Tick::from_millis(0), times);
        let mut busy = 0.0;
        for step in 1..=4 {
            times.total += 50;
            busy = meter.add(Tick::from_millis(250 * step), times);
        }
        assert!((busy - 0.632).abs() < 0.01, "{busy}");
        times.idle += 100_000;
        times.total += 100_000;
        assert!(meter.add(Tick::from_millis(20_000), times) < 0.01);
    }
}
