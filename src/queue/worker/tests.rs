use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::testing::{Bench, START};
use super::super::{Ask, Attempt, Desk, Handlers, Hurdle, Outcome, Report, Why, Worker};
use crate::base::{Chance, Id};
use crate::cluster::{Cluster, Duty};
use crate::domain::delivery::admin::{self, PurgePlace, Selection};
use crate::domain::delivery::{Overview, Task, enqueue, finish};
use crate::model::Mandate;
use crate::model::queue::tables::{ACT, DEFERRED};
use crate::model::queue::{
    ActivityKind, Breaker, DeadReason, DestinationId, Job, JobKind, Lane, OrderKey, Verb,
};
use crate::model::tables::MANDATE;
use crate::store::{Redb, Scan, Store, StoreError};

const PEER: &str = "https://peer.example/inbox";

/// A handler that reports each attempt and answers what `decide` says.
fn reporting(
    decide: impl Fn(&Attempt) -> Outcome + Clone + Send + Sync + 'static,
) -> (Handlers, mpsc::UnboundedReceiver<Attempt>) {
    let (tell, attempts) = mpsc::unbounded_channel();
    let handler = move |attempt: Attempt| {
        let (tell, decide) = (tell.clone(), decide.clone());
        async move {
            drop(tell.send(attempt.clone()));
            Report::from(decide(&attempt))
        }
    };
    (Handlers::new().on(JobKind::Deliver, handler.clone()).on(JobKind::FanOut, handler), attempts)
}

async fn next(attempts: &mut mpsc::UnboundedReceiver<Attempt>) -> Attempt {
    tokio::time::timeout(Duration::from_secs(20), attempts.recv()).await.expect("an attempt in time").unwrap()
}

fn peer(number: usize) -> Vec<String> {
    vec![format!("https://peer{number}.example/inbox")]
}

#[tokio::test]
async fn a_job_runs_when_it_is_committed_and_is_gone_when_done() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    let worker = bench.start(handlers);
    let act = bench.send(ActivityKind::Create, 1, "hello", &[PEER.into()]).await;
    let attempt = next(&mut attempts).await;
    assert_eq!((attempt.key.act, attempt.inbox.as_deref()), (act, Some(PEER)));
    assert_eq!(attempt.authority, "peer.example");
    assert_eq!(attempt.act.body.unpack().unwrap(), b"hello");
    worker.stop().await;
    assert_eq!(bench.overview().await, Default::default());
}

