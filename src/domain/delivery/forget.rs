//! Destinations that are not needed any more. Everybody who makes us write to
//! ever new hosts would fill the store with what we learned of them
//! (CVE-2026-69132 was that in another server), so those that were silent for
//! long are forgotten, and of too many those that were not used for longest.
//!
//! None goes that has anything: a job, a letter, an admin's decision, or the
//! beginning of what it was left out of.

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::queue::tables::{
    ASLEEP, DEAD, DEFERRED_AT, DESTINATION, DESTINATION_BY_HOST, HELD, HISTORY, INBOX, INBOX_BY_DESTINATION,
    INBOX_BY_URL, JOB, STEERING,
};
use crate::model::queue::{Class, Destination, DestinationId, InboxId};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Inboxes of one destination forgotten in one transaction.
const INBOXES_MAX: usize = 256;

/// How many destinations are remembered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Of more than these the longest unused go.
    pub rows_max: usize,
    /// Who was not used for so long goes in any case.
    pub silent_for: Duration,
    /// Nobody goes who was used within this.
    pub spared_for: Duration,
}

impl Bounds {
    /// 50,000 for 14 days.
    pub const USUAL: Bounds = Bounds {
        rows_max: 50_000,
        silent_for: Duration::from_secs(14 * 24 * 3600),
        spared_for: Duration::from_secs(3600),
    };
}

/// Destinations that may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unused {
    /// The longest unused first.
    pub ids: Vec<DestinationId>,
    /// So many of these, the first ones, were silent for too long.
    pub silent: usize,
    /// So many are to go, whichever can.
    pub surplus: usize,
}

/// Chooses among all destinations by when each was last used.
pub fn unused(mut all: Vec<(Timestamp, DestinationId)>, now: Timestamp, bounds: &Bounds) -> Unused {
    let surplus = all.len().saturating_sub(bounds.rows_max);
    let least = if surplus > 0 { bounds.spared_for } else { bounds.silent_for };
    all.retain(|(used_at, id)| *id != DestinationId::LOCAL && now.since(*used_at) >= least);
    all.sort();
    let silent = all.partition_point(|(used_at, _)| now.since(*used_at) >= bounds.silent_for);
    Unused { ids: all.into_iter().map(|(_, id)| id).collect(), silent, surplus }
}

/// When a destination was last used, as far as its row tells.
pub fn used_at(record: &Destination) -> Timestamp {
    // Rows of older versions say only the latter two.
    [record.used_at, record.last_ok, record.failing_since].into_iter().flatten().max().unwrap_or_default()
}

/// Those of some destinations that nothing depends on.
///
/// # Errors
/// Only the store's.
pub fn idle(tx: &ReadTx<'_>, ids: &[DestinationId]) -> Result<Vec<(DestinationId, Destination)>, StoreError> {
    let mut batch = tx.batch();
    let (records, steerings) = (batch.get_many(DESTINATION, ids), batch.get_many(STEERING, ids));
    let (sleepers, deferred) = (batch.get_many(ASLEEP, ids), batch.count_many(DEFERRED_AT, ids));
    let found = batch.fetch()?;
    let (records, steerings) = (found.take(records)?, found.take(steerings)?);
    let (sleepers, deferred) = (found.take(sleepers)?, found.counts(deferred));
    let mut idle = Vec::new();
    for (place, (id, record)) in ids.iter().zip(records).enumerate() {
        let Some(record) = record else { continue };
        let is_left_out = sleepers[place].as_ref().is_some_and(|asleep| asleep.resume_act.is_some());
        let is_needed = steerings[place].is_some() || is_left_out || deferred[place] != 0;
        if !is_needed && !has_rows(tx, *id)? {
            idle.push((*id, record));
        }
    }
    Ok(idle)
}

fn has_rows(tx: &ReadTx<'_>, id: DestinationId) -> Result<bool, StoreError> {
    Ok(!tx.scan(JOB, Scan::prefix(&(id,)).limit(1))?.is_empty()
        || !tx.scan(DEAD, Scan::prefix(&(id,)).limit(1))?.is_empty()
        || !tx.scan(HELD, Scan::prefix(&(id,)).limit(1))?.is_empty())
}

