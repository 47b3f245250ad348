//! Single rows of the queue as entities, with what they refer to.

use std::collections::{BTreeSet, HashMap};

use super::entities::{
    DeliveryDeadLetter, DeliveryDestination, DeliveryDestinationDetails, DeliveryError, DeliveryExplanation,
    DeliveryJob, DeliveryLimits, DeliveryTurn,
};
use super::{Office, time};
use crate::base::{Id, Timestamp};
use crate::domain::delivery::admin::{self, Letters};
use crate::model::queue::tables::{ACT, DESTINATION, INBOX};
use crate::model::queue::{
    Act, DeadKey, DeadRow, Destination, DestinationId, History, Inbox, InboxId, JobRow, Lane,
};
use crate::queue::{DestinationView, Why};
use crate::store::{ReadTx, StoreError};

pub(super) fn destination(view: &DestinationView) -> DeliveryDestination {
    let (record, backlog) = (&view.record, &view.backlog);
    DeliveryDestination {
        id: view.id.0.to_string(),
        host: match view.id {
            DestinationId::LOCAL => "our own work".to_owned(),
            _ => record.authority.clone(),
        },
        class: record.class.name().to_owned(),
        state: record.breaker.name().to_owned(),
        is_paused: view.steering.stopped_at.is_some(),
        waiting: backlog.waiting(),
        ready: backlog.ready.to_vec(),
        deferred: backlog.deferred,
        dead_letters: backlog.dead,
        oldest_at: time(backlog.oldest),
        failures: record.failures,
        node: None,
        in_flight: Some(view.inflight),
        cap: record.cap,
        rate: record.rate,
        rtt_ms: (record.rtt_ms > 0.0).then_some(record.rtt_ms),
        last_ok_at: time(record.last_ok),
        next_probe_at: time(record.open_until),
        quiet_until: time(record.paused_until),
        cause: record.cause.clone(),
    }
}

pub(super) fn details(view: &DestinationView, history: &History) -> DeliveryDestinationDetails {
    let turns = history.turns.iter().rev().map(|turn| DeliveryTurn {
        at: turn.at.rfc3339(),
        from: turn.from.name().to_owned(),
        to: turn.to.name().to_owned(),
        cause: turn.cause.clone(),
    });
    let errors = history.mishaps.iter().rev().map(|mishap| DeliveryError {
        at: mishap.at.rfc3339(),
        words: mishap.words.clone(),
        http_status: mishap.http_status,
    });
    DeliveryDestinationDetails {
        destination: destination(view),
        limits: DeliveryLimits {
            paused_at: time(view.steering.stopped_at),
            rate_max: view.steering.rate_max,
            cap_max: view.steering.cap_max,
        },
        turns: turns.collect(),
        errors: errors.collect(),
    }
}

pub(super) fn explanation(why: &Why) -> DeliveryExplanation {
    DeliveryExplanation { rule: why.name().to_owned(), words: why.words() }
}

/// What waiting and dead jobs refer to, read in two round trips.
struct Referred {
    acts: HashMap<Id, Act>,
    inboxes: HashMap<InboxId, Inbox>,
}

fn referred(tx: &ReadTx<'_>, jobs: impl Iterator<Item = (Id, InboxId)>) -> Result<Referred, StoreError> {
    let (acts, inboxes): (BTreeSet<Id>, BTreeSet<InboxId>) = jobs.unzip();
    let (acts, inboxes): (Vec<Id>, Vec<InboxId>) =
        (acts.into_iter().collect(), inboxes.into_iter().collect());
    let mut batch = tx.batch();
    let (found_acts, found_inboxes) = (batch.get_many(ACT, &acts), batch.get_many(INBOX, &inboxes));
    let found = batch.fetch()?;
    let acts = acts.into_iter().zip(found.take(found_acts)?);
    let inboxes = inboxes.into_iter().zip(found.take(found_inboxes)?);
    Ok(Referred {
        acts: acts.filter_map(|(id, act)| Some((id, act?))).collect(),
        inboxes: inboxes.filter_map(|(id, inbox)| Some((id, inbox?))).collect(),
    })
}

impl Referred {
    /// What it says, or which work it is.
    fn kind(&self, act: Id, row: &JobRow) -> String {
        match self.acts.get(&act).map(|act| act.kind) {
            Some(kind) if kind.is_activity() => kind.name().to_owned(),
            _ => row.kind.name().to_owned(),
        }
    }

    fn url(&self, inbox: InboxId) -> Option<String> {
        self.inboxes.get(&inbox).map(|inbox| inbox.url.clone())
    }
}

/// Dead letters of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct LetterPage {
    /// By destination, the oldest first.
    pub letters: Vec<DeliveryDeadLetter>,
    /// Where to go on; `None` when all were looked at. May be there without
    /// letters where many were looked at that were not asked for.
    pub next: Option<DeadKey>,
}

