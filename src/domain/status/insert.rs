//! The core of every new post, from here or from elsewhere.

use std::time::Duration;

use crate::base::{Id, Moment, Timestamp};
use crate::domain::card;
use crate::domain::conversation;
use crate::domain::delivery::{Task, enqueue};
use crate::domain::notification::{self, notify_all};
use crate::domain::tag;
use crate::domain::timeline::insert_home;
use crate::domain::webhook;
use crate::model::queue::{Job, OrderKey, Verb};
use crate::model::tables::{ACCOUNT, COUNT, INTERACTION, STATUS, count};
use crate::model::{Account, Audience, Event, NotificationKind, Status, Visibility, WebhookEvent};
use crate::store::{ReadTx, StoreError, WriteTx};

/// A remote post this young is filed under now, an older one under its date.
const FRESH_FOR: Duration = Duration::from_secs(15 * 60);
/// Neighbouring ids tried for a post of a crowded millisecond.
const ID_TRIES: u64 = 64;

/// Whether a new post is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It was written just now: people are told, timelines get it.
    Fresh,
    /// It is filled in for a thread or a boost: nobody is told.
    Backfill,
}

/// An id for a post from elsewhere. A fresh one gets the next id; an old one
/// an id of its own date, so that it sorts where it belongs. Takes one id.
///
/// # Errors
/// Only the store's.
pub fn id_for(tx: &ReadTx<'_>, moment: &mut Moment, written: Timestamp) -> Result<Id, StoreError> {
    let fresh = moment.id();
    if moment.now.since(written) < FRESH_FOR || written > moment.now {
        return Ok(fresh);
    }
    // The low bits of the fresh id spread posts of one millisecond.
    let first = Id::first_at(written).0 | (fresh.0 & 0xffff);
    let tries: Vec<Id> = (0..ID_TRIES).map(|step| Id(first.wrapping_add(step))).collect();
    let taken = tx.get_many(STATUS, &tries)?;
    Ok(tries.iter().zip(taken).find(|(_, row)| row.is_none()).map_or(fresh, |(id, _)| *id))
}

/// Keeps a new post or boost: record, counts, the author's own timeline,
/// notifications, and the job that brings it to everybody else. `status` is
/// complete but for its thread and its link. Takes three ids, and one for each local account
/// that is mentioned; ids may run out, then the rest is not notified.
///
/// # Errors
/// Only the store's.
pub fn insert(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
    news: News,
) -> Result<(), StoreError> {
    let mut status = status.clone();
    let parent = match status.in_reply_to {
        Some(parent) => tx.get(STATUS, &parent)?,
        None => None,
    };
    status.thread = parent.map_or(status.id, |parent| parent.thread);
    status.link = card::first_link(&status.content_html);
    Status::save(tx, None, &status);
    adjust_counts(tx, &status, 1);
    note_activity(tx, &status)?;
    tag::used(tx, &status, news == News::Fresh)?;
    if news == News::Backfill {
        return Ok(());
    }
    if status.is_local {
        // The author sees it at once; followers get it from the job.
        insert_home(tx, status.account, status.id, &status.entry())?;
        Event::Home { account: status.account, status: status.id }.emit(tx);
    }
    if status.visibility == Visibility::Public && !status.is_reblog() {
        let is_limited = tx.get(ACCOUNT, &status.account)?.is_some_and(|author| author.is_limited());
        if !is_limited {
            Event::Public { status: status.id, audience: Audience::from(&status) }.emit(tx);
        }
    }
    conversation::file(tx, moment.now, &status)?;
    tell_followers(tx, moment, &status)?;
    card::ask(tx, moment, &status)?;
    if status.is_local {
        webhook::announce(tx, moment, WebhookEvent::StatusCreated, &[status.id])?;
    }
    tell_mentioned(tx, moment, &status, &[])
}

/// Leaves the job that brings a new post to its author's followers. Takes one id.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn tell_followers(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
) -> Result<(), StoreError> {
    let job = Job::FanOut { status: status.id, verb: Verb::Create };
    enqueue(tx, moment, &Task::local(job, sender(status)).order(job_order(status)))?;
    Ok(())
}

/// Whose fair share of the queue a post's work counts to.
pub(super) fn sender(status: &Status) -> Id {
    if status.is_local { status.account } else { Id::ZERO }
}

/// Fan-outs of one post happen one after another. Not the key of its
/// deliveries: a Delete there makes everything before it pointless.
pub(super) fn job_order(status: &Status) -> OrderKey {
    OrderKey::of_pair(status.id, status.account)
}

/// Adds a post to the counts, or takes it out.
pub(super) fn adjust_counts(tx: &mut WriteTx<'_>, status: &Status, by: i64) {
    if status.visibility != Visibility::Direct {
        tx.add(COUNT, &(count::STATUSES, status.account), by);
    }
    if let Some(original) = status.reblog_of {
        tx.add(COUNT, &(count::REBLOGS, original), by);
        return;
    }
    if status.is_local {
        tx.add(COUNT, &(count::LOCAL_STATUSES, Id::ZERO), by);
    }
    // A count would tell everybody of answers that they may not see.
    if let Some(parent) = status.in_reply_to.filter(|_| status.visibility.is_open()) {
        tx.add(COUNT, &(count::REPLIES, parent), by);
    }
}

/// Remembers on the account when it last posted; to the day, as it is shown,
/// so that the row is not rewritten with every post.
fn note_activity(tx: &mut WriteTx<'_>, status: &Status) -> Result<(), StoreError> {
    let Some(old) = tx.get(ACCOUNT, &status.account)? else { return Ok(()) };
    let is_newer = old.last_status_at.is_none_or(|last| last.midnight() < status.created_at.midnight());
    if is_newer && status.visibility != Visibility::Direct {
        let new = Account { last_status_at: Some(status.created_at), ..old.clone() };
        Account::save(tx, Some(&old), &new);
    }
    Ok(())
}

/// Tells those who are mentioned, except `known`, who were told before.
pub(super) fn tell_mentioned(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
    known: &[Id],
) -> Result<(), StoreError> {
    let mentioned: Vec<Id> =
        status.mentions.iter().map(|mention| mention.account).filter(|id| !known.contains(id)).collect();
    let threads: Vec<(Id, Id)> = mentioned.iter().map(|id| (*id, status.thread)).collect();
    let rows = mentioned.iter().zip(tx.get_many(INTERACTION, &threads)?);
    let open: Vec<Id> =
        rows.filter(|(_, row)| row.as_ref().is_none_or(|r| !r.muted)).map(|(id, _)| *id).collect();
    let kind = NotificationKind::Mention;
    notify_all(
        tx,
        moment,
        &open,
        notification::News { kind, from: status.account, status: Some(status.id) },
    )?;
    Ok(())
}
