//! Accept and Reject of follows.

use super::{Outcome, Sender};
use crate::base::{Id, Moment};
use crate::domain::relation::{accept_arrived, reject_arrived};
use crate::store::{StoreError, WriteTx};

/// Which follow is answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its ActivityPub id.
    pub follow: Option<&'a str>,
    /// The local account that asked, if the answer names it.
    pub follower: Option<Id>,
}

/// The sender lets a local account follow it.
///
/// # Errors
/// Only the store's.
pub fn accept(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    sender: Sender<'_>,
    answer: Answer<'_>,
) -> Result<Outcome, StoreError> {
    let known = accept_arrived(tx, moment, sender.id(), answer.follow, answer.follower)?;
    Ok(if known { Outcome::Done } else { Outcome::Ignored("nobody here asked the sender") })
}

/// The sender refuses to be followed by a local account, or ends it.
///
/// # Errors
/// Only the store's.
pub fn reject(tx: &mut WriteTx<'_>, sender: Sender<'_>, answer: Answer<'_>) -> Result<Outcome, StoreError> {
    let known = reject_arrived(tx, sender.id(), answer.follow, answer.follower)?;
    Ok(if known { Outcome::Done } else { Outcome::Ignored("nobody here follows the sender") })
}