#[tokio::test]
async fn jobs_from_before_the_start_are_found() {
    let bench = Bench::new();
    for number in 0..40 {
        bench.send(ActivityKind::Create, 0, "x", &peer(number)).await;
    }
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    let worker = bench.start(handlers);
    for _ in 0..40 {
        next(&mut attempts).await;
    }
    worker.stop().await;
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn a_worker_killed_before_its_ack_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let bench = Bench::over(Store::new(Redb::open(&path).unwrap()));
    // The clock stands still, so outcomes wait to be written and never are.
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    let worker = bench.start(handlers);
    let act = bench.send(ActivityKind::Create, 1, "hello", &peer(1)).await;
    assert_eq!(next(&mut attempts).await.key.act, act);
    worker.kill().await;
    bench.store.clone().close().await;
    drop(bench);

    let bench = Bench::over(Store::new(Redb::open(&path).unwrap()));
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    let worker = bench.start(handlers);
    let again = next(&mut attempts).await;
    assert_eq!((again.key.act, again.act.body.unpack().unwrap()), (act, b"hello".to_vec()));
    worker.stop().await;
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn a_stop_lets_what_runs_end() {
    let bench = Bench::new();
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), end.clone());
    let handlers = Handlers::new().on(JobKind::Deliver, move |_: Attempt| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            tell.notify_one();
            wait.notified().await;
            Report::from(Outcome::Done)
        }
    });
    let worker = bench.start(handlers);
    bench.send(ActivityKind::Create, 1, "hello", &peer(1)).await;
    begun.notified().await;
    let stopped = tokio::spawn(worker.stop());
    tokio::task::yield_now().await;
    end.notify_one();
    stopped.await.unwrap();
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn a_job_that_panics_twice_is_poison_and_others_go_on() {
    let bench = Bench::new();
    let bad = bench.send(ActivityKind::Create, 0, "bad", &peer(1)).await;
    let (handlers, mut attempts) = reporting(move |attempt| {
        assert!(attempt.key.act != bad, "as the test wants");
        Outcome::Done
    });
    let worker = bench.start(handlers);
    assert_eq!(next(&mut attempts).await.key.act, bad);
    let good = bench.send(ActivityKind::Create, 0, "good", &peer(1)).await;
    assert_eq!(next(&mut attempts).await.key.act, good);
    bench.step_until(Duration::from_secs(10), async |bench| !bench.dead().await.is_empty()).await;
    worker.stop().await;
    assert_eq!(bench.dead().await[0].reason, DeadReason::Poison);
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn the_unsent_create_of_a_deleted_post_is_never_sent() {
    let bench = Bench::new();
    bench.send(ActivityKind::Create, 7, "create", &peer(1)).await;
    let delete = bench.send(ActivityKind::Delete, 7, "delete", &peer(1)).await;
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    let worker = bench.start(handlers);
    bench.step_until(Duration::from_secs(1), async |bench| bench.overview().await.ready[1] <= 1).await;
    assert_eq!(next(&mut attempts).await.key.act, delete);
    worker.stop().await;
    assert!(attempts.try_recv().is_err());
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn what_follows_a_failed_activity_waits_for_it_unless_it_became_pointless() {
    let bench = Bench::new();
    let create = bench.send(ActivityKind::Create, 7, "create", &peer(1)).await;
    let update = bench.send(ActivityKind::Update, 7, "update", &peer(1)).await;
    let (handlers, mut attempts) = reporting(|attempt| match attempt.attempts {
        0 if attempt.act.kind == ActivityKind::Create => Outcome::of_status(500, None),
        _ => Outcome::Done,
    });
    let worker = bench.start(handlers);
    assert_eq!(next(&mut attempts).await.key.act, create);
    bench.step(Duration::from_secs(1)).await;
    bench.step(Duration::from_secs(1)).await;
    assert!(attempts.try_recv().is_err(), "the update overtook the create");
    for _ in 0..10 {
        bench.step(Duration::from_secs(10)).await;
    }
    assert_eq!(next(&mut attempts).await.key.act, create);
    bench.step(Duration::from_secs(1)).await;
    assert_eq!(next(&mut attempts).await.key.act, update);

    // A failed create that was deleted meanwhile does not hold the delete.
    let create = bench.send(ActivityKind::Create, 8, "create", &peer(1)).await;
    assert_eq!(next(&mut attempts).await.key.act, create);
    bench.step(Duration::from_secs(1)).await;
    let delete = bench.send(ActivityKind::Delete, 8, "delete", &peer(1)).await;
    bench.step(Duration::from_secs(1)).await;
    assert_eq!(next(&mut attempts).await.key.act, delete);
    for _ in 0..10 {
        bench.step(Duration::from_secs(10)).await;
    }
    worker.stop().await;
    assert!(attempts.try_recv().is_err());
    assert_eq!(bench.overview().await, Default::default());
}

#[tokio::test]
async fn our_own_work_may_finish_itself_exactly_once() {
    let bench = Bench::new();
    let store = bench.store.clone();
    let (tell, mut done) = mpsc::unbounded_channel();
    let handlers = Handlers::new().on(JobKind::FanOut, move |attempt: Attempt| {
        let (store, tell) = (store.clone(), tell.clone());
        async move {
            let key = attempt.key;
            let first = store.write(move |tx| finish(tx, &key)).await.unwrap_or(false);
            tell.send(first).unwrap();
            Report::from(Outcome::Done)
        }
    });
    let worker = bench.start(handlers);
    let job = Job::FanOut { status: Id(9), verb: Verb::Create };
    bench
        .write(move |tx, moment| {
            enqueue(tx, moment, &Task::local(job.clone(), Id(1)).order(OrderKey::of(Id(9))))
        })
        .await;
    assert_eq!(done.recv().await, Some(true));
    worker.stop().await;
    assert_eq!(bench.overview().await, Default::default());
    let acts: Result<Vec<_>, StoreError> = bench.store.read(|tx| tx.scan(ACT, Scan::all())).await;
    assert!(acts.unwrap().is_empty());
}

#[tokio::test]
async fn a_kind_without_a_handler_waits_for_a_newer_program() {
    let bench = Bench::new();
    let worker = bench.start(Handlers::new());
    let job = Job::FetchThread { uri: "https://a.example/1".into(), is_news: false, climbed: 0 };
    bench
        .write(move |tx, moment| enqueue(tx, moment, &Task::local(job.clone(), Id::ZERO).lane(Lane::Bulk)))
        .await;
    // Outcomes are written at the stop.
    loop {
        bench.step(Duration::from_millis(100)).await;
        let deferred: Result<Vec<_>, StoreError> =
            bench.store.read(|tx| tx.scan(DEFERRED, Scan::all())).await;
        if let Some((key, _)) = deferred.unwrap().first() {
            assert!(key.due > START);
            break;
        }
    }
    worker.stop().await;
}

#[tokio::test]
async fn expired_jobs_of_an_unreachable_host_are_given_up() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::of_status(500, None));
    let worker = bench.start(handlers);
    for _ in 0..10 {
        bench.send(ActivityKind::Like, 0, "like", &peer(1)).await;
    }
    next(&mut attempts).await;
    bench.step_until(Duration::from_secs(1800), async |bench| bench.dead().await.len() == 10).await;
    worker.stop().await;
    let dead = bench.dead().await;
    assert_eq!(dead.len(), 10);
    assert!(dead.iter().all(|row| row.reason == DeadReason::Expired), "{dead:?}");
    assert!(bench.jobs().await.is_empty());
}

