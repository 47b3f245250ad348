//! F20 to F23: clocks, second thoughts, and signatures.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use waxwing::app::system::SystemClock;
use waxwing::base::{Clock, Id, Timestamp};
use waxwing::model::queue::{ActivityKind, OrderKey, SignatureProfile};
use waxwing::wire::http_signature::Kind;

use crate::Failure;
use crate::behaviour::{Behaviour, RoundTrip};
use crate::fleet::Fleet;
use crate::scale::Scale;
use crate::table::Checks;
use crate::world::{Post, Setup, World};

const PATIENCE: Duration = Duration::from_secs(20);
const HOURS_MS: i64 = 2 * 3600 * 1000;

/// The machine's clock, put forward or back.
struct Jumping {
    inner: SystemClock,
    by_ms: AtomicI64,
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.inner.now().as_millis() + self.by_ms.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
}

/// F20: retries wait as long as they were to, and each request has the new time.
pub(crate) async fn clock_jumps(scale: Scale) -> Result<Checks, Failure> {
    let clock = Arc::new(Jumping { inner: SystemClock::start(), by_ms: AtomicI64::new(0) });
    let fleet = Arc::new(Fleet::start(20, None).await?);
    let setup = Setup { clock: clock.clone(), ..Setup::of(&scale) };
    let (world, mut checks) = (World::start(fleet, setup).await?, Checks::new());
    let (late, prompt) = (0..10u32, 10..20u32);
    world.fleet.turn(late.clone(), &Behaviour::Says(500));
    for peer in late.clone() {
        world.tell(0, ActivityKind::Create, &[peer]).await?;
    }
    wait_until(|| late.clone().all(|peer| world.fleet.asked([peer], began()) > 0)).await;
    world.fleet.turn(late.clone(), &Behaviour::Well(RoundTrip::USUAL));
    let mut worst_s: f64 = 0.0;
    for (by_ms, peers) in [(HOURS_MS, 10..15u32), (-HOURS_MS, 15..20)] {
        clock.by_ms.store(by_ms, Ordering::Relaxed);
        for peer in peers.clone() {
            world.tell(1, ActivityKind::Create, &[peer]).await?;
        }
        world.wait_for(PATIENCE, |peer| prompt.contains(&peer)).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        for peer in peers {
            worst_s = worst_s.max(off_by(&world, peer, &*clock));
        }
    }
    checks.at_most("Date headers off by", worst_s, 10.0, " s");
    checks.is("lost at the others", world.missing(|peer| prompt.contains(&peer)), 0);
    // A first retry is due after 30 s, a quarter more at most.
    let missing = world.wait_for(Duration::from_secs(45), |_| true).await;
    checks.is("lost of the retried", missing, 0);
    let early = late.filter(|peer| retried_early(&world, *peer)).count();
    checks.is("early retries after ±2 h", early, 0);
    world.stop().await;
    Ok(checks)
}

/// Whether a peer was asked again before its time: a first retry comes after
/// 30 s, a quarter less at least.
fn retried_early(world: &World, peer: u32) -> bool {
    let log = world.fleet.peers[peer as usize].log.lock();
    log.windows(2).take(1).any(|asked| asked[1].at.duration_since(asked[0].at) < Duration::from_secs(22))
}

/// How far the last Date header that a peer got is from now, in seconds.
fn off_by(world: &World, peer: u32, clock: &dyn Clock) -> f64 {
    let log = world.fleet.peers[peer as usize].log.lock();
    let date = log.last().and_then(|asked| asked.date.clone()).unwrap_or_default();
    let Ok(date) = httpdate::parse_http_date(&date) else { return f64::MAX };
    let date_s = date.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    (clock.now().as_millis() as f64 / 1000.0 - date_s).abs()
}

/// The beginning of everything that is logged.
fn began() -> Instant {
    Instant::now().checked_sub(Duration::from_secs(3600)).unwrap_or_else(Instant::now)
}

/// Waits until something holds, but no longer than is reasonable.
async fn wait_until(holds: impl Fn() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    while !holds() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    holds()
}

