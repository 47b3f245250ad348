//! Announcements: made by those who run the server, read and reacted to by
//! everybody here.

use std::collections::BTreeMap;

use crate::base::{Id, Moment, Timestamp};
use crate::domain::emoji::{self, is_unicode_emoji};
use crate::domain::moderation::{Entry, ModerationError, Staff, log};
use crate::model::tables::{ANNOUNCEMENT, ANNOUNCEMENT_REACTION, ANNOUNCEMENT_READ};
use crate::model::{Announcement, CustomEmoji, Event, Permission, Site};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Characters of a text.
pub const TEXT_MAX_CHARACTERS: usize = 10_000;
/// Announcements that are shown at once.
const SHOWN_MAX: usize = 100;
/// Different reactions to one announcement (Mastodon: 8).
const NAMES_MAX: usize = 8;
/// Rows of reactions that are read.
const REACTIONS_MAX: usize = 10_000;

/// How many reacted in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// An emoji, or the shortcode of a custom one.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Whether the reader is one of them.
    pub me: bool,
    /// The custom emoji's picture.
    pub emoji: Option<CustomEmoji>,
}

/// An announcement as one person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Itself.
    pub announcement: Announcement,
    /// Whether they put it aside.
    pub is_read: bool,
    /// How people reacted, oldest way first.
    pub reactions: Vec<Reaction>,
    /// Custom emojis in the text.
    pub emojis: Vec<CustomEmoji>,
}

/// Why nobody can react so.
#[derive(Debug)]
pub enum ReactionError {
    /// There is no such announcement.
    Missing,
    /// That is no emoji of Unicode or of this server.
    Name,
    /// There are as many ways to react as there may be.
    TooMany,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ReactionError {
    fn from(cause: StoreError) -> Self {
        ReactionError::Store(cause)
    }
}

/// What is to be announced.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// As typed.
    pub text: String,
    /// The same as clean HTML.
    pub content_html: String,
    /// Hashtags in it.
    pub tags: Vec<String>,
    /// When what it tells of begins.
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// Only the days matter.
    pub all_day: bool,
}

impl Wish {
    fn check(&self) -> Result<(), ModerationError> {
        let is_backwards = self.starts_at.zip(self.ends_at).is_some_and(|(start, end)| end <= start);
        match self.text.trim() {
            "" => Err(ModerationError::Invalid("Text can't be blank")),
            text if text.chars().nth(TEXT_MAX_CHARACTERS).is_some() => {
                Err(ModerationError::Invalid("Text is too long"))
            }
            _ if is_backwards => Err(ModerationError::Invalid("Ends at must be after starts at")),
            _ => Ok(()),
        }
    }

    fn apply(&self, announcement: &mut Announcement, now: Timestamp) {
        announcement.text.clone_from(&self.text);
        announcement.content_html.clone_from(&self.content_html);
        announcement.tags.clone_from(&self.tags);
        announcement.starts_at = self.starts_at;
        announcement.ends_at = self.ends_at;
        announcement.all_day = self.all_day;
        announcement.updated_at = now;
    }
}

/// Announces something. Takes two ids.
///
/// # Errors
/// When `by` may not, or the text is blank or too long.
pub fn publish(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    wish: &Wish,
) -> Result<Announcement, ModerationError> {
    by.may(Permission::ManageAnnouncements)?;
    wish.check()?;
    let mut new = Announcement { id: moment.id(), published_at: moment.now, ..Announcement::default() };
    wish.apply(&mut new, moment.now);
    tx.put(ANNOUNCEMENT, &new.id, &new);
    Event::Announcement { announcement: new.id }.emit(tx);
    logged(tx, moment, by, "create", &new);
    Ok(new)
}

fn logged(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, action: &str, about: &Announcement) {
    let name: String = about.text.chars().take(100).collect();
    log(tx, moment, by, Entry { action, kind: "announcement", target: about.id, name: &name, note: "" });
}

/// Changes an announcement; everybody is shown it again. Takes one id.
///
/// # Errors
/// When there is none, `by` may not, or the text is blank or too long.
pub fn change(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    by: Staff,
    id: Id,
    wish: &Wish,
) -> Result<Announcement, ModerationError> {
    by.may(Permission::ManageAnnouncements)?;
    wish.check()?;
    let mut announcement = tx.get(ANNOUNCEMENT, &id)?.ok_or(ModerationError::Missing)?;
    wish.apply(&mut announcement, moment.now);
    tx.put(ANNOUNCEMENT, &id, &announcement);
    Event::Announcement { announcement: id }.emit(tx);
    logged(tx, moment, by, "update", &announcement);
    Ok(announcement)
}

/// Takes an announcement back. Takes one id.
///
/// # Errors
/// When there is none, or `by` may not.
pub fn withdraw(tx: &mut WriteTx<'_>, moment: &mut Moment, by: Staff, id: Id) -> Result<(), ModerationError> {
    by.may(Permission::ManageAnnouncements)?;
    let announcement = tx.get(ANNOUNCEMENT, &id)?.ok_or(ModerationError::Missing)?;
    tx.delete(ANNOUNCEMENT, &id);
    for (key, _) in tx.scan(ANNOUNCEMENT_REACTION, Scan::prefix(&(id,)).limit(REACTIONS_MAX))? {
        tx.delete(ANNOUNCEMENT_REACTION, &key);
    }
    Event::AnnouncementDeleted { announcement: id }.emit(tx);
    logged(tx, moment, by, "destroy", &announcement);
    Ok(())
}

