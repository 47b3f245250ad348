//! Uploaded files, from upload to the post that shows them.
//!
//! An upload belongs to who made it. Until a post shows it, it waits for a
//! day; when its post goes, it waits another day, so that the post can be
//! written anew. Then it goes with its files. Must not know where files are
//! kept, nor what is in them.

use std::time::Duration;

use crate::base::limits::{DESCRIPTION_CHARACTERS_MAX, MEDIA_PER_STATUS_MAX};
use crate::base::{Id, Moment, Timestamp};
use crate::domain::delivery::{Task, enqueue};
use crate::model::queue::Job;
use crate::model::tables::{MEDIA, MEDIA_BY_EXPIRY};
use crate::model::{Attachment, AttachmentKind, Media, MediaState, Status};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// How long an upload is kept that no post shows.
pub const UNSHOWN_FOR: Duration = Duration::from_secs(24 * 3600);

/// Why a post cannot show the uploads it names.
#[derive(Debug)]
pub enum MediaFault {
    /// There are more than [`MEDIA_PER_STATUS_MAX`].
    TooMany,
    /// One is missing, somebody else's, or shown by another post.
    NotFound,
    /// One is not ready yet, or never will be.
    NotReady,
    /// A film or sound stands alone.
    Mixed,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for MediaFault {
    fn from(cause: StoreError) -> Self {
        MediaFault::Store(cause)
    }
}

/// Why nothing was done with an upload.
#[derive(Debug)]
pub enum MediaError {
    /// It is missing, somebody else's, or a post shows it.
    NotFound,
    /// A post shows it, so it cannot be deleted by itself.
    InUse,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for MediaError {
    fn from(cause: StoreError) -> Self {
        MediaError::Store(cause)
    }
}

/// Who makes an upload fit to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// A job, soon.
    Job,
    /// The one who calls.
    Caller,
    /// Nobody: it is ready.
    Nobody,
}

/// An upload that came in.
#[derive(Debug, Clone)]
pub struct NewMedia {
    /// Whose it is.
    pub owner: Id,
    /// What the names of its files begin with.
    pub stem: String,
    /// What is known of it; the id is given by [`create`].
    pub attachment: Attachment,
    /// Who makes it ready.
    pub maker: Maker,
}

/// Keeps an upload. Takes two ids.
///
/// # Errors
/// Only the store's.
pub fn create(tx: &mut WriteTx<'_>, moment: &mut Moment, new: &NewMedia) -> Result<Media, StoreError> {
    let id = moment.id();
    let is_ready = new.maker == Maker::Nobody;
    let media = Media {
        attachment: Attachment { id, ..new.attachment.clone() },
        owner: new.owner,
        state: if is_ready { MediaState::Ready } else { MediaState::Processing },
        stem: new.stem.clone(),
        status: None,
        expires_at: Some(moment.now.plus(UNSHOWN_FOR)),
        created_at: moment.now,
    };
    Media::save(tx, None, &media);
    if new.maker == Maker::Job {
        enqueue(tx, moment, &Task::local(Job::ProcessMedia { media: id }, new.owner))?;
    }
    Ok(media)
}

/// One's own upload that no post shows yet.
///
/// # Errors
/// [`MediaError::NotFound`], also for what is somebody else's.
pub fn own(tx: &ReadTx<'_>, now: Timestamp, owner: Id, id: Id) -> Result<Media, MediaError> {
    match tx.get(MEDIA, &id)? {
        Some(media) if media.owner == owner && media.status.is_none() && !is_over(&media, now) => Ok(media),
        _ => Err(MediaError::NotFound),
    }
}

/// Whether its time is up: its files may be gone at any moment.
fn is_over(media: &Media, now: Timestamp) -> bool {
    media.expires_at.is_some_and(|at| at <= now)
}

/// What is to change of an upload; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// Which upload.
    pub id: Id,
    /// What it shows, in words; blank for none.
    pub description: Option<String>,
    /// Focal point in thousandths, x then y.
    pub focus: Option<(i32, i32)>,
}

