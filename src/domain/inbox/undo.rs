//! Undo.

use super::{Outcome, Sender, bury};
use crate::base::{Id, Moment};
use crate::domain::interaction::unmark_favourite;
use crate::domain::relation::{Followed, Follower, reject_arrived, unblock_arrived, unfollow_arrived};
use crate::domain::remote::accounts_by_uri;
use crate::domain::status;
use crate::model::tables::{FOLLOW_BY_URI, INTERACTION, RELATION, STATUS};
use crate::model::{Site, Status};
use crate::store::{StoreError, WriteTx};

/// What kind of activity is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// A Follow.
    Follow,
    /// A Like.
    Like,
    /// An Announce.
    Announce,
    /// A Block.
    Block,
    /// An Accept.
    Accept,
    /// Not said.
    Unknown,
}

/// Something taken back by the one who did it.
#[derive(Debug, Clone, Copy)]
pub struct Undo<'a> {
    /// Its kind.
    pub undone: Undone,
    /// Its ActivityPub id, if it is named.
    pub id: Option<&'a str>,
    /// ActivityPub id of what it was about, if it is embedded.
    pub object: Option<&'a str>,
}

/// The sender takes back something of its own: found by its id, or by what
/// it was about. What is not here yet stays away when it comes.
///
/// # Errors
/// Only the store's.
pub fn undo(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: Sender<'_>,
    undo: Undo<'_>,
) -> Result<Outcome, StoreError> {
    let done = match undo.undone {
        Undone::Follow => follow(tx, site, sender, undo)?,
        Undone::Like => like(tx, sender, undo)?,
        Undone::Announce => announce(tx, moment, sender, undo)?,
        Undone::Block => block(tx, site, sender, undo)?,
        Undone::Accept => reject_arrived(tx, sender.id(), undo.object, None)?,
        Undone::Unknown => follow(tx, site, sender, undo)? || announce(tx, moment, sender, undo)?,
    };
    if let Some(id) = undo.id.filter(|_| !done) {
        bury(tx, moment.now, sender, id);
    }
    Ok(if done { Outcome::Done } else { Outcome::Ignored("there was nothing to take back") })
}

fn local(tx: &WriteTx<'_>, site: &Site, uri: Option<&str>) -> Result<Option<Id>, StoreError> {
    let Some(uri) = uri.filter(|uri| site.owns(uri)) else { return Ok(None) };
    Ok(accounts_by_uri(tx, site, &[uri.to_owned()])?.pop().flatten())
}

fn follow(tx: &mut WriteTx<'_>, site: &Site, sender: Sender<'_>, undo: Undo<'_>) -> Result<bool, StoreError> {
    let by_id = match undo.id {
        Some(id) => tx.get(FOLLOW_BY_URI, &id.to_owned())?,
        None => None,
    };
    let by_id = by_id.filter(|pair| pair.follower == sender.id()).map(|pair| pair.followed);
    let followed = match by_id {
        Some(followed) => Some(followed),
        None => local(tx, site, undo.object)?,
    };
    let Some(followed) = followed else { return Ok(false) };
    let relation = tx.get(RELATION, &(sender.id(), followed))?.unwrap_or_default();
    if relation.follow.is_none() && relation.request.is_none() {
        return Ok(false);
    }
    unfollow_arrived(tx, (Follower(sender.id()), Followed(followed)))?;
    Ok(true)
}

fn block(tx: &mut WriteTx<'_>, site: &Site, sender: Sender<'_>, undo: Undo<'_>) -> Result<bool, StoreError> {
    let Some(blocked) = local(tx, site, undo.object)? else { return Ok(false) };
    match super::ignore_missing(unblock_arrived(tx, sender.id(), blocked))? {
        Outcome::Done => Ok(true),
        Outcome::Ignored(_) => Ok(false),
    }
}

fn like(tx: &mut WriteTx<'_>, sender: Sender<'_>, undo: Undo<'_>) -> Result<bool, StoreError> {
    let post = match undo.object {
        Some(uri) => status::by_uri(tx, uri)?,
        None => None,
    };
    let Some(post) = post else { return Ok(false) };
    Ok(unmark_favourite(tx, sender.id(), post.shown())?.is_some())
}

fn announce(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Sender<'_>,
    undo: Undo<'_>,
) -> Result<bool, StoreError> {
    let Some(boost) = boost_of(tx, sender, undo)? else { return Ok(false) };
    status::remove(tx, moment, &boost)?;
    Ok(true)
}

fn boost_of(tx: &WriteTx<'_>, sender: Sender<'_>, undo: Undo<'_>) -> Result<Option<Status>, StoreError> {
    let is_theirs = |boost: &Status| boost.account == sender.id() && boost.is_reblog();
    if let Some(id) = undo.id
        && let Some(boost) = status::by_uri(tx, id)?.filter(is_theirs)
    {
        return Ok(Some(boost));
    }
    let Some(original) = undo.object.map(|uri| status::by_uri(tx, uri)).transpose()?.flatten() else {
        return Ok(None);
    };
    let mark = tx.get(INTERACTION, &(sender.id(), original.id))?.and_then(|row| row.reblog);
    Ok(mark.map(|id| tx.get(STATUS, &id)).transpose()?.flatten().filter(is_theirs))
}
