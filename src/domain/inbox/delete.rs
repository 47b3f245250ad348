//! Delete of a post. (That of an actor is [`crate::domain::remote::set_gone`].)

use super::{Outcome, Sender};
use crate::base::{Id, Moment};
use crate::domain::remote::delete_status;
use crate::domain::status;
use crate::store::{ReadTx, StoreError, WriteTx};

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

/// The post of another server that is deleted when its server no longer
/// shows it to us. Only of open posts does that mean anything: a private one
/// is hidden from those who are not its readers, and they see no difference
/// between that and a post that is gone. The Delete of such a post has to be
/// signed by its author.
///
/// # Errors
/// Only the store's.
pub fn shows_when_gone(tx: &ReadTx<'_>, uri: &str) -> Result<Option<Id>, StoreError> {
    let known = status::by_uri(tx, uri)?.filter(|post| !post.is_local && post.visibility.is_open());
    Ok(known.map(|post| post.id))
}
