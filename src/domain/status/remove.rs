//! Deleting a post, and everything that hangs on it.

use minicbor::{Decode, Encode};

use super::insert::{adjust_counts, job_order, sender};
use super::{StatusError, history, own};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::conversation;
use crate::domain::delivery::{Task, enqueue};
use crate::domain::media;
use crate::domain::notification::forget_status;
use crate::domain::poll;
use crate::domain::quote;
use crate::domain::tag;
use crate::domain::timeline::{Loaded, load_one};
use crate::domain::tombstone;
use crate::domain::visibility::Viewer;
use crate::model::queue::{Body, Job, Verb};
use crate::model::tables::{
    ACCOUNT, COUNT, FAVOURITES, HOME_TIMELINE, INTERACTION, PINS, POLL_VOTERS, STATUS, STATUS_FAVOURITES,
    STATUS_REBLOGS, STATUS_REPLIES, TombstoneRow, count,
};
use crate::model::{Audience, Event, Interaction, Status};
use crate::store::{Record, Scan, StoreError, Value, WriteTx};

/// Boosts, likes and answers of one post that are cleaned up with it. Rows
/// beyond that point at a missing post and are not shown.
const CLEANED_MAX: usize = 1000;

/// A deleted post and whom to tell; the body of the job that does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Departed {
    /// Its last version.
    #[n(0)]
    pub status: Status,
    /// Accounts that boosted, liked or answered it.
    #[n(1)]
    pub reached: Vec<Id>,
    /// When it was deleted.
    #[n(2)]
    pub at: Timestamp,
}

impl Record for Departed {}

/// Deletes one's own post, or undoes one's own boost. Gives what it was, so
/// that it can be written anew.
///
/// # Errors
/// When it is not theirs, or the store fails.
pub fn delete(tx: &mut WriteTx<'_>, moment: &mut Moment, author: Id, id: Id) -> Result<Loaded, StatusError> {
    let status = own(tx, author, id)?;
    let was = load_one(tx, Viewer::account(author, moment.now), id)?.ok_or(StatusError::NotFound)?;
    remove(tx, moment, &status)?;
    Ok(was)
}

/// Removes a post or boost from here or elsewhere with all that hangs on it,
/// and writes the job that tells other servers. Takes one id if it is local.
///
/// # Errors
/// Only the store's.
pub fn remove(tx: &mut WriteTx<'_>, moment: &mut Moment, status: &Status) -> Result<(), StoreError> {
    let reached = reached(tx, status)?;
    let author = tx.get(ACCOUNT, &status.account)?.unwrap_or_default();
    let (actor_uri, is_author_gone) = (author.uri, author.deleted_at.is_some());
    let mark = tx.get(INTERACTION, &(status.account, status.shown()))?;
    if !status.is_reblog() {
        if let Some(pin) = mark.as_ref().and_then(|row| row.pin) {
            tx.delete(PINS, &(status.account, pin));
        }
        poll::forget(tx, status, CLEANED_MAX)?;
        history::forget(tx, status.id)?;
        quote::forget(tx, status)?;
        erase_marks(tx, status.id)?;
        forget_status(tx, status.account, status.id);
        erase_boosts(tx, moment.now, status.id)?;
    }
    erase(tx, moment.now, status, actor_uri, mark)?;
    if status.is_local {
        // What somebody who is gone uploaded waits for no other post.
        let since = if is_author_gone { moment.now.minus(media::UNSHOWN_FOR) } else { moment.now };
        media::release(tx, since, Some(status.id), &status.attachments)?;
    }
    // Whoever heard that the author is gone needs not hear of each post.
    if status.is_local && !is_author_gone {
        let departed = Departed { status: status.clone(), reached, at: moment.now };
        // It is smaller than any body may be: the post's text is bounded.
        let body = Body::new(departed.to_bytes()).unwrap_or_else(|_| Body::empty());
        let job = Job::FanOut { status: status.id, verb: Verb::Delete };
        let task = Task { body, ..Task::local(job, sender(status)).order(job_order(status)) };
        enqueue(tx, moment, &task)?;
    }
    Ok(())
}

