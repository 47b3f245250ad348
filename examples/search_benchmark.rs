//! How fast posts are indexed and found, and what it costs in memory:
//! `cargo run --release --example search_benchmark [POSTS]`.
#![allow(clippy::disallowed_methods)] // It measures time.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use waxwing::base::{Id, IdGenerator, ManualClock, Timestamp};
use waxwing::cluster::Cluster;
use waxwing::domain::search::Ask;
use waxwing::model::{Account, Status};
use waxwing::search::{Indexer, Place, Search, Wanted};
use waxwing::store::{Store, StoreError};

type Failure = Box<dyn Error + Send + Sync>;

const POSTS_DEFAULT: u64 = 100_000;
const WORDS: u64 = 20_000;
const AUTHORS: u64 = 500;
const WORDS_PER_POST: u64 = 30;
const SPAN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let posts = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(POSTS_DEFAULT);
    let folder = tempfile::tempdir()?;
    let store = Store::open_redb(folder.path().join("store.redb"))?;
    fill(&store, posts).await?;
    println!("{posts} posts of {WORDS_PER_POST} words; resident before: {} MB", resident_mb());

    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_764_000_000)));
    let search = Search::open(Place::Folder(folder.path().join("index")));
    let ids = Arc::new(IdGenerator::new(0));
    let cluster = Cluster::alone();
    let indexer = Indexer { search: search.clone(), store: store.clone(), clock, ids, cluster };
    println!("opened, idle: {} MB", resident_mb());
    let began = Instant::now();
    let entries = indexer.catch_up().await?;
    let took = began.elapsed();
    println!(
        "{:.0} posts indexed per second; resident after: {} MB",
        entries as f64 / took.as_secs_f64(),
        resident_mb()
    );
    println!("{} MB on disk", disk_mb(&folder.path().join("index"))?);

    let library: Vec<Id> = (0..15_000).map(|n| Id((1 << 40) + n * 3)).collect();
    for (name, question, library) in [
        ("a common word", "w1", &[][..]),
        ("a rare word", "w15000", &[]),
        ("two words", "w1 w2", &[]),
        ("a phrase", "\"w1 w2\"", &[]),
        ("a word of one author", "from:ana w3", &[]),
        ("a word, with 15,000 likes", "w1", &library[..]),
    ] {
        let wanted = Wanted {
            ask: Ask::parse(question),
            me: Id(1),
            library: library.to_vec(),
            authors: HashMap::from([("ana".to_owned(), Id(7))]),
            ..Wanted::default()
        };
        let (mut asked, mut found, began) = (0, 0, Instant::now());
        while began.elapsed() < SPAN {
            found = search.posts(wanted.clone(), 0, 100).await?.len();
            asked += 1;
        }
        println!(
            "{:>6.0} per second: {name} ({found} found)",
            f64::from(asked) / began.elapsed().as_secs_f64()
        );
    }
    println!("resident at the end: {} MB", resident_mb());
    Ok(())
}

/// Words as in a language: the first are everywhere.
fn word(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let unit = (*dice >> 11) as f64 / (1_u64 << 53) as f64;
    (WORDS as f64).powf(unit) as u64
}

async fn fill(store: &Store, posts: u64) -> Result<(), Failure> {
    let step = 2000;
    store
        .write(move |tx| {
            for id in 1..=AUTHORS {
                let account = Account {
                    id: Id(id),
                    username: format!("a{id}"),
                    is_indexable: true,
                    ..Account::default()
                };
                Account::save(tx, None, &account);
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    for first in (0..posts).step_by(step) {
        store
            .write(move |tx| {
                for n in first..(first + step as u64).min(posts) {
                    let mut dice = n;
                    let words: Vec<String> =
                        (0..WORDS_PER_POST).map(|_| format!("w{}", word(&mut dice))).collect();
                    let id = Id((1 << 40) + n);
                    let status = Status {
                        id,
                        account: Id(1 + n % AUTHORS),
                        uri: format!("https://a.example/{n}"),
                        content_html: format!("<p>{}</p>", words.join(" ")),
                        thread: id,
                        ..Status::default()
                    };
                    Status::save(tx, None, &status);
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    Ok(())
}

/// Of this process; 0 where the system does not tell.
fn resident_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn disk_mb(folder: &std::path::Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for file in std::fs::read_dir(folder)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes / 1_000_000)
}
