//! What this program may use of the machine: in a container, under `taskset`
//! or a service's limits that is less than what `/proc` shows of the host.
//! Reading files is apart from understanding them (cgroups(7), the kernel's
//! admin-guide/cgroup-v2.rst and cgroup-v1, proc(5)). On systems without
//! `/proc` nothing is known, and nothing is said to be limited.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::proc;

/// Folders between a group and the root of its tree that are looked at.
const DEPTH_MAX: usize = 64;
/// A processor that a list may name; a line of nonsense is not to fill memory.
const CPU_MAX: usize = 65_536;

/// What there is, and how much of it may be used.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allowance {
    /// Processors that may be used; a quota may be a part of one.
    pub cores: f64,
    /// Processors of the machine.
    pub host_cores: usize,
    /// Bytes that may be used.
    pub memory_bytes: u64,
    /// Bytes of the machine.
    pub host_memory_bytes: u64,
}

/// What this process may use.
pub fn look() -> Allowance {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (groups, mounts) = (read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
    let host_cores = proc::cores_of(&read("/proc/stat"));
    let allowed = allowed().map_or(host_cores, |all| all.len());
    let value = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).ok();
    let quotas = folders(&groups, &mounts, "cpu").into_iter().filter_map(|folder| quota(&folder, value));
    let bounds = folders(&groups, &mounts, "memory").into_iter().filter_map(|folder| bound(&folder, value));
    let host_memory_bytes = proc::memory_bytes();
    Allowance {
        cores: quotas.fold(allowed as f64, f64::min),
        host_cores,
        memory_bytes: bounds.fold(host_memory_bytes, u64::min),
        host_memory_bytes,
    }
}

/// The processors that this process may run on, by number (sched_setaffinity(2)).
pub fn allowed() -> Option<BTreeSet<usize>> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let all = numbers(list.trim());
    (!all.is_empty()).then_some(all)
}

/// Reads `0-3,8`.
fn numbers(list: &str) -> BTreeSet<usize> {
    let part = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (from.trim().parse::<usize>().ok()?, to.trim().parse::<usize>().ok()?);
        (to < CPU_MAX).then_some(from..=to)
    };
    list.split(',').filter_map(part).flatten().collect()
}

/// A folder of a group, and the form of its files.
#[derive(Debug, Clone, PartialEq)]
struct Folder {
    path: PathBuf,
    is_v2: bool,
}

/// The folders of the groups that this process is in, up to the root of each
/// tree: a limit of any of them holds.
fn folders(groups: &str, mounts: &str, controller: &str) -> Vec<Folder> {
    let mut all = Vec::new();
    for line in groups.lines() {
        // hierarchy-ID:controller-list:path
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let is_v2 = controllers.is_empty();
        if !is_v2 && !controllers.split(',').any(|one| one == controller) {
            continue;
        }
        let Some((point, root)) = mount(mounts, (!is_v2).then_some(controller)) else { continue };
        // A container may see its own group as the root of the mount.
        let inside = Path::new(path).strip_prefix(root).unwrap_or(Path::new(""));
        let ancestors = inside.ancestors().take(DEPTH_MAX);
        all.extend(ancestors.map(|one| Folder { path: Path::new(point).join(one), is_v2 }));
    }
    all
}

/// Where a tree of groups is mounted, and which of its folders that is: the
/// one tree of version 2, or the controller's of version 1.
fn mount<'a>(mounts: &'a str, controller: Option<&str>) -> Option<(&'a str, &'a str)> {
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.nth(1)?);
        let fits = match controller {
            None => kind == "cgroup2",
            Some(name) => kind == "cgroup" && options.split(',').any(|one| one == name),
        };
        fits.then_some((point, root.trim_end_matches('/')))
            .map(|(point, root)| (point, if root.is_empty() { "/" } else { root }))
    })
}

/// Processors that a group may use; nothing if as many as there are.
fn quota(folder: &Folder, value: impl Fn(&Path, &str) -> Option<String>) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let (quota, period) = if folder.is_v2 {
        let text = value(&folder.path, "cpu.max")?;
        let (quota, period) = text.trim().split_once(' ')?;
        (number(quota)?, number(period)?)
    } else {
        let read = |name: &str| number(&value(&folder.path, name)?);
        (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?)
    };
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// Bytes that a group may use; nothing if as many as there are.
fn bound(folder: &Folder, value: impl Fn(&Path, &str) -> Option<String>) -> Option<u64> {
    let name = if folder.is_v2 { "memory.max" } else { "memory.limit_in_bytes" };
    // `max`, or in version 1 more than any machine has.
    value(&folder.path, name)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str = "31 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    const V1: &str = "33 25 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      34 25 0:29 /docker/a1 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

    fn paths(groups: &str, mounts: &str, controller: &str) -> Vec<String> {
        folders(groups, mounts, controller).iter().map(|one| one.path.display().to_string()).collect()
    }

    #[test]
    fn limits_of_all_groups_above_hold() {
        assert_eq!(
            paths("0::/system.slice/waxwing.service\n", V2, "cpu"),
            ["/sys/fs/cgroup/system.slice/waxwing.service", "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/"]
        );
        assert_eq!(paths("0::/\n", V2, "memory"), ["/sys/fs/cgroup/"]);
        let groups = "5:memory:/docker/a1\n4:cpu,cpuacct:/docker/a1\n";
        assert_eq!(paths(groups, V1, "cpu"), ["/sys/fs/cgroup/cpu,cpuacct/"]);
        assert_eq!(
            paths(groups, V1, "memory"),
            ["/sys/fs/cgroup/memory/docker/a1", "/sys/fs/cgroup/memory/docker", "/sys/fs/cgroup/memory/"]
        );
        for (groups, mounts) in [("", V2), ("0::/a\n", ""), ("nonsense", V2), ("5:pids:/a\n", V1)] {
            assert!(paths(groups, mounts, "cpu").is_empty(), "{groups}");
        }
    }

    #[test]
    fn quotas_and_bounds_are_read_in_both_forms() {
        let folder = |is_v2| Folder { path: PathBuf::from("/g"), is_v2 };
        for (text, cores) in
            [("150000 100000\n", Some(1.5)), ("max 100000\n", None), ("", None), ("0 0", None), ("5", None)]
        {
            let value = |_: &Path, name: &str| (name == "cpu.max").then(|| text.to_owned());
            assert_eq!(quota(&folder(true), value), cores, "{text}");
        }
        for (us, cores) in [("200000\n", Some(2.0)), ("-1\n", None)] {
            let value = |_: &Path, name: &str| {
                Some(if name == "cpu.cfs_quota_us" { us.to_owned() } else { "100000\n".to_owned() })
            };
            assert_eq!(quota(&folder(false), value), cores, "{us}");
        }
        for (text, bytes) in [("536870912\n", Some(512 << 20)), ("max\n", None)] {
            assert_eq!(bound(&folder(true), |_: &Path, _: &str| Some(text.to_owned())), bytes, "{text}");
        }
    }

    #[test]
    fn lists_of_processors_are_read() {
        for (list, count) in [("0-3,8", 5), ("1", 1), ("0-1,1-2", 3), ("", 0), ("x", 0), ("0-99999999", 0)] {
            assert_eq!(numbers(list).len(), count, "{list}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_more_may_be_used_than_there_is() {
        let all = look();
        assert!(all.cores > 0.0 && all.cores <= all.host_cores as f64, "{all:?}");
        assert!(all.memory_bytes > 1 << 20 && all.memory_bytes <= all.host_memory_bytes, "{all:?}");
    }
}
