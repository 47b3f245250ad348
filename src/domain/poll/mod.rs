//! Polls: asking, voting, and telling when they end.
//!
//! A poll is part of its post, a vote part of what somebody did with that
//! post. Whoever may see the post may vote, once (or once for each answer
//! where several may be chosen).

mod draft;
mod tend;
#[cfg(test)]
mod tests;

pub use crate::model::NewPoll;
pub use draft::PollFault;
pub use tend::{Tended, ended, tell_voters, tend};

use std::time::Duration;

use crate::base::{Id, Moment, Timestamp};
use crate::domain::delivery::{Targets, Task, enqueue_at, say};
use crate::domain::status::{StatusError, keep, seen};
use crate::domain::visibility::Viewer;
use crate::model::queue::{Job, Lane, OrderKey, Outgoing};
use crate::model::tables::{INTERACTION, POLL_VOTERS, RELATION, STATUS};
use crate::model::{Account, Ballot, Interaction, Poll, Site, Status};
use crate::store::{Scan, StoreError, WriteTx};

/// New votes are told to other servers together, this long after the first
/// (Mastodon: three minutes).
const TALLY_AFTER: Duration = Duration::from_secs(180);
/// The end of another server's poll is told this much later than it is, so
/// that its last votes have come in (Mastodon: five minutes).
const FOREIGN_END_AFTER: Duration = Duration::from_secs(300);

/// Why a vote does not count.
#[derive(Debug)]
pub enum PollError {
    /// There is no such poll, or it may not be seen.
    NotFound,
    /// The voter has blocked the one who asks.
    Blocked,
    /// Voting has ended.
    Ended,
    /// Nobody votes in their own poll.
    Own,
    /// They have voted before.
    Voted,
    /// There is no such answer.
    NoSuchChoice,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for PollError {
    fn from(cause: StoreError) -> Self {
        PollError::Store(cause)
    }
}

impl From<StatusError> for PollError {
    fn from(error: StatusError) -> Self {
        match error {
            StatusError::Store(cause) => PollError::Store(cause),
            _ => PollError::NotFound,
        }
    }
}

/// A local account votes. Takes two ids, and two for each choice.
///
/// # Errors
/// See [`PollError`]; then nothing has counted.
pub fn vote(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    who: Id,
    status: Id,
    choices: &[usize],
) -> Result<(), PollError> {
    // A boost has no poll of its own: its id is not that of a poll.
    let (status, author) = seen(tx, Viewer::account(who, moment.now), status)?;
    let is_blocked = tx.get(RELATION, &(who, author.id))?.is_some_and(|row| row.block.is_some());
    if is_blocked {
        return Err(PollError::Blocked);
    }
    let poll = cast(tx, moment, who, &status, choices)?;
    if status.is_local {
        return Ok(());
    }
    for choice in choices {
        let choice = poll.options[*choice].title.clone();
        send_vote(tx, moment, site, who, (&status, &author), choice)?;
    }
    Ok(())
}

/// Somebody of another server votes for an answer of a local poll, as
/// servers do: one message for each choice, and by the answer's text. Takes
/// one id.
///
/// # Errors
/// See [`PollError`].
pub fn vote_arrived(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    voter: Id,
    question: Id,
    answer: &str,
) -> Result<(), PollError> {
    let (status, _) = seen(tx, Viewer::account(voter, moment.now), question)?;
    let poll = status.poll.as_ref().filter(|_| status.is_local).ok_or(PollError::NotFound)?;
    let choice = poll.options.iter().position(|option| option.title == answer);
    cast(tx, moment, voter, &status, &[choice.ok_or(PollError::NoSuchChoice)?])?;
    Ok(())
}

/// Counts a vote, once. Gives the poll after it.
fn cast(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    who: Id,
    status: &Status,
    choices: &[usize],
) -> Result<Poll, PollError> {
    let mut poll = status.poll.clone().ok_or(PollError::NotFound)?;
    let mut mark = tx.get(INTERACTION, &(who, status.id))?.unwrap_or_default();
    let before = mark.ballot_in(&poll).cloned();
    check(&poll, before.as_ref(), (status.account == who, moment.now), choices)?;
    let mut ballot = before.clone().unwrap_or(Ballot { round: poll.round, choices: Vec::new() });
    for choice in choices {
        let option = &mut poll.options[*choice];
        option.votes = option.votes.saturating_add(1);
        ballot.choices.push(u8::try_from(*choice).map_err(|_| PollError::NoSuchChoice)?);
    }
    if before.is_none() {
        poll.voters = poll.voters.map(|voters| voters.saturating_add(1));
        tx.put(POLL_VOTERS, &(status.id, who), &());
    }
    mark.ballot = Some(ballot);
    tx.put(INTERACTION, &(who, status.id), &mark);
    tell_later(tx, moment, status, &mut poll)?;
    Status::save_poll(tx, status, poll.clone());
    Ok(poll)
}

fn check(
    poll: &Poll,
    before: Option<&Ballot>,
    (is_own, now): (bool, Timestamp),
    choices: &[usize],
) -> Result<(), PollError> {
    if poll.is_over(now) {
        return Err(PollError::Ended);
    }
    if is_own {
        return Err(PollError::Own);
    }
    if choices.is_empty() || choices.iter().any(|choice| *choice >= poll.options.len()) {
        return Err(PollError::NoSuchChoice);
    }
    let has_chosen = |choice: usize| {
        before.is_some_and(|ballot| ballot.choices.iter().any(|chosen| usize::from(*chosen) == choice))
    };
    let is_repeated = choices.iter().enumerate().any(|(n, c)| has_chosen(*c) || choices[..n].contains(c));
    let is_second = !poll.multiple && (before.is_some() || choices.len() > 1);
    if is_repeated || is_second {
        return Err(PollError::Voted);
    }
    Ok(())
}

/// Leaves jobs that tell of the vote: the tally to other servers, and for a
/// foreign poll its end to the voter.
fn tell_later(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
    poll: &mut Poll,
) -> Result<(), StoreError> {
    if status.is_local && !poll.hide_totals && !poll.is_tally_due {
        poll.is_tally_due = true;
        tend_at(tx, moment, status, moment.now.plus(TALLY_AFTER))?;
    }
    if !poll.is_watched {
        watch(tx, moment, status, poll)?;
    }
    Ok(())
}

/// Leaves the job for the end of a poll, if it ends. Takes one id.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn watch(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
    poll: &mut Poll,
) -> Result<(), StoreError> {
    let Some(end) = poll.expires_at else { return Ok(()) };
    poll.is_watched = true;
    let due = if status.is_local { end } else { end.plus(FOREIGN_END_AFTER) };
    tend_at(tx, moment, status, due)
}

