//! What must be in time goes beside the lane: it waits for no conflict, and
//! is otherwise stored like anything else. And what one conflict holds up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use waxwing::base::{Clock, FixedChance, Timestamp};
use waxwing::cluster::{About, Member};
use waxwing::model::tables::NODE;
use waxwing::store::{Counter, Store, StoreError, Table};

use crate::home::{Fail, Home, open_postgres, read, write};
use crate::postgres_server;

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SUM: Counter<u64> = Counter::new("sum");
/// No test waits longer.
const WAIT: Duration = Duration::from_secs(60);

fn add(store: &Store, is_beside: bool) -> impl Future<Output = Result<(), Fail>> + use<> {
    let store = store.clone();
    let closure = |tx: &mut waxwing::store::WriteTx<'_>| {
        tx.add(SUM, &1, 1);
        Ok(())
    };
    async move { if is_beside { store.write_beside(closure).await } else { store.write(closure).await } }
}

pub async fn what_goes_beside_counts_like_anything_else(home: Home) {
    let store = home.open();
    let adding = (0..200).map(|n| tokio::spawn(add(&store, n % 2 == 0)));
    assert!(join_all(adding).await.into_iter().all(|added| added.unwrap().is_ok()));
    let seen = store.read_beside(|tx| Ok::<_, Fail>(tx.count(SUM, &1)?)).await.unwrap();
    assert_eq!(seen, 200);
    // What is under way at the end is still stored, and what comes later is refused.
    let last: Vec<_> = (0..20).map(|n| tokio::spawn(add(&store, n % 2 == 0))).collect();
    let stored = join_all(last).await.into_iter().filter(|added| added.as_ref().unwrap().is_ok()).count();
    store.close().await;
    for is_beside in [true, false] {
        let refused = add(&store, is_beside).await;
        assert!(matches!(refused, Err(Fail::Store(StoreError::Closed))), "{refused:?}");
    }
    if home.keeps() {
        assert_eq!(read(&home.open(), |tx| Ok(tx.count(SUM, &1)?)).await, 200 + stored as i64);
    }
}

/// A store whose lane has lost a conflict, and waits to be let go before it
/// tries again.
struct Held {
    store: Store,
    let_go: mpsc::Sender<()>,
    writing: tokio::task::JoinHandle<Result<(), Fail>>,
    runs: Arc<AtomicUsize>,
}

impl Held {
    async fn by_a_conflict(store: Store, url: &str) -> Held {
        let other = open_postgres(url);
        let (let_go, wait) = mpsc::channel::<()>();
        let (told, is_held) = oneshot::channel();
        let (mut told, runs) = (Some(told), Arc::<AtomicUsize>::default());
        let (lane, count, runtime) = (store.clone(), runs.clone(), tokio::runtime::Handle::current());
        let writing = tokio::spawn(async move {
            let conflicting = lane.write(move |tx| {
                let seen = tx.get(ROW, &1)?.unwrap_or_default();
                if count.fetch_add(1, Ordering::SeqCst) == 0 {
                    // Another node writes what was just read.
                    let meddling = write(&other, |tx| {
                        tx.put(ROW, &1, &vec![7]);
                        Ok(())
                    });
                    runtime.block_on(meddling);
                } else if let Some(told) = told.take() {
                    told.send(()).unwrap();
                    let _ = wait.recv_timeout(WAIT);
                }
                tx.put(ROW, &1, &[seen, vec![1]].concat());
                Ok(())
            });
            conflicting.await
        });
        tokio::time::timeout(WAIT, is_held).await.expect("a conflict makes it run again").unwrap();
        Held { store, let_go, writing, runs }
    }

    async fn let_go(self) {
        self.let_go.send(()).unwrap();
        self.writing.await.unwrap().unwrap();
        assert!(self.runs.load(Ordering::SeqCst) > 1);
        let row = read(&self.store, |tx| Ok(tx.get(ROW, &1)?)).await;
        assert_eq!(row, Some(vec![7, 1]), "nothing of the first run was stored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_beside_does_not_wait_for_a_conflict() {
    let url = postgres_server::empty();
    let held = Held::by_a_conflict(open_postgres(&url), &url).await;
    let written = tokio::time::timeout(WAIT / 2, add(&held.store, true)).await;
    written.expect("it does not wait for the lane").unwrap();
    let seen = held.store.read_beside(|tx| Ok::<_, Fail>(tx.count(SUM, &1)?)).await.unwrap();
    assert_eq!(seen, 1);
    held.let_go().await;
}

/// Two changes that come in one group, one of which another node spoils each
/// time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_always_conflicts_does_not_take_its_group_along() {
    let url = postgres_server::empty();
    let (store, other) = (open_postgres(&url), open_postgres(&url));
    let (let_go, held) = mpsc::channel::<()>();
    let (told, is_held) = oneshot::channel();
    let mut told = Some(told);
    let lane = store.clone();
    let holding = tokio::spawn(async move {
        let holding = lane.write(move |_| {
            told.take().map(|told| told.send(()));
            let _ = held.recv_timeout(WAIT);
            Ok::<_, Fail>(())
        });
        holding.await
    });
    tokio::time::timeout(WAIT, is_held).await.unwrap().unwrap();
    let runtime = tokio::runtime::Handle::current();
    let spoiled = store.write(move |tx| {
        let seen = tx.get(ROW, &1)?.unwrap_or_default();
        runtime.block_on(write(&other, |tx| {
            let more = [tx.get(ROW, &1)?.unwrap_or_default(), vec![1]].concat();
            tx.put(ROW, &1, &more);
            Ok(())
        }));
        tx.put(ROW, &1, &seen);
        Ok::<_, Fail>(())
    });
    let innocent = add(&store, false);
    let (spoiled, innocent, ()) = tokio::join!(biased; spoiled, innocent, async { let_go.send(()).unwrap() });
    assert!(matches!(spoiled, Err(Fail::Store(StoreError::Busy))), "{spoiled:?}");
    innocent.unwrap();
    holding.await.unwrap().unwrap();
    assert_eq!(read(&store, |tx| Ok(tx.count(SUM, &1)?)).await, 1);
}

/// Runs as time does.
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_764_000_000).plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signs_of_life_arrive_while_the_lane_loses_conflicts() {
    let url = postgres_server::empty();
    let (store, watcher) = (open_postgres(&url), open_postgres(&url));
    let about = About { address: "192.0.2.1:7443".into(), version: "1".into(), peers: Vec::new() };
    let (clock, chance) = (Arc::new(Running(Instant::now())), Arc::new(FixedChance::new(1)));
    let member = Member::join(store.clone(), clock, chance, about).await.unwrap();
    let (cluster, end) = (member.cluster(), CancellationToken::new());
    let beating = tokio::spawn(member.run(CancellationToken::new(), end.clone()));
    let held = Held::by_a_conflict(store, &url).await;
    let number = cluster.number();
    let beats = async || read(&watcher, move |tx| Ok(tx.get(NODE, &number)?.map_or(0, |row| row.beat))).await;
    let wanted = beats().await + 3;
    let lives = tokio::time::timeout(WAIT / 2, async {
        while beats().await < wanted {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    lives.await.expect("signs of life do not wait for the lane");
    assert!(cluster.may_act());
    assert!(!cluster.duty().borrow().mine.is_empty(), "nor does the share of the work");
    held.let_go().await;
    end.cancel();
    tokio::time::timeout(WAIT, beating).await.unwrap().unwrap();
}
