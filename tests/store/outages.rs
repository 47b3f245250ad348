//! A database that dies, stops and comes back, and connections that break at
//! any byte: whatever was acknowledged is there, and nothing is there twice.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use waxwing::store::{Counter, Scan, Store, Table, WriteTx};

use crate::home::{Fail, open_postgres, read};
use crate::postgres_server::{self, Server};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SUM: Counter<()> = Counter::new("sum");
/// No test waits longer for the database to come back.
const BACK_WAIT: Duration = Duration::from_secs(120);

async fn put(store: &Store, key: u64) -> Result<(), Fail> {
    put_over(store, key, false).await
}

async fn put_over(store: &Store, key: u64, is_beside: bool) -> Result<(), Fail> {
    let closure = move |tx: &mut WriteTx<'_>| {
        if tx.get(ROW, &key)?.is_some() {
            return Err(Fail::Refused);
        }
        tx.put(ROW, &key, &vec![key as u8; 100]);
        tx.add(SUM, &(), 1);
        Ok(())
    };
    if is_beside { store.write_beside(closure).await } else { store.write(closure).await }
}

/// Every acknowledged row is there, and each row was counted once.
async fn inspect(store: &Store, acknowledged: &BTreeSet<u64>, context: &str) {
    let (rows, sum) = read(store, |tx| Ok((tx.scan(ROW, Scan::all())?, tx.count(SUM, &())?))).await;
    assert_eq!(rows.len() as i64, sum, "{context}: a change was made twice, or half");
    let there: BTreeSet<u64> = rows.into_iter().map(|(key, _)| key).collect();
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{context}: acknowledged and lost: {lost:?}");
}

/// How a connection breaks.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// What was under way never arrives.
    Before,
    /// It arrives, and then nothing any more.
    After,
}

/// Passes bytes on between stores and the server; breaks one connection.
struct Between {
    folder: tempfile::TempDir,
    left: Arc<AtomicI64>,
}

impl Between {
    fn start(server: &Server, cut: Cut) -> Between {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let left = Arc::new(AtomicI64::new(0));
        let (fuse, socket) = (left.clone(), server.socket());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (fuse, socket) = (fuse.clone(), socket.clone());
                tokio::spawn(async move {
                    let Ok(server) = UnixStream::connect(socket).await else { return };
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    // The first that ends ends the other.
                    tokio::select! {
                        () = pass(from_client, to_server, &fuse, cut) => {}
                        () = pass(from_server, to_client, &fuse, cut) => {}
                    }
                });
            }
        });
        Between { folder, left }
    }

    /// The same place in the server, by this way.
    fn url(&self, url: &str) -> String {
        let (before, rest) = url.split_once("host=").unwrap();
        let (_, after) = rest.split_once('&').unwrap();
        format!("{before}host={}&{after}", self.folder.path().display())
    }
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, fuse: &AtomicI64, cut: Cut) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let breaks = fuse.fetch_sub(1, Ordering::SeqCst) == 1;
        if breaks && matches!(cut, Cut::Before) {
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() || breaks {
            return;
        }
    }
}

/// Every chunk of bytes in either direction is once the last of its
/// connection, that of each COMMIT and of its answer among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_anywhere_loses_nothing_and_doubles_nothing() {
    for cut in [Cut::Before, Cut::After] {
        for nth in 1.. {
            assert!(nth < 1000, "this never ends");
            let context = format!("{cut:?} chunk {nth}");
            let url = postgres_server::empty();
            let between = Between::start(postgres_server::shared(), cut);
            let store = open_postgres(&between.url(&url));
            put(&store, 1).await.unwrap();
            between.left.store(nth, Ordering::SeqCst);
            let mut acknowledged = BTreeSet::from([1]);
            // The last one beside the lane.
            for keys in [vec![2], vec![3, 4, 5], vec![6], vec![7]] {
                let putting = keys.iter().map(|key| put_over(&store, *key, *key == 7));
                for (key, outcome) in keys.iter().zip(join_all(putting).await) {
                    outcome.unwrap_or_else(|error| panic!("{context}: {error:?}"));
                    acknowledged.insert(*key);
                }
                let rows = store.read(|tx| Ok::<_, Fail>(tx.scan(ROW, Scan::all())?.len())).await;
                assert_eq!(rows.unwrap_or(acknowledged.len()), acknowledged.len(), "{context}");
            }
            let ended = between.left.swap(0, Ordering::SeqCst) > 0;
            inspect(&store, &acknowledged, &context).await;
            drop(store);
            if ended {
                assert!(nth > 10, "too few chunks were counted");
                break;
            }
        }
    }
}

