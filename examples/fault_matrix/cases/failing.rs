//! F5 to F8: peers that answer, but not with yes.

use std::time::{Duration, Instant};

use waxwing::model::queue::{ActivityKind, Breaker};

use super::hanging::{alone, healthy};
use crate::Failure;
use crate::behaviour::{Behaviour, Bucket, RoundTrip};
use crate::fleet::Peer;
use crate::measure::{cpu, micros};
use crate::scale::Scale;
use crate::table::Checks;
use crate::traffic::Traffic;
use crate::world::World;

/// Requests that were under way when a peer began to say 429 are not held against us.
const UNDER_WAY: Duration = Duration::from_millis(700);

/// F5: 500 at once.
pub(crate) async fn fast(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let (used, begun) = (cpu(), Instant::now());
    alone(&scale, &world).await?;
    let before = (cpu() - used).as_secs_f64() / begun.elapsed().as_secs_f64();
    let sick = scale.share_of_peers(0.3);
    world.fleet.turn(0..sick, &Behaviour::Says(500));
    let (from, used, begun) = (micros(), cpu(), Instant::now());
    Traffic::of(&scale).flow(&world, scale.span).await?;
    let after = (cpu() - used).as_secs_f64() / begun.elapsed().as_secs_f64();
    let (missing, _) = healthy(&world, from, sick).await;
    let most = (0..sick).map(|peer| world.fleet.asked([peer], begun)).max().unwrap_or(0);
    checks.at_most("attempts at each", most as f64, 12.0, "");
    checks.at_most("processor use", after / before, scale.pick(1.1, 1.6), " of before");
    checks.is("lost at the others", missing, 0);
    world.stop().await;
    Ok(checks)
}

/// F6: 429, come again in so many seconds.
pub(crate) async fn asked_to_wait(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let traffic = Traffic { posts_per_s: scale.pick(scale.posts_per_s, 2.0), ..Traffic::of(&scale) };
    traffic.flow(&world, scale.warm).await?;
    world.wait_for(Duration::from_secs(10), |_| true).await;
    let sick = scale.share_of_peers(0.2);
    let (seconds, storm) = scale.pick((20, Duration::from_secs(60)), (3, Duration::from_secs(6)));
    let begun = Instant::now();
    world.fleet.turn(0..sick, &Behaviour::TooMany(Some(seconds)));
    traffic.flow(&world, storm).await?;
    world.fleet.turn(0..sick, &Behaviour::Well(RoundTrip::USUAL));
    let over = Instant::now();
    let within = Duration::from_secs_f64(seconds as f64 * 1.1 + scale.pick(0.0, 1.0));
    let missing = world.wait_for(within * 2, |_| true).await;
    let early: usize =
        world.fleet.peers[..sick as usize].iter().map(|peer| too_early(peer, begun, seconds)).sum();
    let mut opened = 0;
    for peer in 0..sick {
        opened += usize::from(world.destination(peer).await?.breaker != Breaker::Closed);
    }
    checks.is("requests within the time asked for", early, 0);
    checks.is("breakers opened", opened, 0);
    checks.is("lost", missing, 0);
    checks.at_most("all there after", over.elapsed().as_secs_f64(), within.as_secs_f64(), " s");
    world.stop().await;
    Ok(checks)
}

/// Requests that a peer got although it had asked for quiet.
fn too_early(peer: &Peer, begun: Instant, seconds: u64) -> usize {
    let (mut quiet, mut early) = (None, 0);
    for asked in peer.log.lock().iter().filter(|asked| asked.at >= begun) {
        if let Some((from, until)) = quiet
            && asked.at > from
            && asked.at < until
        {
            early += 1;
        } else if asked.status == 429 {
            // The header has whole seconds; the clocks are not the same.
            let span = Duration::from_secs(seconds) - Duration::from_millis(50);
            quiet = Some((asked.at + UNDER_WAY, asked.at + span));
        }
    }
    early
}

