//! Delete of a post. (That of an actor is [`crate::domain::remote::set_gone`].)

use super::{Outcome, Sender};
use crate::base::Moment;
use crate::domain::remote::delete_status;
use crate::store::{StoreError, WriteTx};

/// The sender deletes a post of its own. Others' posts stay.
///
/// # Errors
/// Only the store's.
pub fn delete(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Sender<'_>,
    uri: &str,
) -> Result<Outcome, StoreError> {
    let deleted = delete_status(tx, moment, sender.0, uri)?;
    Ok(if deleted { Outcome::Done } else { Outcome::Ignored("the sender has no such post here") })
}
