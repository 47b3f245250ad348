//! The posts of one account.

use super::loaded::{Loaded, load, load_rows};
use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::visibility::Viewer;
use crate::model::tables::{PINS, STATUS_BY_AUTHOR};
use crate::model::{FilterContext, Status, TimelineEntry};
use crate::store::{ReadTx, Scan, StoreError};

/// Which of an account's posts are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// No answers to others.
    pub exclude_replies: bool,
    /// No boosts.
    pub exclude_reblogs: bool,
    /// Only posts with media.
    pub only_media: bool,
    /// Only posts with this hashtag.
    pub tagged: Option<String>,
}

impl Only {
    fn admits(&self, entry: &TimelineEntry) -> bool {
        let answers_another = entry.in_reply_to.is_some() && entry.in_reply_to_account != Some(entry.account);
        !(self.exclude_replies && answers_another
            || self.exclude_reblogs && entry.reblog_of.is_some()
            || self.only_media && !entry.has_media)
    }

    fn shows(&self, loaded: &Loaded) -> bool {
        let has_tag = |tag: &String| {
            let key = Status::tag_key(tag);
            loaded.status.tags.iter().any(|tag| Status::tag_key(tag) == key)
        };
        // The posts of somebody muted are shown on their own page, boosts of
        // somebody muted or blocked nowhere.
        self.tagged.as_ref().is_none_or(has_tag)
            && loaded.reblog.as_ref().is_none_or(|r| !r.is_silenced)
            && !loaded.is_hidden(FilterContext::Account)
    }
}

/// A page of an account's posts.
///
/// # Errors
/// Only the store's.
pub fn account_statuses(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    account: Id,
    only: &Only,
    page: &Page,
) -> Result<Paged<Loaded>, StoreError> {
    fill(
        page,
        |span| {
            let range = span.scan(Scan::prefix(&(account,)), |id| (account, id));
            let rows = tx.scan(STATUS_BY_AUTHOR, range)?;
            Ok(rows.into_iter().map(|((_, id), entry)| (id, entry)).collect())
        },
        |rows| {
            let wanted: Vec<(Id, TimelineEntry)> =
                rows.iter().filter(|(_, entry)| only.admits(entry)).cloned().collect();
            let mut loaded = load_rows(tx, viewer, &wanted)?.into_iter();
            Ok(rows
                .iter()
                .map(|(_, entry)| only.admits(entry).then(|| loaded.next().flatten()).flatten())
                .map(|loaded| loaded.filter(|l| only.shows(l)))
                .collect())
        },
    )
}

/// The posts that an account has pinned to its profile, latest pin first.
///
/// # Errors
/// Only the store's.
pub fn pinned(tx: &ReadTx<'_>, viewer: Viewer, account: Id, limit: usize) -> Result<Vec<Loaded>, StoreError> {
    let rows = tx.scan(PINS, Scan::prefix(&(account,)).reverse().limit(limit))?;
    let ids: Vec<Id> = rows.into_iter().map(|(_, status)| status).collect();
    let loaded = load(tx, viewer, &ids)?.into_iter().flatten();
    Ok(loaded.filter(|l| !l.is_hidden(FilterContext::Account)).collect())
}
