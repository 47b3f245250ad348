//! F14 and F15: the process is killed, and another goes on where it was.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use waxwing::base::Chance;

use crate::Failure;
use crate::behaviour::{Behaviour, RoundTrip};
use crate::child::Process;
use crate::fleet::Fleet;
use crate::measure::micros;
use crate::scale::Scale;
use crate::table::Checks;

const PATIENCE: Duration = Duration::from_secs(60);
/// Outcomes that may wait to be written: two batches of the worker.
const UNWRITTEN: u64 = 512;

/// Lets children know the fleet.
pub(crate) fn write_inboxes(
    folder: &Path,
    fleet: &Fleet,
    peers: std::ops::Range<u32>,
) -> Result<(), Failure> {
    let inboxes: Vec<String> = peers.map(|peer| fleet.inbox(peer)).collect();
    Ok(std::fs::write(folder.join("inboxes"), inboxes.join("\n"))?)
}

/// F14: at any moment of bursts.
pub(crate) async fn at_random(scale: Scale) -> Result<Checks, Failure> {
    let (kills, peers) = scale.pick((20, 1000), (4, 20));
    let (fleet, folder, mut checks) = (Fleet::start(peers, None).await?, tempfile::tempdir()?, Checks::new());
    write_inboxes(folder.path(), &fleet, 0..peers)?;
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut slowest: f64 = 0.0;
    for round in 0..kills {
        let first = (round + 1) * 100_000;
        let begun = Instant::now();
        let mut child = Process::start("post", folder.path(), &[first.to_string(), scale.slots.to_string()])?;
        child.wait_for("ready", PATIENCE).await?;
        // The first has nothing to send yet.
        if round > 0 {
            let end = Instant::now() + PATIENCE;
            while fleet.asked(0..peers, begun) == 0 && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            slowest = slowest.max(begun.elapsed().as_secs_f64());
        }
        let more = Duration::from_millis(300 + fleet.shared.chance.below(1200));
        tokio::time::sleep(more).await;
        child.kill();
        tokio::time::sleep(Duration::from_millis(50)).await;
        acknowledged.extend(child.said("ack").iter().filter_map(|number| number.parse::<u64>().ok()));
    }
    let last = Process::start("drain", folder.path(), &[scale.slots.to_string()])?;
    last.wait_for("drained", scale.pick(Duration::from_secs(600), PATIENCE)).await?;
    let wanted: Vec<(u32, u64)> =
        acknowledged.iter().flat_map(|number| (0..peers).map(move |peer| (peer, *number))).collect();
    let bound = kills * (scale.slots as u64 + UNWRITTEN);
    checks.is("of the acknowledged lost", fleet.ledger().missing(&wanted), 0);
    checks.at_most("duplicates", fleet.ledger().duplicates() as f64, bound as f64, "");
    checks.at_most("restart to first send", slowest, scale.pick(2.0, 6.0), " s");
    checks.note(format!("{kills} kills, {} deliveries", wanted.len()));
    Ok(checks)
}

/// F15: the peer said yes, the disk does not know yet.
pub(crate) async fn before_the_acknowledgement(_: Scale) -> Result<Checks, Failure> {
    let (fleet, folder, mut checks) =
        (Arc::new(Fleet::start(1, None).await?), tempfile::tempdir()?, Checks::new());
    let trip = RoundTrip { median: Duration::from_millis(50), sigma: 0.0 };
    fleet.turn([0], &Behaviour::Well(trip));
    write_inboxes(folder.path(), &fleet, 0..1)?;
    let mut child = Process::start("stuck", folder.path(), &[])?;
    let number: u64 = child.wait_for("ack", PATIENCE).await?.parse()?;
    let end = Instant::now() + PATIENCE;
    while fleet.ledger().count() == 0 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Long enough for the acknowledgement to be written, were it not stuck.
    tokio::time::sleep(Duration::from_millis(500)).await;
    child.kill();
    let once = fleet.ledger().count();
    let killed_us = micros();
    let last = Process::start("drain", folder.path(), &["32".into()])?;
    last.wait_for("drained", PATIENCE).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    checks.is("arrival before the kill", once, 1);
    checks.is("duplicate after it", fleet.ledger().duplicates(), 1);
    let order = fleet.ledger().order_at(0);
    let is_same = order.iter().all(|arrived| *arrived == number);
    checks.holds("the same activity id", &format!("ids {order:?}"), is_same);
    checks.note(format!("resent within {:.1} s", (micros() - killed_us) as f64 / 1e6));
    Ok(checks)
}
