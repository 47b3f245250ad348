//! What other servers' activities do here, one file for each verb.
//!
//! The sender was verified, its account is known, and what it embeds was
//! checked to be its own. Each function is one transaction, may run twice,
//! and tolerates any order: what is taken back before it came stays away.

mod announce;
mod answer;
mod block;
mod create;
mod delete;
mod flag;
mod follow;
mod like;
#[cfg(test)]
mod tests;
mod undo;
mod update;
mod vote;

pub use announce::{Boost, announce, is_boost_wanted};
pub use answer::{Answer, accept, reject};
pub use block::block;
pub use create::create;
pub use delete::{delete, shows_when_gone};
pub use flag::{Flagged, flag};
pub use follow::follow;
pub use like::like;
pub use undo::{Undo, Undone, undo};
pub use update::update;
pub use vote::vote;

use std::time::Duration;

use crate::base::{Id, Timestamp};
use crate::domain::delivery::authority_of;
use crate::domain::relation::RelationError;
use crate::domain::status::StatusError;
use crate::model::Account;
use crate::model::tables::{TOMBSTONE, TombstoneRow};
use crate::store::{StoreError, WriteTx};

/// What became of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it says.
    Done,
    /// It did nothing, and why.
    Ignored(&'static str),
}

/// Who sent it.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a>(pub &'a Account);

impl Sender<'_> {
    fn id(&self) -> Id {
        self.0.id
    }
}

/// A pair that does not exist, or is one account, is nothing to act on.
fn ignore_missing(result: Result<(), RelationError>) -> Result<Outcome, StoreError> {
    match result {
        Ok(()) => Ok(Outcome::Done),
        Err(RelationError::Store(cause)) => Err(cause),
        Err(_) => Ok(Outcome::Ignored("the two accounts cannot have this relation")),
    }
}

/// Posts that the sender may not see do not exist for it.
fn ignore_unseen<T>(result: Result<T, StatusError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(StatusError::Store(cause)) => Err(cause),
        Err(_) => Ok(None),
    }
}

/// How long an Undo that came before what it undoes is remembered. Not for
/// ever: Misskey gives a second Follow the id of the first.
const BURIED_FOR: Duration = Duration::from_secs(6 * 3600);

/// Remembers that an activity was taken back before it came. Only one of the
/// sender's own host: nobody digs graves for others.
fn bury(tx: &mut WriteTx<'_>, now: Timestamp, sender: Sender<'_>, activity: &str) {
    let host = authority_of(activity);
    if host.is_none() || host != authority_of(&sender.0.uri) {
        return;
    }
    let actor_uri = sender.0.uri.clone();
    let row = TombstoneRow { deleted_at: now, former_type: "Activity".into(), actor_uri };
    tx.put(TOMBSTONE, &activity.to_owned(), &row);
}

/// Whether the sender took this activity back before it came.
fn is_buried(
    tx: &WriteTx<'_>,
    now: Timestamp,
    sender: Sender<'_>,
    activity: &str,
) -> Result<bool, StoreError> {
    let row = tx.get(TOMBSTONE, &activity.to_owned())?;
    Ok(row.is_some_and(|row| row.actor_uri == sender.0.uri && now.since(row.deleted_at) < BURIED_FOR))
}
