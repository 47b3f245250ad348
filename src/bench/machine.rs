//! What is measured on: every report says it.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::allowance;
use super::latency::Latencies;
use super::proc;
use super::report::data::Machine;
use crate::base::Clock;

/// Small durable writes that the disk is tried with.
const WRITES: usize = 60;
const WRITE_BYTES: usize = 4096;

/// Looks at the machine, and at the disk under a folder.
pub fn look(folder: &Path, clock: &dyn Clock) -> Machine {
    let fsync = fsync(folder, clock).unwrap_or_default();
    let allowance = allowance::look();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Elsewhere than on Linux only the number of threads is known.
    let usable = if allowance.cores > 0.0 { allowance.cores } else { threads as f64 };
    Machine {
        cores: usable.ceil() as usize,
        usable_cores: usable,
        host_cores: allowance.host_cores,
        cpu: proc::cpu_name(),
        memory_bytes: allowance.memory_bytes,
        host_memory_bytes: allowance.host_memory_bytes,
        disk: proc::disk(folder),
        fsync_ms: fsync.ms(0.5),
        fsync_p99_ms: fsync.ms(0.99),
        kernel: proc::kernel(),
        is_optimised: !cfg!(debug_assertions),
    }
}

/// How long small writes take until they are on the disk.
fn fsync(folder: &Path, clock: &dyn Clock) -> std::io::Result<Latencies> {
    let path = folder.join("fsync-probe");
    let mut file = File::create(&path)?;
    let mut all = Latencies::default();
    for _ in 0..WRITES {
        let begun = clock.monotonic();
        file.write_all(&[7; WRITE_BYTES])?;
        file.sync_data()?;
        all.record(clock.monotonic().saturating_sub(begun));
    }
    fs::remove_file(&path)?;
    Ok(all)
}
