//! Like.

use super::{Outcome, Sender, ignore_unseen, is_buried};
use crate::base::Moment;
use crate::domain::interaction::mark_favourite;
use crate::domain::status::{self, seen};
use crate::domain::visibility::Viewer;
use crate::store::{StoreError, WriteTx};

/// The sender likes a post. Takes up to two ids.
///
/// # Errors
/// Only the store's.
pub fn like(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Sender<'_>,
    (object, uri): (&str, Option<&str>),
) -> Result<Outcome, StoreError> {
    if let Some(uri) = uri
        && is_buried(tx, moment.now, sender, uri)?
    {
        return Ok(Outcome::Ignored("the like was taken back before"));
    }
    let Some(post) = status::by_uri(tx, object)? else {
        return Ok(Outcome::Ignored("the post is not known"));
    };
    let viewer = Viewer::account(sender.id(), moment.now);
    let Some((post, _)) = ignore_unseen(seen(tx, viewer, post.id))? else {
        return Ok(Outcome::Ignored("the sender may not see the post"));
    };
    let like = mark_favourite(tx, moment, sender.id(), &post, uri.map(str::to_owned))?;
    Ok(if like.is_some() { Outcome::Done } else { Outcome::Ignored("it was liked before") })
}