#[tokio::test]
async fn an_admin_pauses_a_destination_asks_why_and_lets_it_go_on() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    let first = bench.send(ActivityKind::Create, 0, "first", &peer(1)).await;
    let id = DestinationId(1);
    bench.write(move |tx, moment| admin::pause(tx, moment.now, id)).await;
    let worker = bench.start(handlers);
    bench.step(Duration::from_secs(1)).await;
    assert!(attempts.try_recv().is_err(), "sent to a destination that is paused");
    let key = bench.jobs().await[0];
    let why = worker.desk.explain(id, first, key.inbox).await.unwrap();
    assert_eq!(why, Why::Destination(Hurdle::Stopped));
    // As on a node whose queue does not send there: the store knows it.
    let elsewhere = Desk::new(bench.store.clone(), bench.clock.clone());
    assert_eq!(elsewhere.explain(id, first, key.inbox).await.unwrap(), why);
    let listed = worker.desk.list(&Ask { only_stopped: true, limit: 9, ..Ask::default() }).await.unwrap();
    assert_eq!((listed.total, listed.destinations[0].backlog.waiting()), (1, 1));

    bench.write(move |tx, _| admin::resume(tx, id)).await;
    assert_eq!(next(&mut attempts).await.key.act, first);
    bench.step_until(Duration::from_secs(1), async |bench| bench.jobs().await.is_empty()).await;
    let why = worker.desk.explain(id, first, key.inbox).await.unwrap();
    assert_eq!(why, Why::Nowhere);
    worker.stop().await;
}

#[tokio::test]
async fn what_an_admin_throws_away_is_not_sent() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::of_status(429, None));
    let worker = bench.start(handlers);
    // Two destinations, so that the body stays when one of them is purged.
    let both = [peer(1), peer(2)].concat();
    for _ in 0..3 {
        bench.send(ActivityKind::Create, 0, "x", &both).await;
    }
    next(&mut attempts).await;
    next(&mut attempts).await;
    bench.step(Duration::from_secs(1)).await;
    bench
        .write(|tx, moment| {
            let of_first = Selection { destination: Some(DestinationId(1)), ..Selection::default() };
            admin::purge(tx, moment.now, &of_first, PurgePlace::default(), 100)
        })
        .await;
    for _ in 0..10 {
        bench.step(Duration::from_secs(10)).await;
    }
    worker.stop().await;
    let mut sent = Vec::new();
    while let Ok(attempt) = attempts.try_recv() {
        sent.push(attempt.key.destination.0);
    }
    assert!(!sent.is_empty() && sent.iter().all(|destination| *destination == 2), "{sent:?}");
}

