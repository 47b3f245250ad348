//! `kill -9` at random moments, the first start included.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};

use tokio_postgres::NoTls;
use waxwing::store::Scan;

use crate::child::{self, LEFT, RIGHT, SUM, Writer};
use crate::home::read;
use crate::postgres_server::{self, Server};

const KILLS: u64 = 20;

/// A small generator, so that a seed tells the whole story.
fn next(state: &mut u64) -> u64 {
    // xorshift64
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[tokio::test]
async fn every_acknowledged_write_to_a_file_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    every_acknowledged_write_survives(folder.path().as_os_str(), || {}).await;
}

#[tokio::test]
async fn every_acknowledged_write_to_a_database_survives_kill_9() {
    let place = postgres_server::empty();
    let until_ended = || postgres_server::shared().wait_until_left(&place);
    every_acknowledged_write_survives(place.as_ref(), until_ended).await;
}

/// `until_ended` waits until nothing is done any more for a dead child: a
/// database may store its last batch a moment after it.
async fn every_acknowledged_write_survives(place: &OsStr, until_ended: impl Fn()) {
    let mut seed = match std::env::var("WAXWING_TEST_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().hash_one("seed") | 1,
    };
    println!("WAXWING_TEST_SEED={seed}");
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let mut writer = Writer::start(child::command(place));
        // Some die while they start, most while they write.
        let wanted = if round < 4 { 0 } else { next(&mut seed) % 400 };
        for _ in 0..wanted {
            let key =
                writer.next("ack ").unwrap_or_else(|| panic!("round {round}: the child ended by itself"));
            acknowledged.insert(key.parse::<u64>().unwrap());
        }
        // Anywhere within a commit.
        (0..next(&mut seed) % 3_000_000).for_each(|n| {
            std::hint::black_box(n);
        });
        acknowledged.extend(writer.kill());
        inspect(place, &acknowledged, &format!("round {round}, just killed")).await;
        // The next child counts on from the last row; a row that came after it
        // had looked would be written, and counted, twice.
        until_ended();
        inspect(place, &acknowledged, &format!("round {round}")).await;
    }
    assert!(acknowledged.len() > 100, "the children hardly wrote: {}", acknowledged.len());
}

#[tokio::test]
async fn a_batch_that_outlives_its_process_is_stored_whole() {
    let place = postgres_server::empty();
    let mut writer = Writer::start(child::command(&place));
    let mut acknowledged = BTreeSet::new();
    for _ in 0..20 {
        acknowledged.insert(writer.next("ack ").unwrap().parse::<u64>().unwrap());
    }
    let (other, connection) = tokio_postgres::connect(&place, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    // It may still be read, so the batch stops between its first table and this one.
    other.batch_execute("begin; lock table waxwing_t_right in exclusive mode").await.unwrap();
    let waits = "select from pg_locks where not granted and relation = 'waxwing_t_right'::regclass";
    let mut looks = 0..100_000;
    while other.query(waits, &[]).await.unwrap().is_empty() {
        assert!(looks.next().is_some(), "no batch came to the table");
    }
    acknowledged.extend(writer.kill());
    let before = inspect(place.as_ref(), &acknowledged, "while its batch is held up").await;
    other.batch_execute("commit").await.unwrap();
    drop(other);
    connection.await.unwrap().unwrap();
    postgres_server::shared().wait_until_left(&place);
    let after = inspect(place.as_ref(), &acknowledged, "afterwards").await;
    println!("{before} rows when it was dead, {after} in the end");
}

/// Every commit waits for a copy of this name, once it has been written; until
/// the name is empty.
fn hold_commits(server: &Server, copy: &str) {
    server.sql(&format!("alter system set synchronous_standby_names = '{copy}'"));
    server.sql("select pg_reload_conf()");
    let waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    let expected = if copy.is_empty() { "0" } else { "1" };
    let mut looks = 0..1000;
    while server.sql(waiting) != expected {
        assert!(looks.next().is_some(), "commits are not held up");
    }
}

#[tokio::test]
async fn a_commit_that_ends_after_its_process_is_stored_whole() {
    let server = Server::start(&[]);
    let place = server.empty();
    let mut writer = Writer::start(child::command(&place));
    let mut acknowledged = BTreeSet::new();
    for _ in 0..20 {
        acknowledged.insert(writer.next("ack ").unwrap().parse::<u64>().unwrap());
    }
    hold_commits(&server, "absent");
    acknowledged.extend(writer.kill());
    let before = inspect(place.as_ref(), &acknowledged, "while its commit is held up").await;
    hold_commits(&server, "");
    server.wait_until_left(&place);
    let after = inspect(place.as_ref(), &acknowledged, "afterwards").await;
    assert!(after > before, "nothing was held up");
}

/// All rows, each whole and counted once; gives how many there are.
async fn inspect(place: &OsStr, acknowledged: &BTreeSet<u64>, when: &str) -> usize {
    let store = child::open(place);
    let many = || Scan::all().limit(usize::MAX);
    let (left, right, sum) = read(&store, move |tx| {
        Ok((tx.scan(LEFT, many())?, tx.scan(RIGHT, Scan::all().limit(usize::MAX))?, tx.count(SUM, &())?))
    })
    .await;
    assert_eq!(left.len(), right.len(), "{when}: a row in one table and not in the other");
    assert_eq!(left.len() as i64, sum, "{when}: rows that were not counted, or counted twice");
    for ((key, value), (pointer_key, pointer)) in left.iter().zip(&right) {
        assert_eq!((*key, *key), (*pointer_key, pointer.0), "{when}");
        assert!(value.len() == (key % 2000) as usize && value.iter().all(|byte| *byte == *key as u8));
    }
    let there: BTreeSet<u64> = left.iter().map(|(key, _)| *key).collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{when}: acknowledged and lost: {lost:?}");
    there.len()
}
