//! What people do with posts: like, boost, bookmark, mute, pin.
//!
//! Each is done at most once and may be asked for again. Nothing can be done
//! with a post that one may not see; that answers as if it did not exist.

use crate::base::{Id, Moment, Timestamp};
use crate::domain::delivery::{Targets, say};
use crate::domain::notification::{self, notify};
use crate::domain::status::{self, News, StatusError, keep, seen};
use crate::domain::visibility::Viewer;
use crate::model::queue::{OrderKey, Outgoing};
use crate::model::tables::{
    BOOKMARKS, COUNT, FAVOURITES, INTERACTION, PINS, STATUS, STATUS_FAVOURITES, count,
};
use crate::model::{Account, Interaction, NotificationKind, Site, Status, Visibility};
use crate::store::{Scan, StoreError, WriteTx};

/// Posts that one account may pin (Mastodon: 5).
pub const PINS_MAX: usize = 5;

/// Likes a post, for a local account. Takes up to three ids.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn favourite(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    who: Id,
    status: Id,
) -> Result<(), StatusError> {
    let (status, author) = seen(tx, Viewer::account(who, moment.now), status)?;
    let Some(like) = mark_favourite(tx, moment, who, &status, None)? else { return Ok(()) };
    let outgoing =
        Outgoing::Like { id: site.activity(who, like), actor: site.actor(who), object: status.uri.clone() };
    say_to_author(tx, moment, who, outgoing, &status, &author)?;
    Ok(())
}

/// Takes a like back, for a local account. Takes up to two ids.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn unfavourite(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    who: Id,
    status: Id,
) -> Result<(), StatusError> {
    let (status, author) = seen(tx, Viewer::account(who, moment.now), status)?;
    let Some(like) = unmark_favourite(tx, who, status.id)? else { return Ok(()) };
    let outgoing = Outgoing::UndoLike {
        id: site.activity(who, moment.id()),
        actor: site.actor(who),
        like: site.activity(who, like),
        object: status.uri.clone(),
    };
    say_to_author(tx, moment, who, outgoing, &status, &author)?;
    Ok(())
}

/// A like by anybody: marks, lists, count, notification. `uri` is that of a
/// remote Like. Gives the like's id, or `None` if it was liked before. Takes
/// up to two ids. The caller checks that the post may be seen.
///
/// # Errors
/// Only the store's.
pub fn mark_favourite(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    who: Id,
    status: &Status,
    uri: Option<String>,
) -> Result<Option<Id>, StoreError> {
    let key = (who, status.id);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    if row.favourite.is_some() {
        return Ok(None);
    }
    let like = moment.id();
    tx.put(INTERACTION, &key, &Interaction { favourite: Some(like), favourite_uri: uri, ..row });
    tx.put(FAVOURITES, &(who, like), &status.id);
    tx.put(STATUS_FAVOURITES, &(status.id, like), &who);
    tx.add(COUNT, &(count::FAVOURITES, status.id), 1);
    let kind = NotificationKind::Favourite;
    notify(tx, moment, status.account, notification::News { kind, from: who, status: Some(status.id) })?;
    Ok(Some(like))
}

/// Takes back a like by anybody; gives its id, or `None` if there was none.
///
/// # Errors
/// Only the store's.
pub fn unmark_favourite(tx: &mut WriteTx<'_>, who: Id, status: Id) -> Result<Option<Id>, StoreError> {
    let key = (who, status);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    let Some(like) = row.favourite else { return Ok(None) };
    keep(tx, key, &Interaction { favourite: None, favourite_uri: None, ..row });
    tx.delete(FAVOURITES, &(who, like));
    tx.delete(STATUS_FAVOURITES, &(status, like));
    tx.add(COUNT, &(count::FAVOURITES, status), -1);
    Ok(Some(like))
}

fn say_to_author(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    who: Id,
    outgoing: Outgoing,
    status: &Status,
    author: &Account,
) -> Result<(), StoreError> {
    if author.is_local() {
        return Ok(());
    }
    let mut targets = Targets::new();
    targets.add(&author.inbox, author.shared_inbox.as_deref());
    say(tx, moment, who, outgoing, OrderKey::of_pair(who, status.id), &targets)?;
    Ok(())
}

/// Boosts a post, for a local account; gives the boost, also if it was
/// boosted before. Takes up to four ids.
///
/// # Errors
/// When the post may not be seen or not be boosted, or the store fails.
pub fn reblog(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    who: Id,
    status: Id,
    visibility: Visibility,
) -> Result<Id, StatusError> {
    let (original, _) = seen(tx, Viewer::account(who, moment.now), status)?;
    let is_own_private = original.visibility == Visibility::Private && original.account == who;
    if !original.visibility.is_open() && !is_own_private {
        return Err(StatusError::NotPublic);
    }
    // A boost reaches no more people than its original.
    let visibility =
        if is_own_private { Visibility::Private } else { boost_visibility(visibility, &original) };
    let before = tx.get(INTERACTION, &(who, original.id))?.and_then(|row| row.reblog);
    if let Some(boost) = before {
        return Ok(boost);
    }
    let id = moment.id();
    let boost = Announce { id, who, uri: site.status(who, id), at: moment.now, visibility, is_local: true };
    mark_reblog(tx, moment, &boost, &original, News::Fresh)?;
    Ok(id)
}