/// The announcements that are shown now, oldest first.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, site: &Site, now: Timestamp, reader: Id) -> Result<Vec<Shown>, StoreError> {
    let rows = tx.scan(ANNOUNCEMENT, Scan::all().reverse().limit(SHOWN_MAX))?;
    let mut all: Vec<Announcement> =
        rows.into_iter().map(|(_, row)| row).filter(|row| row.is_current(now)).collect();
    all.reverse();
    let reads: Vec<(Id, Id)> = all.iter().map(|row| (reader, row.id)).collect();
    let reads = tx.get_many(ANNOUNCEMENT_READ, &reads)?;
    // One scan for each announcement: there are few at a time.
    all.into_iter().zip(reads).map(|(row, read)| shown(tx, site, row, read.is_some(), reader)).collect()
}

/// One announcement as a person sees it; `None` where there is none now.
///
/// # Errors
/// Only the store's.
pub fn get(
    tx: &ReadTx<'_>,
    site: &Site,
    now: Timestamp,
    reader: Id,
    id: Id,
) -> Result<Option<Shown>, StoreError> {
    let Some(row) = tx.get(ANNOUNCEMENT, &id)?.filter(|row| row.is_current(now)) else { return Ok(None) };
    let is_read = tx.get(ANNOUNCEMENT_READ, &(reader, id))?.is_some();
    shown(tx, site, row, is_read, reader).map(Some)
}

fn shown(
    tx: &ReadTx<'_>,
    site: &Site,
    announcement: Announcement,
    is_read: bool,
    reader: Id,
) -> Result<Shown, StoreError> {
    let rows = tx.scan(ANNOUNCEMENT_REACTION, Scan::prefix(&(announcement.id,)).limit(REACTIONS_MAX))?;
    let mut ways: BTreeMap<String, (Id, u64, bool)> = BTreeMap::new();
    for ((_, name, account), id) in rows {
        let way = ways.entry(name).or_insert((id, 0, false));
        *way = (way.0.min(id), way.1 + 1, way.2 || account == reader);
    }
    let names: Vec<String> = ways.keys().cloned().collect();
    let emojis = emoji::of_names(tx, site, &names)?;
    let mut ways: Vec<_> = ways.into_iter().zip(emojis).collect();
    ways.sort_by_key(|((_, (first, ..)), _)| *first);
    let reactions =
        ways.into_iter().map(|((name, (_, count, me)), emoji)| Reaction { name, count, me, emoji }).collect();
    let emojis = emoji::in_text(tx, site, &[&announcement.text])?;
    Ok(Shown { announcement, is_read, reactions, emojis })
}

/// Puts an announcement aside.
///
/// # Errors
/// [`ReactionError::Missing`] where there is none.
pub fn dismiss(tx: &mut WriteTx<'_>, reader: Id, id: Id) -> Result<(), ReactionError> {
    tx.get(ANNOUNCEMENT, &id)?.ok_or(ReactionError::Missing)?;
    tx.put(ANNOUNCEMENT_READ, &(reader, id), &());
    Ok(())
}

/// Reacts to an announcement, with an emoji or the shortcode of a custom
/// one. Takes one id.
///
/// # Errors
/// Why not.
pub fn react(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    reader: Id,
    id: Id,
    name: &str,
) -> Result<(), ReactionError> {
    tx.get(ANNOUNCEMENT, &id)?.filter(|row| row.is_current(moment.now)).ok_or(ReactionError::Missing)?;
    if !is_unicode_emoji(name) && emoji::get(tx, name)?.is_none() {
        return Err(ReactionError::Name);
    }
    let rows = tx.scan(ANNOUNCEMENT_REACTION, Scan::prefix(&(id,)).limit(REACTIONS_MAX))?;
    let mut names: Vec<&String> = rows.iter().map(|((_, name, _), _)| name).collect();
    names.dedup();
    let is_known = names.iter().any(|known| *known == name);
    if !is_known && names.len() >= NAMES_MAX {
        return Err(ReactionError::TooMany);
    }
    let before = rows.iter().filter(|((_, known, _), _)| known == name).count() as u64;
    let key = (id, name.to_owned(), reader);
    if tx.get(ANNOUNCEMENT_REACTION, &key)?.is_none() {
        tx.put(ANNOUNCEMENT_REACTION, &key, &moment.id());
        told(tx, id, name, before + 1);
    }
    Ok(())
}

/// Takes a reaction back. Nothing happens where there was none.
///
/// # Errors
/// [`ReactionError::Missing`] where there is no such announcement.
pub fn unreact(tx: &mut WriteTx<'_>, reader: Id, id: Id, name: &str) -> Result<(), ReactionError> {
    tx.get(ANNOUNCEMENT, &id)?.ok_or(ReactionError::Missing)?;
    let key = (id, name.to_owned(), reader);
    if tx.get(ANNOUNCEMENT_REACTION, &key)?.is_some() {
        let of = Scan::prefix(&(id, name.to_owned())).limit(REACTIONS_MAX);
        let before = tx.scan(ANNOUNCEMENT_REACTION, of)?.len() as u64;
        tx.delete(ANNOUNCEMENT_REACTION, &key);
        told(tx, id, name, before.saturating_sub(1));
    }
    Ok(())
}

fn told(tx: &mut WriteTx<'_>, announcement: Id, name: &str, count: u64) {
    Event::AnnouncementReaction { announcement, name: name.to_owned(), count }.emit(tx);
}