/// The name of a dead letter, to go on after it.
pub fn letter_name(key: &DeadKey) -> String {
    format!("{}-{}-{}-{}", key.destination.0, key.died.as_millis(), key.act, key.inbox.0)
}

/// The dead letter of a name.
pub fn letter_key(name: &str) -> Option<DeadKey> {
    let mut parts = name.split('-');
    let key = DeadKey {
        destination: DestinationId(parts.next()?.parse().ok()?),
        died: Timestamp::from_millis(parts.next()?.parse().ok()?),
        act: parts.next()?.parse().ok()?,
        inbox: InboxId(parts.next()?.parse().ok()?),
    };
    parts.next().is_none().then_some(key)
}

impl Office {
    /// Jobs of a destination: ready ones in the order of their lanes and ages,
    /// then those that wait for their retry; at most `rows` of each.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn jobs(&self, id: DestinationId, rows: usize) -> Result<Vec<DeliveryJob>, StoreError> {
        self.store.read(move |tx| jobs(tx, id, rows)).await
    }

    /// Looks at the next `rows` dead letters after a key.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn letters(
        &self,
        chosen: Letters,
        after: Option<DeadKey>,
        rows: usize,
    ) -> Result<LetterPage, StoreError> {
        self.store.read(move |tx| letters(tx, &chosen, after, rows)).await
    }
}

fn jobs(tx: &ReadTx<'_>, id: DestinationId, rows: usize) -> Result<Vec<DeliveryJob>, StoreError> {
    let ready = admin::jobs(tx, id, None, rows)?.into_iter();
    let ready = ready.map(|(key, row)| (key.act, key.inbox, key.lane, row, None));
    let deferred = admin::deferred(tx, id, rows)?.into_iter();
    let deferred = deferred.map(|(key, late)| (key.act, key.inbox, late.lane, late.row, Some(key.due)));
    let all: Vec<(Id, InboxId, Lane, JobRow, Option<Timestamp>)> = ready.chain(deferred).collect();
    let referred = referred(tx, all.iter().map(|(act, inbox, ..)| (*act, *inbox)))?;
    let job = |(act, inbox, lane, row, due): (Id, InboxId, Lane, JobRow, Option<Timestamp>)| DeliveryJob {
        act: act.to_string(),
        inbox: inbox.0.to_string(),
        inbox_url: referred.url(inbox),
        kind: referred.kind(act, &row),
        lane: lane.name().to_owned(),
        sender: row.sender.to_string(),
        attempts: row.attempts,
        bytes: row.bytes,
        created_at: row.created_at.rfc3339(),
        expires_at: row.expires_at.rfc3339(),
        next_try_at: time(due),
    };
    Ok(all.into_iter().map(job).collect())
}

fn letters(
    tx: &ReadTx<'_>,
    chosen: &Letters,
    after: Option<DeadKey>,
    rows: usize,
) -> Result<LetterPage, StoreError> {
    let page = admin::letters(tx, chosen, after, rows)?;
    let referred = referred(tx, page.letters.iter().map(|(key, _)| (key.act, key.inbox)))?;
    let ids: BTreeSet<DestinationId> = page.letters.iter().map(|(key, _)| key.destination).collect();
    let ids: Vec<DestinationId> = ids.into_iter().collect();
    let hosts: HashMap<DestinationId, Destination> = ids
        .iter()
        .zip(tx.get_many(DESTINATION, &ids)?)
        .filter_map(|(id, destination)| Some((*id, destination?)))
        .collect();
    let letter = |(key, dead): &(DeadKey, DeadRow)| DeliveryDeadLetter {
        id: letter_name(key),
        destination: key.destination.0.to_string(),
        host: hosts.get(&key.destination).map(|known| known.authority.clone()).unwrap_or_default(),
        act: key.act.to_string(),
        inbox_url: referred.url(key.inbox),
        kind: referred.kind(key.act, &dead.row),
        sender: dead.row.sender.to_string(),
        reason: dead.reason.name().to_owned(),
        http_status: dead.http_status,
        error: dead.error.clone(),
        attempts: dead.row.attempts,
        created_at: dead.row.created_at.rfc3339(),
        died_at: key.died.rfc3339(),
    };
    Ok(LetterPage { letters: page.letters.iter().map(letter).collect(), next: page.next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_by_their_names() {
        let key = DeadKey {
            destination: DestinationId(7),
            died: Timestamp::from_millis(1_764_000_000_123),
            act: Id(9),
            inbox: InboxId(3),
        };
        assert_eq!(letter_key(&letter_name(&key)), Some(key));
        for bad in ["", "1", "1-2-3", "1-2-3-4-5", "x-2-3-4"] {
            assert_eq!(letter_key(bad), None, "{bad}");
        }
    }
}