/// Everybody whose server may hold a copy besides those it was sent to.
fn reached(tx: &WriteTx<'_>, status: &Status) -> Result<Vec<Id>, StoreError> {
    if !status.is_local || status.is_reblog() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for table in [STATUS_REBLOGS, STATUS_FAVOURITES, STATUS_REPLIES] {
        let rows = tx.scan(table, Scan::prefix(&(status.id,)).limit(CLEANED_MAX))?;
        all.extend(rows.into_iter().map(|(_, account)| account));
    }
    let voters = tx.scan(POLL_VOTERS, Scan::prefix(&(status.id,)).limit(CLEANED_MAX))?;
    all.extend(voters.into_iter().map(|((_, voter), ())| voter));
    all.sort();
    all.dedup();
    Ok(all)
}

/// One record with its own rows. `mark` is what its author did with the post
/// that it shows.
fn erase(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    status: &Status,
    actor_uri: String,
    mark: Option<Interaction>,
) -> Result<(), StoreError> {
    Status::delete(tx, status);
    adjust_counts(tx, status, -1);
    tag::unused(tx, status)?;
    conversation::unfile(tx, status)?;
    tx.delete(HOME_TIMELINE, &(status.account, status.id));
    let former_type = if status.is_reblog() { "Announce" } else { "Note" }.to_owned();
    // Our own private posts leave no grave: that would tell strangers that
    // they existed. Their ids are never given out again in any case.
    if !status.is_local || status.visibility.is_open() {
        tombstone::put(tx, &status.uri, &TombstoneRow { deleted_at: now, former_type, actor_uri });
    }
    if let Some(row) = mark.filter(|row| status.is_reblog() && row.reblog == Some(status.id)) {
        keep(tx, (status.account, status.shown()), &Interaction { reblog: None, ..row });
    }
    Event::Deleted { status: status.id, audience: Audience::from(status) }.emit(tx);
    Ok(())
}

/// Keeps what an account did with a post, or drops the row when it says
/// nothing more.
pub(in crate::domain) fn keep(tx: &mut WriteTx<'_>, key: (Id, Id), row: &Interaction) {
    if *row == Interaction::default() { tx.delete(INTERACTION, &key) } else { tx.put(INTERACTION, &key, row) }
}

fn erase_marks(tx: &mut WriteTx<'_>, status: Id) -> Result<(), StoreError> {
    let likes = tx.scan(STATUS_FAVOURITES, Scan::prefix(&(status,)).limit(CLEANED_MAX))?;
    for (key, account) in likes {
        tx.delete(STATUS_FAVOURITES, &key);
        tx.delete(FAVOURITES, &(account, key.1));
        tx.delete(INTERACTION, &(account, status));
    }
    for what in [count::REPLIES, count::REBLOGS, count::FAVOURITES] {
        tx.forget(COUNT, &(what, status));
    }
    Ok(())
}

fn erase_boosts(tx: &mut WriteTx<'_>, now: Timestamp, status: Id) -> Result<(), StoreError> {
    let boosts = tx.scan(STATUS_REBLOGS, Scan::prefix(&(status,)).limit(CLEANED_MAX))?;
    let ids: Vec<Id> = boosts.iter().map(|((_, boost), _)| *boost).collect();
    let marked: Vec<(Id, Id)> = boosts.iter().map(|(_, account)| (*account, status)).collect();
    let marks = tx.get_many(INTERACTION, &marked)?;
    for (boost, mark) in tx.get_many(STATUS, &ids)?.into_iter().zip(marks) {
        if let Some(boost) = boost {
            // The Announce's tombstone needs no owner: its object's has one.
            erase(tx, now, &boost, String::new(), mark)?;
        }
    }
    // The boosts took themselves off a count that is gone.
    tx.forget(COUNT, &(count::REBLOGS, status));
    Ok(())
}
