//! Every balancing policy in every world of the experiment, in virtual time.
//!
//! ```sh
//! cargo run --release --example balance_simulation            # all tables
//! cargo run --release --example balance_simulation netflix 3  # one world, three seeds
//! cargo run --release --example balance_simulation ablation   # what each feature is worth
//! cargo run --release --example balance_simulation picks      # nanoseconds per pick
//! ```
//!
//! The same seeds print the same tables, byte for byte (all but `picks`).

#![allow(clippy::disallowed_methods)] // It measures time.

use std::time::Instant;

use waxwing::proxy::simulation::{Contender, Scenario, Tally, ablations, contenders, run};
use waxwing::proxy::{Ask, Balancer, Dice, LoadReport, Outcome, Place, Policy, Tick};

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_default();
    let seeds = args.next().and_then(|word| word.parse().ok()).unwrap_or(1);
    match what.as_str() {
        "" => Scenario::all().iter().for_each(|world| table(world, &contenders(), seeds)),
        "ablation" => Scenario::all().iter().for_each(|world| table(world, &ablations(), seeds)),
        "picks" => picks(),
        name => match Scenario::named(name) {
            Some(world) => table(&world, &contenders(), seeds),
            None => {
                let known: Vec<_> = Scenario::all().iter().map(|world| world.name).collect();
                eprintln!("no world is called `{name}`; there are {}, ablation, picks", known.join(", "));
                std::process::exit(2);
            }
        },
    }
}

fn table(world: &Scenario, rows: &[Contender], seeds: u64) {
    println!("\n{}: {}; {} balancers", world.name, world.about, world.balancers);
    println!(
        "{:<28}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}  Netflix published",
        "", "failed", "mean ms", "p50", "p99", "p99.9", "extra %"
    );
    for row in rows {
        let tally = sum(world, row, seeds);
        println!(
            "{:<28}{:>9}{:>9.1}{:>9.1}{:>9.1}{:>9.1}{:>9.2}  {}",
            row.name,
            tally.failed_per_run(),
            tally.mean_ms(),
            tally.percentile_ms(0.5),
            tally.percentile_ms(0.99),
            tally.percentile_ms(0.999),
            tally.extra_percent(),
            row.published(),
        );
    }
}

fn sum(world: &Scenario, row: &Contender, seeds: u64) -> Tally {
    let mut all = run(world, row, 1000);
    (1..seeds).for_each(|nth| all.add(&run(world, row, 1000 + 7919 * nth)));
    all
}

/// How long a pick takes, with its end, over a warm pool of twenty. The best
/// of many short runs, as other programs only ever make it slower.
fn picks() {
    println!("{:<28}{:>9}{:>16}", "20 upstreams, one thread", "pick ns", "pick + done ns");
    for policy in Policy::ALL {
        let (balancer, mut dice, mut now) = warm(policy);
        let picked = best_ns(|| {
            now = now.plus_micros(7);
            drop(balancer.pick(now, &mut dice, &mut Ask::new(now)));
        });
        let done = best_ns(|| {
            now = now.plus_micros(7);
            if let Some(pick) = balancer.pick(now, &mut dice, &mut Ask::new(now)) {
                balancer.done(now.plus_micros(900), pick, Outcome::Answered, &mut dice);
            }
        });
        println!("{:<28}{picked:>9.0}{done:>16.0}", policy.name());
    }
}

fn best_ns(mut work: impl FnMut()) -> f64 {
    const RUNS: u32 = 200;
    const ROUNDS: u32 = 2_000;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let began = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        best = best.min(began.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS));
    }
    best
}

fn warm(policy: Policy) -> (Balancer, Dice, Tick) {
    let mut now = Tick::from_millis(1);
    let places = (0..20).map(|index| Place::new(&format!("10.0.0.{index}:80"))).collect();
    let balancer = Balancer::new(policy, places, now);
    let mut dice = Dice::seeded(7);
    let report = LoadReport { rif: Some(3), limit: Some(64), uptime_s: Some(1000), ..LoadReport::default() };
    for _ in 0..10_000 {
        now = now.plus_micros(100);
        if let Some(pick) = balancer.pick(now, &mut dice, &mut Ask::new(now)) {
            balancer.report(now, &pick, &report);
            balancer.done(now.plus_micros(900), pick, Outcome::Answered, &mut dice);
        }
    }
    balancer.tend(now);
    (balancer, dice, now)
}