/// F21: what was taken back before it was sent is never sent; what belongs
/// together stays in order.
pub(crate) async fn second_thoughts(scale: Scale) -> Result<Checks, Failure> {
    let fleet = Arc::new(Fleet::start(11, None).await?);
    let (world, mut checks) = (World::start(fleet, Setup::of(&scale)).await?, Checks::new());
    world.fleet.turn([0], &Behaviour::Hangs);
    world.tell(0, ActivityKind::Create, &[0]).await?;
    wait_until(|| world.fleet.waiting([0]) > 0).await;
    let order = OrderKey::of(Id(77));
    let create = say(&world, ActivityKind::Create, order, 0).await?;
    let delete = say(&world, ActivityKind::Delete, order, 0).await?;
    world.fleet.turn([0], &Behaviour::Well(RoundTrip::USUAL));
    let mut chains = Vec::new();
    for peer in 1..11 {
        let order = OrderKey::of_pair(Id(1), Id(u64::from(peer)));
        let follow = say(&world, ActivityKind::Follow, order, peer).await?;
        if peer % 2 == 0 {
            wait_until(|| world.fleet.asked([peer], began()) > 0).await;
        }
        let undo = say(&world, ActivityKind::Undo, order, peer).await?;
        chains.push((peer, [follow, undo, say(&world, ActivityKind::Follow, order, peer).await?]));
    }
    let at = |peer: u32| world.fleet.ledger().order_at(peer);
    let deleted = wait_until(|| at(0).contains(&delete)).await;
    wait_until(|| chains.iter().all(|(peer, chain)| at(*peer).contains(&chain[2]))).await;
    checks.holds("the Delete arrives", if deleted { "it arrived" } else { "it did not" }, deleted);
    checks.is("of the unsent Create sent", usize::from(at(0).contains(&create)), 0);
    let in_order =
        chains.iter().filter(|(peer, chain)| *chain == at(*peer)[..] || chain[1..] == at(*peer)[..]);
    checks.is("chains in order, ending in the second Follow", in_order.count(), chains.len());
    world.stop().await;
    Ok(checks)
}

async fn say(world: &World, kind: ActivityKind, order: OrderKey, peer: u32) -> Result<u64, Failure> {
    let inbox = world.fleet.inbox(peer);
    Ok(world.post(&Post { sender: 0, kind, order, inboxes: &[inbox] }).await?.0)
}

/// F22: peers that know one kind of signature, then only the other.
pub(crate) async fn one_kind_of_signature(scale: Scale) -> Result<Checks, Failure> {
    let fleet = Arc::new(Fleet::start(5, None).await?);
    let (world, mut checks) = (World::start(fleet, Setup::of(&scale)).await?, Checks::new());
    let posts = 4;
    for (kind, profile) in
        [(Kind::Rfc9421, SignatureProfile::Rfc9421), (Kind::Cavage, SignatureProfile::Cavage)]
    {
        world.fleet.turn(0..5, &Behaviour::Knows(kind));
        let begun = Instant::now();
        for _ in 0..posts {
            world.tell(0, ActivityKind::Create, &[0, 1, 2, 3, 4]).await?;
            world.wait_for(PATIENCE, |_| true).await;
        }
        let extra = (0..5).map(|peer| world.fleet.asked([peer], begun) - posts).max().unwrap_or(0);
        let mut remembered = 0;
        for peer in 0..5 {
            remembered += u32::from(world.destination(peer).await?.profile == profile);
        }
        checks.is(&format!("peers remembered to know {kind:?}"), remembered, 5);
        checks.at_most("further requests to each", extra as f64, 1.0, "");
    }
    checks.is("lost", world.missing(|_| true), 0);
    world.stop().await;
    Ok(checks)
}

/// F23: peers that say yes to everything and keep only what is signed by cavage.
pub(crate) async fn silent_drop(scale: Scale) -> Result<Checks, Failure> {
    let fleet = Arc::new(Fleet::start(20, None).await?);
    let (world, mut checks) = (World::start(fleet, Setup::of(&scale)).await?, Checks::new());
    world.fleet.turn(0..20, &Behaviour::KeepsOnly(Kind::Cavage));
    let everybody: Vec<u32> = (0..20).collect();
    for sender in 0..3 {
        world.tell(sender, ActivityKind::Create, &everybody).await?;
    }
    let missing = world.wait_for(PATIENCE, |_| true).await;
    let signatures = world.fleet.ledger().signatures();
    checks.is("dropped", missing, 0);
    checks.is("requests signed by RFC 9421", signatures.rfc9421, 0);
    checks.note(format!("{} by cavage", signatures.cavage));
    world.stop().await;
    Ok(checks)
}
