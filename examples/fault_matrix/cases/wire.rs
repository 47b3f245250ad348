//! F18 and F19: answers and handshakes that nobody should wait for.

use std::sync::Arc;
use std::time::Duration;

use waxwing::model::queue::{ActivityKind, OrderKey};
use waxwing::queue::Outcome;

use crate::Failure;
use crate::behaviour::Behaviour;
use crate::dns::Names;
use crate::fleet::Fleet;
use crate::measure::{Lag, rss_mib};
use crate::scale::Scale;
use crate::table::Checks;
use crate::tls;
use crate::watch::Tried;
use crate::world::{Post, Setup, World};

/// An attempt ends no later than this, and its slot is free.
const ATTEMPT_MAX: Duration = Duration::from_secs(15);

/// F18: each misbehaving peer is asked as a product asks it, whatever the form.
pub(crate) async fn bad_answers(scale: Scale) -> Result<Checks, Failure> {
    let fleet = Arc::new(Fleet::start(4, None).await?);
    let setup = Setup { attempt_max: ATTEMPT_MAX, ..Setup::of(&scale) };
    let (world, mut checks) = (World::start(fleet, setup).await?, Checks::new());
    world.tell(0, ActivityKind::Create, &[3]).await?;
    world.wait_for(Duration::from_secs(10), |_| true).await;
    let before = rss_mib();
    let kinds = [Behaviour::SlowLoris, Behaviour::EndlessBody, Behaviour::HugeHead];
    for (peer, behaviour) in kinds.iter().enumerate() {
        world.fleet.turn([peer as u32], behaviour);
        world.tell(0, ActivityKind::Create, &[peer as u32]).await?;
    }
    let mut most = before;
    let mut tried = Vec::new();
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(rss_mib());
        tried = (0..3).flat_map(|peer| attempts(&world, peer)).collect();
        if (0..3).all(|peer| !attempts(&world, peer).is_empty()) {
            break;
        }
    }
    let slowest = tried.iter().map(|tried| tried.took.as_secs_f64()).fold(0.0, f64::max);
    let ended = (0..3).filter(|peer| !attempts(&world, *peer).is_empty()).count();
    checks.is("of the three attempts ended", ended, 3);
    checks.at_most("slot free after", slowest, ATTEMPT_MAX.as_secs_f64() + 0.5, " s");
    // Other cases run in this process, too; 100 MB would show all the same.
    checks.at_most("memory grows by", most - before, scale.pick(32.0, 64.0), " MiB");
    // A peer sees that its connection is gone when it writes the next byte.
    for _ in 0..30 {
        if world.fleet.waiting(0..3) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    checks.is("still open", world.fleet.waiting(0..3), 0);
    world.stop().await;
    Ok(checks)
}

fn attempts(world: &World, peer: u32) -> Vec<Tried> {
    world.watch.at(&world.fleet.peers[peer as usize].address.to_string())
}

/// F19: TLS that does not come about.
pub(crate) async fn bad_handshakes(scale: Scale) -> Result<Checks, Failure> {
    let (names, authority) = (Names::default(), tls::Authority::new()?);
    let fleet = Arc::new(
        Fleet::start(3, Some(authority.acceptor(&["p0.fleet.test", "p1.fleet.test"], false)?)).await?,
    );
    let expired = Arc::new(Fleet::start(1, Some(authority.acceptor(&["p2.fleet.test"], true)?)).await?);
    *names.addresses.lock() =
        [&fleet.peers[0], &fleet.peers[1], &expired.peers[0]].iter().map(|peer| peer.address.ip()).collect();
    let setup = Setup {
        attempt_max: ATTEMPT_MAX,
        resolver: Some(Arc::new(names)),
        roots_pem: authority.pem().into_bytes(),
        ..Setup::of(&scale)
    };
    let ports =
        [fleet.peers[0].address.port(), fleet.peers[1].address.port(), expired.peers[0].address.port()];
    let (world, mut checks) = (World::start(fleet, setup).await?, Checks::new());
    world.fleet.turn([1], &Behaviour::Mute);
    let lag = Lag::start();
    for (peer, port) in ports.iter().enumerate() {
        let inbox = format!("https://p{peer}.fleet.test:{port}/inbox");
        let post = Post { sender: 0, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &[inbox] };
        world.post(&post).await?;
    }
    let at = |peer: usize| world.watch.at(&format!("p{peer}.fleet.test:{}", ports[peer]));
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if (0..3).all(|peer| !at(peer).is_empty()) {
            break;
        }
    }
    let late_s = lag.seconds();
    let (well, mute, old) = (at(0), at(1), at(2));
    checks.holds(
        "a good certificate is taken",
        words(&well),
        well.first().is_some_and(|t| t.outcome == Outcome::Done),
    );
    for (what, tried) in [("hanging handshake", &mute), ("expired certificate", &old)] {
        let is_failure = tried.first().is_some_and(|t| matches!(t.outcome, Outcome::Failed { .. }));
        checks.holds(&format!("{what} is the host's failure"), words(tried), is_failure);
        let took = tried.first().map_or(99.0, |t| t.took.as_secs_f64());
        checks.at_most(what, took, 5.0 + 0.5 + late_s, " s");
    }
    checks.note(format!("the machine was {late_s:.2} s late"));
    world.stop().await;
    Ok(checks)
}

fn words(tried: &[Tried]) -> &'static str {
    tried.first().map_or("no attempt", |tried| tried.outcome.name())
}
