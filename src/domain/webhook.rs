//! Outgoing webhooks: addresses that those who run the server wish to be told
//! of events here.
//!
//! An event writes one small job in its own transaction, if anybody wants to
//! hear of it; that job is rendered once and becomes one for each webhook, on
//! the lane of its host. Must not know how it is rendered, signed or sent.

use super::delivery::{Place, Task, authority_of, enqueue_as, finish};
use super::moderation::{Entry, ModerationError, Staff, log};
use crate::base::{Id, Moment};
use crate::model::queue::{ActivityKind, Body, Job, JobKey, Lane, OrderKey};
use crate::model::tables::WEBHOOK;
use crate::model::{Permission, Webhook, WebhookEvent};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Webhooks of one server: all are looked at with each event.
pub const WEBHOOKS_MAX: usize = 32;
/// Bytes of an address.
pub const URL_MAX_BYTES: usize = 2048;
/// Shortest secret (Mastodon: 12), and the longest.
pub const SECRET_BYTES: std::ops::RangeInclusive<usize> = 12..=256;

/// What is wished of a webhook. The address was found to be one that may be
/// asked.
#[derive(Clone)]
pub struct Wish {
    /// Where to post.
    pub url: String,
    /// Of what it is told, each once.
    pub events: Vec<WebhookEvent>,
}

impl Wish {
    fn check(&self) -> Result<(), ModerationError> {
        if self.events.is_empty() {
            return Err(ModerationError::Invalid("Events can't be blank"));
        }
        if self.url.len() > URL_MAX_BYTES || authority_of(&self.url).is_none() {
            return Err(ModerationError::Invalid("Url is invalid"));
        }
        Ok(())
    }

    /// In the order of the list, each once.
    fn events(&self) -> Vec<WebhookEvent> {
        WebhookEvent::ALL.into_iter().filter(|event| self.events.contains(event)).collect()
    }
}

/// All webhooks, oldest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Webhook>, StoreError> {
    Ok(tx.scan(WEBHOOK, Scan::all().limit(WEBHOOKS_MAX))?.into_iter().map(|(_, row)| row).collect())
}

/// One webhook.
///
/// # Errors
/// Only the store's.
pub fn get(tx: &ReadTx<'_>, id: Id) -> Result<Option<Webhook>, StoreError> {
    tx.get(WEBHOOK, &id)
}

/// Makes a webhook. Takes two ids.
///
/// # Errors
/// When `by` may not, there are as many as there may be, or the wish is no good.
pub fn create(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    wish: &Wish,
    secret: &str,
) -> Result<Webhook, ModerationError> {
    by.may(Permission::ManageWebhooks)?;
    wish.check()?;
    if !SECRET_BYTES.contains(&secret.len()) {
        return Err(ModerationError::Invalid("Secret is too short (minimum is 12 characters)"));
    }
    if list(tx)?.len() >= WEBHOOKS_MAX {
        return Err(ModerationError::Invalid("there are as many webhooks as there may be"));
    }
    let new = Webhook {
        id: moment.id(),
        url: wish.url.clone(),
        events: wish.events(),
        secret: secret.to_owned(),
        is_enabled: true,
        created_at: moment.now,
        updated_at: moment.now,
    };
    tx.put(WEBHOOK, &new.id, &new);
    logged(tx, moment, by, "create", &new);
    Ok(new)
}

/// What is changed of a webhook.
#[derive(Clone)]
pub enum Change {
    /// Where it is, and of what it is told.
    Wish(Wish),
    /// Whether it is told at all. What waits for one that is disabled falls away.
    Enabled(bool),
    /// The key of its signatures; what waits is signed with the new one.
    Secret(String),
}

