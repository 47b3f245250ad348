use std::time::Duration;

use super::*;
use crate::base::IdGenerator;
use crate::model::queue::tables::{ACT_ROWS, DEAD, DEFERRED, HELD, LOGGED};
use crate::model::queue::{Breaker, DeadReason, DeferKey, Destination};
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

    async fn deliver(&self, kind: ActivityKind, order: u64, inboxes: &'static [&'static str]) -> Id {
        self.write(move |tx, moment| {
            let (delivery, targets) = activity(kind, order, inboxes);
            Ok(deliver(tx, moment, &delivery, &targets)?.expect("has targets"))
        })
        .await
    }

    async fn post(&self, status: Id, inboxes: &'static [&'static str]) -> Id {
        self.write(move |tx, moment| {
            let (delivery, targets) = activity(ActivityKind::Create, OrderKey::of(status).0, inboxes);
            Ok(deliver_post(tx, moment, status, &delivery, &targets)?.expect("has targets"))
        })
        .await
    }

    async fn jobs(&self) -> Vec<(JobKey, JobRow)> {
        self.store.read(|tx| tx.scan(JOB, Scan::all())).await.unwrap()
    }

    async fn act(&self, id: Id) -> Option<Act> {
        self.store.read(move |tx| tx.get(ACT, &id)).await.unwrap()
    }

    async fn settle(&self, fates: Vec<(JobKey, Fate)>) -> usize {
        self.write(move |tx, moment| settle(tx, moment.now, &fates)).await
    }

    async fn overview(&self) -> Overview {
        self.store.read(overview).await.unwrap()
    }
}

fn activity(kind: ActivityKind, order: u64, inboxes: &[&str]) -> (Delivery, Targets) {
    let mut targets = Targets::new();
    inboxes.iter().for_each(|inbox| targets.add(inbox, None));
    let body = Body::new(b"{}".to_vec()).expect("small");
    (Delivery { actor: Id(1), kind, order: OrderKey(order), lane: None, body }, targets)
}

#[test]
fn recipients_of_one_server_share_a_delivery() {
    let mut targets = Targets::new();
    targets.add("https://a.example/u/1/inbox", Some("https://a.example/inbox"));
    targets.add("https://a.example/u/2/inbox", Some("https://a.example/inbox"));
    targets.add("https://b.example/u/3/inbox", None);
    targets.add("", None);
    assert_eq!(targets.len(), 2);
}

#[test]
fn only_web_addresses_have_an_authority() {
    assert_eq!(authority_of("https://A.Example/inbox").as_deref(), Some("a.example"));
    assert_eq!(authority_of("https://a.example:443/inbox").as_deref(), Some("a.example"));
    assert_eq!(authority_of("http://127.0.0.1:8080/inbox").as_deref(), Some("127.0.0.1:8080"));
    for bad in ["", "inbox", "ftp://a.example/", "at://did:plc:x", "https://"] {
        assert_eq!(authority_of(bad), None, "{bad}");
    }
}

#[tokio::test]
async fn one_row_for_each_inbox_and_one_body() {
    let bench = Bench::new();
    let act = bench
        .deliver(
            ActivityKind::Create,
            7,
            &["https://a.example/1", "https://a.example/2", "https://b.example/", "?"],
        )
        .await;
    let jobs = bench.jobs().await;
    assert_eq!(jobs.len(), 3);
    assert!(jobs.iter().all(|(key, _)| key.act == act && key.lane == Lane::Fresh));
    let hosts: BTreeSet<_> = jobs.iter().map(|(key, _)| key.destination).collect();
    assert_eq!(hosts.len(), 2);
    assert_eq!(bench.overview().await.ready, [0, 3, 0]);

    // The same inboxes keep their numbers.
    bench.deliver(ActivityKind::Create, 8, &["https://b.example/"]).await;
    let again = bench.jobs().await;
    assert!(hosts.contains(&again.last().unwrap().0.destination));
}

