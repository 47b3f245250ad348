//! F9 and F10: nobody can be reached for long, or no name is known.

use std::sync::Arc;
use std::time::Duration;

use waxwing::base::Timestamp;
use waxwing::model::queue::{ActivityKind, Breaker, DestinationId, Lane, OrderKey};
use waxwing::queue::{FailureKind, Outcome};

use crate::Failure;
use crate::dns::{Dns, Names};
use crate::fleet::Fleet;
use crate::scale::Scale;
use crate::table::Checks;
use crate::virtual_time::{Answer, START, Virtual};
use crate::world::{Post, Setup, World};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const THERE: DestinationId = DestinationId(1);
/// Rows that pile up in the hour, and the most that a server is sent in a second.
const ROWS: u64 = 50_000;
const RATE_MAX: f64 = 50.0;

/// Refuses connections until then, and takes everything later.
fn down_until(back: Timestamp) -> Answer {
    Box::new(move |_, now| {
        if now < back {
            (Duration::from_millis(50), Outcome::failed(FailureKind::Connection, 0, "connect"))
        } else {
            (Duration::from_millis(120), Outcome::Done)
        }
    })
}

/// F9: an hour in virtual time; small enough to be the same in both forms.
pub(crate) async fn an_hour(_: Scale) -> Result<Checks, Failure> {
    tokio::task::spawn_blocking(hour_of_outage).await.map_err(Into::into)
}

fn hour_of_outage() -> Checks {
    let mut world = Virtual::new(256, 9, down_until(START.plus(HOUR)));
    for row in 0..ROWS {
        let due = START.plus(HOUR.mul_f64(row as f64 / ROWS as f64));
        world.pass(due.since(world.now));
        world.add(THERE, lane_of(&world), DAY);
    }
    world.pass(START.plus(HOUR).since(world.now));
    let tried = world.attempts;
    // A post every 10 s from now on, until the backlog is gone.
    let mut told = Vec::new();
    for _ in 0..400 {
        world.pass(Duration::from_secs(10));
        told.push(world.now);
        world.add(THERE, lane_of(&world), DAY);
        if world.left() < 20 && world.now.since(START) > HOUR + HOUR {
            break;
        }
    }
    world.pass(Duration::from_secs(60));
    judge(&world, tried, &told)
}

/// The lane of a Create: what cannot be sent now is no news when it can be.
fn lane_of(world: &Virtual) -> Lane {
    if world.breaker(THERE) == Breaker::Closed { Lane::Fresh } else { Lane::Bulk }
}

fn judge(world: &Virtual, tried: usize, told: &[Timestamp]) -> Checks {
    let mut checks = Checks::new();
    let (Some(first), Some(drained)) = (
        world.done.first().map(|done| done.at),
        world.done.iter().filter(|done| done.created < START.plus(HOUR)).map(|done| done.at).max(),
    ) else {
        return checks;
    };
    let closed = first.plus(Duration::from_secs(1));
    let within = |from: Timestamp, span_s: u64| {
        let until = from.plus(Duration::from_secs(span_s));
        world.done.iter().filter(|done| done.at >= from && done.at < until).count() as f64
    };
    let most = (0..drained.since(closed).as_secs()).map(|s| within(closed.plus(Duration::from_secs(s)), 1));
    let most = most.fold(0.0, f64::max);
    let fresh = world.done.iter().filter(|done| told.contains(&done.created) && done.created > closed);
    let slowest = fresh.map(|done| done.at.since(done.created).as_secs_f64()).fold(0.0, f64::max);
    // Two for the probes that closed it.
    checks.at_most("taken in the first 5 s", within(first, 5), 2.0 + 2.0 * 5.0 * 1.5, "");
    checks.at_most("most in a second", most, RATE_MAX * 1.1, "");
    checks.at_most("news take", slowest, 5.0, " s");
    let took = drained.since(closed).as_secs_f64();
    checks.at_most("backlog gone after", took, ROWS as f64 / RATE_MAX + 120.0, " s");
    checks.at_most("attempts in the outage", tried as f64, 30.0, "");
    checks.is("left", world.left(), 0);
    checks
}

/// F10: hosts whose names are gone, a resolver in trouble, and a day of it.
pub(crate) async fn names(scale: Scale) -> Result<Checks, Failure> {
    let mut checks = Checks::new();
    let names = Names::default();
    let peers = scale.pick(200, 20);
    let fleet = Arc::new(Fleet::start(peers, None).await?);
    // Only a new connection asks for a name.
    fleet.shared.close_each();
    *names.addresses.lock() = fleet.peers.iter().map(|peer| peer.address.ip()).collect();
    let setup = Setup { resolver: Some(Arc::new(names.clone())), ..Setup::of(&scale) };
    let world = World::start(fleet, setup).await?;
    tell_all(&world, peers).await?;
    let all = world.wait_for(Duration::from_secs(20), |_| true).await;
    checks.is("lost while all is well", all, 0);

    *names.state.lock() = Dns::Down;
    let down = scale.pick(Duration::from_secs(60), Duration::from_secs(8));
    let begun = std::time::Instant::now();
    while begun.elapsed() < down {
        tell_all(&world, peers).await?;
        tokio::time::sleep(down / 8).await;
    }
    let opened = count_not_closed(&world, 0..peers).await?;
    *names.state.lock() = Dns::Well;
    checks.is("breakers opened by our own resolver", opened, 0);
    let missing = world.wait_for(Duration::from_secs(45), |_| true).await;
    checks.is("lost by that", missing, 0);

    let gone = peers / 2;
    *names.state.lock() = Dns::Unknown(0..gone);
    for _ in 0..8 {
        tell_all(&world, peers).await?;
    }
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(20) && count_not_closed(&world, 0..gone).await? < gone {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    checks.is("hosts without a name are left alone", count_not_closed(&world, 0..gone).await?, gone);
    checks.is("of the others", count_not_closed(&world, gone..peers).await?, 0);
    checks.is("lost at the others", world.wait_for(Duration::from_secs(10), |peer| peer >= gone).await, 0);
    checks.holds("dead after a day without a name", after_a_day().0, after_a_day().1);
    world.stop().await;
    Ok(checks)
}

async fn tell_all(world: &World, peers: u32) -> Result<(), Failure> {
    for peer in 0..peers {
        let inbox = inbox(world, peer);
        let post = Post { sender: 0, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &[inbox] };
        let (number, _) = world.post(&post).await?;
        world.sent.lock().push((peer, number));
    }
    Ok(())
}

fn inbox(world: &World, peer: u32) -> String {
    format!("http://p{peer}.fleet.test:{}/inbox", world.fleet.peers[peer as usize].address.port())
}

async fn count_not_closed(world: &World, peers: std::ops::Range<u32>) -> Result<u32, Failure> {
    let mut count = 0;
    for peer in peers {
        let host = format!("p{peer}.fleet.test:{}", world.fleet.peers[peer as usize].address.port());
        count += u32::from(world.destination_of(host).await?.breaker != Breaker::Closed);
    }
    Ok(count)
}

/// A name that is gone for a day, in virtual time.
fn after_a_day() -> (&'static str, bool) {
    let unknown: Answer =
        Box::new(|_, _| (Duration::from_millis(5), Outcome::failed(FailureKind::Unresolved, 0, "dns")));
    let mut world = Virtual::new(256, 10, unknown);
    for _ in 0..26 {
        for _ in 0..4 {
            world.add(THERE, Lane::Fresh, DAY * 3);
        }
        world.pass(HOUR);
    }
    let breaker = world.breaker(THERE);
    (breaker.name(), breaker == Breaker::Dead)
}
