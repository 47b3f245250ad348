//! Enqueueing: who gets an activity, and the rows that make it so, written
//! in the transaction that causes them. A post exists exactly when its jobs do.
//!
//! Knows the queue's tables; must not know protocols, the network or when
//! and how jobs are run.

pub mod admin;
mod demote;
mod forget;
mod inbound;
mod log;
mod reach;
mod recipients;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::base::{Id, Moment, Timestamp};
use crate::model::queue::tables::{
    ACT, ACT_BY_ORDER, ACT_ROWS, DEFERRED, DEFERRED_AT, JOB, ROWS, SENDER, SenderRate, rows as total,
};
use crate::model::queue::{
    Act, ActivityKind, Body, DeferKey, DeferredRow, DestinationId, Due, InboxId, Job, JobKey, JobRow, Lane,
    OrderKey, OrderedAct, Outgoing, Wake,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

pub use demote::demote;
pub use forget::{Bounds, Unused, forget_unused, idle, unused, used_at};
pub use inbound::heard_from;
pub use log::{
    CATCH_UP_MAX, CROWD_MAX, DESTINATION_ROWS_MAX, catch_up, crowd, forget_left_out, keep_destinations,
    left_out,
};
pub use reach::{Failure, NAMED_MAX, Reached, reached};
pub use recipients::{OWNERS_MAX, Place, Targets, authority_of, count_follow, owners_of};
pub use rows::{FRESH_FOR, Fate, Promoted, finish, next_due, promote_due, prune_dead, settle};

/// Rows a local account may enqueue in a minute before the rest of them
/// take the bulk lane.
pub const SENDER_ROWS_PER_MINUTE: u32 = 2000;
/// Unfinished acts of one order key that a new one looks back at.
const CHAIN_MAX: usize = 64;

/// An activity on its way out.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The local account that signs ([`Id::ZERO`]: the server's own actor).
    pub actor: Id,
    /// What it says.
    pub kind: ActivityKind,
    /// What it must stay in order with.
    pub order: OrderKey,
    /// `None` takes the lane of its kind.
    pub lane: Option<Lane>,
    /// The activity's JSON.
    pub body: Body,
}

/// Enqueues an activity for each of its targets; gives the act's id, or
/// `None` where there are no targets. Takes one id from `moment`.
///
/// # Errors
/// Only the store's.
pub fn deliver(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    delivery: &Delivery,
    targets: &Targets,
) -> Result<Option<Id>, StoreError> {
    Ok(send(tx, moment, Job::Deliver, delivery, targets)?.map(|sent| sent.act))
}

/// The same with a new post, of which its author is told how far it has got:
/// see [`reached`].
///
/// # Errors
/// Only the store's.
pub fn deliver_post(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: Id,
    delivery: &Delivery,
    targets: &Targets,
) -> Result<Option<Id>, StoreError> {
    let Some(sent) = send(tx, moment, Job::Deliver, delivery, targets)? else { return Ok(None) };
    reach::follow(tx, status, &sent);
    Ok(Some(sent.act))
}

/// Enqueues a small activity of a local account for each of its targets, like
/// [`deliver`]. The queue writes it as ActivityPub when it goes out.
///
/// # Errors
/// Only the store's.
pub fn say(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    actor: Id,
    outgoing: Outgoing,
    order: OrderKey,
    targets: &Targets,
) -> Result<Option<Id>, StoreError> {
    let kind = outgoing.kind();
    let delivery = Delivery { actor, kind, order, lane: None, body: Body::empty() };
    Ok(send(tx, moment, Job::Say(outgoing), &delivery, targets)?.map(|sent| sent.act))
}

/// What was enqueued.
struct Sent {
    act: Id,
    /// Inboxes it goes to.
    inboxes: usize,
    /// Servers that these are of.
    servers: usize,
    /// Inboxes that get it only once their server is back.
    asleep: usize,
}