#[tokio::test]
async fn the_body_goes_when_its_last_row_goes() {
    let bench = Bench::new();
    let act = bench.deliver(ActivityKind::Create, 7, &["https://a.example/", "https://b.example/"]).await;
    let jobs = bench.jobs().await;
    assert_eq!(bench.settle(vec![(jobs[0].0, Fate::Done)]).await, 1);
    assert!(bench.act(act).await.is_some());
    assert_eq!(bench.settle(vec![(jobs[1].0, Fate::Done)]).await, 1);
    assert!(bench.act(act).await.is_none());
    let left = bench
        .store
        .read(move |tx| tx.count(ACT_ROWS, &act))
        .await
        .unwrap_or_else(|e: StoreError| panic!("{e}"));
    assert_eq!(left, 0);
    let chain = bench
        .store
        .read(|tx| tx.scan(ACT_BY_ORDER, Scan::all()))
        .await
        .unwrap_or_else(|e: StoreError| panic!("{e}"));
    assert!(chain.is_empty());
    assert_eq!(bench.overview().await, Overview::default());
}

#[tokio::test]
async fn a_finished_job_is_not_finished_again() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::Create, 7, &["https://a.example/"]).await;
    let key = bench.jobs().await[0].0;
    assert!(bench.write(move |tx, _| finish(tx, &key)).await);
    assert!(!bench.write(move |tx, _| finish(tx, &key)).await);
    assert_eq!(bench.overview().await, Overview::default());
}

#[tokio::test]
async fn a_delete_makes_the_unsent_create_pointless() {
    let bench = Bench::new();
    let create = bench.deliver(ActivityKind::Create, 7, &["https://a.example/"]).await;
    let other = bench.deliver(ActivityKind::Create, 8, &["https://a.example/"]).await;
    bench.deliver(ActivityKind::Delete, 7, &["https://a.example/"]).await;
    assert!(bench.act(create).await.unwrap().is_superseded);
    assert!(!bench.act(other).await.unwrap().is_superseded);
}

#[tokio::test]
async fn a_delete_that_is_sent_does_not_undo_our_own_work() {
    let bench = Bench::new();
    let job = Job::FanOut { status: Id(5), verb: crate::model::queue::Verb::Create };
    let task = Task::local(job, Id(1)).lane(Lane::Bulk).order(OrderKey(7));
    let work = bench.write(move |tx, moment| enqueue(tx, moment, &task)).await;
    bench.deliver(ActivityKind::Delete, 7, &["https://a.example/"]).await;
    assert!(!bench.act(work).await.unwrap().is_superseded);
    assert!(bench.jobs().await.iter().any(|(key, _)| key.lane == Lane::Fresh));
}

#[tokio::test]
async fn what_follows_an_act_does_not_take_a_faster_lane() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::UpdateActor, 7, &["https://a.example/"]).await;
    let later = bench.deliver(ActivityKind::Move, 7, &["https://a.example/"]).await;
    let jobs = bench.jobs().await;
    assert_eq!(jobs.iter().find(|(key, _)| key.act == later).unwrap().0.lane, Lane::Bulk);
}

#[tokio::test]
async fn a_deferred_job_comes_back_when_due_and_holds_its_chain() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::Create, 7, &["https://a.example/"]).await;
    let (key, row) = bench.jobs().await.remove(0);
    let due = NOW.plus(Duration::from_secs(30));
    let tried = JobRow { attempts: 1, ..row };
    bench.settle(vec![(key, Fate::Defer { row: tried.clone(), due })]).await;
    assert!(bench.jobs().await.is_empty());
    let chain = (key.destination, OrderKey(7));
    let held =
        bench.store.read(move |tx| tx.get(HELD, &chain)).await.unwrap_or_else(|e: StoreError| panic!("{e}"));
    assert!(held.unwrap().blocks(key.act.next()));

    let early = bench.write(move |tx, _| promote_due(tx, NOW, 10)).await;
    assert_eq!(early, Promoted { jobs: 0, next_due: Some(due) });
    let late = bench.write(move |tx, _| promote_due(tx, due, 10)).await;
    assert_eq!(late, Promoted { jobs: 1, next_due: None });
    assert_eq!(bench.jobs().await, vec![(key, tried)]);

    bench.settle(vec![(key, Fate::Done)]).await;
    let held =
        bench.store.read(move |tx| tx.get(HELD, &chain)).await.unwrap_or_else(|e: StoreError| panic!("{e}"));
    assert_eq!(held, None);
    assert_eq!(bench.overview().await, Overview::default());
}

