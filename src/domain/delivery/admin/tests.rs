use std::time::Duration;

use super::*;
use crate::base::{IdGenerator, Moment};
use crate::domain::delivery::{Delivery, Fate, Overview, Targets, deliver, overview, settle};
use crate::model::queue::tables::{ACT, DEAD};
use crate::model::queue::{ActivityKind, Body, DeadReason, OrderKey};
use crate::store::Store;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

struct Bench {
    store: Store,
    ids: IdGenerator,
}

impl Bench {
    fn new() -> Bench {
        Bench { store: Store::memory(), ids: IdGenerator::new(0) }
    }

    async fn write<T: Send + 'static>(
        &self,
        mut change: impl FnMut(&mut WriteTx<'_>, &mut Moment) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let moment = Moment { now: NOW, ids: self.ids.reserve(NOW, 8) };
        self.store.write(move |tx| change(tx, &mut moment.clone())).await.unwrap()
    }

    async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.read(look).await.unwrap()
    }

    /// A delivery by an account to `hosts` servers.
    async fn deliver(&self, actor: u64, hosts: u32) -> Id {
        self.write(move |tx, moment| {
            let mut targets = Targets::new();
            (1..=hosts).for_each(|host| targets.add(&format!("https://h{host}.example/inbox"), None));
            let body = Body::new(b"{}".to_vec()).expect("small");
            let order = OrderKey(actor);
            let delivery = Delivery { actor: Id(actor), kind: ActivityKind::Create, order, lane: None, body };
            Ok(deliver(tx, moment, &delivery, &targets)?.expect("has targets"))
        })
        .await
    }

    async fn ready(&self) -> Vec<(JobKey, JobRow)> {
        self.read(|tx| tx.scan(JOB, Scan::all())).await
    }

    async fn settle(&self, fates: Vec<(JobKey, Fate)>) {
        self.write(move |tx, moment| settle(tx, moment.now, &fates)).await;
    }

    async fn overview(&self) -> Overview {
        self.read(overview).await
    }

    /// Purges in small batches; gives how many went.
    async fn purge(&self, selection: Selection) -> usize {
        let (mut jobs, mut place) = (0, Some(PurgePlace::default()));
        while let Some(at) = place {
            let purged = self.write(move |tx, moment| purge(tx, moment.now, &selection, at, 3)).await;
            (jobs, place) = (jobs + purged.jobs, purged.next);
        }
        jobs
    }
}

#[tokio::test]
async fn what_the_admin_decides_is_kept_and_taken_back() {
    let bench = Bench::new();
    bench.deliver(1, 1).await;
    let id = DestinationId(1);
    let kept = || bench.read(move |tx| Ok(known(tx, id)?.unwrap().steering));
    assert!(bench.write(move |tx, _| pause(tx, NOW, id)).await);
    assert!(bench.write(move |tx, _| set_limits(tx, id, Some(1e9), Some(0))).await);
    let steering =
        Steering { stopped_at: Some(NOW), rate_max: Some(RATE_LIMITS.1), cap_max: Some(CAP_LIMITS.0) };
    assert_eq!(kept().await, steering);
    assert!(bench.write(move |tx, _| resume(tx, id)).await);
    assert_eq!(kept().await.stopped_at, None);
    bench.write(move |tx, _| set_limits(tx, id, Some(f32::NAN), None)).await;
    assert!(bench.read(|tx| tx.scan(STEERING, Scan::all())).await.is_empty());
    let unknown = DestinationId(99);
    assert!(!bench.write(move |tx, _| pause(tx, NOW, unknown)).await);
    assert!(!bench.write(move |tx, _| probe(tx, unknown)).await);
}

#[tokio::test]
async fn a_purge_takes_what_is_selected_and_nothing_else() {
    let bench = Bench::new();
    bench.deliver(1, 5).await;
    let act = bench.deliver(2, 5).await;
    let (key, row) = bench.ready().await.into_iter().find(|(key, _)| key.act == act).unwrap();
    let due = NOW.plus(Duration::from_secs(30));
    bench.settle(vec![(key, Fate::Defer { row: JobRow { attempts: 1, ..row }, due })]).await;

    assert_eq!(bench.purge(Selection { before: Some(NOW), ..Selection::default() }).await, 0);
    let of_second = Selection { sender: Some(Id(2)), ..Selection::default() };
    assert_eq!(bench.purge(of_second).await, 5);
    assert_eq!(bench.overview().await, Overview { ready: [0, 5, 0], ..Overview::default() });
    assert!(bench.read(move |tx| tx.get(ACT, &act)).await.is_none());
    let chain = (key.destination, OrderKey(2));
    assert!(bench.read(move |tx| tx.get(HELD, &chain)).await.is_none());

    let of_host = Selection { destination: Some(DestinationId(3)), ..Selection::default() };
    assert_eq!(bench.purge(of_host).await, 1);
    assert_eq!(bench.ready().await.len(), 4);
}

