//! The rows of follows and requests: each function keeps the relation, its
//! lists, its counts and its index together. No rules.

use crate::base::{Id, Timestamp};
use crate::domain::delivery::count_follow;
use crate::domain::timeline::unmerge_list;
use crate::model::tables::{
    COUNT, ENDORSEMENTS, FOLLOW_BY_URI, FOLLOW_REQUESTS, FOLLOWERS, FOLLOWING, LIST_MEMBERS, RELATION, count,
};
use crate::model::{Follow, FollowPair, FollowRequest, Relation};
use crate::store::{ReadTx, StoreError, WriteTx};

/// What goes from `a` to `b`; an empty one where nothing does.
pub(super) fn relation(tx: &ReadTx<'_>, a: Id, b: Id) -> Result<Relation, StoreError> {
    Ok(tx.get(RELATION, &(a, b))?.unwrap_or_default())
}

/// Keeps what goes from `a` to `b`, or drops the row when it says nothing.
pub(super) fn save(tx: &mut WriteTx<'_>, a: Id, b: Id, relation: &Relation) {
    if relation.is_empty() {
        tx.delete(RELATION, &(a, b));
    } else {
        tx.put(RELATION, &(a, b), relation);
    }
}

/// Makes a follow; one that was there, or was asked for, is replaced.
pub(super) fn put_follow(tx: &mut WriteTx<'_>, pair: FollowPair, follow: Follow) -> Result<(), StoreError> {
    let mut relation = relation(tx, pair.follower, pair.followed)?;
    drop_request(tx, pair, &mut relation);
    drop_follow(tx, pair, &mut relation)?;
    count_follow(tx, pair.follower, 1)?;
    tx.put(FOLLOWERS, &(pair.followed, follow.id), &pair.follower);
    tx.put(FOLLOWING, &(pair.follower, follow.id), &pair.followed);
    tx.put(FOLLOW_BY_URI, &follow.uri, &pair);
    tx.add(COUNT, &(count::FOLLOWERS, pair.followed), 1);
    tx.add(COUNT, &(count::FOLLOWING, pair.follower), 1);
    relation.follow = Some(follow);
    save(tx, pair.follower, pair.followed, &relation);
    Ok(())
}

/// Makes a request; one that was there is replaced.
pub(super) fn put_request(
    tx: &mut WriteTx<'_>,
    pair: FollowPair,
    request: FollowRequest,
) -> Result<(), StoreError> {
    let mut relation = relation(tx, pair.follower, pair.followed)?;
    drop_request(tx, pair, &mut relation);
    tx.put(FOLLOW_REQUESTS, &(pair.followed, request.id), &pair.follower);
    tx.put(FOLLOW_BY_URI, &request.uri, &pair);
    tx.add(COUNT, &(count::FOLLOW_REQUESTS, pair.followed), 1);
    relation.request = Some(request);
    save(tx, pair.follower, pair.followed, &relation);
    Ok(())
}

/// Turns a request into a follow with the same id and uri; `None` if there
/// is none.
pub(super) fn grant(
    tx: &mut WriteTx<'_>,
    pair: FollowPair,
    now: Timestamp,
) -> Result<Option<Follow>, StoreError> {
    let Some(request) = relation(tx, pair.follower, pair.followed)?.request else { return Ok(None) };
    let follow = Follow {
        id: request.id,
        uri: request.uri,
        show_reblogs: request.show_reblogs,
        notify: request.notify,
        since: now,
        languages: request.languages,
    };
    put_follow(tx, pair, follow.clone())?;
    Ok(Some(follow))
}

/// What was ended by [`end`].
pub(super) struct Ended {
    /// ActivityPub id of the Follow.
    pub(super) uri: String,
    /// Whether it had been accepted.
    pub(super) was_follow: bool,
}

/// Ends a follow or takes back a request, and takes the one followed off the
/// follower's lists; `None` if there was neither.
pub(super) fn end(tx: &mut WriteTx<'_>, pair: FollowPair) -> Result<Option<Ended>, StoreError> {
    let mut relation = relation(tx, pair.follower, pair.followed)?;
    let request = drop_request(tx, pair, &mut relation).map(|uri| Ended { uri, was_follow: false });
    let follow = drop_follow(tx, pair, &mut relation)?.map(|uri| Ended { uri, was_follow: true });
    for place in std::mem::take(&mut relation.lists) {
        tx.delete(LIST_MEMBERS, &(place.list, place.at));
        unmerge_list(tx, place.list, pair.followed)?;
    }
    if let Some(shown) = relation.endorsement.take() {
        tx.delete(ENDORSEMENTS, &(pair.follower, shown));
    }
    save(tx, pair.follower, pair.followed, &relation);
    Ok(follow.or(request))
}

fn drop_request(tx: &mut WriteTx<'_>, pair: FollowPair, relation: &mut Relation) -> Option<String> {
    let request = relation.request.take()?;
    tx.delete(FOLLOW_REQUESTS, &(pair.followed, request.id));
    tx.delete(FOLLOW_BY_URI, &request.uri);
    tx.add(COUNT, &(count::FOLLOW_REQUESTS, pair.followed), -1);
    Some(request.uri)
}

fn drop_follow(
    tx: &mut WriteTx<'_>,
    pair: FollowPair,
    relation: &mut Relation,
) -> Result<Option<String>, StoreError> {
    let Some(follow) = relation.follow.take() else { return Ok(None) };
    count_follow(tx, pair.follower, -1)?;
    tx.delete(FOLLOWERS, &(pair.followed, follow.id));
    tx.delete(FOLLOWING, &(pair.follower, follow.id));
    tx.delete(FOLLOW_BY_URI, &follow.uri);
    tx.add(COUNT, &(count::FOLLOWERS, pair.followed), -1);
    tx.add(COUNT, &(count::FOLLOWING, pair.follower), -1);
    Ok(Some(follow.uri))
}
