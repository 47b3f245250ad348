//! Update of a post. (That of an actor is a refresh of its account.)

use std::time::Duration;

use super::{Outcome, Sender, create};
use crate::base::Moment;
use crate::domain::remote::{Arrived, update_status};
use crate::domain::status;
use crate::model::Site;
use crate::store::{StoreError, WriteTx};

/// A changed post that is this young and not known is taken as a new one: its
/// Create was lost or is late.
const NEW_FOR: Duration = Duration::from_secs(24 * 3600);

/// The sender changed a post of its own.
///
/// # Errors
/// Only the store's.
pub fn update(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: Sender<'_>,
    arrived: &Arrived,
) -> Result<Outcome, StoreError> {
    if arrived.author != sender.id() {
        return Ok(Outcome::Ignored("the post is not the sender's"));
    }
    if status::by_uri(tx, &arrived.uri)?.is_some() {
        let changed = update_status(tx, moment, site, arrived)?;
        return Ok(if changed { Outcome::Done } else { Outcome::Ignored("nothing was changed") });
    }
    let is_new = arrived.published.is_some_and(|at| moment.now.since(at) < NEW_FOR);
    if is_new {
        create(tx, moment, site, sender, arrived)
    } else {
        Ok(Outcome::Ignored("the post is not known"))
    }
}
