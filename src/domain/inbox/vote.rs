//! A vote in a poll of ours: a Create of a Note that is nothing but the name
//! of an answer.

use super::{Outcome, Sender};
use crate::base::Moment;
use crate::domain::poll::{PollError, vote_arrived};
use crate::domain::status;
use crate::store::{StoreError, WriteTx};

/// The sender votes for an answer. It counts once, and is never shown as a
/// post. Takes two ids.
///
/// # Errors
/// Only the store's.
pub fn vote(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Sender<'_>,
    (question, answer): (&str, &str),
) -> Result<Outcome, StoreError> {
    let Some(post) = status::by_uri(tx, question)? else {
        return Ok(Outcome::Ignored("the poll is not known"));
    };
    match vote_arrived(tx, moment, sender.id(), post.id, answer) {
        Ok(()) => Ok(Outcome::Done),
        Err(PollError::Store(cause)) => Err(cause),
        Err(PollError::Ended) => Ok(Outcome::Ignored("the poll has ended")),
        Err(PollError::Voted) => Ok(Outcome::Ignored("the sender has voted before")),
        Err(_) => Ok(Outcome::Ignored("there is nothing the sender could vote for")),
    }
}
