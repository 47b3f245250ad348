//! What becomes due in a poll: telling other servers of new votes, and
//! everybody of its end. May run again after a crash: what was done is noted
//! in the poll, and notifications have the same id each time.

use super::current;
use crate::base::{Id, Moment};
use crate::domain::delivery::{Task, enqueue};
use crate::domain::notification::{News, notify_as};
use crate::model::queue::{Job, OrderKey, Verb};
use crate::model::tables::{INTERACTION, POLL_VOTERS};
use crate::model::{NotificationKind, Poll, Status};
use crate::store::{Scan, StoreError, WriteTx};

/// Voters that one transaction tells.
const STEP_MAX: usize = 500;

/// What is left to do after [`tend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tended {
    /// Nothing.
    Quiet,
    /// The voters are to be told of the end.
    Ended,
}

/// Does what is due: leaves the job that shares a new tally, and notices the
/// end. Takes up to two ids.
///
/// # Errors
/// Only the store's.
pub fn tend(tx: &mut WriteTx<'_>, moment: &mut Moment, status: Id) -> Result<Tended, StoreError> {
    let Some((status, mut poll)) = current(tx, status)? else { return Ok(Tended::Quiet) };
    let is_new_end = poll.is_over(moment.now) && poll.ended.is_none();
    if is_new_end {
        poll.ended = Some(moment.id());
    }
    if status.is_local && (poll.is_tally_due || is_new_end) {
        poll.is_tally_due = false;
        let job = Job::FanOut { status: status.id, verb: Verb::Tally };
        let order = OrderKey::of_pair(status.id, status.account);
        enqueue(tx, moment, &Task::local(job, status.account).order(order))?;
    }
    let is_untold = poll.ended.is_some() && !poll.is_told;
    Status::save_poll(tx, &status, poll);
    Ok(if is_untold { Tended::Ended } else { Tended::Quiet })
}

/// Tells the next voters after `after` (first [`Id::ZERO`]) that the poll has
/// ended, and with the first ones its author. Gives where to go on.
///
/// # Errors
/// Only the store's.
pub fn tell_voters(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    status: Id,
    after: Id,
) -> Result<Option<Id>, StoreError> {
    let Some((status, poll)) = current(tx, status)? else { return Ok(None) };
    let Some(id) = poll.ended.filter(|_| !poll.is_told) else { return Ok(None) };
    let news = News { kind: NotificationKind::Poll, from: status.account, status: Some(status.id) };
    if after == Id::ZERO && status.is_local {
        notify_as(tx, moment, &[status.account], id, news)?;
    }
    let range = Scan::prefix(&(status.id,)).after(&(status.id, after)).limit(STEP_MAX);
    let voters: Vec<Id> = tx.scan(POLL_VOTERS, range)?.into_iter().map(|((_, voter), ())| voter).collect();
    let marks: Vec<(Id, Id)> = voters.iter().map(|voter| (*voter, status.id)).collect();
    let rows = voters.iter().zip(tx.get_many(INTERACTION, &marks)?);
    // Votes of an earlier round are gone, and with them the interest in it.
    let current: Vec<Id> = rows
        .filter(|(_, row)| row.as_ref().is_some_and(|row| row.ballot_in(&poll).is_some()))
        .map(|(voter, _)| *voter)
        .collect();
    notify_as(tx, moment, &current, id, news)?;
    Ok(voters.last().filter(|_| voters.len() == STEP_MAX).copied())
}

/// Notes that everybody was told.
///
/// # Errors
/// Only the store's.
pub fn ended(tx: &mut WriteTx<'_>, status: Id) -> Result<(), StoreError> {
    if let Some((status, poll)) = current(tx, status)? {
        Status::save_poll(tx, &status, Poll { is_told: true, ..poll });
    }
    Ok(())
}
