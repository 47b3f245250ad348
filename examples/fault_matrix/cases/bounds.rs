//! F13 and F28: much on the disk, little in memory.

use std::path::Path;
use std::time::Duration;

use waxwing::domain::delivery::Bounds;
use waxwing::domain::delivery::admin::{self, PurgePlace, Selection};
use waxwing::model::queue::tables::DESTINATION;
use waxwing::model::queue::{ActivityKind, OrderKey};
use waxwing::queue::forget_destinations;
use waxwing::store::{Scan, StoreError};

use super::crash::write_inboxes;
use crate::Failure;
use crate::child::Process;
use crate::fleet::Fleet;
use crate::ledger::Waits;
use crate::measure::rss_mib;
use crate::rows::nobody;
use crate::scale::Scale;
use crate::table::Checks;
use crate::world::{Post, World};

const PATIENCE: Duration = Duration::from_secs(600);
/// Rows thrown away in one transaction.
const PURGE_ROWS: usize = 1000;

/// What a process over a store is like.
struct Held {
    rss_mib: f64,
    /// From the start of the process to its first delivery.
    boot_s: f64,
    waits: Waits,
}

/// F13: rows for dead peers, and none, each in a process of its own.
pub(crate) async fn a_million_rows(scale: Scale) -> Result<Checks, Failure> {
    let (rows, hosts) = scale.pick((1_000_000, 5000), (10_000, 500));
    let (idle, full) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let filler = Process::start("fill", full.path(), &[rows.to_string(), u64::to_string(&hosts)])?;
    let filled: f64 = filler.wait_for("filled", PATIENCE).await?.parse()?;
    drop(filler);
    let alone = hold(&scale, idle.path()).await?;
    let beside = hold(&scale, full.path()).await?;
    let mut checks = Checks::new();
    checks.at_least("rows", filled, rows as f64, "");
    checks.at_most("memory over idle", beside.rss_mib - alone.rss_mib, 192.0, " MiB");
    checks.at_most("boot", beside.boot_s, scale.pick(2.0, 6.0), " s");
    checks.at_most("p99 of the others", beside.waits.p99, scale.slower(alone.waits.p99), " s");
    checks.note(format!("idle {:.0} MiB, alone {:.3} s", alone.rss_mib, alone.waits.p99));
    Ok(checks)
}

async fn hold(scale: &Scale, folder: &Path) -> Result<Held, Failure> {
    let fleet = Fleet::start(100, None).await?;
    write_inboxes(folder, &fleet, 0..100)?;
    let (seconds, posts_per_s) = scale.pick((60u64, 20u64), (8, 4));
    let child = Process::start("hold", folder, &[seconds.to_string(), posts_per_s.to_string()])?;
    let began: u64 = child.wait_for("began", PATIENCE).await?.parse()?;
    let boot_s = child.wait_for("first", PATIENCE).await?.parse::<f64>()? / 1000.0;
    let rss_mib = child.wait_for("rss", PATIENCE).await?.parse()?;
    // The first seconds are those of connecting to everybody.
    let warm_us = began + seconds * 1_000_000 / 3;
    Ok(Held { rss_mib, boot_s, waits: fleet.ledger().waits(warm_us, |_| true) })
}

/// F28: ever new hosts that fail.
pub(crate) async fn many_hosts(scale: Scale) -> Result<Checks, Failure> {
    let (world, mut checks) = (World::of(&Scale { peers: 1, ..scale }).await?, Checks::new());
    let hosts: u64 = scale.pick(100_000, 2_000);
    let before = rss_mib();
    for first in (0..hosts).step_by(500) {
        let inboxes: Vec<String> = (first..first + 500).map(nobody).collect();
        let post = Post { sender: 0, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &inboxes };
        world.post(&post).await?;
    }
    tokio::time::sleep(scale.pick(Duration::from_secs(180), Duration::from_secs(10))).await;
    let bounds = Bounds { rows_max: scale.pick(Bounds::USUAL.rows_max, 500), ..Bounds::USUAL };
    let later = world.clock.now().plus(bounds.spared_for * 2);
    let early = forget_destinations(&world.store, later, &bounds).await?;
    checks.is("forgotten while their jobs wait", early, 0);
    purge(&world).await?;
    forget_destinations(&world.store, later, &bounds).await?;
    let rows: Result<usize, StoreError> = world
        .store
        .read(move |tx| Ok(tx.scan(DESTINATION, Scan::all().limit(hosts as usize * 2))?.len()))
        .await;
    checks.at_most("destinations kept", rows? as f64, bounds.rows_max as f64, "");
    checks.at_most("memory grows by", rss_mib() - before, scale.pick(96.0, 64.0), " MiB");
    checks.note(format!("{hosts} hosts"));
    world.stop().await;
    Ok(checks)
}

/// Throws away what waits for anybody.
async fn purge(world: &World) -> Result<(), Failure> {
    let mut place = Some(PurgePlace::default());
    while let Some(at) = place {
        let (all, now) = (Selection::default(), world.clock.now());
        let purged: Result<_, StoreError> =
            world.store.write(move |tx| admin::purge(tx, now, &all, at, PURGE_ROWS)).await;
        place = purged?.next;
    }
    Ok(())
}
