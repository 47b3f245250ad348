//! Following and unfollowing by people here, and their answers to requests.

use super::{Followed, Follower, RelationError, both, edge};
use crate::base::Moment;
use crate::domain::domain_block::is_blocked;
use crate::domain::message::{Saying, tell};
use crate::domain::notification::{News, notify};
use crate::domain::timeline::{merge, unmerge};
use crate::domain::visibility::Viewer;
use crate::model::tables::{COUNT, count};
use crate::model::{Account, Follow, FollowPair, FollowRequest, NotificationKind, Site};
use crate::store::{StoreError, WriteTx};

/// What a follower wants; `None` stays as it is (new: boosts yes,
/// notifications no, all languages).
#[derive(Debug, Clone, Default)]
pub struct FollowOptions {
    /// Boosts too.
    pub reblogs: Option<bool>,
    /// A notification for each post.
    pub notify: Option<bool>,
    /// Only these languages; empty for all.
    pub languages: Option<Vec<String>>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowOutcome {
    /// They follow.
    Following,
    /// They wait for approval.
    Requested,
}

/// A local account follows another, or changes how it does. Locked and
/// remote accounts are asked first. Takes up to three ids.
///
/// # Errors
/// When it may not.
pub fn follow(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Follower(follower), Followed(followed)): (Follower, Followed),
    options: &FollowOptions,
) -> Result<FollowOutcome, RelationError> {
    let (from, to) = both(tx, follower, followed)?;
    if !to.is_visible() || to.moved_to.is_some() {
        return Err(RelationError::Missing);
    }
    let there = edge::relation(tx, follower, followed)?;
    let back = edge::relation(tx, followed, follower)?;
    let is_away = is_blocked(tx, follower, to.domain.as_deref())?;
    if there.block.is_some() || back.block.is_some() || is_away {
        return Err(RelationError::Blocked);
    }
    let pair = FollowPair { follower, followed };
    if let Some(kept) = &there.follow {
        let changed = adjust(kept, options);
        edge::save(tx, follower, followed, &crate::model::Relation { follow: Some(changed), ..there });
        return Ok(FollowOutcome::Following);
    }
    if let Some(request) = &there.request {
        let request = FollowRequest {
            show_reblogs: options.reblogs.unwrap_or(request.show_reblogs),
            notify: options.notify.unwrap_or(request.notify),
            languages: options.languages.clone().unwrap_or_else(|| request.languages.clone()),
            ..request.clone()
        };
        let changed = crate::model::Relation { request: Some(request), ..there };
        edge::save(tx, follower, followed, &changed);
        return Ok(FollowOutcome::Requested);
    }
    if tx.count(COUNT, &(count::FOLLOWING, follower))? >= super::FOLLOWING_MAX {
        return Err(RelationError::TooMany);
    }
    let id = moment.id();
    let uri = site.activity(follower, id);
    let (show_reblogs, wants_news) = (options.reblogs.unwrap_or(true), options.notify.unwrap_or(false));
    let languages = options.languages.clone().unwrap_or_default();
    if to.is_local() && !to.is_locked && !from.is_limited() {
        let follow = Follow { id, uri, show_reblogs, notify: wants_news, since: moment.now, languages };
        edge::put_follow(tx, pair, follow)?;
        merge(tx, Viewer::account(follower, moment.now), followed)?;
        notify(tx, moment, followed, news(NotificationKind::Follow, &from))?;
        return Ok(FollowOutcome::Following);
    }
    let request = FollowRequest { id, uri: uri.clone(), show_reblogs, notify: wants_news, languages };
    edge::put_request(tx, pair, request)?;
    notify(tx, moment, followed, news(NotificationKind::FollowRequest, &from))?;
    tell(tx, moment, site, Saying::Follow(&uri), (&from, &to))?;
    Ok(FollowOutcome::Requested)
}

pub(super) fn news(kind: NotificationKind, from: &Account) -> News {
    News { kind, from: from.id, status: None }
}

fn adjust(kept: &Follow, options: &FollowOptions) -> Follow {
    Follow {
        show_reblogs: options.reblogs.unwrap_or(kept.show_reblogs),
        notify: options.notify.unwrap_or(kept.notify),
        languages: options.languages.clone().unwrap_or_else(|| kept.languages.clone()),
        ..kept.clone()
    }
}

/// A local account no longer follows, or no longer asks to. Nothing happens
/// if it did not. Takes one id.
///
/// # Errors
/// When one of the two is missing.
pub fn unfollow(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Follower(follower), Followed(followed)): (Follower, Followed),
) -> Result<(), RelationError> {
    let (from, to) = both(tx, follower, followed)?;
    stop(tx, moment, site, &from, &to)?;
    Ok(())
}

/// Ends a follow or request of a local account and tells the other.
pub(super) fn stop(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    from: &Account,
    to: &Account,
) -> Result<(), StoreError> {
    let pair = FollowPair { follower: from.id, followed: to.id };
    let Some(ended) = edge::end(tx, pair)? else { return Ok(()) };
    if ended.was_follow && from.is_local() {
        unmerge(tx, from.id, to.id)?;
    }
    tell(tx, moment, site, Saying::UndoFollow(&ended.uri), (from, to))
}

/// A local account lets somebody follow it who asked. Takes two ids.
///
/// # Errors
/// [`RelationError::Missing`] when nobody asked.
pub fn accept(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Follower(follower), Followed(followed)): (Follower, Followed),
) -> Result<(), RelationError> {
    let (from, to) = both(tx, follower, followed)?;
    let pair = FollowPair { follower, followed };
    let follow = edge::grant(tx, pair, moment.now)?.ok_or(RelationError::Missing)?;
    if from.is_local() {
        merge(tx, Viewer::account(follower, moment.now), followed)?;
    }
    notify(tx, moment, followed, news(NotificationKind::Follow, &from))?;
    tell(tx, moment, site, Saying::Accept(&follow.uri), (&to, &from))?;
    Ok(())
}

/// A local account does not let somebody follow it who asked. Takes one id.
///
/// # Errors
/// [`RelationError::Missing`] when nobody asked.
pub fn reject(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    pair: (Follower, Followed),
) -> Result<(), RelationError> {
    if edge::relation(tx, pair.0.0, pair.1.0)?.request.is_none() {
        return Err(RelationError::Missing);
    }
    remove_follower(tx, moment, site, pair)
}

/// A local account takes a follower, or one who asks to be, off its list.
/// Nothing happens if it is none. Takes one id.
///
/// # Errors
/// When one of the two is missing.
pub fn remove_follower(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Follower(follower), Followed(followed)): (Follower, Followed),
) -> Result<(), RelationError> {
    let (from, to) = both(tx, follower, followed)?;
    expel(tx, moment, site, &from, &to)?;
    Ok(())
}

/// Ends somebody's follow of a local account and tells them.
pub(super) fn expel(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    from: &Account,
    to: &Account,
) -> Result<(), StoreError> {
    let pair = FollowPair { follower: from.id, followed: to.id };
    let Some(ended) = edge::end(tx, pair)? else { return Ok(()) };
    if ended.was_follow && from.is_local() {
        unmerge(tx, from.id, to.id)?;
    }
    tell(tx, moment, site, Saying::Reject(&ended.uri), (to, from))
}
