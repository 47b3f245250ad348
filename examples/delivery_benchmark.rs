//! What the delivery queue takes and gives on this machine.
//!
//! `cargo run --release --example delivery_benchmark [-- ROWS]`
//!
//! Deliveries a second to a fast fleet (a process of its own) with real
//! RSA-2048 signatures, beside what the signing threads alone can sign, and
//! who took the processors meanwhile: the fleet is on the same machine, as no
//! real receiver is;
//! enqueueing one post for 1,000 servers; acknowledging; and memory and start
//! with a million queued rows, each measured in a process of its own.

#![allow(clippy::disallowed_methods)] // a benchmark measures real time and reads its arguments
#![allow(dead_code)] // of the matrix's parts it needs only some

#[path = "fault_matrix/answer.rs"]
mod answer;
#[path = "fault_matrix/behaviour.rs"]
mod behaviour;
#[path = "fault_matrix/child.rs"]
mod child;
#[path = "fault_matrix/fleet.rs"]
mod fleet;
#[path = "fault_matrix/ledger.rs"]
mod ledger;
#[path = "fault_matrix/measure.rs"]
mod measure;
#[path = "fault_matrix/parcel.rs"]
mod parcel;
#[path = "fault_matrix/people.rs"]
mod people;
#[path = "fault_matrix/raw.rs"]
mod raw;
#[path = "fault_matrix/rows.rs"]
mod rows;
#[path = "fault_matrix/scale.rs"]
mod scale;
#[path = "fault_matrix/sender.rs"]
mod sender;
#[path = "fault_matrix/watch.rs"]
mod watch;
#[path = "fault_matrix/world.rs"]
mod world;

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use waxwing::domain::delivery::{Fate, settle};
use waxwing::model::queue::tables::JOB;
use waxwing::model::queue::{ActivityKind, JobKey, OrderKey};
use waxwing::store::{Scan, Store, StoreError};
use waxwing::wire::http_signature::PrivateKey;

use child::{Process, say};
use fleet::Fleet;
use measure::{cpu, cpu_of, cpu_of_threads, percentile};
use world::{Post, World};