fn tend_at(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
    due: Timestamp,
) -> Result<(), StoreError> {
    let sender = if status.is_local { status.account } else { Id::ZERO };
    let task = Task::local(Job::TendPoll { status: status.id }, sender).lane(Lane::Fresh);
    enqueue_at(tx, moment, &task, due)?;
    Ok(())
}

fn send_vote(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    who: Id,
    (status, author): (&Status, &Account),
    choice: String,
) -> Result<(), StoreError> {
    let actor = site.actor(who);
    let vote = Outgoing::Vote {
        id: format!("{actor}#votes/{}", moment.id()),
        actor,
        question: status.uri.clone(),
        to: author.uri.clone(),
        choice,
    };
    let mut targets = Targets::new();
    // Not the shared inbox: a vote is for the one who asks.
    targets.add(&author.inbox, None);
    say(tx, moment, who, vote, OrderKey::of_pair(who, status.id), &targets)?;
    Ok(())
}

/// What a poll becomes when its post is edited; votes stay unless something
/// else is asked.
pub(in crate::domain) fn revised(old: Option<&Poll>, new: Poll) -> Poll {
    match old {
        Some(old) if old.asks_the_same(&new) => Poll {
            hide_totals: new.hide_totals,
            is_watched: old.is_watched && old.expires_at == new.expires_at,
            expires_at: new.expires_at,
            ..old.clone()
        },
        Some(old) => Poll { round: old.round + 1, is_tally_due: old.is_tally_due, ..new },
        None => new,
    }
}

/// What a poll of another server becomes when that server tells of it: its
/// counts are the true ones.
pub(in crate::domain) fn refreshed(old: Option<&Poll>, new: Poll) -> Poll {
    let counted = new.clone();
    match old {
        Some(old) if old.asks_the_same(&new) => {
            Poll { options: counted.options, voters: counted.voters, ..revised(Some(old), new) }
        }
        old => revised(old, new),
    }
}

/// Forgets who voted in the poll of a post that is removed.
pub(in crate::domain) fn forget(
    tx: &mut WriteTx<'_>,
    status: &Status,
    rows_max: usize,
) -> Result<(), StoreError> {
    if status.poll.is_none() {
        return Ok(());
    }
    let rows = tx.scan(POLL_VOTERS, Scan::prefix(&(status.id,)).limit(rows_max))?;
    let marks: Vec<(Id, Id)> = rows.iter().map(|((_, voter), ())| (*voter, status.id)).collect();
    for ((_, voter), ()) in rows {
        tx.delete(POLL_VOTERS, &(status.id, voter));
    }
    for (key, mark) in marks.iter().zip(tx.get_many(INTERACTION, &marks)?) {
        if let Some(mark) = mark {
            keep(tx, *key, &Interaction { ballot: None, ..mark });
        }
    }
    Ok(())
}

/// The post with this poll, as it is now.
fn current(tx: &WriteTx<'_>, status: Id) -> Result<Option<(Status, Poll)>, StoreError> {
    let found = tx.get(STATUS, &status)?;
    Ok(found.and_then(|status| status.poll.clone().map(|poll| (status, poll))))
}
