//! What dead servers cost healthy ones, in virtual time:
//! `cargo run --release --example queue_simulation`.

use std::io::{self, Write};
use std::time::Duration;

use waxwing::queue::simulation::{Fault, Measured, Setting, scheduled, shared_fifo};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let setting = Setting::of_design(0);
    writeln!(
        out,
        "{} servers, {} deliveries/s, {} slots, {} s; healthy deliveries, enqueued to answered\n",
        setting.destinations,
        setting.per_second,
        setting.slots,
        setting.span.as_secs()
    )?;
    writeln!(out, "{:28} | {:^42} | {:^42}", "", "one shared queue", "this scheduler")?;
    let heads = format!("{:>7} {:>7} {:>7} {:>8} {:>9}", "p50 s", "p99 s", "max s", "left", "to dead");
    writeln!(out, "{:28} | {heads} | {heads}", "dead")?;
    for dead in [0, 1, 20, 100, 300] {
        print(&mut out, &format!("{dead} hang 10 s"), &Setting::of_design(dead))?;
    }
    let fast = Setting { fault: Fault::Fails(Duration::from_millis(50)), ..Setting::of_design(300) };
    print(&mut out, "300 answer 500 in 50 ms", &fast)?;
    for dead in [0, 100, 300] {
        let cold = Setting { is_cold: true, ..Setting::of_design(dead) };
        print(&mut out, &format!("{dead} hang, none known"), &cold)?;
    }
    Ok(())
}

fn print(out: &mut impl Write, name: &str, setting: &Setting) -> io::Result<()> {
    let row = |measured: &Measured| {
        let Measured { p50_s, p99_s, max_s, left, to_dead, .. } = measured;
        format!("{p50_s:>7.3} {p99_s:>7.3} {max_s:>7.2} {left:>8} {to_dead:>9}")
    };
    writeln!(out, "{name:28} | {} | {}", row(&shared_fifo(setting)), row(&scheduled(setting)))
}
