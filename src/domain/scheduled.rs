//! Posts that are published later: kept as they were typed, with a job for
//! their time. The row says when; a job that comes for a row that is gone, or
//! is due later now, has nothing to do.

use std::time::Duration;

use crate::base::{Id, Moment, Timestamp};
use crate::domain::delivery::{Task, enqueue_at};
use crate::domain::media::{self, MediaFault};
use crate::domain::page::{Page, Paged, fill};
use crate::domain::status::{Draft, IDEMPOTENCY_FOR, StatusError, seen};
use crate::domain::visibility::Viewer;
use crate::model::Scheduled;
use crate::model::queue::Job;
use crate::model::tables::{IDEMPOTENCY, SCHEDULED};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How far ahead it has to be (Mastodon: five minutes).
pub const AHEAD_MIN: Duration = Duration::from_secs(5 * 60);
/// Waiting posts of one author (Mastodon: 300).
pub const WAITING_MAX: usize = 300;
/// Of these, posts for one day (Mastodon: 25).
pub const DAILY_MAX: usize = 25;

/// Why a post is not scheduled.
#[derive(Debug)]
pub enum ScheduleError {
    /// There is no such post, or it is not theirs.
    NotFound,
    /// Its time is not [`AHEAD_MIN`] ahead.
    TooSoon,
    /// There are [`WAITING_MAX`].
    Full,
    /// There are [`DAILY_MAX`] on that day.
    DayFull,
    /// It could not be published as it is.
    Status(StatusError),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ScheduleError {
    fn from(cause: StoreError) -> Self {
        ScheduleError::Store(cause)
    }
}

impl From<StatusError> for ScheduleError {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::Store(cause) => ScheduleError::Store(cause),
            other => ScheduleError::Status(other),
        }
    }
}

impl From<MediaFault> for ScheduleError {
    fn from(fault: MediaFault) -> Self {
        ScheduleError::from(StatusError::from(fault))
    }
}

/// Keeps a post for its time. `row` has neither id nor attachments yet;
/// `draft` is what it would be if it were published now. Takes two ids.
///
/// # Errors
/// See [`ScheduleError`].
pub fn schedule(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    row: &Scheduled,
    draft: &Draft,
) -> Result<Scheduled, ScheduleError> {
    if let Some(before) = scheduled_before(tx, moment.now, draft)? {
        return Ok(before);
    }
    if draft.text.trim().is_empty() && draft.media.is_empty() {
        return Err(StatusError::Blank.into());
    }
    check_time(tx, moment.now, row.account, row.at, None)?;
    if let Some(parent) = draft.in_reply_to {
        match seen(tx, Viewer::account(row.account, moment.now), parent) {
            Err(StatusError::NotFound) => return Err(StatusError::ReplyNotFound.into()),
            other => drop(other?),
        }
    }
    let attachments = media::hold(tx, moment.now, row.account, row.at, &draft.media)?;
    let row = Scheduled { id: moment.id(), attachments, ..row.clone() };
    tx.put(SCHEDULED, &(row.account, row.id), &row);
    if let Some(key) = &draft.idempotency_key {
        tx.put(IDEMPOTENCY, &(row.account, kept_key(key)), &row.id);
    }
    publish_later(tx, moment, &row)?;
    Ok(row)
}

/// Keys of posts that were published and of those that wait are kept apart.
fn kept_key(key: &str) -> String {
    format!("scheduled {key}")
}

fn scheduled_before(tx: &ReadTx<'_>, now: Timestamp, draft: &Draft) -> Result<Option<Scheduled>, StoreError> {
    let Some(key) = &draft.idempotency_key else { return Ok(None) };
    let before = tx.get(IDEMPOTENCY, &(draft.author, kept_key(key)))?;
    let current = before.filter(|id| now.since(id.timestamp()) < IDEMPOTENCY_FOR);
    Ok(current.map(|id| tx.get(SCHEDULED, &(draft.author, id))).transpose()?.flatten())
}