#[tokio::test]
async fn an_old_retry_leaves_the_lane_of_news() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::Create, 7, &["https://a.example/"]).await;
    let (key, row) = bench.jobs().await.remove(0);
    let due = NOW.plus(Duration::from_secs(3600));
    bench.settle(vec![(key, Fate::Defer { row, due })]).await;
    bench.write(move |tx, _| promote_due(tx, due, 10)).await;
    assert_eq!(bench.jobs().await[0].0.lane, Lane::Bulk);
    assert_eq!(bench.overview().await.ready, [0, 0, 1]);
}

#[tokio::test]
async fn dead_letters_keep_their_body_until_they_are_old() {
    let bench = Bench::new();
    let act = bench.deliver(ActivityKind::Create, 7, &["https://a.example/"]).await;
    let (key, row) = bench.jobs().await.remove(0);
    let error = "ä".repeat(200);
    bench.settle(vec![(key, Fate::Dead { row, reason: DeadReason::Refused, http_status: 403, error })]).await;
    let dead =
        bench.store.read(|tx| tx.scan(DEAD, Scan::all())).await.unwrap_or_else(|e: StoreError| panic!("{e}"));
    assert_eq!((dead[0].1.http_status, dead[0].1.error.len()), (403, 256));
    assert!(bench.act(act).await.is_some());

    let month_later = NOW.plus(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(bench.write(move |tx, _| prune_dead(tx, NOW, 10)).await, 0);
    assert_eq!(bench.write(move |tx, _| prune_dead(tx, month_later, 10)).await, 1);
    assert!(bench.act(act).await.is_none());
    assert_eq!(bench.overview().await, Overview::default());
}

#[tokio::test]
async fn a_gone_inbox_gets_nothing_for_a_week() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::Create, 7, &["https://a.example/"]).await;
    let (key, row) = bench.jobs().await.remove(0);
    let fate = Fate::Dead { row, reason: DeadReason::Gone, http_status: 410, error: String::new() };
    bench.settle(vec![(key, fate)]).await;
    let places = |days: u64| {
        bench.write(move |tx, _| {
            let mut targets = Targets::new();
            targets.add("https://a.example/", None);
            Ok(recipients::resolve(tx, &targets, NOW.plus(Duration::from_secs(days * 86_400)))?.len())
        })
    };
    assert_eq!((places(1).await, places(8).await), (0, 1));
}

#[tokio::test]
async fn a_flood_from_one_account_takes_the_bulk_lane() {
    let bench = Bench::new();
    let lanes = bench
        .write(|tx, moment| {
            let mut lanes = Vec::new();
            for (sender, rows) in [(1, 1999), (1, 2), (1, 1), (2, 1)] {
                lanes.push(fair_lane(tx, Id(sender), moment.now, rows, Lane::Fresh)?);
            }
            let later = moment.now.plus(Duration::from_secs(60));
            lanes.push(fair_lane(tx, Id(1), later, 1, Lane::Fresh)?);
            Ok(lanes)
        })
        .await;
    assert_eq!(lanes, [Lane::Fresh, Lane::Fresh, Lane::Bulk, Lane::Fresh, Lane::Fresh]);
}

#[tokio::test]
async fn our_own_work_and_work_for_a_host_have_their_places() {
    let bench = Bench::new();
    let job = Job::FanOut { status: Id(5), verb: crate::model::queue::Verb::Create };
    bench
        .write(move |tx, moment| {
            enqueue(tx, moment, &Task::local(job.clone(), Id(1)))?;
            let fetch = Job::FetchAccount { uri: "https://a.example/u/1".into() };
            let task = Task { place: Place::Host("a.example".into()), ..Task::local(fetch, Id::ZERO) };
            enqueue(tx, moment, &task)
        })
        .await;
    bench.deliver(ActivityKind::Follow, 9, &["https://a.example/inbox"]).await;
    let places: Vec<u32> = bench.jobs().await.iter().map(|(key, _)| key.destination.0).collect();
    assert_eq!(places, [0, 1, 1]);
}

#[tokio::test]
async fn deferred_rows_are_ordered_by_due_time() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::Create, 0, &["https://a.example/", "https://b.example/"]).await;
    let jobs = bench.jobs().await;
    let fates = jobs.into_iter().enumerate().map(|(place, (key, row))| {
        (key, Fate::Defer { row, due: NOW.plus(Duration::from_secs(10 - place as u64)) })
    });
    bench.settle(fates.collect()).await;
    let first: Vec<(DeferKey, _)> = bench
        .store
        .read(|tx| tx.scan(DEFERRED, Scan::all()))
        .await
        .unwrap_or_else(|e: StoreError| panic!("{e}"));
    assert!(first[0].0.due < first[1].0.due);
}

