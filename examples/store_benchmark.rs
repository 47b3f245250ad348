//! How fast the stores are on this machine, in about twenty seconds:
//! `cargo run --release --example store_benchmark [FOLDER] [postgres://…]`.
//! The database must be one that may be filled with junk.
#![allow(clippy::disallowed_methods)] // It measures time.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waxwing::store::backend::{Backend, Batch, Snapshot};
use waxwing::store::{Postgres, Redb, Store, StoreError, Table};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SPAN: Duration = Duration::from_millis(1500);
const VALUE_BYTES: usize = 300;

/// The same engine, its reads handed to the pool of blocking threads.
struct Handed(Redb);

impl Backend for Handed {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.0.snapshot()
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        self.0.begin()
    }

    fn reads_wait(&self) -> bool {
        true
    }

    fn close(&self) {
        self.0.close();
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (urls, folders): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("postgres"));
    let folder = match folders.first() {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let path = folder.path().join("benchmark.redb");
    measure("redb", Store::open_redb(&path)?).await;
    for url in urls {
        measure("postgres", Store::new(Postgres::open(&url)?)).await;
    }
    println!("redb, its reads handed to other threads:");
    let store = Store::new(Handed(Redb::open(&path)?));
    for readers in [1, 16] {
        let rate = reads(store.clone(), readers).await;
        println!("{readers:>4} readers at once: {rate:>7.0} reads of 20 rows per second");
    }
    store.close().await;
    Ok(())
}

async fn measure(engine: &str, store: Store) {
    println!("{engine}:");
    for writers in [1, 2, 8, 64, 256] {
        let rate = writes(store.clone(), writers).await;
        println!("{writers:>4} writers at once: {rate:>7.0} durable writes per second");
    }
    for readers in [1, 16] {
        let rate = reads(store.clone(), readers).await;
        println!("{readers:>4} readers at once: {rate:>7.0} reads of 20 rows per second");
    }
    store.close().await;
}

/// Each writer waits for its row to be durable before it writes the next.
async fn writes(store: Store, writers: usize) -> f64 {
    let next = Arc::new(AtomicU64::new((writers as u64) << 32));
    let begun = Instant::now();
    let done = together(writers, move || {
        let (store, next) = (store.clone(), next.clone());
        async move {
            let key = next.fetch_add(1, Ordering::Relaxed);
            let value = vec![key as u8; VALUE_BYTES];
            store
                .write(move |tx| {
                    tx.put(ROW, &key, &value);
                    Ok::<_, StoreError>(())
                })
                .await
        }
    })
    .await;
    done as f64 / begun.elapsed().as_secs_f64()
}

async fn reads(store: Store, readers: usize) -> f64 {
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let done = together(readers, move || {
        let (store, next) = (store.clone(), next.clone());
        async move {
            let first = next.fetch_add(7919, Ordering::Relaxed) % 400;
            let keys: Vec<u64> = (first..first + 20).map(|n| (64 << 32) + n).collect();
            store.read(move |tx| Ok::<_, StoreError>(tx.get_many(ROW, &keys)?.len())).await.map(drop)
        }
    })
    .await;
    done as f64 / begun.elapsed().as_secs_f64()
}

/// Does a thing over and over on so many tasks; gives how often it was done.
async fn together<F, R>(tasks: usize, make: F) -> u64
where
    F: Fn() -> R + Clone + Send + 'static,
    R: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let begun = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let make = make.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while begun.elapsed() < SPAN {
                    make().await.expect("a healthy store");
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.expect("a task that does not panic");
    }
    done
}