fn send(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    job: Job,
    delivery: &Delivery,
    targets: &Targets,
) -> Result<Option<Sent>, StoreError> {
    let places = recipients::resolve(tx, targets, moment.now)?;
    if places.is_empty() {
        return Ok(None);
    }
    let asked = delivery.lane.unwrap_or(delivery.kind.lane());
    let lane = fair_lane(tx, delivery.actor, moment.now, places.len(), asked)?;
    let act = Act {
        job,
        body: delivery.body.clone(),
        actor: delivery.actor,
        kind: delivery.kind,
        order: delivery.order,
        created_at: moment.now,
        expires_at: moment.now.plus(delivery.kind.ttl()),
        is_superseded: false,
    };
    let id = moment.id();
    let inboxes = places.len();
    let servers = places.iter().map(|place| place.0).collect::<BTreeSet<_>>().len();
    let places = log::leave_out(tx, moment.now, id, &act, places)?;
    insert(tx, id, act, lane, delivery.actor, &places)?;
    Ok(Some(Sent { act: id, inboxes, servers, asleep: inboxes - places.len() }))
}

/// Work of any other kind.
#[derive(Debug, Clone)]
pub struct Task {
    /// The work.
    pub job: Job,
    /// Whose lane it takes.
    pub place: Place,
    /// How urgent it is.
    pub lane: Lane,
    /// Whose fair share it counts to ([`Id::ZERO`]: nobody's).
    pub sender: Id,
    /// What it must stay in order with.
    pub order: OrderKey,
    /// What goes with it.
    pub body: Body,
}

impl Task {
    /// Our own work for an account, soon.
    pub fn local(job: Job, sender: Id) -> Task {
        Task {
            job,
            place: Place::Local,
            lane: Lane::Interactive,
            sender,
            order: OrderKey::NONE,
            body: Body::empty(),
        }
    }

    /// The same in another lane.
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Task {
        self.lane = lane;
        self
    }

    /// The same, one after another with others of this key.
    #[must_use]
    pub fn order(mut self, order: OrderKey) -> Task {
        self.order = order;
        self
    }
}

/// Enqueues one piece of work; gives the act's id. Takes one id from `moment`.
///
/// # Errors
/// Only the store's.
pub fn enqueue(tx: &mut WriteTx<'_>, moment: &mut Moment, task: &Task) -> Result<Id, StoreError> {
    let id = moment.id();
    enqueue_as(tx, id, moment.now, ActivityKind::Internal, task)?;
    Ok(id)
}

/// Enqueues one piece of work under an id that no other act has, for as long
/// as work of this kind is worth doing.
///
/// # Errors
/// Only the store's.
pub(super) fn enqueue_as(
    tx: &mut WriteTx<'_>,
    id: Id,
    now: Timestamp,
    kind: ActivityKind,
    task: &Task,
) -> Result<(), StoreError> {
    let destination = recipients::resolve_place(tx, &task.place, now)?;
    let act = Act {
        job: task.job.clone(),
        body: task.body.clone(),
        actor: task.sender,
        kind,
        order: task.order,
        created_at: now,
        expires_at: now.plus(kind.ttl()),
        is_superseded: false,
    };
    insert(tx, id, act, task.lane, task.sender, &[(destination, InboxId::NONE)])
}

/// Like [`enqueue`], to be done not before `due`. Nothing takes it back: its
/// handler finds out whether there is still something to do.
///
/// # Errors
/// Only the store's.
pub fn enqueue_at(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    task: &Task,
    due: Timestamp,
) -> Result<Id, StoreError> {
    let destination = recipients::resolve_place(tx, &task.place, moment.now)?;
    let (id, kind) = (moment.id(), ActivityKind::Internal);
    // Its age counts from when it is due, or it would come as an old one.
    let act = Act {
        job: task.job.clone(),
        body: task.body.clone(),
        actor: task.sender,
        kind,
        order: OrderKey::NONE,
        created_at: due,
        expires_at: due.plus(kind.ttl()),
        is_superseded: false,
    };
    let key = DeferKey { due, destination, act: id, inbox: InboxId::NONE };
    tx.put(DEFERRED, &key, &DeferredRow { row: row_of(&act, task.sender), lane: task.lane });
    tx.add(DEFERRED_AT, &destination, 1);
    tx.add(ACT_ROWS, &id, 1);
    tx.add(ROWS, &total::DEFERRED, 1);
    tx.put(ACT, &id, &act);
    Due(due).emit(tx);
    Ok(id)
}