#[tokio::test]
async fn old_news_makes_room_with_all_that_must_not_overtake_it() {
    let bench = Bench::new();
    let (a, b): (&[_], &[_]) = (&["https://a.example/"], &["https://b.example/"]);
    let young = |order| {
        bench.write(move |tx, moment| {
            moment.now = NOW.plus(Duration::from_secs(600));
            let mut targets = Targets::new();
            targets.add("https://a.example/", None);
            let (kind, body) = (ActivityKind::Update, Body::empty());
            let delivery = Delivery { actor: Id(1), kind, order: OrderKey(order), lane: None, body };
            Ok(deliver(tx, moment, &delivery, &targets)?.expect("has targets"))
        })
    };
    let old = bench.deliver(ActivityKind::Create, 7, a).await;
    let under_way = bench.deliver(ActivityKind::Create, 8, a).await;
    let elsewhere = bench.deliver(ActivityKind::Create, 9, b).await;
    let (its_update, new) = (young(7).await, young(10).await);
    let jobs = bench.jobs().await;
    let of = |act| jobs.iter().map(|(key, _)| *key).find(|key| key.act == act).unwrap();
    let (destination, busy) = (of(old).destination, of(under_way));
    let later = NOW.plus(Duration::from_secs(660));
    let more = bench
        .write(move |tx, _| demote(tx, later, destination, &BTreeSet::from([(busy.act, busy.inbox)]), 100))
        .await;
    assert!(!more);
    let jobs = bench.jobs().await;
    let lane = |act| jobs.iter().find(|(key, _)| key.act == act).unwrap().0.lane;
    assert_eq!([old, its_update].map(lane), [Lane::Bulk; 2]);
    assert_eq!([under_way, elsewhere, new].map(lane), [Lane::Fresh; 3]);
    assert_eq!(bench.overview().await.ready, [0, 3, 2]);
    // What comes after stays behind.
    let undo = bench.deliver(ActivityKind::Undo, 7, a).await;
    let jobs = bench.jobs().await;
    assert_eq!(jobs.iter().find(|(key, _)| key.act == undo).unwrap().0.lane, Lane::Bulk);
}

/// Total, delivered, pending, failed.
async fn reach_of(bench: &Bench, status: Id) -> Option<(u64, u64, u64, u64)> {
    let found = bench.store.read(move |tx| reached(tx, status)).await.unwrap()?;
    assert_eq!(found.delivered + found.pending + found.failed, found.total, "nothing is lost or made up");
    Some((found.total, found.delivered, found.pending, found.failed))
}

fn refused(row: &JobRow) -> Fate {
    Fate::Dead { row: row.clone(), reason: DeadReason::Refused, http_status: 403, error: "no".into() }
}

const FOUR: &[&str] =
    &["https://a.example/i", "https://b.example/i", "https://c.example/i", "https://d.example/i"];

#[tokio::test]
async fn a_post_knows_how_far_it_has_got() {
    let bench = Bench::new();
    let status = Id(77);
    assert_eq!(reach_of(&bench, status).await, None);
    bench.post(status, FOUR).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 0, 4, 0)));

    let jobs = bench.jobs().await;
    bench.settle(vec![(jobs[0].0, Fate::Done)]).await;
    // Told twice, as after a crash, it counts once.
    bench.settle(vec![(jobs[0].0, Fate::Done)]).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 1, 3, 0)));
    let due = NOW.plus(Duration::from_secs(60));
    bench.settle(vec![(jobs[1].0, Fate::Defer { row: jobs[1].1.clone(), due })]).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 1, 3, 0)));
    bench.settle(vec![(jobs[2].0, refused(&jobs[2].1)), (jobs[3].0, Fate::Dropped)]).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 1, 1, 2)));
    let found = bench.store.read(move |tx| reached(tx, status)).await.unwrap().unwrap();
    assert_eq!(
        (found.failures[0].host.as_str(), found.failures[0].reason),
        ("c.example", DeadReason::Refused)
    );
}

