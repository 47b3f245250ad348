//! F1 to F4: peers that take a connection and never answer, and what the
//! healthy ones notice of it.

use std::time::{Duration, Instant};

use waxwing::model::queue::Breaker;

use crate::Failure;
use crate::behaviour::Behaviour;
use crate::ledger::Waits;
use crate::measure::micros;
use crate::scale::Scale;
use crate::table::Checks;
use crate::traffic::Traffic;
use crate::world::World;

/// How long what was sent to healthy peers may take in the end.
const REST: Duration = Duration::from_secs(20);

/// Nothing fails.
pub(crate) async fn none(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let traffic = Traffic::of(&scale);
    traffic.flow(&world, scale.warm).await?;
    let from = micros();
    let rows = traffic.flow(&world, scale.span).await?;
    let missing = world.wait_for(REST, |_| true).await;
    let waits = world.waits(from, |_| true);
    checks.at_most("p50", waits.p50, scale.pick(0.20, 0.40), " s");
    checks.at_most("p99", waits.p99, scale.pick(0.60, 1.50), " s");
    checks.is("lost", missing, 0);
    checks.is("twice", world.fleet.ledger().duplicates(), 0);
    let signatures = world.fleet.ledger().signatures();
    checks.is("bad signatures", signatures.bad, 0);
    checks.note(format!("{rows} deliveries, {} signatures checked", signatures.good));
    world.stop().await;
    Ok(checks)
}

/// One hangs.
pub(crate) async fn one(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let alone = alone(&scale, &world).await?;
    world.fleet.turn([0], &Behaviour::Hangs);
    let from = micros();
    let flow = Traffic::of(&scale);
    // Enough for it that its breaker has a reason to open.
    for _ in 0..8 {
        world.tell(0, waxwing::model::queue::ActivityKind::Create, &[0]).await?;
    }
    let (rows, opened) = tokio::join!(flow.flow(&world, scale.span), opening(&world, 0, scale.span));
    rows?;
    let (missing, beside) = healthy(&world, from, 1).await;
    checks.at_most("p99 of the others", beside.p99, scale.slower(alone.p99), " s");
    checks.is("lost", missing, 0);
    let after = opened.map(|at| world.fleet.asked([0], at));
    checks.holds("its breaker opens", if opened.is_some() { "it opened" } else { "never" }, opened.is_some());
    checks.at_most("attempts after that", after.unwrap_or(usize::MAX) as f64, 6.0, "");
    checks.note(format!("alone {:.3} s", alone.p99));
    world.stop().await;
    Ok(checks)
}

/// A tenth hangs.
pub(crate) async fn a_tenth(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let alone = alone(&scale, &world).await?;
    let sick = scale.share_of_peers(0.1);
    world.fleet.turn(0..sick, &Behaviour::Hangs);
    let from = micros();
    let settled = scale.pick(Duration::from_secs(30), scale.attempt_max * 3);
    let traffic = Traffic::of(&scale);
    let (rows, held) =
        tokio::join!(traffic.flow(&world, scale.span), most_waiting(&world, sick, settled, scale.span));
    rows?;
    let (missing, beside) = healthy(&world, from, sick).await;
    checks.at_most("p99 of the others", beside.p99, scale.slower(alone.p99), " s");
    checks.at_most("slots on the dead", held as f64, (scale.slots / 8) as f64, "");
    checks.is("lost", missing, 0);
    checks.note(format!("alone {:.3} s, after {} s", alone.p99, settled.as_secs()));
    world.stop().await;
    Ok(checks)
}

/// Three of ten never answered yet and never will.
pub(crate) async fn from_the_start(scale: Scale) -> Result<Checks, Failure> {
    let mut checks = Checks::new();
    let well = cold(&scale, 0).await?;
    let beside = cold(&scale, scale.share_of_peers(0.3)).await?;
    let limit = scale.pick(well.1.p99 * 1.25, well.1.p99 * 2.0 + 0.5);
    checks.at_most("p99 of the others", beside.1.p99, limit, " s");
    checks.at_most("longest", beside.1.max, scale.pick(3.0, 6.0), " s");
    checks.is("lost", beside.0, 0);
    checks.note(format!("alone {:.3} s", well.1.p99));
    Ok(checks)
}

/// A world that knows nobody yet, some of whose peers hang: how many were
/// lost, and how long the others took.
async fn cold(scale: &Scale, sick: u32) -> Result<(usize, Waits), Failure> {
    let world = World::of(scale).await?;
    world.fleet.turn(0..sick, &Behaviour::Hangs);
    let from = micros();
    Traffic::of(scale).flow(&world, scale.span).await?;
    let found = healthy(&world, from, sick).await;
    world.stop().await;
    Ok(found)
}

/// How long deliveries take before anything fails.
pub(crate) async fn alone(scale: &Scale, world: &World) -> Result<Waits, Failure> {
    let traffic = Traffic::of(scale);
    traffic.flow(world, scale.warm).await?;
    let from = micros();
    traffic.flow(world, scale.pick(scale.span / 3, scale.span / 2)).await?;
    world.wait_for(REST, |_| true).await;
    Ok(world.waits(from, |_| true))
}

/// How many are missing at the peers from number `sick` on, and how long theirs took.
pub(crate) async fn healthy(world: &World, from_us: u64, sick: u32) -> (usize, Waits) {
    let missing = world.wait_for(REST, |peer| peer >= sick).await;
    (missing, world.waits(from_us, |arrival| arrival.peer >= sick))
}

/// When a peer's breaker opened.
async fn opening(world: &World, peer: u32, within: Duration) -> Option<Instant> {
    let end = Instant::now() + within;
    while Instant::now() < end {
        let found = world.destination(peer).await;
        if found.is_ok_and(|destination| destination.breaker != Breaker::Closed) {
            return Some(Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

/// The most requests that the first `sick` peers kept waiting at once, after a while.
async fn most_waiting(world: &World, sick: u32, after: Duration, span: Duration) -> usize {
    let (begun, mut most) = (Instant::now(), 0);
    while begun.elapsed() < span {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if begun.elapsed() >= after {
            most = most.max(world.fleet.waiting(0..sick));
        }
    }
    most
}