fn row_of(act: &Act, sender: Id) -> JobRow {
    JobRow {
        sender,
        order: act.order,
        attempts: 0,
        panics: 0,
        created_at: act.created_at,
        expires_at: act.expires_at,
        bytes: act.body.len(),
        kind: act.job.kind(),
    }
}

fn insert(
    tx: &mut WriteTx<'_>,
    id: Id,
    act: Act,
    lane: Lane,
    sender: Id,
    places: &[(DestinationId, InboxId)],
) -> Result<(), StoreError> {
    let lane = join_chain(tx, id, &act, lane)?;
    let row = row_of(&act, sender);
    for &(destination, inbox) in places {
        tx.put(JOB, &JobKey { destination, lane, act: id, inbox }, &row);
    }
    let count = places.len() as i64;
    tx.add(ACT_ROWS, &id, count);
    tx.add(ROWS, &(lane as u8), count);
    tx.put(ACT, &id, &act);
    let destinations: BTreeSet<DestinationId> = places.iter().map(|place| place.0).collect();
    Wake { lanes: destinations.into_iter().map(|destination| (destination, lane)).collect() }.emit(tx);
    Ok(())
}

/// Enters an act into the chain of its order key: marks what it makes
/// pointless, and gives a lane that is not faster than those before it.
fn join_chain(tx: &mut WriteTx<'_>, id: Id, act: &Act, lane: Lane) -> Result<Lane, StoreError> {
    if act.order == OrderKey::NONE {
        return Ok(lane);
    }
    // Our own work about an object and what is sent about it do not mix.
    let is_kin = |earlier: &OrderedAct| {
        (earlier.kind == ActivityKind::Internal) == (act.kind == ActivityKind::Internal)
    };
    let chain = tx.scan(ACT_BY_ORDER, Scan::prefix(&(act.order,)).reverse().limit(CHAIN_MAX))?;
    let (pointless, waiting): (Vec<_>, Vec<_>) = chain
        .into_iter()
        .filter(|(_, earlier)| is_kin(earlier))
        .partition(|(_, earlier)| act.kind.supersedes(earlier.kind));
    let pointless: Vec<Id> = pointless.into_iter().map(|((_, earlier), _)| earlier).collect();
    for (earlier, found) in pointless.iter().zip(tx.get_many(ACT, &pointless)?) {
        // One flag instead of a search for its rows at every destination:
        // they fall away when their turn comes.
        if let Some(found) = found.filter(|found| !found.is_superseded) {
            tx.put(ACT, earlier, &Act { is_superseded: true, body: Body::empty(), ..found });
        }
    }
    let lane = waiting.iter().map(|(_, earlier)| earlier.lane).fold(lane, Lane::max);
    tx.put(ACT_BY_ORDER, &(act.order, id), &OrderedAct { kind: act.kind, lane });
    Ok(lane)
}

/// The bulk lane for an account that floods, the asked one for all others.
fn fair_lane(
    tx: &mut WriteTx<'_>,
    sender: Id,
    now: Timestamp,
    rows: usize,
    asked: Lane,
) -> Result<Lane, StoreError> {
    if sender == Id::ZERO {
        return Ok(asked);
    }
    let minute = (now.as_secs().max(0) / 60) as u32;
    let before = tx.get(SENDER, &sender)?.filter(|rate| rate.minute == minute).map_or(0, |rate| rate.rows);
    let rows = before.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
    tx.put(SENDER, &sender, &SenderRate { minute, rows });
    Ok(if before >= SENDER_ROWS_PER_MINUTE { Lane::Bulk } else { asked })
}

/// How many rows the queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overview {
    /// Ready jobs by lane.
    pub ready: [i64; 3],
    /// Jobs that wait for their retry.
    pub deferred: i64,
    /// Dead letters.
    pub dead: i64,
}

/// Counts the queue's rows; one round trip.
///
/// # Errors
/// Only the store's.
pub fn overview(tx: &ReadTx<'_>) -> Result<Overview, StoreError> {
    let mut batch = tx.batch();
    let ticket = batch.count_many(ROWS, &[0, 1, 2, total::DEFERRED, total::DEAD]);
    let counts = batch.fetch()?.counts(ticket);
    Ok(Overview { ready: [counts[0], counts[1], counts[2]], deferred: counts[3], dead: counts[4] })
}