#[tokio::test]
async fn an_admin_reads_what_happened_and_probes() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::of_status(500, None));
    let worker = bench.start(handlers);
    for _ in 0..6 {
        bench.send(ActivityKind::Create, 0, "x", &peer(1)).await;
    }
    let id = DestinationId(1);
    bench
        .step_until(Duration::from_secs(1), async |bench| bench.destination(1).await.breaker == Breaker::Open)
        .await;
    let known = bench.store.read(move |tx| admin::known(tx, id)).await;
    let known = known.unwrap_or_else(|error: StoreError| panic!("{error}")).unwrap();
    assert_eq!(known.history.turns.last().unwrap().to, Breaker::Open);
    assert_eq!(known.history.mishaps.last().unwrap().words, "failed: answered 500");
    while attempts.try_recv().is_ok() {}
    bench.write(move |tx, _| admin::probe(tx, id)).await;
    next(&mut attempts).await;
    worker.stop().await;
}

/// Chance that breaks once when it is asked.
struct Tripwire(AtomicBool);

impl Chance for Tripwire {
    fn fill(&self, out: &mut [u8]) {
        assert!(self.0.swap(true, Ordering::Relaxed), "as the test wants");
        out.fill(7);
    }
}

#[tokio::test]
async fn an_owner_that_panics_starts_again_from_the_store() {
    let bench = Bench::in_real_time();
    let (handlers, mut attempts) = reporting(|_| Outcome::of_status(500, None));
    let act = bench.send(ActivityKind::Create, 0, "hello", &peer(1)).await;
    let chance = Arc::new(Tripwire(AtomicBool::new(false)));
    let worker = Worker::new(bench.store.clone(), handlers, bench.clock.clone(), chance);
    let (desk, stop) = (worker.desk.clone(), CancellationToken::new());
    let begun = bench.clock.monotonic();
    let task = tokio::spawn(worker.run(stop.clone()));
    assert_eq!(next(&mut attempts).await.key.act, act);
    // The outcome was lost with the owner, so the job is tried again.
    assert_eq!(next(&mut attempts).await.key.act, act);
    let took = bench.clock.monotonic() - begun;
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(desk.live().await.is_some(), "the desk is open again");
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn work_that_adds_much_waits_until_there_is_room() {
    let bench = Bench::new();
    let (tell, mut done) = mpsc::unbounded_channel();
    let handlers = Handlers::new().on(JobKind::ShareProfile, move |_: Attempt| {
        let tell = tell.clone();
        async move {
            tell.send(()).unwrap();
            Report::from(Outcome::Done)
        }
    });
    let is_full = Arc::new(AtomicBool::new(true));
    let disk = is_full.clone();
    let free_bytes = move || disk.load(Ordering::Relaxed).then_some(0);
    let worker = Worker { free_bytes: Arc::new(free_bytes), ..bench.worker(handlers) };
    worker.desk.judge(&Overview::default(), Some(0));
    let worker = Bench::run(worker);
    let job = Job::ShareProfile { account: Id(1) };
    bench.write(move |tx, moment| enqueue(tx, moment, &Task::local(job.clone(), Id(1)))).await;
    bench.step_until(Duration::from_millis(100), async |bench| bench.overview().await.deferred == 1).await;
    assert!(done.try_recv().is_err(), "it ran though there is no room");
    is_full.store(false, Ordering::Relaxed);
    worker.desk.judge(&Overview::default(), None);
    bench
        .step_until(Duration::from_secs(1), async |bench| bench.overview().await == Overview::default())
        .await;
    assert!(done.try_recv().is_ok());
    worker.stop().await;
}

fn part(boot: u64, mine: &[u16], leaving: &[u16]) -> Duty {
    let set = |shards: &[u16]| shards.iter().copied().collect();
    Duty { boot: Some(boot), mine: set(mine), leaving: set(leaving) }
}

async fn mandate(bench: &Bench, boot: u64, stands: bool) {
    bench
        .write(move |tx, _| {
            match stands {
                true => tx.put(MANDATE, &boot, &Mandate { node: 0 }),
                false => tx.delete(MANDATE, &boot),
            }
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn a_node_does_its_own_part_and_lets_go_of_it() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    mandate(&bench, 7, true).await;
    let cluster = Cluster::staged(part(7, &[1], &[]));
    let worker = Bench::run(Worker { cluster: cluster.clone(), ..bench.worker(handlers) });
    let both = [peer(1), peer(2)].concat();
    bench.send(ActivityKind::Create, 0, "x", &both).await;
    assert_eq!(next(&mut attempts).await.key.destination, DestinationId(1));
    bench.step_until(Duration::from_millis(100), async |bench| bench.jobs().await.len() == 1).await;
    assert!(attempts.try_recv().is_err(), "the other one is somebody else's");
    cluster.turn_to(part(7, &[1, 2], &[]));
    assert_eq!(next(&mut attempts).await.key.destination, DestinationId(2));
    bench.step_until(Duration::from_millis(100), async |bench| bench.jobs().await.is_empty()).await;
    cluster.turn_to(part(7, &[1], &[2]));
    let given_back = async |_: &Bench| cluster.given_back().has(2);
    bench.step_until(Duration::from_millis(100), given_back).await;
    assert!(!cluster.given_back().has(1));
    bench.send(ActivityKind::Create, 0, "x", &both).await;
    assert_eq!(next(&mut attempts).await.key.destination, DestinationId(1));
    bench.step(Duration::from_secs(1)).await;
    assert!(attempts.try_recv().is_err(), "it goes to another node");
    worker.stop().await;
}

#[tokio::test]
async fn what_a_node_writes_that_was_taken_for_dead_is_not_stored() {
    let bench = Bench::new();
    let (handlers, mut attempts) = reporting(|_| Outcome::Done);
    mandate(&bench, 7, true).await;
    let cluster = Cluster::staged(part(7, &[0, 1], &[]));
    let worker = Bench::run(Worker { cluster: cluster.clone(), ..bench.worker(handlers) });
    mandate(&bench, 7, false).await;
    bench.send(ActivityKind::Create, 0, "x", &peer(1)).await;
    next(&mut attempts).await;
    for _ in 0..5 {
        bench.step(Duration::from_secs(1)).await;
    }
    assert_eq!(bench.jobs().await.len(), 1, "whoever has it now sends it");
    // Under another name it begins from the store.
    mandate(&bench, 8, true).await;
    cluster.turn_to(part(8, &[0, 1], &[]));
    next(&mut attempts).await;
    bench.step_until(Duration::from_millis(100), async |bench| bench.jobs().await.is_empty()).await;
    worker.stop().await;
}

#[tokio::test]
async fn waiting_for_our_own_store_is_held_against_nobody() {
    let bench = Bench::new();
    let (begun, gate) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (begun.clone(), gate.clone());
    let handlers = Handlers::new().on(JobKind::Deliver, move |attempt: Attempt| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            if attempt.authority == "peer0.example" {
                tell.notify_one();
                wait.notified().await;
                return Report::from(Outcome::Done);
            }
            attempt.ours.set(true);
            std::future::pending().await
        }
    });
    let worker = Bench::run(Worker { slots: 8, ..bench.worker(handlers) });
    bench.send(ActivityKind::Create, 0, "x", &peer(0)).await;
    begun.notified().await;
    bench.step(Duration::from_millis(100)).await;
    gate.notify_one();
    // More than may run at once at hosts that are not known yet, so some wait.
    for number in 1..=6 {
        bench.send(ActivityKind::Create, 0, "x", &peer(number)).await;
    }
    let is_put_off = async |bench: &Bench| bench.overview().await.deferred > 0;
    bench.step_until(Duration::from_millis(500), is_put_off).await;
    for id in 1..=7 {
        assert_eq!(bench.destination(id).await.failures, 0, "{id}");
    }
    worker.kill().await;
}
