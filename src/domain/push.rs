//! Web Push: who wants to be told of what, and the jobs that tell them.
//!
//! A notification writes one small job in its own transaction, if its owner
//! has any subscription; that job makes one for each subscription that wants
//! it, on the lane of the push service. Must not know how a push is written,
//! encrypted or sent.

use super::delivery::{Place, Task, authority_of, enqueue_as};
use crate::base::{Id, Moment, Timestamp};
use crate::model::queue::tables::{SEQUENCE, Sequence, sequence};
use crate::model::queue::{ActivityKind, Job, Lane, PushTo};
use crate::model::tables::{NOTIFICATION, PUSH_BY_ACCOUNT, PUSH_SUBSCRIPTION, RELATION, USER};
use crate::model::{Notification, NotificationKind, PushPolicy, PushSubscription, User};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Subscriptions of one account that are served.
pub const PUSHES_PER_ACCOUNT_MAX: usize = 32;
/// People whom one job tells.
pub const TOLD_PER_JOB: usize = 64;

/// The digest of the token that a subscription belongs to.
pub type Digest = [u8; 32];

/// What a client subscribes with.
#[derive(Debug, Clone)]
pub struct NewPush {
    /// Where to post.
    pub endpoint: String,
    /// The app's public key.
    pub public_key: Vec<u8>,
    /// The shared secret.
    pub auth: Vec<u8>,
    /// Encrypted as RFC 8291 says.
    pub standard: bool,
    /// Of what it is told.
    pub alerts: Vec<NotificationKind>,
    /// Of whom.
    pub policy: PushPolicy,
}

/// Subscribes the app with this token, in place of what it had.
///
/// # Errors
/// Only the store's.
pub fn subscribe(
    tx: &mut WriteTx<'_>,
    digest: Digest,
    account: Id,
    new: &NewPush,
) -> Result<PushSubscription, StoreError> {
    let number = tx.get(SEQUENCE, &sequence::PUSH)?.unwrap_or_default().last + 1;
    tx.put(SEQUENCE, &sequence::PUSH, &Sequence { last: number });
    let NewPush { endpoint, public_key, auth, standard, alerts, policy } = new.clone();
    let subscription =
        PushSubscription { number, account, endpoint, public_key, auth, standard, alerts, policy };
    tx.put(PUSH_SUBSCRIPTION, &digest, &subscription);
    tx.put(PUSH_BY_ACCOUNT, &(account, digest), &());
    note(tx, account, true)?;
    Ok(subscription)
}

/// Remembers with the user whether a notification has anybody to tell, so
/// that most need not look.
fn note(tx: &mut WriteTx<'_>, account: Id, has_push: bool) -> Result<(), StoreError> {
    if let Some(old) = tx.get(USER, &account)?.filter(|user| user.has_push != has_push) {
        User::save(tx, Some(&old), &User { has_push, ..old.clone() });
    }
    Ok(())
}

/// The subscription of the app with this token.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, digest: Digest) -> Result<Option<PushSubscription>, StoreError> {
    tx.get(PUSH_SUBSCRIPTION, &digest)
}

/// Changes what an app is told of, and of whom where that is given; `None` if
/// it has not subscribed.
///
/// # Errors
/// Only the store's.
pub fn change(
    tx: &mut WriteTx<'_>,
    digest: Digest,
    alerts: &[NotificationKind],
    policy: Option<PushPolicy>,
) -> Result<Option<PushSubscription>, StoreError> {
    let Some(old) = tx.get(PUSH_SUBSCRIPTION, &digest)? else { return Ok(None) };
    let new = PushSubscription { alerts: alerts.to_vec(), policy: policy.unwrap_or(old.policy), ..old };
    tx.put(PUSH_SUBSCRIPTION, &digest, &new);
    Ok(Some(new))
}

