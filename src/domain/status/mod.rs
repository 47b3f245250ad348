//! Posts: how they come to be, change and go.
//!
//! One core, [`insert`] and [`remove`], keeps records, counts, timelines and
//! notifications together for posts from here and from elsewhere; the jobs
//! that tell others are written in the same transaction. Must not know how a
//! text becomes HTML: that comes in ready.

mod edit;
mod history;
mod insert;
mod publish;
mod remove;
#[cfg(test)]
mod tests;

pub use edit::{Edit, edit, replace};
pub use history::{VERSIONS_MAX, versions};
pub(in crate::domain) use insert::tell_followers;
pub use insert::{News, id_for, insert};
pub use publish::{Draft, IDEMPOTENCY_FOR, Published, publish};
pub(super) use remove::keep;
pub use remove::{Departed, delete, remove};

use crate::base::Id;
use crate::domain::media::MediaFault;
use crate::domain::visibility::{Viewer, can_see, relations};
use crate::model::tables::{ACCOUNT, STATUS, STATUS_BY_URI};
use crate::model::{Account, Status};
use crate::store::{ReadTx, StoreError};

/// Why nothing was done with a post.
#[derive(Debug)]
pub enum StatusError {
    /// There is no such post, or it may not be seen, or it is not theirs.
    NotFound,
    /// The post to be answered is not there, or may not be seen.
    ReplyNotFound,
    /// The post to be quoted is not there, or may not be seen or quoted.
    QuoteNotFound,
    /// Nothing was written.
    Blank,
    /// It is seen by too few people to be boosted.
    NotPublic,
    /// Boosts and other people's posts cannot be pinned.
    NotOwn,
    /// As many posts are pinned as may be.
    PinsFull,
    /// It cannot show these uploads.
    Media(MediaFault),
    /// The store failed.
    Store(StoreError),
}

impl From<MediaFault> for StatusError {
    fn from(fault: MediaFault) -> Self {
        match fault {
            MediaFault::Store(cause) => StatusError::Store(cause),
            fault => StatusError::Media(fault),
        }
    }
}

impl From<StoreError> for StatusError {
    fn from(cause: StoreError) -> Self {
        StatusError::Store(cause)
    }
}

/// The post with this ActivityPub id.
///
/// # Errors
/// Only the store's.
pub fn by_uri(tx: &ReadTx<'_>, uri: &str) -> Result<Option<Status>, StoreError> {
    match tx.get(STATUS_BY_URI, &uri.to_owned())? {
        Some(id) => tx.get(STATUS, &id),
        None => Ok(None),
    }
}

/// A post with its author, if the viewer may see it; of a boost the boosted
/// post.
///
/// # Errors
/// [`StatusError::NotFound`] for missing and for private ones.
pub(in crate::domain) fn seen(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    id: Id,
) -> Result<(Status, Account), StatusError> {
    let mut status = tx.get(STATUS, &id)?.ok_or(StatusError::NotFound)?;
    if let Some(original) = status.reblog_of {
        status = tx.get(STATUS, &original)?.ok_or(StatusError::NotFound)?;
    }
    let author = tx.get(ACCOUNT, &status.account)?.ok_or(StatusError::NotFound)?;
    let between = relations(tx, viewer, &[author.id])?.remove(&author.id).unwrap_or_default();
    if can_see(viewer, &status, &author, &between) {
        Ok((status, author))
    } else {
        Err(StatusError::NotFound)
    }
}

/// One's own post, not a boost.
fn own(tx: &ReadTx<'_>, author: Id, id: Id) -> Result<Status, StatusError> {
    let status = tx.get(STATUS, &id)?.filter(|status| status.account == author);
    status.ok_or(StatusError::NotFound)
}