/// Why it ended early.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Fast servers that deliveries go to.
const PEERS: u32 = 200;
/// Deliveries that are timed.
const DELIVERIES: usize = 20_000;
/// Posts enqueued for a thousand servers each.
const POSTS: usize = 50;
const SIGN_FOR: Duration = Duration::from_secs(3);
/// Acknowledgements in one transaction, as the worker has them.
const ACKS: usize = 256;
const SLOTS: u64 = 256;
const ROWS_DEFAULT: u64 = 1_000_000;
const DEAD_HOSTS: u64 = 5000;
const PATIENCE: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    waxwing::app::files::allow_many();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, kind, folder, rest @ ..] = &arguments[..]
        && flag == child::FLAG
    {
        return match kind.as_str() {
            "fleet" => be_fleet(Path::new(folder)).await,
            _ => sender::run(kind, Path::new(folder), rest).await,
        };
    }
    let rows = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(ROWS_DEFAULT);
    machine()?;
    let signed = sign_limit().await?;
    deliveries(signed).await?;
    enqueue().await?;
    memory(rows).await
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What is being measured on.
fn machine() -> Result<(), Failure> {
    let (folder, mut took) = (tempfile::tempdir()?, Vec::new());
    let mut file = std::fs::File::create(folder.path().join("probe"))?;
    for _ in 0..50 {
        let begun = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let [p50, p99] = [percentile(&mut took, 0.5), percentile(&mut took, 0.99)];
    println!("machine: {} cores, fsync p50 {p50:.1} ms, p99 {p99:.1} ms", cores());
    Ok(())
}

/// Signatures a second on as many threads as sign deliveries.
async fn sign_limit() -> Result<f64, Failure> {
    let threads = cores().saturating_sub(1).max(1);
    let key = PrivateKey::generate()?;
    let key = std::sync::Arc::new(key);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..threads {
        let key = key.clone();
        tasks.spawn_blocking(move || {
            let (begun, mut count) = (Instant::now(), 0u64);
            while begun.elapsed() < SIGN_FOR {
                key.sign(&[7; 300]).map_err(|_| "signing failed")?;
                count += 1;
            }
            Ok::<_, Failure>(count as f64 / begun.elapsed().as_secs_f64())
        });
    }
    let mut sum = 0.0;
    while let Some(done) = tasks.join_next().await {
        sum += done??;
    }
    println!("signing limit: {sum:.0} RSA-2048 signatures/s on {threads} thread(s)");
    Ok(sum)
}

/// A fast fleet that does nothing but take.
async fn be_fleet(folder: &Path) -> Result<(), Failure> {
    let fleet = Fleet::start(PEERS, None).await?;
    fleet.shared.be_lean();
    let inboxes: Vec<String> = (0..PEERS).map(|peer| fleet.inbox(peer)).collect();
    std::fs::write(folder.join("inboxes"), inboxes.join("\n"))?;
    say("ready");
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE * 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

async fn start_fleet() -> Result<(Process, TempDir, Vec<String>), Failure> {
    let folder = tempfile::tempdir()?;
    let fleet = Process::start("fleet", folder.path(), &[])?;
    fleet.wait_for("ready", PATIENCE).await?;
    let inboxes = sender::inboxes(folder.path())?;
    Ok((fleet, folder, inboxes))
}

async fn world(folder: &Path) -> Result<World, Failure> {
    sender::world(folder, SLOTS, Store::open_redb(folder.join("waxwing.redb"))?).await
}

async fn ready_rows(world: &World) -> Result<usize, Failure> {
    Ok(world.overview().await?.ready.iter().sum::<i64>().max(0) as usize)
}

/// Processor time, in seconds or, of a span, in processors.
#[derive(Clone, Copy)]
struct Use {
    signing: f64,
    server: f64,
    fleet: f64,
}

impl Use {
    fn now(fleet: &Process) -> Use {
        let signing = cpu_of_threads(std::process::id(), "signer").as_secs_f64();
        Use { signing, server: cpu().as_secs_f64() - signing, fleet: cpu_of(fleet.pid()).as_secs_f64() }
    }

    fn since(self, before: &Use, span: Duration) -> Use {
        let share = |now: f64, before: f64| (now - before) / span.as_secs_f64();
        Use {
            signing: share(self.signing, before.signing),
            server: share(self.server, before.server),
            fleet: share(self.fleet, before.fleet),
        }
    }

    /// Who took the processors, and what each delivery cost.
    fn print(&self, rate: f64, signed: f64) {
        let (cores, all) = (cores() as f64, self.signing + self.server + self.fleet);
        println!(
            "  of {cores:.0} processors: signing {:.2}, the rest of the server {:.2}, the fleet {:.2}, idle {:.2}",
            self.signing,
            self.server,
            self.fleet,
            (cores - all).max(0.0)
        );
        let each_us = |used: f64| 1e6 * used / rate;
        println!(
            "  for each delivery: signing {:.0} us, the rest {:.0} us, the fleet {:.0} us",
            each_us(self.signing),
            each_us(self.server),
            each_us(self.fleet)
        );
        // Computed, and only where the processors were what was missing.
        if all > 0.95 * cores {
            let alone = (rate * cores / (cores - self.fleet)).min(signed);
            println!("  with the fleet elsewhere (computed): {:.2} of the signing limit", alone / signed);
        }
    }
}

/// A queue is filled, then worked off.
async fn deliveries(signed: f64) -> Result<(), Failure> {
    let ((fleet, _inboxes, inboxes), folder) = (start_fleet().await?, tempfile::tempdir()?);
    let world = world(folder.path()).await?;
    // The first ones make connections and let the hosts prove themselves.
    for (posts, is_timed) in [(10, false), (DELIVERIES / inboxes.len(), true)] {
        for sender in 0..posts {
            let post = Post { sender, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &inboxes };
            world.post(&post).await?;
        }
        let rows = ready_rows(&world).await?;
        let (begun, before) = (Instant::now(), Use::now(&fleet));
        world.work();
        while ready_rows(&world).await? > 0 && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let took = begun.elapsed();
        let (rate, used) = (rows as f64 / took.as_secs_f64(), Use::now(&fleet).since(&before, took));
        world.rest().await;
        if is_timed {
            println!(
                "deliveries: {rate:.0}/s, sent and acknowledged; {:.2} of the signing limit (goal 0.70)",
                rate / signed
            );
            used.print(rate, signed);
        }
    }
    world.stop().await;
    Ok(())
}

/// One post for a thousand servers, and its rows acknowledged.
async fn enqueue() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let world = world(folder.path()).await?;
    let inboxes: Vec<String> = (0..1000).map(rows::nobody).collect();
    let (mut first, mut took) = (0.0, Vec::new());
    for sender in 0..=POSTS {
        let post = Post { sender, kind: ActivityKind::Create, order: OrderKey::NONE, inboxes: &inboxes };
        let ms = world.post(&post).await?.1.as_secs_f64() * 1000.0;
        // The first one makes the thousand destinations.
        if sender == 0 { first = ms } else { took.push(ms) }
    }
    let [p50, p99] = [percentile(&mut took, 0.5), percentile(&mut took, 0.99)];
    println!(
        "enqueue to 1,000 servers: p50 {p50:.1} ms, p99 {p99:.1} ms (goal 50), never seen before {first:.1} ms"
    );
    let (begun, mut acknowledged) = (Instant::now(), 0);
    while acknowledged < 40 * ACKS {
        let keys: Result<Vec<JobKey>, StoreError> = world
            .store
            .read(|tx| Ok(tx.scan(JOB, Scan::all().limit(ACKS))?.into_iter().map(|(key, _)| key).collect()))
            .await;
        let (fates, now): (Vec<_>, _) =
            (keys?.into_iter().map(|key| (key, Fate::Done)).collect(), world.clock.now());
        acknowledged += world.store.write(move |tx| settle(tx, now, &fates)).await?;
    }
    println!(
        "acknowledgements: {:.0}/s, {ACKS} in a commit",
        acknowledged as f64 / begun.elapsed().as_secs_f64()
    );
    world.stop().await;
    Ok(())
}

/// A process over an empty store, and one over many rows for dead servers.
async fn memory(rows: u64) -> Result<(), Failure> {
    let (idle, full) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let filler = Process::start("fill", full.path(), &[rows.to_string(), DEAD_HOSTS.to_string()])?;
    let filled = filler.wait_for("filled", PATIENCE).await?;
    drop(filler);
    let (_fleet, inboxes, _) = start_fleet().await?;
    let mut found = Vec::new();
    for folder in [idle.path(), full.path()] {
        std::fs::copy(inboxes.path().join("inboxes"), folder.join("inboxes"))?;
        let child = Process::start("hold", folder, &["20".into(), "20".into()])?;
        let rss_mib: f64 = child.wait_for("rss", PATIENCE).await?.parse()?;
        let number = |word: &str| child.said(word).first().and_then(|text| text.parse::<f64>().ok());
        found.push((rss_mib, number("opened").unwrap_or(0.0), number("first").unwrap_or(f64::NAN)));
    }
    let [(idle_mib, ..), (full_mib, opened_ms, first_ms)] = found[..] else { return Ok(()) };
    println!(
        "memory with {filled} rows for {DEAD_HOSTS} dead servers: {:.0} MiB over {idle_mib:.0} MiB idle (goal 192)",
        full_mib - idle_mib
    );
    println!(
        "boot with them: store open after {opened_ms:.0} ms, first delivery after {first_ms:.0} ms (goal 2000)"
    );
    Ok(())
}