/// Forgets those of some destinations that nothing depends on and that were
/// not used since `before`; gives how many. One with many inboxes takes
/// several calls.
///
/// # Errors
/// Only the store's.
pub fn forget_unused(
    tx: &mut WriteTx<'_>,
    ids: &[DestinationId],
    before: Timestamp,
) -> Result<usize, StoreError> {
    let mut forgotten = 0;
    for (id, record) in idle(tx, ids)?.into_iter().filter(|(_, record)| used_at(record) <= before) {
        let inboxes = inboxes_of(tx, id, &record)?;
        for (inbox, url) in inboxes.iter().take(INBOXES_MAX) {
            tx.delete(INBOX_BY_DESTINATION, &(id, *inbox));
            tx.delete(INBOX, inbox);
            tx.delete(INBOX_BY_URL, url);
        }
        if inboxes.len() > INBOXES_MAX {
            continue;
        }
        tx.delete(DESTINATION, &id);
        tx.delete(DESTINATION_BY_HOST, &(record.class as u8, record.authority));
        tx.delete(HISTORY, &id);
        tx.delete(ASLEEP, &id);
        tx.forget(DEFERRED_AT, &id);
        forgotten += 1;
    }
    Ok(forgotten)
}

/// The inboxes of a destination, one more than [`INBOXES_MAX`] at least if
/// there are so many.
fn inboxes_of(
    tx: &ReadTx<'_>,
    id: DestinationId,
    record: &Destination,
) -> Result<Vec<(InboxId, String)>, StoreError> {
    if record.class != Class::Remote {
        return Ok(Vec::new());
    }
    let rows = tx.scan(INBOX_BY_DESTINATION, Scan::prefix(&(id,)).limit(INBOXES_MAX + 1))?;
    let ids: Vec<InboxId> = rows.into_iter().map(|((_, inbox), ())| inbox).collect();
    let urls = tx.get_many(INBOX, &ids)?.into_iter();
    let mut found: Vec<(InboxId, String)> = ids
        .into_iter()
        .zip(urls)
        .map(|(id, inbox)| (id, inbox.map(|inbox| inbox.url).unwrap_or_default()))
        .collect();
    for scheme in ["https", "http"] {
        let origin = format!("{scheme}://{}/", record.authority);
        let rows = tx.scan(INBOX_BY_URL, Scan::all().after(&origin).limit(INBOXES_MAX + 1))?;
        let older = rows.into_iter().take_while(|(url, _)| url.starts_with(&origin));
        let older = older.filter(|(_, known)| known.destination == id).map(|(url, known)| (known.inbox, url));
        found.extend(older);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::admin::{self, PurgePlace, Selection};
    use super::super::{Delivery, Fate, Targets, deliver, keep_destinations, settle};
    use super::*;
    use crate::base::{Id, IdGenerator, Moment};
    use crate::model::queue::{ActivityKind, Body, Breaker, DeadReason, OrderKey};
    use crate::store::Store;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn days_ago(days: u32) -> Timestamp {
        Timestamp::from_secs(NOW.as_secs() - i64::from(days) * 86_400)
    }

    #[test]
    fn the_silent_go_and_of_too_many_the_longest_unused() {
        let bounds = Bounds { rows_max: 3, silent_for: DAY * 14, spared_for: DAY };
        let check = |ages: &[u32], expected: (&[u32], usize, usize)| {
            let all = ages.iter().zip(1..).map(|(days, id)| (days_ago(*days), DestinationId(id))).collect();
            let found = unused(all, NOW, &bounds);
            let ids: Vec<u32> = found.ids.iter().map(|id| id.0).collect();
            assert_eq!((&ids[..], found.silent, found.surplus), expected, "{ages:?}");
        };
        check(&[0, 13, 2], (&[], 0, 0));
        check(&[0, 14, 20], (&[3, 2], 2, 0));
        check(&[0, 13, 2, 5, 0], (&[2, 4, 3], 0, 2));
        check(&[30, 13, 2, 5, 0], (&[1, 2, 4, 3], 1, 2));
        let own = vec![(days_ago(90), DestinationId::LOCAL)];
        assert_eq!(unused(own, NOW, &bounds), Unused::default(), "our own work has no rest");
    }

    struct Bench {
        store: Store,
        ids: IdGenerator,
    }

    impl Bench {
        async fn write<T: Send + 'static>(
            &self,
            mut change: impl FnMut(&mut WriteTx<'_>, &mut Moment) -> Result<T, StoreError> + Send + 'static,
        ) -> T {
            let moment = Moment { now: NOW, ids: self.ids.reserve(NOW, 16) };
            self.store.write(move |tx| change(tx, &mut moment.clone())).await.unwrap()
        }

        async fn post(&self, kind: ActivityKind, inboxes: &'static [&'static str]) {
            self.write(move |tx, moment| {
                let mut targets = Targets::new();
                inboxes.iter().for_each(|inbox| targets.add(inbox, None));
                let body = Body::new(b"{}".to_vec()).expect("small");
                let delivery = Delivery { actor: Id(1), kind, order: OrderKey::NONE, lane: None, body };
                deliver(tx, moment, &delivery, &targets)
            })
            .await;
        }

        /// Ends all ready jobs of a destination.
        async fn settle(
            &self,
            id: u32,
            fate: impl Fn(&crate::model::queue::JobRow) -> Fate + Send + 'static,
        ) {
            self.write(move |tx, _| {
                let jobs = admin::jobs(tx, DestinationId(id), None, 100)?;
                let fates: Vec<_> = jobs.into_iter().map(|(key, row)| (key, fate(&row))).collect();
                settle(tx, NOW, &fates)
            })
            .await;
        }

        async fn forget(&self, ids: &'static [u32], before: Timestamp) -> Vec<u32> {
            let ids: Vec<DestinationId> = ids.iter().copied().map(DestinationId).collect();
            self.write(move |tx, _| forget_unused(tx, &ids, before)).await;
            let rows: Vec<(DestinationId, Destination)> =
                self.store.read(|tx| tx.scan(DESTINATION, Scan::all())).await.unwrap();
            rows.into_iter().map(|(id, _)| id.0).collect()
        }
    }

    const HOSTS: &[&str] = &[
        "https://a.example/inbox",
        "https://B.example/u/1/inbox",
        "https://b.example/u/2/inbox",
        "https://c.example/inbox",
        "https://d.example/inbox",
        "https://e.example/inbox",
        "https://f.example/inbox",
    ];

    #[tokio::test]
    async fn nobody_is_forgotten_whom_something_depends_on() {
        let bench = Bench { store: Store::memory(), ids: IdGenerator::new(0) };
        bench.post(ActivityKind::Create, HOSTS).await;
        const ALL: &[u32] = &[1, 2, 3, 4, 5, 6];
        assert_eq!(bench.forget(ALL, NOW).await, ALL, "jobs wait");
        bench.settle(1, |_| Fate::Done).await;
        bench.settle(2, |_| Fate::Done).await;
        bench.settle(3, |row| Fate::Defer { row: row.clone(), due: NOW.plus(DAY) }).await;
        let (reason, error) = (DeadReason::Expired, String::new());
        bench
            .settle(4, move |row| Fate::Dead {
                row: row.clone(),
                reason,
                http_status: 0,
                error: error.clone(),
            })
            .await;
        bench.settle(5, |_| Fate::Done).await;
        bench.settle(6, |_| Fate::Done).await;
        bench.write(|tx, _| admin::pause(tx, NOW, DestinationId(5))).await;
        // It sleeps and is left out of a second post.
        bench
            .write(|tx, moment| {
                let asleep = Destination { breaker: Breaker::Dormant, ..Destination::default() };
                keep_destinations(tx, moment, &[(DestinationId(6), Box::new(asleep))])
            })
            .await;
        bench.post(ActivityKind::Create, &HOSTS[6..]).await;
        bench.post(ActivityKind::Create, &HOSTS[6..]).await;
        bench.settle(6, |_| Fate::Done).await;
        assert_eq!(bench.forget(ALL, days_ago(1)).await, ALL, "they were used a moment ago");
        assert_eq!(bench.forget(ALL, NOW).await, [3, 4, 5, 6]);

        // What waited for its retry is purged, and the admin lets go.
        let all = Selection { destination: Some(DestinationId(3)), ..Selection::default() };
        bench
            .write(move |tx, _| {
                let mut place = Some(PurgePlace::default());
                while let Some(at) = place {
                    place = admin::purge(tx, NOW, &all, at, 100)?.next;
                }
                admin::resume(tx, DestinationId(5))
            })
            .await;
        assert_eq!(bench.forget(ALL, NOW).await, [4, 6]);
        let left = bench.store.read(|tx| tx.scan(INBOX_BY_URL, Scan::all())).await.unwrap();
        let left: Vec<&str> = left.iter().map(|(url, _)| url.as_str()).collect();
        assert_eq!(left, ["https://d.example/inbox", "https://f.example/inbox"]);
        let inboxes = bench.store.read(|tx| tx.scan(INBOX, Scan::all())).await.unwrap();
        assert_eq!(inboxes.len(), 2);

        // Who is written to again begins anew, and under a number of its own.
        bench.post(ActivityKind::Create, &HOSTS[..1]).await;
        bench
            .write(|tx, moment| {
                keep_destinations(tx, moment, &[(DestinationId(1), Box::new(Destination::default()))])
            })
            .await;
        assert_eq!(bench.forget(&[], NOW).await, [4, 6, 7], "a late word of the old one is not written down");
    }
}