/// Ends the subscription of the app with this token, if there is one.
///
/// # Errors
/// Only the store's.
pub fn unsubscribe(tx: &mut WriteTx<'_>, digest: Digest) -> Result<(), StoreError> {
    let Some(old) = tx.get(PUSH_SUBSCRIPTION, &digest)? else { return Ok(()) };
    tx.delete(PUSH_SUBSCRIPTION, &digest);
    tx.delete(PUSH_BY_ACCOUNT, &(old.account, digest));
    if tx.scan(PUSH_BY_ACCOUNT, Scan::prefix(&(old.account,)).limit(1))?.is_empty() {
        note(tx, old.account, false)?;
    }
    Ok(())
}

/// Ends a subscription that the push service says is gone, unless the app has
/// made another one since.
///
/// # Errors
/// Only the store's.
pub fn forget(tx: &mut WriteTx<'_>, push: &PushTo) -> Result<(), StoreError> {
    if tx.get(PUSH_SUBSCRIPTION, &push.token)?.is_some_and(|now| now.number == push.number) {
        unsubscribe(tx, push.token)?;
    }
    Ok(())
}

/// Writes the job that tells the apps of these (account, notification). Its
/// id is `act`, which must not be that of another job.
///
/// # Errors
/// Only the store's.
pub(super) fn announce(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    act: Id,
    told: &[(Id, Id)],
) -> Result<(), StoreError> {
    let job = Job::Push { told: told.to_vec() };
    enqueue_as(tx, act, now, ActivityKind::Push, &Task::local(job, Id::ZERO))
}

/// A push and the host of its push service, with the port unless it is the
/// usual one.
pub type Addressed = (PushTo, String);

/// The pushes that these notifications call for: alerts and policies are
/// asked, and nothing is told that its owner has dismissed.
///
/// # Errors
/// Only the store's.
pub fn called_for(tx: &ReadTx<'_>, told: &[(Id, Id)]) -> Result<Vec<Addressed>, StoreError> {
    let mut all = Vec::new();
    for ((account, _), row) in told.iter().zip(tx.get_many(NOTIFICATION, told)?) {
        let Some(row) = row else { continue };
        let mine = tx.scan(PUSH_BY_ACCOUNT, Scan::prefix(&(*account,)).limit(PUSHES_PER_ACCOUNT_MAX))?;
        let tokens: Vec<Digest> = mine.into_iter().map(|((_, token), ())| token).collect();
        let between = tx.get_many(RELATION, &[(*account, row.from), (row.from, *account)])?;
        let follows: Vec<bool> = between
            .iter()
            .map(|one| one.as_ref().is_some_and(|relation| relation.follow.is_some()))
            .collect();
        for (token, subscription) in tokens.iter().zip(tx.get_many(PUSH_SUBSCRIPTION, &tokens)?) {
            let wanted = subscription.filter(|one| wants(one, &row, follows[0], follows[1]));
            let Some(PushSubscription { number, endpoint, .. }) = wanted else { continue };
            let push = PushTo { token: *token, number, account: *account, notification: row.id };
            all.extend(authority_of(&endpoint).map(|host| (push, host)));
        }
    }
    Ok(all)
}

fn wants(subscription: &PushSubscription, row: &Notification, follows: bool, is_followed: bool) -> bool {
    let is_welcome = match subscription.policy {
        PushPolicy::All => true,
        PushPolicy::Followed => follows,
        PushPolicy::Follower => is_followed,
        PushPolicy::None => false,
    };
    is_welcome && !row.is_filtered && subscription.alerts.contains(&row.kind)
}

/// Enqueues one job for each push, on the lane of its push service. Takes one
/// id for each.
///
/// # Errors
/// Only the store's.
pub fn send(tx: &mut WriteTx<'_>, moment: &mut Moment, pushes: &[Addressed]) -> Result<(), StoreError> {
    for (push, host) in pushes {
        let task = Task {
            place: Place::PushService(host.clone()),
            ..Task::local(Job::PushTo(push.clone()), push.account).lane(Lane::Fresh)
        };
        let (id, now) = (moment.id(), moment.now);
        enqueue_as(tx, id, now, ActivityKind::Push, &task)?;
    }
    Ok(())
}
