//! What a long queue costs: memory and the time to start with it, beside an
//! empty one: `cargo run --release --example queue_memory [ROWS [FOLDER]]`.
//!
//! The rows are for 5,000 servers that never answer. Each measurement is a
//! process of its own, so that what filled the queue is not counted. While it
//! runs, posts go to healthy servers, and what they wait is measured, too.
#![allow(clippy::disallowed_methods)] // It measures time.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use waxwing::app::system::{SystemChance, SystemClock};
use waxwing::base::{Clock, Id, IdGenerator, Moment};
use waxwing::domain::delivery::{Delivery, Targets, deliver, overview};
use waxwing::model::queue::{ActivityKind, Body, JobKind, OrderKey};
use waxwing::queue::{ATTEMPT_MAX, Attempt, FailureKind, Handlers, Outcome, Report, Worker};
use waxwing::store::{Store, StoreError};

const ROWS: usize = 1_000_000;
const DEAD: usize = 5000;
const HEALTHY: usize = 200;
const ROUND_TRIP: Duration = Duration::from_millis(120);
const SPAN: Duration = Duration::from_secs(30);
/// A post to this many healthy servers, and the pause between two.
const FOLLOWED: usize = 20;
const POST_EVERY: Duration = Duration::from_millis(200);

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["fill", path, rows] => fill(path.as_ref(), rows.parse()?).await,
        ["run", path] => run(path.as_ref()).await,
        [] => measure(ROWS, None),
        [rows] => measure(rows.parse()?, None),
        [rows, folder, ..] => measure(rows.parse()?, Some(folder.as_ref())),
    }
}

fn measure(rows: usize, folder: Option<&Path>) -> Result<(), Failure> {
    let folder = match folder {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let program = std::env::current_exe()?;
    println!(
        "{:>9} | {:>11} | {:>8} | {:>8} | {:>20}",
        "rows", "first start", "RSS", "peak", "healthy p50 / p99"
    );
    for rows in [0, rows] {
        let path = folder.path().join(format!("{rows}.redb"));
        let path = path.to_string_lossy().into_owned();
        for words in [vec!["fill", &path, &rows.to_string()], vec!["run", &path]] {
            let status = Command::new(&program).args(words).status()?;
            if !status.success() {
                return Err(format!("a measurement ended with {status}").into());
            }
        }
    }
    Ok(())
}

/// A moment with enough ids for one post.
fn moment(clock: &SystemClock, ids: &IdGenerator) -> Moment {
    let now = clock.now();
    Moment { now, ids: ids.reserve(now, 8) }
}

async fn post(store: &Store, moment: Moment, actor: Id, targets: Targets) -> Result<(), Failure> {
    let body = Body::new(vec![b'x'; 2048]).map_err(|error| error.to_string())?;
    let delivery =
        Delivery { actor, kind: ActivityKind::Create, order: OrderKey::of(actor), lane: None, body };
    let write = store.write(move |tx| {
        Ok::<_, StoreError>(deliver(tx, &mut moment.clone(), &delivery, &targets)?.is_some())
    });
    write.await?;
    Ok(())
}

async fn fill(path: &Path, rows: usize) -> Result<(), Failure> {
    let (store, clock, ids) = (Store::open_redb(path)?, SystemClock::start(), IdGenerator::new(0));
    for act in 0..rows.div_ceil(DEAD) {
        let mut targets = Targets::new();
        (0..DEAD).for_each(|host| targets.add(&format!("https://dead{host}.example/inbox"), None));
        post(&store, moment(&clock, &ids), Id(1 + act as u64), targets).await?;
    }
    store.close().await;
    Ok(())
}

async fn run(path: &Path) -> Result<(), Failure> {
    let began = Instant::now();
    let (store, clock) = (Store::open_redb(path)?, Arc::new(SystemClock::start()));
    let rows = store.read(overview).await.map_err(|error: StoreError| error)?;
    let (told, mut first) = mpsc::unbounded_channel();
    let waits: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let handlers = Handlers::new().on(JobKind::Deliver, {
        let (waits, clock) = (waits.clone(), clock.clone());
        move |attempt: Attempt| {
            let (told, waits, clock) = (told.clone(), waits.clone(), clock.clone());
            async move {
                // Nobody listens after the first one.
                let _ = told.send(());
                answer(&attempt, &waits, &clock).await
            }
        }
    });
    let stop = CancellationToken::new();
    let worker = Worker::new(store.clone(), handlers, clock.clone(), Arc::new(SystemChance));
    let task = tokio::spawn(worker.run(stop.clone()));
    let ids = IdGenerator::new(1);
    let until = Instant::now() + SPAN;
    let mut started = None;
    for number in 0.. {
        if Instant::now() >= until {
            break;
        }
        let mut targets = Targets::new();
        let host = |place: usize| (number * FOLLOWED + place) % HEALTHY;
        (0..FOLLOWED).for_each(|at| targets.add(&format!("https://well{}.example/inbox", host(at)), None));
        post(&store, moment(&clock, &ids), Id(1_000_000 + number as u64), targets).await?;
        if started.is_none() && first.try_recv().is_ok() {
            started = Some(began.elapsed());
        }
        let pause = if started.is_some() { POST_EVERY } else { Duration::from_millis(5) };
        tokio::time::sleep(pause).await;
    }
    let mut waits = waits.lock().expect("no attempt panicked").clone();
    waits.sort();
    let at = |share: f64| waits.get((waits.len() as f64 * share) as usize).copied().unwrap_or_default();
    println!(
        "{:>9} | {:>9} ms | {:>8} | {:>8} | {:>8} / {:>6} ms",
        rows.ready.iter().sum::<i64>(),
        started.unwrap_or_default().as_millis(),
        memory("VmRSS:"),
        memory("VmHWM:"),
        at(0.5).as_millis(),
        at(0.99).as_millis(),
    );
    stop.cancel();
    task.await?;
    store.close().await;
    Ok(())
}

/// Healthy servers answer; the dead never do.
async fn answer(attempt: &Attempt, waits: &Mutex<Vec<Duration>>, clock: &SystemClock) -> Report {
    if attempt.authority.starts_with("dead") {
        tokio::time::sleep(attempt.answer_within.min(ATTEMPT_MAX)).await;
        return Outcome::failed(FailureKind::Timeout, 0, "no answer in time").into();
    }
    tokio::time::sleep(ROUND_TRIP).await;
    let waited = clock.now().since(attempt.act.created_at);
    waits.lock().expect("no attempt panicked").push(waited);
    Outcome::Done.into()
}

fn memory(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap_or_default();
    format!("{} MiB", kib / 1024)
}
