//! Follow.

use super::{Outcome, Sender, ignore_missing, is_buried};
use crate::base::{Id, Moment};
use crate::domain::relation::{Followed, Follower, follow_arrived};
use crate::model::Site;
use crate::store::{StoreError, WriteTx};

/// The sender asks to follow a local account. Takes up to four ids.
///
/// # Errors
/// Only the store's.
pub fn follow(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: Sender<'_>,
    (followed, uri): (Id, &str),
) -> Result<Outcome, StoreError> {
    if is_buried(tx, moment.now, sender, uri)? {
        return Ok(Outcome::Ignored("the follow was taken back before"));
    }
    let pair = (Follower(sender.id()), Followed(followed));
    ignore_missing(follow_arrived(tx, moment, site, pair, uri))
}