fn boost_visibility(asked: Visibility, original: &Status) -> Visibility {
    match (asked, original.visibility) {
        (Visibility::Direct, _) => Visibility::Private,
        (Visibility::Public, Visibility::Unlisted) => Visibility::Unlisted,
        (asked, _) => asked,
    }
}

/// A boost about to be kept.
#[derive(Debug, Clone)]
pub struct Announce {
    /// Its id here; see [`status::id_for`].
    pub id: Id,
    /// Who boosts.
    pub who: Id,
    /// ActivityPub id of the Announce.
    pub uri: String,
    /// When.
    pub at: Timestamp,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether the booster lives here.
    pub is_local: bool,
}

/// A boost by anybody: record, mark, counts, notification, fan-out. Gives
/// `false` if it was boosted before. Takes up to two ids. The caller checks
/// that the post may be seen and boosted.
///
/// # Errors
/// Only the store's.
pub fn mark_reblog(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    boost: &Announce,
    original: &Status,
    news: News,
) -> Result<bool, StoreError> {
    let key = (boost.who, original.id);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    if row.reblog.is_some() {
        return Ok(false);
    }
    tx.put(INTERACTION, &key, &Interaction { reblog: Some(boost.id), ..row });
    let wrapper = Status {
        id: boost.id,
        account: boost.who,
        uri: boost.uri.clone(),
        visibility: boost.visibility,
        reblog_of: Some(original.id),
        reblog_of_account: Some(original.account),
        created_at: boost.at,
        is_local: boost.is_local,
        ..Status::default()
    };
    status::insert(tx, moment, &wrapper, news)?;
    let kind = NotificationKind::Reblog;
    notify(
        tx,
        moment,
        original.account,
        notification::News { kind, from: boost.who, status: Some(original.id) },
    )?;
    Ok(true)
}

/// Takes a boost back, for a local account. Takes one id.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn unreblog(tx: &mut WriteTx<'_>, moment: &mut Moment, who: Id, status: Id) -> Result<(), StatusError> {
    let (original, _) = seen(tx, Viewer::account(who, moment.now), status)?;
    let boost = tx.get(INTERACTION, &(who, original.id))?.and_then(|row| row.reblog);
    let Some(boost) = boost.map(|id| tx.get(STATUS, &id)).transpose()?.flatten() else { return Ok(()) };
    status::remove(tx, moment, &boost)?;
    Ok(())
}

/// Bookmarks a post. Nobody is told. Takes one id.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn bookmark(tx: &mut WriteTx<'_>, moment: &mut Moment, who: Id, status: Id) -> Result<(), StatusError> {
    let (status, _) = seen(tx, Viewer::account(who, moment.now), status)?;
    let key = (who, status.id);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    if row.bookmark.is_none() {
        let id = moment.id();
        tx.put(INTERACTION, &key, &Interaction { bookmark: Some(id), ..row });
        tx.put(BOOKMARKS, &(who, id), &status.id);
    }
    Ok(())
}

/// Takes a bookmark back.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn unbookmark(tx: &mut WriteTx<'_>, now: Timestamp, who: Id, status: Id) -> Result<(), StatusError> {
    let (status, _) = seen(tx, Viewer::account(who, now), status)?;
    let key = (who, status.id);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    if let Some(id) = row.bookmark {
        tx.delete(BOOKMARKS, &(who, id));
        keep(tx, key, &Interaction { bookmark: None, ..row });
    }
    Ok(())
}

/// Whether notifications from a post's thread are wanted.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn set_muted(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    who: Id,
    status: Id,
    muted: bool,
) -> Result<(), StatusError> {
    let (status, _) = seen(tx, Viewer::account(who, now), status)?;
    // Kept at the thread's first post, so that later answers are muted too.
    let key = (who, status.thread);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    keep(tx, key, &Interaction { muted, ..row });
    Ok(())
}

/// Pins one's own post to one's profile. Takes one id.
///
/// # Errors
/// When it is not theirs or a boost, [`PINS_MAX`] are pinned, or the store
/// fails.
pub fn pin(tx: &mut WriteTx<'_>, moment: &mut Moment, who: Id, status: Id) -> Result<(), StatusError> {
    let (status, _) = seen(tx, Viewer::account(who, moment.now), status)?;
    if status.account != who || status.visibility == Visibility::Direct {
        return Err(StatusError::NotOwn);
    }
    let key = (who, status.id);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    if row.pin.is_some() {
        return Ok(());
    }
    if tx.scan(PINS, Scan::prefix(&(who,)).limit(PINS_MAX))?.len() >= PINS_MAX {
        return Err(StatusError::PinsFull);
    }
    let id = moment.id();
    tx.put(PINS, &(who, id), &status.id);
    tx.put(INTERACTION, &key, &Interaction { pin: Some(id), ..row });
    Ok(())
}

/// Takes a pin off.
///
/// # Errors
/// When the post may not be seen, or the store fails.
pub fn unpin(tx: &mut WriteTx<'_>, now: Timestamp, who: Id, status: Id) -> Result<(), StatusError> {
    let (status, _) = seen(tx, Viewer::account(who, now), status)?;
    let key = (who, status.id);
    let row = tx.get(INTERACTION, &key)?.unwrap_or_default();
    if let Some(id) = row.pin {
        tx.delete(PINS, &(who, id));
        keep(tx, key, &Interaction { pin: None, ..row });
    }
    Ok(())
}
