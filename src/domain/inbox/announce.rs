//! Announce.

use super::{Outcome, Sender, ignore_unseen, is_buried};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::interaction::{self, mark_reblog};
use crate::domain::status::{News, id_for, seen};
use crate::domain::tombstone;
use crate::domain::visibility::Viewer;
use crate::model::Visibility;
use crate::model::tables::{FOLLOWERS, STATUS_BY_URI};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// A boost as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Boost<'a> {
    /// ActivityPub id of the Announce.
    pub uri: &'a str,
    /// The boosted post, known here.
    pub original: Id,
    /// Who may see the boost.
    pub visibility: Visibility,
    /// When it was made, if it says so.
    pub published: Option<Timestamp>,
}

/// Whether anybody here has to do with a boost: follows the booster, or wrote
/// the post. Asked before a strange post is fetched because of it.
///
/// # Errors
/// Only the store's.
pub fn is_boost_wanted(tx: &ReadTx<'_>, booster: Id, is_of_local_post: bool) -> Result<bool, StoreError> {
    let is_followed = !tx.scan(FOLLOWERS, Scan::prefix(&(booster,)).limit(1))?.is_empty();
    Ok(is_of_local_post || is_followed)
}

/// The sender boosts a post. Takes up to four ids.
///
/// # Errors
/// Only the store's.
pub fn announce(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Sender<'_>,
    boost: Boost<'_>,
) -> Result<Outcome, StoreError> {
    if tx.get(STATUS_BY_URI, &boost.uri.to_owned())?.is_some() {
        return Ok(Outcome::Ignored("the boost is known"));
    }
    if is_buried(tx, moment.now, sender, boost.uri)?
        || tombstone::is_known(tx, moment.now, boost.uri, &sender.0.uri)?
    {
        return Ok(Outcome::Ignored("the boost was taken back before"));
    }
    let viewer = Viewer::account(sender.id(), moment.now);
    let Some((original, author)) = ignore_unseen(seen(tx, viewer, boost.original))? else {
        return Ok(Outcome::Ignored("the sender may not see the post"));
    };
    if !original.visibility.is_open() && author.id != sender.id() {
        return Ok(Outcome::Ignored("the post is not public"));
    }
    let at = boost.published.unwrap_or(moment.now).min(moment.now);
    let kept = interaction::Announce {
        id: id_for(tx, moment, at)?,
        who: sender.id(),
        uri: boost.uri.to_owned(),
        at,
        visibility: narrower(boost.visibility, original.visibility),
        is_local: false,
    };
    let is_new = mark_reblog(tx, moment, &kept, &original, News::Fresh)?;
    Ok(if is_new { Outcome::Done } else { Outcome::Ignored("it was boosted before") })
}

/// A boost reaches no more people than the post itself.
fn narrower(boost: Visibility, original: Visibility) -> Visibility {
    match (boost, original) {
        (Visibility::Direct, _) => Visibility::Private,
        (_, Visibility::Private | Visibility::Direct) => Visibility::Private,
        (Visibility::Public, Visibility::Unlisted) => Visibility::Unlisted,
        (boost, _) => boost,
    }
}
