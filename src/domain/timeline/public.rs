//! Timelines that everybody can see: public, local, hashtags.

use super::loaded::{Loaded, load_rows};
use crate::base::Id;
use crate::domain::page::{Page, Paged, Span, fill};
use crate::domain::visibility::Viewer;
use crate::model::tables::{LINK_TIMELINE, LOCAL_TIMELINE, PUBLIC_TIMELINE, TAG_TIMELINE};
use crate::model::{FilterContext, Status, TimelineEntry};
use crate::store::{ReadTx, Scan, StoreError};

/// Hashtags that one timeline may join (Mastodon: 4 in each list).
const TAGS_MAX: usize = 4;

/// Which public posts are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listing {
    /// Only posts from here.
    pub local: bool,
    /// Only posts from elsewhere.
    pub remote: bool,
    /// Only posts with media.
    pub only_media: bool,
}

impl Listing {
    fn shows(self, loaded: &Loaded) -> bool {
        let is_local = loaded.status.is_local;
        !loaded.is_silenced
            && !loaded.is_hidden(FilterContext::Public)
            && (!self.local || is_local)
            && (!self.remote || !is_local)
            && (!self.only_media || !loaded.status.attachments.is_empty())
    }
}

/// Which hashtags a timeline shows, without their `#`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags {
    /// Posts have at least one of these.
    pub any: Vec<String>,
    /// Posts have all of these.
    pub all: Vec<String>,
    /// Posts have none of these.
    pub none: Vec<String>,
}

impl Tags {
    fn fits(&self, status: &Status) -> bool {
        let keys: Vec<String> = status.tags.iter().map(|tag| Status::tag_key(tag)).collect();
        let has = |tag: &String| keys.contains(&Status::tag_key(tag));
        self.all.iter().take(TAGS_MAX).all(has) && !self.none.iter().take(TAGS_MAX).any(has)
    }
}

/// A page of the public timeline. As in Mastodon, answers to others stay out.
///
/// # Errors
/// Only the store's.
pub fn public(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    listing: Listing,
    page: &Page,
) -> Result<Paged<Loaded>, StoreError> {
    let table = if listing.local { LOCAL_TIMELINE } else { PUBLIC_TIMELINE };
    fill(
        page,
        |span| {
            let rows = tx.scan(table, span.scan(Scan::all(), |id| (id,)))?;
            Ok(rows.into_iter().map(|((id,), entry)| (id, entry)).collect())
        },
        |rows| {
            let loaded = load_rows(tx, viewer, rows)?;
            let shown =
                |l: &Loaded| listing.shows(l) && !l.is_limited_to(viewer) && !answers_another(&l.status);
            Ok(loaded.into_iter().map(|loaded| loaded.filter(shown)).collect())
        },
    )
}

fn answers_another(status: &Status) -> bool {
    match status.in_reply_to_account {
        Some(answered) => answered != status.account,
        None => status.in_reply_to_uri.is_some(),
    }
}

/// A page of the public posts with certain hashtags.
///
/// # Errors
/// Only the store's.
pub fn tagged(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    tags: &Tags,
    listing: Listing,
    page: &Page,
) -> Result<Paged<Loaded>, StoreError> {
    fill(
        page,
        |span| tag_rows(tx, tags, span),
        |rows| {
            let loaded = load_rows(tx, viewer, rows)?;
            let shown = |l: &Loaded| listing.shows(l) && !l.is_limited_to(viewer) && tags.fits(&l.status);
            Ok(loaded.into_iter().map(|loaded| loaded.filter(shown)).collect())
        },
    )
}

/// A page of the public posts with a link, by people who want to be noticed.
///
/// # Errors
/// Only the store's.
pub fn linked(tx: &ReadTx<'_>, viewer: Viewer, link: &str, page: &Page) -> Result<Paged<Loaded>, StoreError> {
    fill(
        page,
        |span| {
            let range = span.scan(Scan::prefix(&(link.to_owned(),)), |id| (link.to_owned(), id));
            let rows = tx.scan(LINK_TIMELINE, range)?;
            Ok(rows.into_iter().map(|((_, id), entry)| (id, entry)).collect())
        },
        |rows| {
            let loaded = load_rows(tx, viewer, rows)?;
            let shown =
                |l: &Loaded| !l.is_silenced && !l.is_limited_to(viewer) && l.author.account.is_discoverable;
            Ok(loaded.into_iter().map(|loaded| loaded.filter(shown)).collect())
        },
    )
}

fn tag_rows(tx: &ReadTx<'_>, tags: &Tags, span: &Span) -> Result<Vec<(Id, TimelineEntry)>, StoreError> {
    let mut keys: Vec<String> = tags.any.iter().take(TAGS_MAX).map(|tag| Status::tag_key(tag)).collect();
    keys.sort();
    keys.dedup();
    let mut rows = Vec::new();
    for key in keys {
        let range = span.scan(Scan::prefix(&(key.clone(),)), |id| (key.clone(), id));
        rows.extend(tx.scan(TAG_TIMELINE, range)?.into_iter().map(|((_, id), entry)| (id, entry)));
    }
    span.merge(&mut rows);
    Ok(rows)
}
