//! F11 and F12: much at once, from everybody and from one.

use std::time::{Duration, Instant};

use waxwing::model::queue::ActivityKind;

use super::hanging::alone;
use crate::Failure;
use crate::measure::{micros, percentile};
use crate::scale::Scale;
use crate::table::Checks;
use crate::traffic::Traffic;
use crate::world::World;

/// F11: posts to all peers at once, beside the usual traffic.
pub(crate) async fn burst(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let traffic = Traffic::of(&scale);
    traffic.flow(&world, scale.warm).await?;
    let everybody: Vec<u32> = (0..scale.peers).collect();
    let posts = scale.pick(20, 10);
    let (from, begun) = (micros(), Instant::now());
    let within = scale.pick(Duration::from_secs(15), Duration::from_secs(20));
    let at_once = async {
        let mut took = Vec::new();
        for post in 0..posts {
            took.push(world.tell(post, ActivityKind::Create, &everybody).await?.as_secs_f64() * 1000.0);
        }
        Ok::<_, Failure>(took)
    };
    let urgent = async {
        for number in 0..20 {
            world.tell(number, ActivityKind::Follow, &[(number as u32 * 7) % scale.peers]).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, Failure>(())
    };
    let (took, told, flowed) = tokio::join!(at_once, urgent, traffic.flow(&world, Duration::from_secs(3)));
    let mut took = took?;
    told?;
    flowed?;
    let missing = world.wait_for(within * 2, |_| true).await;
    let drained = begun.elapsed().as_secs_f64();
    let urgent = world.waits(from, |arrival| arrival.parcel.lane == 0);
    checks.at_most("p99 of handing over a post", percentile(&mut took, 0.99), scale.pick(50.0, 400.0), " ms");
    checks.at_most("drained in", drained, within.as_secs_f64(), " s");
    checks.at_most("p99 of urgent ones", urgent.p99, scale.pick(1.0, 2.5), " s");
    checks.is("lost", missing, 0);
    checks.is("twice", world.fleet.ledger().duplicates(), 0);
    checks.note(format!("{posts} posts to {} peers", scale.peers));
    world.stop().await;
    Ok(checks)
}

/// F12: one person writes far more than their share.
pub(crate) async fn flood(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&scale).await?, Checks::new());
    let before = alone(&scale, &world).await?;
    // 5 000 rows a minute, for three; or as many again as all others write.
    let (rows_per_s, span) = scale.pick((5000.0 / 60.0, Duration::from_secs(180)), (24.0, scale.span));
    let from = micros();
    let flooder = world.people.len() - 1;
    let flood = async {
        let (begun, mut posts) = (Instant::now(), 0.0);
        let everybody: Vec<u32> = (0..scale.peers.min(50)).collect();
        while begun.elapsed() < span {
            world.tell(flooder, ActivityKind::Create, &everybody).await?;
            posts += 1.0;
            let due = begun + Duration::from_secs_f64(posts * everybody.len() as f64 / rows_per_s);
            tokio::time::sleep_until(due.into()).await;
        }
        Ok::<_, Failure>(())
    };
    let traffic = Traffic::of(&scale);
    let (flooded, flowed) = tokio::join!(flood, traffic.flow(&world, span));
    flooded?;
    flowed?;
    let missing = world.wait_for(Duration::from_secs(30), |_| true).await;
    let others = world.waits(from, |arrival| arrival.parcel.sender != flooder as u64);
    checks.at_most("p99 of the others", others.p99, scale.slower(before.p99), " s");
    checks.is("lost", missing, 0);
    checks.note(format!("alone {:.3} s; {rows_per_s:.0} rows/s by one", before.p99));
    world.stop().await;
    Ok(checks)
}