/// Whether one more may be published then; `but` is the one that is moved.
fn check_time(
    tx: &ReadTx<'_>,
    now: Timestamp,
    author: Id,
    at: Timestamp,
    but: Option<Id>,
) -> Result<(), ScheduleError> {
    if at <= now.plus(AHEAD_MIN) {
        return Err(ScheduleError::TooSoon);
    }
    let rows = tx.scan(SCHEDULED, Scan::prefix(&(author,)).limit(WAITING_MAX + 1))?;
    let others: Vec<&Scheduled> = rows.iter().map(|(_, row)| row).filter(|row| Some(row.id) != but).collect();
    if others.len() >= WAITING_MAX {
        return Err(ScheduleError::Full);
    }
    let that_day = others.iter().filter(|row| row.at.midnight() == at.midnight()).count();
    if that_day >= DAILY_MAX { Err(ScheduleError::DayFull) } else { Ok(()) }
}

fn publish_later(tx: &mut WriteTx<'_>, moment: &mut Moment, row: &Scheduled) -> Result<(), StoreError> {
    let job = Job::PublishScheduled { account: row.account, scheduled: row.id };
    enqueue_at(tx, moment, &Task::local(job, row.account), row.at)?;
    Ok(())
}

/// A page of somebody's waiting posts, by when they were written.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, author: Id, page: &Page) -> Result<Paged<Scheduled>, StoreError> {
    fill(
        page,
        |span| {
            let rows = tx.scan(SCHEDULED, span.scan(Scan::prefix(&(author,)), |id| (author, id)))?;
            Ok(rows.into_iter().map(|((_, id), row)| (id, row)).collect())
        },
        |rows| Ok(rows.iter().map(|(_, row)| Some(row.clone())).collect()),
    )
}

/// One's own waiting post.
///
/// # Errors
/// [`ScheduleError::NotFound`].
pub fn get(tx: &ReadTx<'_>, author: Id, id: Id) -> Result<Scheduled, ScheduleError> {
    tx.get(SCHEDULED, &(author, id))?.ok_or(ScheduleError::NotFound)
}

/// Moves a waiting post to another time. Takes one id.
///
/// # Errors
/// See [`ScheduleError`].
pub fn reschedule(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    author: Id,
    id: Id,
    at: Timestamp,
) -> Result<Scheduled, ScheduleError> {
    let old = get(tx, author, id)?;
    check_time(tx, moment.now, author, at, Some(id))?;
    let media: Vec<Id> = old.attachments.iter().map(|attachment| attachment.id).collect();
    media::hold(tx, moment.now, author, at, &media)?;
    let row = Scheduled { at, ..old };
    tx.put(SCHEDULED, &(author, id), &row);
    publish_later(tx, moment, &row)?;
    Ok(row)
}

/// Gives up a waiting post; its uploads wait for another one.
///
/// # Errors
/// [`ScheduleError::NotFound`].
pub fn cancel(tx: &mut WriteTx<'_>, now: Timestamp, author: Id, id: Id) -> Result<(), ScheduleError> {
    let row = get(tx, author, id)?;
    media::release(tx, now, None, &row.attachments)?;
    tx.delete(SCHEDULED, &(author, id));
    Ok(())
}

/// The post of a job, if its time has come.
///
/// # Errors
/// Only the store's.
pub fn due(tx: &ReadTx<'_>, now: Timestamp, author: Id, id: Id) -> Result<Option<Scheduled>, StoreError> {
    Ok(tx.get(SCHEDULED, &(author, id))?.filter(|row| row.at <= now))
}

/// Takes a post out of those that wait, in the transaction that publishes it;
/// gives whether it still waited and its time has come: it may have been given
/// up or put off since the job looked.
///
/// # Errors
/// Only the store's.
pub fn take(tx: &mut WriteTx<'_>, now: Timestamp, row: &Scheduled) -> Result<bool, StoreError> {
    let is_due = due(tx, now, row.account, row.id)?.is_some();
    if is_due {
        tx.delete(SCHEDULED, &(row.account, row.id));
    }
    Ok(is_due)
}