/// Writers that go on until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<(BTreeSet<u64>, Vec<String>)>>,
}

impl Load {
    fn start(store: &Store) -> Load {
        const WRITERS: u64 = 4;
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..WRITERS)
            .map(|first| {
                let (store, stop, done) = (store.clone(), stop.clone(), done.clone());
                tokio::spawn(async move {
                    let (mut acknowledged, mut failures) = (BTreeSet::new(), Vec::new());
                    let mut key = first;
                    while !stop.load(Ordering::SeqCst) {
                        match put(&store, key).await {
                            Ok(()) => {
                                acknowledged.insert(key);
                                done.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(error) => failures.push(format!("{error:?}")),
                        }
                        key += WRITERS;
                    }
                    (acknowledged, failures)
                })
            })
            .collect();
        Load { stop, done, tasks }
    }

    /// Waits until so many more are written.
    async fn more(&self, count: usize) {
        let wanted = self.done.load(Ordering::SeqCst) + count;
        let written = tokio::time::timeout(BACK_WAIT, async {
            while self.done.load(Ordering::SeqCst) < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        written.await.expect("the writers go on");
    }

    async fn stop(self) -> (BTreeSet<u64>, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let (mut acknowledged, mut failures) = (BTreeSet::new(), Vec::new());
        for task in self.tasks {
            let (more, failed) = task.await.unwrap();
            acknowledged.extend(more);
            failures.extend(failed);
        }
        (acknowledged, failures)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_and_comes_back_keeps_what_was_acknowledged() {
    let mut server = Server::start(&[]);
    let url = server.empty();
    let store = open_postgres(&url);
    let load = Load::start(&store);
    for round in 0..4 {
        load.more(30 + round * 17).await;
        server = tokio::task::spawn_blocking(move || {
            if round % 2 == 0 {
                server.kill()
            } else {
                server.stop()
            }
            server.begin();
            server
        })
        .await
        .unwrap();
    }
    load.more(50).await;
    let (acknowledged, failures) = load.stop().await;
    println!("{} acknowledged, failed: {failures:?}", acknowledged.len());
    inspect(&store, &acknowledged, "the same store").await;
    store.close().await;
    inspect(&open_postgres(&url), &acknowledged, "another store").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_holds_writers_up_and_loses_nothing() {
    let server = Server::start(&[]);
    let url = server.empty();
    let store = open_postgres(&url);
    let load = Load::start(&store);
    // Shorter than anyone gives up, and longer than an answer is waited for.
    for pause_s in [1, 13] {
        load.more(30).await;
        server.pause();
        tokio::time::sleep(Duration::from_secs(pause_s)).await;
        server.go_on();
    }
    load.more(30).await;
    let (acknowledged, failures) = load.stop().await;
    println!("{} acknowledged, failed: {failures:?}", acknowledged.len());
    inspect(&store, &acknowledged, "the same store").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stays_away_is_named_and_does_not_hold_the_stop_up() {
    let mut server = Server::start(&[]);
    let store = open_postgres(&server.empty());
    put(&store, 1).await.unwrap();
    server.stop();
    let waiting = (2..200).map(|key| {
        let store = store.clone();
        tokio::spawn(async move { put(&store, key).await })
    });
    let outcomes = tokio::time::timeout(BACK_WAIT, join_all(waiting)).await.expect("writers are answered");
    for outcome in outcomes {
        let Err(Fail::Store(error)) = outcome.unwrap() else { panic!("a write went nowhere") };
        assert!(error.to_string().contains("is it running"), "{error}");
    }
    tokio::time::timeout(BACK_WAIT, store.close()).await.expect("the store closes");
}
