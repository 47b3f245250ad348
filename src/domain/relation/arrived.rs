//! What remote accounts do to the relations of people here. The callers have
//! verified who says it.

use super::follow::news;
use super::{Followed, Follower, RelationError, both, edge};
use crate::base::{Id, Moment};
use crate::domain::domain_block::is_blocked;
use crate::domain::message::{Saying, tell};
use crate::domain::notification::notify;
use crate::domain::timeline::{merge, unmerge};
use crate::domain::visibility::Viewer;
use crate::model::tables::{FOLLOW_BY_URI, RELATION};
use crate::model::{Account, Follow, FollowPair, FollowRequest, NotificationKind, Site};
use crate::store::{StoreError, WriteTx};

/// A remote account wants to follow a local one. Answers Accept, also to one
/// that follows already (its server lost our answer); Reject to one that is
/// blocked; nothing yet where the local account is locked. Takes up to three
/// ids.
///
/// # Errors
/// When one of the two is missing.
pub fn follow_arrived(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Follower(follower), Followed(followed)): (Follower, Followed),
    uri: &str,
) -> Result<(), RelationError> {
    let (from, to) = both(tx, follower, followed)?;
    let is_away = is_blocked(tx, followed, from.domain.as_deref())?;
    if !to.is_visible() || is_away || edge::relation(tx, followed, follower)?.block.is_some() {
        tell(tx, moment, site, Saying::Reject(uri), (&to, &from))?;
        return Ok(());
    }
    let pair = FollowPair { follower, followed };
    let there = edge::relation(tx, follower, followed)?;
    let (id, uri) = (moment.id(), uri.to_owned());
    // A limited account may ask, and is looked at first.
    if (to.is_locked || from.is_limited()) && there.follow.is_none() {
        let is_new = there.request.is_none();
        edge::put_request(
            tx,
            pair,
            FollowRequest { id, uri, show_reblogs: true, notify: false, languages: Vec::new() },
        )?;
        if is_new {
            notify(tx, moment, followed, news(NotificationKind::FollowRequest, &from))?;
        }
        return Ok(());
    }
    tell(tx, moment, site, Saying::Accept(&uri), (&to, &from))?;
    let (is_new, since) = (there.follow.is_none(), moment.now);
    let follow = Follow { id, uri, show_reblogs: true, notify: false, since, languages: Vec::new() };
    edge::put_follow(tx, pair, follow)?;
    if is_new {
        notify(tx, moment, followed, news(NotificationKind::Follow, &from))?;
    }
    Ok(())
}

/// A remote account no longer follows, or no longer asks to.
///
/// # Errors
/// Only the store's.
pub fn unfollow_arrived(
    tx: &mut WriteTx<'_>,
    (Follower(follower), Followed(followed)): (Follower, Followed),
) -> Result<(), StoreError> {
    edge::end(tx, FollowPair { follower, followed })?;
    Ok(())
}

/// The follow that an Accept or Reject speaks of: by its ActivityPub id, or
/// by the two accounts where the sender wrote another id. Only a follow of
/// the sender counts.
fn spoken_of(
    tx: &WriteTx<'_>,
    uri: Option<&str>,
    sender: Id,
    local: Option<Id>,
) -> Result<Option<FollowPair>, StoreError> {
    let by_uri = match uri {
        Some(uri) => tx.get(FOLLOW_BY_URI, &uri.to_owned())?,
        None => None,
    };
    let pair = by_uri.or(local.map(|follower| FollowPair { follower, followed: sender }));
    Ok(pair.filter(|pair| pair.followed == sender))
}

/// A remote account accepts the follow of a local one. `local` is the
/// follower where the activity names it. Gives whether there was such a
/// request.
///
/// # Errors
/// Only the store's.
pub fn accept_arrived(
    tx: &mut WriteTx<'_>,
    moment: &Moment,
    sender: Id,
    uri: Option<&str>,
    local: Option<Id>,
) -> Result<bool, StoreError> {
    let Some(pair) = spoken_of(tx, uri, sender, local)? else { return Ok(false) };
    if edge::grant(tx, pair, moment.now)?.is_none() {
        return Ok(false);
    }
    merge(tx, Viewer::account(pair.follower, moment.now), pair.followed)?;
    Ok(true)
}

/// A remote account rejects the follow of a local one, or ends it. Gives
/// whether there was one.
///
/// # Errors
/// Only the store's.
pub fn reject_arrived(
    tx: &mut WriteTx<'_>,
    sender: Id,
    uri: Option<&str>,
    local: Option<Id>,
) -> Result<bool, StoreError> {
    let Some(pair) = spoken_of(tx, uri, sender, local)? else { return Ok(false) };
    let Some(ended) = edge::end(tx, pair)? else { return Ok(false) };
    if ended.was_follow {
        unmerge(tx, pair.follower, pair.followed)?;
    }
    Ok(true)
}

/// A remote account blocks a local one: neither follows the other any more.
/// Takes one id.
///
/// # Errors
/// When one of the two is missing.
pub fn block_arrived(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    blocker: Id,
    blocked: Id,
    uri: &str,
) -> Result<(), RelationError> {
    let (from, to) = both(tx, blocker, blocked)?;
    edge::end(tx, FollowPair { follower: blocker, followed: blocked })?;
    edge::end(tx, FollowPair { follower: blocked, followed: blocker })?;
    let id = moment.id();
    super::block::put(tx, &from, &to, id, uri)?;
    Ok(())
}

/// A remote account no longer blocks a local one.
///
/// # Errors
/// When one of the two is missing.
pub fn unblock_arrived(tx: &mut WriteTx<'_>, blocker: Id, blocked: Id) -> Result<(), RelationError> {
    let (from, to): (Account, Account) = both(tx, blocker, blocked)?;
    super::block::take(tx, &from, &to)?;
    Ok(())
}

/// Whether two accounts have anything to do with each other in this
/// direction; for callers that only want to know.
///
/// # Errors
/// Only the store's.
pub fn is_following(tx: &crate::store::ReadTx<'_>, follower: Id, followed: Id) -> Result<bool, StoreError> {
    Ok(tx.get(RELATION, &(follower, followed))?.is_some_and(|relation| relation.follow.is_some()))
}
