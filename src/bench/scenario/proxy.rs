//! The balancing experiment: every policy in the same worlds of cold, slow
//! and stalling servers, in virtual time, beside what Netflix published of the
//! same mechanisms; then some of them again over real sockets.

use super::live;
use crate::base::Problem;
use crate::bench::load::Tools;
use crate::bench::metric::short;
use crate::bench::report::data::{Measured, PolicyRow};
use crate::bench::words::COMPRESSED_MIN;
use crate::proxy::simulation::{Contender, Scenario, Tally, contenders, run};

/// The worlds that are shown: Netflix's own, one of a home with two servers,
/// one without faults.
const WORLDS: [&str; 3] = ["netflix", "pair", "uniform"];
/// A world is compressed to this share of its time at least.
const SHARE_MIN: f64 = 0.01;
/// A world in full takes about so long for one policy, on one core.
const FULL_S: f64 = if cfg!(debug_assertions) { 40.0 } else { 2.0 };
const SEED: u64 = 1000;
/// Below this, policies over real sockets do not show what they can.
const LIVE_ENOUGH_S: f64 = 5.0;
/// What is said of a world that is too short.
const TOO_SHORT: &str = ", in which faults follow each other faster than any policy can learn from them; a longer \
                         `--seconds` gives it more";
/// Policies that are shown: the others differ little from one of these.
const SHOWN: [&str; 9] = [
    "round_robin (original)",
    "random",
    "least_connections",
    "p2c_in_flight",
    "JSQ, perfect view",
    "netflix, no utilisation",
    "netflix",
    "p2c, no hedge",
    "p2c (default)",
];

/// Runs the simulation, with all processors, and then the experiment over
/// real sockets, in about so many seconds together.
///
/// # Errors
/// When there is no room for the small servers on this machine.
pub async fn measure(tools: &Tools, seconds: f64) -> Result<Measured, Problem> {
    let mut measured = simulated(seconds / 2.0).await?;
    measured.policies.extend(live::run(tools, seconds / 2.0).await?);
    let each_s = live::span(seconds / 2.0).as_secs_f64();
    measured.notes.push(format!(
        "world live: six small servers over real sockets behind `waxwing proxy`'s own forwarding; all stall once, \
         one is four times as slow, two become cold, one fails fast for a while; {} s for each policy{}",
        short(each_s),
        if each_s < LIVE_ENOUGH_S { TOO_SHORT } else { "" }
    ));
    measured.notes.push(
        "world live: extra requests are a tenth of all at most, but ten at the start and one each second besides, \
         which in so short a time is more than they usually are"
            .to_owned(),
    );
    Ok(measured)
}

async fn simulated(seconds: f64) -> Result<Measured, Problem> {
    let shown: Vec<Contender> = contenders().into_iter().filter(|one| SHOWN.contains(&one.name)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let share = (seconds * cores / (FULL_S * (WORLDS.len() * shown.len()) as f64)).clamp(SHARE_MIN, 1.0);
    let mut tasks = Vec::new();
    let compressed_to = (share < 1.0).then_some(share);
    for world in WORLDS.iter().filter_map(|name| Scenario::named(name)) {
        let world = if share < 1.0 { world.shortened(share) } else { world };
        for contender in &shown {
            let (world, contender) = (world.clone(), contender.clone());
            tasks.push(tokio::task::spawn_blocking(move || row(&world, &contender, compressed_to)));
        }
    }
    let mut measured = Measured { scenario: "proxy".into(), ..Measured::default() };
    for task in tasks {
        measured.policies.push(task.await.map_err(Problem::internal)?);
    }
    // Beside the table of each, where they are needed.
    let note = |world: &str| {
        format!(
            "world {world}: simulated, compressed to {:.0} % of its time{}; a longer `--seconds` shows it in full",
            share * 100.0,
            if share < COMPRESSED_MIN { ", in which policies do not show what they can" } else { "" }
        )
    };
    if share < 1.0 {
        measured.notes.extend(WORLDS.map(note));
    }
    Ok(measured)
}

fn row(world: &Scenario, contender: &Contender, compressed_to: Option<f64>) -> PolicyRow {
    let tally: Tally = run(world, contender, SEED);
    PolicyRow {
        world: world.name.to_owned(),
        policy: contender.name.to_owned(),
        requests: tally.requests,
        failed: tally.failed,
        mean: tally.mean_ms(),
        p50: tally.percentile_ms(0.5),
        p99: tally.percentile_ms(0.99),
        p999: tally.percentile_ms(0.999),
        extra: tally.extra_percent(),
        published: if world.name == "netflix" { contender.published().to_owned() } else { String::new() },
        compressed_to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_exists() {
        let known: Vec<_> = contenders().into_iter().map(|one| one.name).collect();
        for name in SHOWN {
            assert!(known.contains(&name), "{name}");
        }
        for name in WORLDS {
            assert!(Scenario::named(name).is_some(), "{name}");
        }
    }
}
