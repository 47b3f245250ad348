//! The orderings that the experiment must show. Worlds are shortened to what
//! an unoptimised build does in seconds.

use super::*;
use crate::proxy::{Features, Policy};

const SEED: u64 = 1000;

fn failed(scenario: &Scenario, policy: Policy, features: Features) -> u64 {
    tally(scenario, policy, features).failed
}

fn tally(scenario: &Scenario, policy: Policy, features: Features) -> Tally {
    run(scenario, &Contender::new("", policy, features), SEED)
}

/// Ten seconds in which a quarter of twenty servers is half taken, with
/// enough balancers that none sees it in its own requests.
fn blind() -> Scenario {
    Scenario { seconds: 12.0, ..Scenario::antagonist() }
}

#[test]
fn the_same_seed_gives_the_same_tally() {
    let world = Scenario::netflix().shortened(0.02);
    let all = contenders();
    for contender in &all {
        assert_eq!(run(&world, contender, 7), run(&world, contender, 7), "{}", contender.name);
    }
    assert_ne!(run(&world, &all[0], 7), run(&world, &all[0], 8));
}

#[test]
fn where_balancers_are_blind_the_published_order_holds() {
    let world = blind();
    let round_robin = failed(&world, Policy::RoundRobin, Features::NONE);
    let blind = Features { utilisation: false, ..Features::NETFLIX };
    let without = failed(&world, Policy::Netflix, blind);
    let all = failed(&world, Policy::Netflix, Features::NETFLIX);
    assert!(round_robin > 5 * without, "{round_robin} {without} {all}");
    assert!(without > 20 * all.max(1), "{round_robin} {without} {all}");
}

#[test]
fn the_default_fails_no_more_than_a_perfect_view_of_the_queues() {
    // Not shortened: cold servers need their time.
    let world = Scenario { seconds: 120.0, ..Scenario::netflix() };
    let perfect = run(&world, &Contender { name: "", chooser: Chooser::PerfectView }, SEED);
    let ours = tally(&world, Policy::P2c, Features::ALL);
    assert!(ours.failed <= perfect.failed, "{} {}", ours.failed, perfect.failed);
    assert!(ours.extra_percent() <= 10.0, "{}", ours.extra_percent());
}

#[test]
fn fast_failures_attract_no_traffic() {
    let world = Scenario::fastfail().shortened(0.1);
    let due = tally(&world, Policy::RoundRobin, Features::NONE);
    let ours = tally(&world, Policy::P2c, Features::ALL);
    assert!(ours.met_broken < due.met_broken / 5, "{} of {}", ours.met_broken, due.met_broken);
    assert!(ours.failed <= due.failed / 20, "{} of {}", ours.failed, due.failed);
    let load_only = tally(&world, Policy::LeastConnections, Features::NONE);
    assert!(load_only.met_broken > due.met_broken, "the trap that this is about");
}

#[test]
fn a_healthy_pool_pays_little() {
    let world = Scenario { seconds: 20.0, ..Scenario::uniform(0.65) };
    let round_robin = tally(&world, Policy::RoundRobin, Features::NONE);
    let ours = tally(&world, Policy::P2c, Features::ALL);
    assert_eq!(ours.failed, 0);
    assert!(ours.mean_ms() <= round_robin.mean_ms() * 1.03, "{} {}", ours.mean_ms(), round_robin.mean_ms());
    assert!(ours.extra_percent() <= 10.0);
}

#[test]
fn overload_does_not_collapse_into_retries() {
    let world = Scenario::surge().shortened(0.2);
    let round_robin = failed(&world, Policy::RoundRobin, Features::NONE);
    let ours = tally(&world, Policy::P2c, Features::ALL);
    assert!(ours.failed <= round_robin * 11 / 10 + 20, "{} {round_robin}", ours.failed);
    assert!(ours.extra_percent() <= 10.0, "{}", ours.extra_percent());
}

#[test]
fn extra_requests_stay_within_the_budget_where_all_is_bad() {
    for world in [Scenario::netflix(), Scenario::bad(), Scenario::pair(), Scenario::small()] {
        let name = world.name;
        let ours = tally(&world.shortened(0.06), Policy::P2c, Features::ALL);
        assert!(ours.extra_percent() <= 10.5, "{name}: {}", ours.extra_percent());
    }
}