/// F7: one peer takes 20 a second, is offered ten times that, and says only 429.
pub(crate) async fn too_fast(scale: Scale) -> Result<Checks, Failure> {
    let (accepts, offered) = scale.pick((20.0, 200.0), (10.0, 40.0));
    let (world, mut checks) = (World::of(&Scale { peers: 10, ..scale }).await?, Checks::new());
    world.fleet.turn([0], &Behaviour::Accepts(Bucket::of(accepts)));
    let others = Traffic { posts_per_s: scale.pick(20.0, 2.0), peers_per_post: 3, peers: 10 };
    let (settles, span) = scale.pick((60, 120), (15, 15));
    let (settles, span) = (Duration::from_secs(settles), Duration::from_secs(span));
    let from = micros();
    let feed = async {
        let posts = (offered * (settles + span).as_secs_f64()) as u32;
        let begun = Instant::now();
        for post in 0..posts {
            tokio::time::sleep_until((begun + Duration::from_secs_f64(f64::from(post) / offered)).into())
                .await;
            world.tell(post as usize, ActivityKind::Create, &[0]).await?;
        }
        Ok::<_, Failure>(())
    };
    let elsewhere = async {
        let traffic = Traffic { peers: 9, ..others };
        let begun = Instant::now();
        while begun.elapsed() < settles + span {
            let peers: Vec<u32> = traffic.some_peers(&world).into_iter().map(|peer| peer + 1).collect();
            world.tell(0, ActivityKind::Create, &peers).await?;
            tokio::time::sleep(Duration::from_secs_f64(1.0 / traffic.posts_per_s)).await;
        }
        Ok::<_, Failure>(())
    };
    let begun = Instant::now();
    let (fed, told) = tokio::join!(feed, elsewhere);
    fed.and(told)?;
    let log = world.fleet.peers[0].log.lock().clone();
    let late: Vec<_> =
        log.iter().filter(|asked| asked.at >= begun + settles && asked.at < begun + settles + span).collect();
    let refused = late.iter().filter(|asked| asked.status == 429).count();
    let rate = (late.len() - refused) as f64 / span.as_secs_f64();
    let others = world.waits(from, |arrival| arrival.peer > 0);
    checks.at_least("taken", rate, accepts * scale.pick(0.9, 0.8), "/s");
    checks.at_most("taken", rate, accepts * 1.1, "/s");
    checks.at_most("429", refused as f64 / late.len().max(1) as f64, 0.10, " of answers");
    checks.at_most("p99 of the others", others.p99, scale.pick(0.66, 2.0), " s");
    world.stop().await;
    Ok(checks)
}

/// F8: up for a while, down for a while.
pub(crate) async fn flapping(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&Scale { peers: 2, ..scale }).await?, Checks::new());
    let phase = Duration::from_secs(20);
    let cycles = scale.pick(5, 1);
    let span = phase * 2 * cycles + phase * 3 / 4;
    let (begun, mut turns, mut was_closed, mut up) = (Instant::now(), 0, true, Duration::ZERO);
    let (mut seen, mut used) = (begun, Duration::ZERO);
    let mut flaps = Behaviour::Flaps { since: begun, up: phase, down: phase };
    world.fleet.turn([0], &flaps);
    let mut posts = 0;
    while begun.elapsed() < span {
        if begun.elapsed().as_millis() / 500 >= posts {
            world.tell(0, ActivityKind::Create, &[0]).await?;
            posts += 1;
        }
        let is_closed = world.destination(0).await?.breaker == Breaker::Closed;
        turns += u32::from(is_closed != was_closed);
        was_closed = is_closed;
        // By time: on a busy machine looks are further apart while there is traffic.
        let spent = seen.elapsed();
        seen += spent;
        if flaps.is_up(seen) {
            up += spent;
            used += if is_closed { spent } else { Duration::ZERO };
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    flaps = Behaviour::Fast;
    world.fleet.turn([0], &flaps);
    let missing = world.wait_for(Duration::from_secs(90), |_| true).await;
    let used = used.as_secs_f64() / up.as_secs_f64().max(1.0);
    checks.is("lost", missing, 0);
    // It is found down after 2.5 s, and the first pause is 24 to 36 s: of the
    // 20 s that it is up again, 1.5 to 13.5 are left. Over the 35 s of up-time
    // in the one cycle of the short form that is 0.57 to 0.81.
    checks.at_least("of its up-time used", used, scale.pick(0.70, 0.50), "");
    checks.note("the first pause is 24 to 36 s of a 40 s cycle".to_owned());
    checks.at_most("turns", f64::from(turns), (span.as_secs_f64() / 15.0).floor(), "");
    world.stop().await;
    Ok(checks)
}