#[tokio::test]
async fn dead_letters_are_tried_again() {
    let bench = Bench::new();
    let act = bench.deliver(1, 4).await;
    let fates = bench.ready().await.into_iter().map(|(key, row)| {
        let is_gone = key.destination.0 == 4;
        let reason = if is_gone { DeadReason::Gone } else { DeadReason::Exhausted };
        let row = JobRow { attempts: 11, ..row };
        (key, Fate::Dead { row, reason, http_status: 500, error: "failed".into() })
    });
    bench.settle(fates.collect()).await;
    let exhausted = Letters { reason: Some(DeadReason::Exhausted), ..Letters::default() };
    let page = bench.read(move |tx| letters(tx, &exhausted, None, 2)).await;
    assert_eq!((page.letters.len(), page.next), (2, Some(page.letters[1].0)));
    let first = bench.write(move |tx, moment| replay(tx, moment.now, &exhausted, None, 2)).await;
    let rest = bench.write(move |tx, moment| replay(tx, moment.now, &exhausted, first.next, 9)).await;
    assert_eq!((first.jobs, rest.jobs, rest.next), (2, 1, None));
    let ready = bench.ready().await;
    assert!(ready.iter().all(|(key, row)| (key.lane, row.attempts) == (Lane::Bulk, 0)), "{ready:?}");
    assert_eq!(bench.overview().await, Overview { ready: [0, 0, 3], dead: 1, ..Overview::default() });

    // The body goes with the last of them.
    bench.settle(ready.into_iter().map(|(key, _)| (key, Fate::Done)).collect()).await;
    assert!(bench.read(move |tx| tx.get(ACT, &act)).await.is_some());
    bench.write(|tx, _| forget_letters(tx, &Letters::default(), None, 9)).await;
    assert!(bench.read(move |tx| tx.get(ACT, &act)).await.is_none());
    assert!(bench.read(|tx| tx.scan(DEAD, Scan::all())).await.is_empty());
    assert_eq!(bench.overview().await, Overview::default());
}

#[tokio::test]
async fn a_census_counts_every_row_by_its_destination() {
    let bench = Bench::new();
    bench.deliver(1, 3).await;
    bench.deliver(2, 2).await;
    let ready = bench.ready().await;
    let (key, row) = ready[0].clone();
    bench.settle(vec![(key, Fate::Defer { row, due: NOW })]).await;
    let (key, row) = ready[2].clone();
    let fate = Fate::Dead { row, reason: DeadReason::Refused, http_status: 403, error: String::new() };
    bench.settle(vec![(key, fate)]).await;
    let counts = bench
        .read(|tx| {
            let (mut counts, mut place) = (Census::new(), Some(CensusPlace::default()));
            while let Some(at) = place {
                place = census(tx, &mut counts, at, 2)?;
            }
            Ok(counts)
        })
        .await;
    let expected = Backlog {
        ready: [0, 1, 0],
        deferred: 1,
        dead: 0,
        oldest: Some(NOW),
        oldest_ready: [None, Some(NOW), None],
    };
    assert_eq!(counts[&DestinationId(1)], expected);
    assert_eq!(counts.values().map(Backlog::waiting).sum::<u64>(), 4);
    assert_eq!(counts[&key.destination].dead, 1);
}

#[tokio::test]
async fn a_job_is_found_wherever_it_is() {
    let bench = Bench::new();
    let act = bench.deliver(1, 1).await;
    let (key, row) = bench.ready().await.remove(0);
    let place = || bench.read(move |tx| find(tx, key.destination, act, key.inbox));
    assert_eq!(place().await, Whereabouts::Ready { key, row: row.clone(), waits: None });
    bench.settle(vec![(key, Fate::Defer { row, due: NOW })]).await;
    assert!(matches!(place().await, Whereabouts::Deferred(deferred) if deferred.due == NOW));
    let later = bench.deliver(1, 1).await;
    let behind = bench.read(move |tx| find(tx, key.destination, later, key.inbox)).await;
    assert!(matches!(behind, Whereabouts::Ready { waits: Some(first), .. } if first == act));
    bench.purge(Selection::default()).await;
    assert_eq!(place().await, Whereabouts::Nowhere);
}
