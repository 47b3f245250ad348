//! Log mode: destinations that are dormant or dead get no row for each
//! activity. What they are left out of is one short list for each activity,
//! and when they are back they get the newest of it, as if it had waited.

use std::collections::BTreeMap;

use super::rows::Books;
use super::{Task, enqueue_as, reach};
use crate::base::{Id, Moment, Timestamp};
use crate::model::queue::tables::{
    ACT, ACT_BY_ORDER, ACT_ROWS, ASLEEP, DESTINATION, JOB, LOGGED, LOGGED_BY_EXPIRY, ROWS, rows,
};
use crate::model::queue::{
    Act, ActivityKind, Asleep, Breaker, Destination, DestinationId, InboxId, Job, JobKey, JobRow, Lane,
    Logged, OrderKey, OrderedAct, Wake,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Activities that a destination gets when it is back, the newest of all.
pub const CATCH_UP_MAX: usize = 500;
/// Activities that are remembered at all; more push out the oldest.
const LOGGED_MAX_ROWS: i64 = 10_000;
/// Read in one step when looking for them.
const STEP_ROWS: usize = 64;
/// Rows of one destination; with more, what may wait in the log waits there.
pub const DESTINATION_ROWS_MAX: u64 = 100_000;
/// Sleepers that are read in one step.
const ASLEEP_STEP_ROWS: usize = 4096;

/// Leaves out the places of an act that are asleep, and remembers them. What
/// is given back gets rows.
pub(super) fn leave_out(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    id: Id,
    act: &Act,
    places: Vec<(DestinationId, InboxId)>,
) -> Result<Vec<(DestinationId, InboxId)>, StoreError> {
    if !act.kind.may_wait_in_log() {
        return Ok(places);
    }
    let mut ids: Vec<DestinationId> = places.iter().map(|(destination, _)| *destination).collect();
    ids.sort();
    ids.dedup();
    let found = tx.get_many(ASLEEP, &ids)?;
    let mut skips: BTreeMap<DestinationId, bool> = BTreeMap::new();
    for (destination, asleep) in ids.into_iter().zip(found) {
        let Some(mut asleep) = asleep else { continue };
        // One row now and then, or there would be nothing to probe with.
        let needs_probe = !asleep.is_crowded && asleep.probe_until.is_none_or(|until| until <= now);
        skips.insert(destination, !needs_probe);
        if needs_probe {
            asleep.probe_until = Some(act.expires_at);
        } else if asleep.resume_act.is_none() {
            asleep.resume_act = Some(id);
        } else {
            continue;
        }
        tx.put(ASLEEP, &destination, &asleep);
    }
    let is_skipped = |place: &(DestinationId, InboxId)| skips.get(&place.0) == Some(&true);
    let (skipped, kept): (Vec<_>, Vec<_>) = places.into_iter().partition(is_skipped);
    if !skipped.is_empty() {
        tx.put(LOGGED, &id, &Logged::new(act.expires_at, act.actor, &skipped));
        tx.put(LOGGED_BY_EXPIRY, &(act.expires_at, id), &());
        // The body stays as long as the list does.
        tx.add(ACT_ROWS, &id, 1);
        tx.add(ROWS, &rows::LOGGED, 1);
    }
    Ok(kept)
}

/// Writes down the states of destinations. Those that fell asleep are left
/// out from now on; those that answered again catch up: already after the
/// first good probe, or there would be nothing for the second. Takes an id of
/// `moment` for each of the latter.
///
/// # Errors
/// Only the store's.
pub fn keep_destinations(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    records: &[(DestinationId, Box<Destination>)],
) -> Result<(), StoreError> {
    let ids: Vec<DestinationId> = records.iter().map(|(id, _)| *id).collect();
    let mut batch = tx.batch();
    let (known, asleep) = (batch.get_many(DESTINATION, &ids), batch.get_many(ASLEEP, &ids));
    let found = batch.fetch()?;
    let found = found.take(known)?.into_iter().zip(found.take(asleep)?);
    for ((id, record), (known, asleep)) in records.iter().zip(found) {
        // Forgotten meanwhile: under this number nobody would find it again.
        if known.is_none() {
            continue;
        }
        tx.put(DESTINATION, id, record.as_ref());
        match (record.breaker, asleep) {
            (Breaker::Dormant | Breaker::Dead, None) => {
                let asleep =
                    Asleep { since: moment.now, resume_act: None, probe_until: None, is_crowded: false };
                tx.put(ASLEEP, id, &asleep);
            }
            (Breaker::Dormant | Breaker::Dead, Some(_)) => {}
            // That one waits until its queue is shorter.
            (_, Some(asleep)) if asleep.is_crowded => {}
            (_, Some(asleep)) => wake(tx, moment, *id, &asleep)?,
            (_, None) => {}
        }
    }
    Ok(())
}

fn wake(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    id: DestinationId,
    asleep: &Asleep,
) -> Result<(), StoreError> {
    tx.delete(ASLEEP, &id);
    let Some(from) = asleep.resume_act else { return Ok(()) };
    let task = Task::local(Job::CatchUp { destination: id, from }, Id::ZERO).lane(Lane::Bulk);
    enqueue_as(tx, moment.id(), moment.now, ActivityKind::Internal, &task)
}

/// Destinations that one call of [`crowd`] lets go on, at most.
pub const CROWD_MAX: usize = 64;

/// Leaves out destinations that have more than [`DESTINATION_ROWS_MAX`] rows,
/// whatever is wrong with them, and lets those go on that have less than half
/// of it. `counts` are those with many rows; says whether any are left out.
/// Takes up to [`CROWD_MAX`] ids.
///
/// # Errors
/// Only the store's.
pub fn crowd(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    counts: &BTreeMap<DestinationId, u64>,
) -> Result<bool, StoreError> {
    let ids: Vec<DestinationId> = counts.keys().copied().collect();
    for ((id, rows), asleep) in counts.iter().zip(tx.get_many(ASLEEP, &ids)?) {
        let is_news = asleep.as_ref().is_none_or(|asleep| !asleep.is_crowded);
        if *rows > DESTINATION_ROWS_MAX && is_news {
            let fresh = Asleep { since: moment.now, resume_act: None, probe_until: None, is_crowded: true };
            let asleep = asleep.map_or(fresh, |asleep| Asleep { is_crowded: true, ..asleep });
            tx.put(ASLEEP, id, &asleep);
        }
    }
    let sleepers = crowded(tx)?;
    let is_over = |id: &DestinationId| counts.get(id).is_none_or(|rows| *rows < DESTINATION_ROWS_MAX / 2);
    let mut left = sleepers.len();
    for (id, asleep) in sleepers.iter().filter(|(id, _)| is_over(id)).take(CROWD_MAX) {
        // One that is dormant, too, is left out again when it is written down.
        wake(tx, moment, *id, asleep)?;
        left -= 1;
    }
    Ok(left > 0)
}

/// Those that are left out because of their many rows.
fn crowded(tx: &WriteTx<'_>) -> Result<Vec<(DestinationId, Asleep)>, StoreError> {
    let (mut found, mut scan) = (Vec::new(), Scan::all());
    // Each step begins behind the last row of the one before, so this ends.
    loop {
        let page = tx.scan(ASLEEP, scan.limit(ASLEEP_STEP_ROWS))?;
        let (is_last, last) = (page.len() < ASLEEP_STEP_ROWS, page.last().map(|(id, _)| *id));
        found.extend(page.into_iter().filter(|(_, asleep)| asleep.is_crowded));
        let Some(last) = last.filter(|_| !is_last) else { return Ok(found) };
        scan = Scan::all().after(&last);
    }
}

/// An act that a destination was left out of, with its inboxes there.
type LeftOut = (Id, Logged, Vec<InboxId>);

/// What a destination was left out of since an act and what is still worth
/// sending: the newest [`CATCH_UP_MAX`], newest first. Looks at one step;
/// begin with no `before`, go on while it gives one.
///
/// # Errors
/// Only the store's.
pub fn left_out(
    tx: &ReadTx<'_>,
    now: Timestamp,
    destination: DestinationId,
    from: Id,
    before: Option<Id>,
    found: &mut Vec<(Id, Logged, Vec<InboxId>)>,
) -> Result<Option<Id>, StoreError> {
    let scan = before.iter().fold(Scan::all().reverse(), |scan, id| scan.before(id));
    let page = tx.scan(LOGGED, scan.limit(STEP_ROWS))?;
    let next = page.last().map(|(id, _)| *id).filter(|id| page.len() == STEP_ROWS && *id > from);
    let mine = page.into_iter().filter(|(id, logged)| *id >= from && logged.expires_at > now);
    found.extend(mine.filter_map(|(id, logged)| -> Option<LeftOut> {
        let inboxes = logged.inboxes_at(destination);
        (!inboxes.is_empty()).then_some((id, logged, inboxes))
    }));
    found.truncate(CATCH_UP_MAX);
    Ok(next.filter(|_| found.len() < CATCH_UP_MAX))
}

/// Makes rows of what a destination was left out of, in the bulk lane. Call it
/// in the transaction that ends the job.
///
/// # Errors
/// Only the store's.
pub fn catch_up(
    tx: &mut WriteTx<'_>,
    destination: DestinationId,
    left_out: &[(Id, Logged, Vec<InboxId>)],
) -> Result<usize, StoreError> {
    let ids: Vec<Id> = left_out.iter().map(|(id, ..)| *id).collect();
    let (lane, mut count, mut posts) = (Lane::Bulk, 0, Vec::new());
    for ((id, logged, inboxes), act) in left_out.iter().zip(tx.get_many(ACT, &ids)?) {
        let Some(act) = act.filter(|act| !act.is_superseded) else { continue };
        let row = row(&act, logged.sender);
        for inbox in inboxes {
            tx.put(JOB, &JobKey { destination, lane, act: *id, inbox: *inbox }, &row);
        }
        tx.add(ACT_ROWS, id, inboxes.len() as i64);
        count += inboxes.len();
        if act.kind == ActivityKind::Create {
            posts.push((*id, act.order, inboxes.len()));
        }
        if act.order != OrderKey::NONE {
            // What follows it must not overtake it in a faster lane.
            tx.put(ACT_BY_ORDER, &(act.order, *id), &OrderedAct { kind: act.kind, lane });
        }
    }
    reach::woken(tx, &posts)?;
    if count > 0 {
        tx.add(ROWS, &(lane as u8), count as i64);
        Wake { lanes: vec![(destination, lane)] }.emit(tx);
    }
    Ok(count)
}

fn row(act: &Act, sender: Id) -> JobRow {
    JobRow { created_at: act.created_at, ..super::row_of(act, sender) }
}

/// Forgets up to `limit` acts that were left out and are no longer worth
/// sending, or are too many; gives how many.
///
/// # Errors
/// Only the store's.
pub fn forget_left_out(tx: &mut WriteTx<'_>, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let surplus = usize::try_from(tx.count(ROWS, &rows::LOGGED)? - LOGGED_MAX_ROWS).unwrap_or(0);
    let old: Vec<(Timestamp, Id)> = tx
        .scan(LOGGED_BY_EXPIRY, Scan::all().limit(limit))?
        .into_iter()
        .enumerate()
        .filter(|(place, (key, ()))| *place < surplus || key.0 <= now)
        .map(|(_, (key, ()))| key)
        .collect();
    let ids: Vec<Id> = old.iter().map(|(_, id)| *id).collect();
    let acts = tx.get_many(ACT, &ids)?;
    let mut books = Books::default();
    for (key, id) in old.iter().zip(&ids) {
        tx.delete(LOGGED_BY_EXPIRY, key);
        tx.delete(LOGGED, id);
        books.move_row(rows::LOGGED, None);
        books.release(*id);
    }
    let orders = ids.iter().zip(acts).filter_map(|(id, act)| act.map(|act| (*id, act.order))).collect();
    books.close(tx, orders)?;
    Ok(ids.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Delivery, Targets, deliver, finish, overview};
    use super::*;
    use crate::base::IdGenerator;
    use crate::model::queue::Body;
    use crate::store::Store;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const HOSTS: u32 = 300;

    struct Bench {
        store: Store,
        ids: IdGenerator,
    }

    impl Bench {
        async fn write<T: Send + 'static>(
            &self,
            now: Timestamp,
            mut change: impl FnMut(&mut WriteTx<'_>, &mut Moment) -> Result<T, StoreError> + Send + 'static,
        ) -> T {
            let moment = Moment { now, ids: self.ids.reserve(now, 400) };
            self.store.write(move |tx| change(tx, &mut moment.clone())).await.unwrap()
        }

        async fn read<T: Send + 'static>(
            &self,
            look: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
        ) -> T {
            self.store.read(look).await.unwrap()
        }

        async fn post(&self, now: Timestamp, kind: ActivityKind, order: u64) -> Id {
            self.write(now, move |tx, moment| {
                let mut targets = Targets::new();
                (1..=HOSTS).for_each(|host| targets.add(&format!("https://h{host:03}.example/inbox"), None));
                let body = Body::new(b"{}".to_vec()).expect("small");
                let delivery = Delivery { actor: Id(1), kind, order: OrderKey(order), lane: None, body };
                Ok(deliver(tx, moment, &delivery, &targets)?.expect("has targets"))
            })
            .await
        }

        /// Writes down that these destinations are in this state.
        async fn turn(&self, now: Timestamp, ids: std::ops::RangeInclusive<u32>, breaker: Breaker) {
            self.write(now, move |tx, moment| {
                let record = |_| Box::new(Destination { breaker, ..Destination::default() });
                let records: Vec<_> = ids.clone().map(|id| (DestinationId(id), record(id))).collect();
                keep_destinations(tx, moment, &records)
            })
            .await;
        }

        async fn jobs(&self) -> Vec<JobKey> {
            self.read(|tx| Ok(tx.scan(JOB, Scan::all())?.into_iter().map(|(key, _)| key).collect())).await
        }

        async fn finish_all(&self, now: Timestamp) {
            for key in self.jobs().await {
                self.write(now, move |tx, _| finish(tx, &key)).await;
            }
        }
    }

    async fn bench() -> Bench {
        let bench = Bench { store: Store::memory(), ids: IdGenerator::new(0) };
        bench.post(NOW, ActivityKind::Create, 0).await;
        bench.finish_all(NOW).await;
        bench
    }

    #[tokio::test]
    async fn posts_cost_no_row_at_servers_that_are_asleep() {
        let bench = bench().await;
        bench.turn(NOW, 2..=HOSTS, Breaker::Dead).await;
        bench.post(NOW, ActivityKind::Create, 5).await;
        assert_eq!(bench.jobs().await.len(), HOSTS as usize, "one to probe with, each");
        for order in 6..26 {
            bench.post(NOW, ActivityKind::Create, order).await;
        }
        assert_eq!(bench.jobs().await.len(), HOSTS as usize + 20, "only the healthy one gets more");
        // What is between two people has its row all the same.
        bench.post(NOW, ActivityKind::Follow, 99).await;
        assert_eq!(bench.jobs().await.len(), 2 * HOSTS as usize + 20);
        // Something to probe with, again.
        let later = NOW.plus(ActivityKind::Create.ttl());
        bench.finish_all(later).await;
        bench.post(later, ActivityKind::Create, 50).await;
        assert_eq!(bench.jobs().await.len(), HOSTS as usize);
    }

    #[tokio::test]
    async fn a_server_that_is_back_gets_what_is_still_worth_sending() {
        let bench = bench().await;
        bench.turn(NOW, 7..=8, Breaker::Dormant).await;
        bench.post(NOW, ActivityKind::Create, 1).await;
        let mut expected = Vec::new();
        bench.post(NOW, ActivityKind::UpdateTally, 2).await;
        expected.push(bench.post(NOW, ActivityKind::Create, 3).await);
        bench.post(NOW, ActivityKind::Create, 4).await;
        expected.push(bench.post(NOW, ActivityKind::Delete, 4).await);
        bench.finish_all(NOW).await;

        let later = NOW.plus(Duration::from_secs(7 * 3600));
        bench.turn(later, 7..=7, Breaker::Dormant).await;
        assert!(bench.jobs().await.is_empty(), "not before it answered");
        bench.turn(later, 7..=7, Breaker::HalfOpen).await;
        let job = bench.jobs().await;
        assert_eq!((job.len(), job[0].destination), (1, DestinationId::LOCAL));
        let act = bench.read(move |tx| tx.get(ACT, &job[0].act)).await.unwrap();
        let Job::CatchUp { destination, from } = act.job else { panic!("{:?}", act.job) };
        let left = bench
            .read(move |tx| {
                let mut found = Vec::new();
                assert_eq!(left_out(tx, later, destination, from, None, &mut found)?, None);
                Ok(found)
            })
            .await;
        bench.write(later, move |tx, _| catch_up(tx, destination, &left)).await;
        let mut rows: Vec<JobKey> = bench.jobs().await;
        rows.retain(|key| key.destination != DestinationId::LOCAL);
        assert!(rows.iter().all(|key| key.destination.0 == 7 && key.lane == Lane::Bulk), "{rows:?}");
        assert_eq!(rows.iter().map(|key| key.act).collect::<Vec<_>>(), expected);

        // In the end nothing is left of any of it.
        bench.finish_all(later).await;
        let week = NOW.plus(Duration::from_secs(8 * 86_400));
        assert_eq!(bench.write(week, move |tx, _| forget_left_out(tx, week, 100)).await, 4);
        assert!(bench.read(|tx| tx.scan(ACT, Scan::all())).await.is_empty());
        assert!(bench.read(|tx| tx.scan(ACT_BY_ORDER, Scan::all())).await.is_empty());
        assert_eq!(bench.read(overview).await, Default::default());
    }

    #[tokio::test]
    async fn a_server_with_too_long_a_queue_is_left_out_until_it_is_shorter() {
        let bench = bench().await;
        let counted = |rows: u64| BTreeMap::from([(DestinationId(5), rows)]);
        let crowded = counted(DESTINATION_ROWS_MAX + 1);
        bench.write(NOW, move |tx, moment| crowd(tx, moment, &crowded)).await;
        let left_out = bench.post(NOW, ActivityKind::Create, 1).await;
        assert_eq!(bench.jobs().await.len(), HOSTS as usize - 1);
        // A good answer does not end it, a shorter queue does.
        bench.turn(NOW, 5..=5, Breaker::Closed).await;
        let shorter = counted(DESTINATION_ROWS_MAX / 2);
        bench.write(NOW, move |tx, moment| crowd(tx, moment, &shorter)).await;
        bench.post(NOW, ActivityKind::Create, 2).await;
        assert_eq!(bench.jobs().await.len(), 2 * (HOSTS as usize - 1));
        bench.write(NOW, move |tx, moment| crowd(tx, moment, &BTreeMap::new())).await;
        let caught_up = bench.read(|tx| tx.scan(JOB, Scan::prefix(&(DestinationId::LOCAL,)))).await;
        let act = caught_up[0].0.act;
        let act = bench.read(move |tx| tx.get(ACT, &act)).await.unwrap();
        assert_eq!(act.job, Job::CatchUp { destination: DestinationId(5), from: left_out });
        bench.finish_all(NOW).await;
        bench.post(NOW, ActivityKind::Create, 3).await;
        assert_eq!(bench.jobs().await.len(), HOSTS as usize);
    }
}
