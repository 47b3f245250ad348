//! What other servers' activities do here, one file for each verb.
//!
//! The sender was verified, its account is known, and what it embeds was
//! checked to be its own. Each function is one transaction, may run twice,
//! and tolerates any [`order`]: what is taken back before it came stays away.

mod announce;
mod answer;
mod block;
mod create;
mod delete;
mod flag;
mod follow;
mod like;
pub mod order;
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

use self::order::{bury, is_buried};
use crate::base::Id;
use crate::domain::relation::RelationError;
use crate::domain::status::StatusError;
use crate::model::Account;
use crate::store::StoreError;

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