impl Described {
    fn apply(&self, attachment: &mut Attachment) {
        if let Some(text) = &self.description {
            attachment.description = description(text);
        }
        if self.focus.is_some() {
            attachment.focus = self.focus;
        }
    }
}

/// A description as it is kept: trimmed, cut, `None` where blank.
pub fn description(text: &str) -> Option<String> {
    let text: String = text.trim().chars().take(DESCRIPTION_CHARACTERS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// A focal point as clients write it, `0.5,-0.25`, in thousandths. Points
/// outside the picture are moved to its edge.
pub fn focus(text: &str) -> Option<(i32, i32)> {
    let (x, y) = text.split_once(',')?;
    let part = |text: &str| {
        let number: f64 = text.trim().parse().ok().filter(|n: &f64| n.is_finite())?;
        Some((number.clamp(-1.0, 1.0) * 1000.0).round() as i32)
    };
    Some((part(x)?, part(y)?))
}

/// Changes one's own upload that no post shows yet.
///
/// # Errors
/// As [`own`].
pub fn describe(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    owner: Id,
    change: &Described,
) -> Result<Media, MediaError> {
    let old = own(tx, now, owner, change.id)?;
    let mut new = old.clone();
    change.apply(&mut new.attachment);
    Media::save(tx, Some(&old), &new);
    Ok(new)
}

/// Notes how an upload was made: its files, sizes and preview, or `None`
/// where it cannot be read. What its owner wrote in the meantime stays.
/// Nothing happens to one that is gone or done.
///
/// # Errors
/// Only the store's.
pub fn made(tx: &mut WriteTx<'_>, id: Id, made: Option<&Attachment>) -> Result<Option<Media>, StoreError> {
    let Some(old) = tx.get(MEDIA, &id)?.filter(|old| old.state == MediaState::Processing) else {
        return Ok(None);
    };
    let mut new = Media { state: MediaState::Failed, ..old.clone() };
    if let Some(made) = made {
        let Attachment { description, focus, .. } = old.attachment.clone();
        new.attachment = Attachment { id, description, focus, ..made.clone() };
        new.state = MediaState::Ready;
    }
    Media::save(tx, Some(&old), &new);
    Ok(Some(new))
}

/// Another preview for one's own upload that no post shows yet.
///
/// # Errors
/// As [`own`].
pub fn set_preview(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    owner: Id,
    preview: &Attachment,
) -> Result<Media, MediaError> {
    let old = own(tx, now, owner, preview.id)?;
    let mut new = old.clone();
    new.attachment.preview.clone_from(&preview.preview);
    new.attachment.preview_size = preview.preview_size;
    new.attachment.blurhash.clone_from(&preview.blurhash);
    Media::save(tx, Some(&old), &new);
    Ok(new)
}

/// Gives up one's own upload; the sweep removes it with its files.
///
/// # Errors
/// When it is missing, somebody else's, or a post shows it.
pub fn delete(tx: &mut WriteTx<'_>, now: Timestamp, owner: Id, id: Id) -> Result<(), MediaError> {
    let old = tx.get(MEDIA, &id)?.filter(|old| old.owner == owner && !is_over(old, now));
    let old = old.ok_or(MediaError::NotFound)?;
    if old.status.is_some() {
        return Err(MediaError::InUse);
    }
    Media::save(tx, Some(&old), &Media { expires_at: Some(now), ..old.clone() });
    Ok(())
}

/// Gives uploads to a new post, in this order.
///
/// # Errors
/// [`MediaFault`]; nothing is given then.
pub fn attach(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    owner: Id,
    status: Id,
    ids: &[Id],
) -> Result<Vec<Attachment>, MediaFault> {
    let found = wanted(tx, now, owner, None, ids)?;
    show(tx, status, &found);
    Ok(found.into_iter().map(|media| media.attachment).collect())
}

/// Looks at uploads as [`attach`] does, and gives them nothing yet: for a
/// post that is to come at a later time. They are kept until then.
///
/// # Errors
/// [`MediaFault`].
pub fn hold(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    owner: Id,
    until: Timestamp,
    ids: &[Id],
) -> Result<Vec<Attachment>, MediaFault> {
    let found = wanted(tx, now, owner, None, ids)?;
    let expires_at = Some(until.plus(UNSHOWN_FOR));
    for old in &found {
        Media::save(tx, Some(old), &Media { expires_at, ..old.clone() });
    }
    Ok(found.into_iter().map(|media| media.attachment).collect())
}

/// What a post shows after an edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaEdit {
    /// All it shows, in this order; `None` keeps what it had.
    pub ids: Option<Vec<Id>>,
    /// Changes to what it shows.
    pub described: Vec<Described>,
}

/// Changes what a post shows. What it shows no more waits for a day.
///
/// # Errors
/// [`MediaFault`]; nothing is changed then.
pub fn rearrange(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    status: &Status,
    change: &MediaEdit,
) -> Result<Vec<Attachment>, MediaFault> {
    let before: Vec<Id> = status.attachments.iter().map(|attachment| attachment.id).collect();
    let ids = change.ids.as_ref().unwrap_or(&before);
    let mut found = wanted(tx, now, status.account, Some(status.id), ids)?;
    for media in &mut found {
        let id = media.id();
        for described in change.described.iter().filter(|described| described.id == id) {
            described.apply(&mut media.attachment);
        }
    }
    let is_dropped = |attachment: &&Attachment| !ids.contains(&attachment.id);
    let dropped: Vec<Attachment> = status.attachments.iter().filter(is_dropped).cloned().collect();
    release(tx, now, Some(status.id), &dropped)?;
    show(tx, status.id, &found);
    Ok(found.into_iter().map(|media| media.attachment).collect())
}

/// The uploads, if a post of this owner may show them: they are ready, and
/// no post but `status` shows them.
fn wanted(
    tx: &ReadTx<'_>,
    now: Timestamp,
    owner: Id,
    status: Option<Id>,
    ids: &[Id],
) -> Result<Vec<Media>, MediaFault> {
    if ids.len() > MEDIA_PER_STATUS_MAX {
        return Err(MediaFault::TooMany);
    }
    let is_free = |media: &Media| media.status.is_none() && !is_over(media, now);
    let is_there = |media: &Media| status.is_some() && media.status == status;
    let mut found: Vec<Media> = Vec::new();
    for media in tx.get_many(MEDIA, ids)? {
        let media = media.filter(|media| media.owner == owner && (is_free(media) || is_there(media)));
        let media = media.ok_or(MediaFault::NotFound)?;
        if found.iter().all(|other| other.id() != media.id()) {
            found.push(media);
        }
    }
    if found.iter().any(|media| media.state != MediaState::Ready) {
        return Err(MediaFault::NotReady);
    }
    let stands_alone = |media: &Media| media.attachment.kind != AttachmentKind::Image;
    if found.len() > 1 && found.iter().any(stands_alone) {
        return Err(MediaFault::Mixed);
    }
    Ok(found)
}

fn show(tx: &mut WriteTx<'_>, status: Id, found: &[Media]) {
    for media in found {
        // The index row, if there is one, is of the same time still.
        Media::save(tx, Some(media), &Media { status: Some(status), expires_at: None, ..media.clone() });
    }
}

/// Lets go of what a post showed, or of what was held for one that never came
/// (`None`): it waits for a day, for another post. What another post shows in
/// the meantime stays its.
///
/// # Errors
/// Only the store's.
pub fn release(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    status: Option<Id>,
    shown: &[Attachment],
) -> Result<(), StoreError> {
    let ids: Vec<Id> = shown.iter().map(|attachment| attachment.id).collect();
    let expires_at = Some(now.plus(UNSHOWN_FOR));
    for old in tx.get_many(MEDIA, &ids)?.into_iter().flatten().filter(|old| old.status == status) {
        Media::save(tx, Some(&old), &Media { status: None, expires_at, ..old.clone() });
    }
    Ok(())
}

/// Lets go at once of what a deleted post of `owner` showed: the next sweep
/// takes the files. What another post shows stays.
///
/// # Errors
/// Only the store's.
pub fn discard(
    tx: &mut WriteTx<'_>,
    now: Timestamp,
    owner: Id,
    shown: &[Attachment],
) -> Result<(), StoreError> {
    let ids: Vec<Id> = shown.iter().map(|attachment| attachment.id).collect();
    let is_free = |old: &Media| old.owner == owner && old.status.is_none();
    for old in tx.get_many(MEDIA, &ids)?.into_iter().flatten().filter(is_free) {
        Media::save(tx, Some(&old), &Media { expires_at: Some(now), ..old.clone() });
    }
    Ok(())
}

/// Uploads whose time is up, at most `limit`. Their files may be removed:
/// no post can show them any more.
///
/// # Errors
/// Only the store's.
pub fn expired(tx: &ReadTx<'_>, now: Timestamp, limit: usize) -> Result<Vec<Media>, StoreError> {
    let rows = tx.scan(MEDIA_BY_EXPIRY, Scan::all().limit(limit))?;
    let due: Vec<Id> = rows.into_iter().filter(|((at, _), ())| *at <= now).map(|((_, id), ())| id).collect();
    Ok(tx.get_many(MEDIA, &due)?.into_iter().flatten().collect())
}

/// Forgets uploads whose files were removed.
///
/// # Errors
/// Only the store's.
pub fn forget(tx: &mut WriteTx<'_>, now: Timestamp, ids: &[Id]) -> Result<(), StoreError> {
    for media in tx.get_many(MEDIA, ids)?.into_iter().flatten().filter(|media| is_over(media, now)) {
        Media::delete(tx, &media);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::status::{Edit, StatusError, delete as delete_status, edit};
    use crate::domain::testing::World;
    use crate::model::Visibility;

    async fn upload(world: &World, owner: Id, kind: AttachmentKind, maker: Maker) -> Id {
        let attachment = Attachment { kind, ..Attachment::default() };
        let new = NewMedia { owner, stem: "0a".into(), attachment, maker };
        let media = world.write(move |tx, moment| create(tx, moment, &new)).await;
        media.expect("a memory store writes").id()
    }

    async fn picture(world: &World, owner: Id) -> Id {
        upload(world, owner, AttachmentKind::Image, Maker::Nobody).await
    }

    async fn post(world: &World, author: Id, media: &[Id]) -> Result<Id, StatusError> {
        let draft = World::draft(author, Visibility::Public);
        world
            .publish(crate::domain::status::Draft { media: media.to_vec(), text: String::new(), ..draft })
            .await
    }

    async fn shown(world: &World, status: Id) -> Vec<Id> {
        world.status(status).await.expect("it is there").attachments.iter().map(|a| a.id).collect()
    }

    async fn change(world: &World, author: Id, status: Id, media: MediaEdit) -> Result<(), StatusError> {
        let wanted = Edit { text: "x".into(), media: Some(media), ..Edit::default() };
        world.write(move |tx, moment| edit(tx, moment, author, status, &wanted)).await
    }

    async fn due(world: &World) -> Vec<Id> {
        let now = world.moment().now;
        world.read(move |tx| expired(tx, now, 10)).await.iter().map(Media::id).collect()
    }

    #[tokio::test]
    async fn a_post_shows_only_what_is_its_authors_ready_and_free() {
        let world = World::new();
        let (ana, eve) = (world.account(None).await, world.account(None).await);
        let (mine, hers) = (picture(&world, ana).await, picture(&world, eve).await);
        let unready = upload(&world, ana, AttachmentKind::Image, Maker::Job).await;
        let film = upload(&world, ana, AttachmentKind::Video, Maker::Nobody).await;
        for (ids, expected) in [
            (vec![hers], "NotFound"),
            (vec![mine, Id(7)], "NotFound"),
            (vec![unready], "NotReady"),
            (vec![mine, film], "Mixed"),
            (vec![mine; 5], "TooMany"),
        ] {
            let refusal = post(&world, ana, &ids).await.expect_err(expected);
            assert_eq!(format!("{refusal:?}"), format!("Media({expected})"), "{ids:?}");
        }
        let status = post(&world, ana, &[mine]).await.expect("it is hers and free");
        assert_eq!(shown(&world, status).await, [mine]);
        assert!(matches!(post(&world, ana, &[mine]).await, Err(StatusError::Media(MediaFault::NotFound))));
    }

    #[tokio::test]
    async fn what_a_deleted_post_showed_can_be_posted_anew_for_a_day() {
        let world = World::new();
        let ana = world.account(None).await;
        let (again, never) = (picture(&world, ana).await, picture(&world, ana).await);
        for media in [again, never] {
            let status = post(&world, ana, &[media]).await.expect("good");
            world.write(move |tx, m| delete_status(tx, m, ana, status).map(drop)).await.expect("hers");
        }
        post(&world, ana, &[again]).await.expect("it waits");
        world.clock.advance(UNSHOWN_FOR + Duration::from_secs(1));
        assert_eq!(due(&world).await, [never], "what a post shows stays");
        assert!(matches!(post(&world, ana, &[never]).await, Err(StatusError::Media(MediaFault::NotFound))));
        let now = world.moment().now;
        world.write(move |tx, _| forget(tx, now, &[never, again])).await.expect("a memory store writes");
        assert!(due(&world).await.is_empty());
        assert!(world.read(move |tx| tx.get(MEDIA, &again)).await.is_some());
    }

    #[tokio::test]
    async fn an_edit_takes_adds_and_describes_files() {
        let world = World::new();
        let (ana, eve) = (world.account(None).await, world.account(None).await);
        let (one, two, three) =
            (picture(&world, ana).await, picture(&world, ana).await, picture(&world, ana).await);
        let status = post(&world, ana, &[one, two]).await.expect("good");
        let hers = picture(&world, eve).await;
        let ids = |ids: &[Id]| MediaEdit { ids: Some(ids.to_vec()), described: Vec::new() };
        let refused = change(&world, ana, status, ids(&[hers])).await;
        assert!(matches!(refused, Err(StatusError::Media(MediaFault::NotFound))));
        assert_eq!(shown(&world, status).await, [one, two], "a refused edit changes nothing");
        change(&world, ana, status, ids(&[three, one])).await.expect("good");
        assert_eq!(shown(&world, status).await, [three, one]);
        let described = Described { id: one, description: Some(" a wren ".into()), focus: Some((1, 2)) };
        change(&world, ana, status, MediaEdit { ids: None, described: vec![described] }).await.expect("good");
        let kept = world.status(status).await.expect("it is there").attachments;
        assert_eq!((kept[1].description.as_deref(), kept[1].focus), (Some("a wren"), Some((1, 2))));
        world.clock.advance(UNSHOWN_FOR + Duration::from_secs(1));
        assert!(due(&world).await.contains(&two), "what was taken off goes");
    }

    #[test]
    fn focal_points_are_read_as_clients_write_them() {
        for (text, expected) in [
            ("0.5,-0.25", Some((500, -250))),
            (" 1.0 , 2 ", Some((1000, 1000))),
            ("0,0", Some((0, 0))),
            ("", None),
            ("1", None),
            ("NaN,0", None),
            ("a,b", None),
        ] {
            assert_eq!(focus(text), expected, "{text}");
        }
    }
}