#[tokio::test]
async fn a_dead_letter_counts_as_failed_until_it_is_tried_again() {
    let bench = Bench::new();
    let status = Id(77);
    let act = bench.post(status, FOUR).await;
    let fates = bench.jobs().await.into_iter().map(|(key, row)| (key, refused(&row))).collect();
    bench.settle(fates).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 0, 0, 4)));
    let chosen = admin::Letters { act: Some(act), ..admin::Letters::default() };
    let three = bench.write(move |tx, moment| admin::replay(tx, moment.now, &chosen, None, 3)).await;
    assert_eq!(three.jobs, 3);
    assert_eq!(reach_of(&bench, status).await, Some((4, 0, 3, 1)));
    // The letter is forgotten, that it failed is not.
    bench.write(move |tx, _| admin::forget_letters(tx, &chosen, None, 10)).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 0, 3, 1)));
    let done = bench.jobs().await.into_iter().map(|(key, _)| (key, Fate::Done)).collect();
    bench.settle(done).await;
    assert_eq!(bench.act(act).await, None);
    assert_eq!(reach_of(&bench, status).await, Some((4, 3, 0, 1)));
}

#[tokio::test]
async fn servers_are_told_from_their_inboxes() {
    let bench = Bench::new();
    bench.post(Id(78), &["https://a.example/1", "https://a.example/2", "https://b.example/"]).await;
    let found = bench.store.read(move |tx| reached(tx, Id(78))).await.unwrap().unwrap();
    assert_eq!((found.total, found.servers), (3, 2));
}

#[tokio::test]
async fn what_else_is_sent_about_a_post_is_not_counted() {
    let bench = Bench::new();
    let status = Id(79);
    let order = OrderKey::of(status).0;
    bench.post(status, FOUR).await;
    let created = bench.jobs().await;
    bench.settle(created.iter().map(|(key, _)| (*key, Fate::Done)).collect()).await;
    bench.deliver(ActivityKind::Update, order, FOUR).await;
    let updates = bench.jobs().await;
    bench.settle(updates.iter().map(|(key, _)| (*key, Fate::Dropped)).collect()).await;
    assert_eq!(reach_of(&bench, status).await, Some((4, 4, 0, 0)));
}

/// Says that the second server is in this state.
async fn turn(bench: &Bench, breaker: Breaker) {
    bench
        .write(move |tx, moment| {
            let record = Box::new(Destination { breaker, ..Destination::default() });
            keep_destinations(tx, moment, &[(DestinationId(2), record)])
        })
        .await;
}

async fn finish_all(bench: &Bench) {
    let done = bench.jobs().await.into_iter().map(|(key, _)| (key, Fate::Done)).collect();
    bench.settle(done).await;
}

#[tokio::test]
async fn a_server_that_is_asleep_is_waited_for_until_it_is_too_late() {
    let bench = Bench::new();
    bench.deliver(ActivityKind::Follow, 1, FOUR).await;
    finish_all(&bench).await;
    turn(&bench, Breaker::Dead).await;
    // One row each to probe with, then none.
    bench.post(Id(81), FOUR).await;
    let act = bench.post(Id(82), FOUR).await;
    bench.post(Id(83), FOUR).await;
    finish_all(&bench).await;
    assert_eq!(reach_of(&bench, Id(81)).await, Some((4, 4, 0, 0)));
    assert_eq!(reach_of(&bench, Id(82)).await, Some((4, 3, 1, 0)));

    bench
        .write(move |tx, _| {
            let logged = tx.get(LOGGED, &act)?.expect("left out");
            let inboxes = logged.inboxes_at(DestinationId(2));
            catch_up(tx, DestinationId(2), &[(act, logged, inboxes)])
        })
        .await;
    assert_eq!(reach_of(&bench, Id(82)).await, Some((4, 3, 1, 0)));
    finish_all(&bench).await;
    assert_eq!(reach_of(&bench, Id(82)).await, Some((4, 4, 0, 0)));
    assert_eq!(reach_of(&bench, Id(83)).await, Some((4, 3, 1, 0)));
    let late = NOW.plus(ActivityKind::Create.ttl());
    bench.write(move |tx, _| forget_left_out(tx, late, 10)).await;
    assert_eq!(reach_of(&bench, Id(82)).await, Some((4, 4, 0, 0)));
    assert_eq!(reach_of(&bench, Id(83)).await, Some((4, 3, 0, 1)));
}
