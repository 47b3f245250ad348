//! The embedded store alone: durable writes and reads a second, so that it
//! can be told how much of a server's limit is the disk's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Problem, ProblemKind};
use crate::bench::load::Tools;
use crate::bench::report::data::{Figure, Measured, Round};
use crate::bench::tally::{Done, Kind, Tally};
use crate::store::{Redb, Store, StoreError, Table};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const VALUE_BYTES: usize = 300;
/// Rows of one read: those of a page of a timeline.
const PAGE: u64 = 20;
/// How the figures are called; behind them stands how many are at it.
pub const WRITES: &str = "durable writes";
/// See [`WRITES`].
pub const READS: &str = "reads of 20 rows";
/// Who writes at once, and who reads. The last row is the scenario's own figure.
const WRITERS: [usize; 3] = [1, 8, 64];
const READERS: [usize; 2] = [1, 16];
pub(super) const KINDS: &[Kind] = &[Kind::main("write")];

/// Measures a store of its own in a folder. All parts together take the span.
///
/// # Errors
/// What the store says.
pub async fn measure(folder: &Path, tools: &Tools, span: Duration) -> Result<Measured, Problem> {
    let engine = Redb::open(folder.join("raw.redb")).map_err(failed)?;
    let store = Store::with_clock(engine, tools.clock.clone());
    let each = span / (WRITERS.len() + READERS.len()) as u32;
    let mut measured = Measured { scenario: "store".into(), ..Measured::default() };
    for writers in WRITERS {
        let round = writes(&store, &tools.clock, writers, each).await?;
        measured.figures.push(Figure {
            name: format!("{WRITES} {}", by(writers)),
            value: round.rate_per_s,
            unit: "/s".into(),
        });
        measured.rounds = vec![round];
    }
    for readers in READERS {
        let value = reads(&store, &tools.clock, readers, each).await?;
        let name = format!("{READS} {}", by(readers));
        measured.figures.push(Figure { name, value, unit: "/s".into() });
    }
    store.close().await;
    let most = WRITERS[WRITERS.len() - 1];
    measured
        .notes
        .push(format!("rate and latency are those of {most} writers at once, each waiting for its row"));
    Ok(measured)
}

async fn writes(
    store: &Store,
    clock: &Arc<dyn Clock>,
    writers: usize,
    span: Duration,
) -> Result<Round, Problem> {
    let begin = clock.monotonic();
    let end = begin + span;
    let tally = Arc::new(Mutex::new(Tally::new(KINDS, begin, end)));
    let next = Arc::new(AtomicU64::new((writers as u64) << 32));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..writers {
        let (store, clock, next, tally) = (store.clone(), clock.clone(), next.clone(), tally.clone());
        tasks.spawn(async move {
            while clock.monotonic() < end {
                let due = clock.monotonic();
                let key = next.fetch_add(1, Ordering::Relaxed);
                let value = vec![key as u8; VALUE_BYTES];
                store
                    .write(move |tx| {
                        tx.put(ROW, &key, &value);
                        Ok::<_, StoreError>(())
                    })
                    .await?;
                let ended = clock.monotonic();
                tally.lock().note(&Done { kind: 0, due, sent: due, ended, outcome: Ok(()) });
            }
            Ok::<_, StoreError>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(Problem::internal)?.map_err(failed)?;
    }
    let round = tally.lock().round();
    Ok(round)
}

/// Reads a second.
async fn reads(
    store: &Store,
    clock: &Arc<dyn Clock>,
    readers: usize,
    span: Duration,
) -> Result<f64, Problem> {
    let begin = clock.monotonic();
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..readers {
        let (store, clock, next) = (store.clone(), clock.clone(), next.clone());
        tasks.spawn(async move {
            let mut done = 0u64;
            while clock.monotonic() < begin + span {
                let first = next.fetch_add(7919, Ordering::Relaxed) % 400;
                let keys: Vec<u64> = (first..first + PAGE).map(|n| (64 << 32) + n).collect();
                store.read(move |tx| Ok::<_, StoreError>(tx.get_many(ROW, &keys)?.len())).await?;
                done += 1;
                // A read does not wait, so the others get their turn here.
                tokio::task::yield_now().await;
            }
            Ok::<_, StoreError>(done)
        });
    }
    let mut all = 0;
    while let Some(done) = tasks.join_next().await {
        all += done.map_err(Problem::internal)?.map_err(failed)?;
    }
    Ok(all as f64 / clock.monotonic().saturating_sub(begin).as_secs_f64())
}

fn by(count: usize) -> String {
    if count == 1 { "by one".to_owned() } else { format!("by {count} at once") }
}

fn failed(error: StoreError) -> Problem {
    Problem::new(ProblemKind::Unavailable, format!("the store cannot be measured: {error}"))
}
