//! Create.

use super::{Outcome, Sender};
use crate::base::Moment;
use crate::domain::remote::{Arrived, Kept, is_wanted, keep_status};
use crate::domain::status::News;
use crate::model::Site;
use crate::store::{StoreError, WriteTx};

/// The sender publishes a post of its own.
///
/// # Errors
/// Only the store's.
pub fn create(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: Sender<'_>,
    arrived: &Arrived,
) -> Result<Outcome, StoreError> {
    if arrived.author != sender.id() {
        return Ok(Outcome::Ignored("the post is not the sender's"));
    }
    if !is_wanted(tx, site, arrived)? {
        return Ok(Outcome::Ignored("nobody here has to do with it"));
    }
    Ok(match keep_status(tx, moment, site, arrived, News::Fresh)? {
        Kept::New(_) => Outcome::Done,
        Kept::Known(_) => Outcome::Ignored("the post is known"),
        Kept::Refused => Outcome::Ignored("the post was deleted"),
    })
}