/// Changes a webhook. Takes one id.
///
/// # Errors
/// When `by` may not, there is none, or the wish is no good.
pub fn change(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    id: Id,
    change: &Change,
) -> Result<Webhook, ModerationError> {
    by.may(Permission::ManageWebhooks)?;
    let mut webhook = tx.get(WEBHOOK, &id)?.ok_or(ModerationError::Missing)?;
    let action = match change {
        Change::Wish(wish) => {
            wish.check()?;
            (webhook.url, webhook.events) = (wish.url.clone(), wish.events());
            "update"
        }
        Change::Enabled(is_enabled) => {
            webhook.is_enabled = *is_enabled;
            if *is_enabled { "enable" } else { "disable" }
        }
        Change::Secret(secret) => {
            webhook.secret.clone_from(secret);
            "rotate_secret"
        }
    };
    webhook.updated_at = moment.now;
    tx.put(WEBHOOK, &id, &webhook);
    logged(tx, moment, by, action, &webhook);
    Ok(webhook)
}

/// Removes a webhook; what waits for it falls away. Takes one id.
///
/// # Errors
/// When `by` may not, or there is none.
pub fn remove(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, id: Id) -> Result<(), ModerationError> {
    by.may(Permission::ManageWebhooks)?;
    let webhook = tx.get(WEBHOOK, &id)?.ok_or(ModerationError::Missing)?;
    tx.delete(WEBHOOK, &id);
    logged(tx, moment, by, "destroy", &webhook);
    Ok(())
}

fn logged(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, action: &str, about: &Webhook) {
    // Paths of webhooks are secrets as often as not.
    let name = authority_of(&about.url).unwrap_or_default();
    log(tx, moment, by, Entry { action, kind: "webhook", target: about.id, name: &name, note: "" });
}

fn wants(webhook: &Webhook, event: WebhookEvent) -> bool {
    webhook.is_enabled && webhook.events.contains(&event)
}

/// Leaves the job that tells of an event, if anybody wants to hear of it.
/// Takes one id then.
///
/// # Errors
/// Only the store's.
pub(super) fn announce(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    event: WebhookEvent,
    objects: &[Id],
) -> Result<(), StoreError> {
    if objects.is_empty() || !list(tx)?.iter().any(|webhook| wants(webhook, event)) {
        return Ok(());
    }
    let job = Job::Webhook { event, objects: objects.to_vec() };
    let (id, now) = (moment.id(), moment.now);
    enqueue_as(tx, id, now, ActivityKind::Webhook, &Task::local(job, Id::ZERO).lane(Lane::Fresh))
}

/// One event, as it is sent.
#[derive(Debug, Clone)]
pub struct Message {
    /// About what.
    pub object: Id,
    /// JSON.
    pub body: Body,
}

/// Finishes the job of an event: leaves one job for each message and each
/// webhook that wants it, on the lane of its host. Takes an id for each.
///
/// # Errors
/// Only the store's.
pub fn send(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    job: &JobKey,
    event: WebhookEvent,
    messages: &[Message],
) -> Result<(), StoreError> {
    if !finish(tx, job)? {
        return Ok(());
    }
    for webhook in list(tx)?.iter().filter(|webhook| wants(webhook, event)) {
        for message in messages {
            tell(tx, moment, webhook, (event, message))?;
        }
    }
    Ok(())
}

fn tell(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    webhook: &Webhook,
    (event, message): (WebhookEvent, &Message),
) -> Result<(), StoreError> {
    let Some(host) = authority_of(&webhook.url) else { return Ok(()) };
    let task = Task {
        place: Place::Webhook(host),
        body: message.body.clone(),
        ..Task::local(Job::WebhookTo { webhook: webhook.id, event, object: message.object }, Id::ZERO)
            .lane(Lane::Fresh)
            // Of its own, apart from what is delivered of the same object.
            .order(OrderKey::of_pair(webhook.id, message.object))
    };
    let (id, now) = (moment.id(), moment.now);
    enqueue_as(tx, id, now, ActivityKind::Webhook, &task)
}

/// Leaves a message anew for a webhook that moved to another host since.
/// Takes one id.
///
/// # Errors
/// Only the store's.
pub fn send_again(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    job: &JobKey,
    webhook: &Webhook,
    (event, message): (WebhookEvent, &Message),
) -> Result<(), StoreError> {
    if finish(tx, job)? {
        tell(tx, moment, webhook, (event, message))?;
    }
    Ok(())
}
