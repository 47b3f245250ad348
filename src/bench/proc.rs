//! What the system says of a process and of the machine, on Linux by `/proc`;
//! elsewhere nothing is known and figures are 0.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Clock ticks of `/proc` in a second, on every Linux.
const TICKS_PER_S: f64 = 100.0;

/// Processor time that a process has used. `None` for this one.
pub fn cpu(pid: Option<u32>) -> Duration {
    let text = fs::read_to_string(file(pid, "stat")).unwrap_or_default();
    ticks(&text).map_or(Duration::ZERO, |ticks| Duration::from_secs_f64(ticks as f64 / TICKS_PER_S))
}

/// Fields 14 and 15 of proc(5), counted behind the name, which may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Memory of a process, in MiB.
pub fn rss_mib(pid: Option<u32>) -> f64 {
    let text = fs::read_to_string(file(pid, "status")).unwrap_or_default();
    kib(&text, "VmRSS:") / 1024.0
}

/// A line of `status` or `meminfo` in KiB.
fn kib(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// Open files and sockets of a process, and how many it may open.
pub fn files(pid: Option<u32>) -> (u64, u64) {
    let open = fs::read_dir(file(pid, "fd")).map_or(0, |entries| entries.count() as u64);
    let limits = fs::read_to_string(file(pid, "limits")).unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    (open, most.unwrap_or(0))
}

fn file(pid: Option<u32>, name: &str) -> String {
    match pid {
        Some(pid) => format!("/proc/{pid}/{name}"),
        None => format!("/proc/self/{name}"),
    }
}

/// Time that all processors were busy, and all time they had.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Busy {
    busy: u64,
    all: u64,
}

impl Busy {
    /// As it is now, of these processors; of all where it is not known which
    /// may be used.
    pub fn now(of: Option<&BTreeSet<usize>>) -> Busy {
        Busy::read(&fs::read_to_string("/proc/stat").unwrap_or_default(), of)
    }

    fn read(stat: &str, of: Option<&BTreeSet<usize>>) -> Busy {
        let mut sum = Busy::default();
        for line in stat.lines() {
            let Some((name, fields)) = line.split_once(' ') else { continue };
            let counts = match of {
                None => name == "cpu",
                Some(of) => core(name).is_some_and(|number| of.contains(&number)),
            };
            if counts {
                // user nice system idle iowait irq softirq steal
                let fields: Vec<u64> =
                    fields.split_whitespace().take(8).filter_map(|n| n.parse().ok()).collect();
                let (idle, all): (u64, u64) = (fields.iter().skip(3).take(2).sum(), fields.iter().sum());
                sum = Busy { busy: sum.busy + all - idle, all: sum.all + all };
            }
        }
        sum
    }

    /// The share that was busy since an earlier moment.
    pub fn share_since(&self, earlier: &Busy) -> f64 {
        let all = self.all.saturating_sub(earlier.all);
        if all == 0 { 0.0 } else { self.busy.saturating_sub(earlier.busy) as f64 / all as f64 }
    }
}

/// The number of a processor by its name in `/proc/stat`.
fn core(name: &str) -> Option<usize> {
    name.strip_prefix("cpu")?.parse().ok()
}

/// Processors of the machine, as `/proc/stat` lists them.
pub fn cores_of(stat: &str) -> usize {
    stat.lines().filter(|line| line.split(' ').next().and_then(core).is_some()).count()
}

/// Bytes of memory of the machine.
pub fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    (kib(&text, "MemTotal:") * 1024.0) as u64
}

/// The kernel, as `uname -sr` has it.
pub fn kernel() -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}"));
    match (read("ostype"), read("osrelease")) {
        (Ok(kind), Ok(release)) => format!("{} {}", kind.trim(), release.trim()),
        _ => std::env::consts::OS.to_owned(),
    }
}

/// What the processors are called.
pub fn cpu_name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

/// The device and file system that a folder is on.
pub fn disk(folder: &std::path::Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mount_of(&text, &folder).unwrap_or_else(|| "unknown".to_owned())
}

/// The longest mount point above a folder, proc(5).
fn mount_of(mountinfo: &str, folder: &std::path::Path) -> Option<String> {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?;
        let mut right = right.split(' ');
        let (kind, device) = (right.next()?, right.next()?);
        folder.starts_with(point).then(|| (point.len(), format!("{kind} on {device}")))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("nonsense"), None);
    }

    #[test]
    fn idle_processors_are_not_busy() {
        let before = Busy::read("cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 1\n", None);
        let after = Busy::read("cpu  20 0 20 90 10 0 0 0 0 0\n", None);
        assert_eq!(after.share_since(&before), 0.5);
        assert_eq!(before.share_since(&before), 0.0);
    }

    #[test]
    fn only_processors_that_may_be_used_count() {
        let stat = "cpu  30 0 0 10\ncpu0 0 0 0 10\ncpu1 10 0 0 0\ncpu10 20 0 0 0\nintr 5\n";
        let busy = |of: &[usize]| Busy::read(stat, Some(&of.iter().copied().collect()));
        assert_eq!(busy(&[0]), Busy { busy: 0, all: 10 });
        assert_eq!(busy(&[1, 10]), Busy { busy: 30, all: 30 });
        assert_eq!(busy(&[0, 1, 10]), Busy::read(stat, None));
        assert_eq!((cores_of(stat), cores_of("")), (3, 0));
    }

    #[test]
    fn the_nearest_mount_is_the_disk() {
        let text = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /tmp rw - tmpfs tmpfs rw\n";
        assert_eq!(mount_of(text, std::path::Path::new("/tmp/x")).as_deref(), Some("tmpfs on tmpfs"));
        assert_eq!(mount_of(text, std::path::Path::new("/home")).as_deref(), Some("ext4 on /dev/sda1"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_known() {
        assert!(rss_mib(None) > 1.0 && files(None).0 > 2 && memory_bytes() > 1 << 20);
        assert!(kernel().starts_with("Linux "));
    }
}
