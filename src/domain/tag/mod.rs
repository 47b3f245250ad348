//! Hashtags: their use by day, following them, featuring them on a profile.
//!
//! A hashtag is its lower-case name; it needs no record to exist.

mod featured;
mod followed;
#[cfg(test)]
mod tests;
mod usage;

pub use featured::{FEATURED_MAX, Featured, feature, featured, featured_by_id, suggested, unfeature};
pub use followed::{follow, followed, unfollow};
pub use usage::DAYS;
pub(super) use usage::{retag, unused, used};

use crate::base::Id;
use crate::model::tables::{ACCOUNT_TAG, TAG};
use crate::model::{AccountTag, Status, TagDay};
use crate::store::{ReadTx, StoreError, WriteTx};

/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 255;

/// Why nothing was done with a hashtag.
#[derive(Debug)]
pub enum TagError {
    /// It is no name of a hashtag.
    BadName,
    /// It is featured already.
    Taken,
    /// As many are followed or featured as may be.
    TooMany,
    /// There is no such featured hashtag.
    NotFound,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for TagError {
    fn from(cause: StoreError) -> Self {
        TagError::Store(cause)
    }
}

/// The key form of a name that a client wrote, with or without `#`.
///
/// # Errors
/// [`TagError::BadName`] when it could not be a hashtag.
pub fn key(name: &str) -> Result<String, TagError> {
    let name = name.trim();
    let name = name.strip_prefix('#').unwrap_or(name);
    let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '·' | '\u{200c}'))
        && name.chars().any(|c| !c.is_numeric() && c != '_')
        && name.chars().nth(NAME_CHARACTERS_MAX).is_none();
    if is_name { Ok(Status::tag_key(name)) } else { Err(TagError::BadName) }
}

/// A hashtag as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its lower-case name.
    pub name: String,
    /// Its latest days of use, latest first.
    pub days: Vec<TagDay>,
    /// What the viewer has to do with it; `None` for nobody.
    pub mine: Option<AccountTag>,
}

/// Hashtags in this order; one round trip. `names` are keys.
///
/// # Errors
/// Only the store's.
pub fn views(tx: &ReadTx<'_>, viewer: Option<Id>, names: &[String]) -> Result<Vec<View>, StoreError> {
    let mine: Vec<(Id, String)> =
        viewer.iter().flat_map(|me| names.iter().map(|name| (*me, name.clone()))).collect();
    let mut batch = tx.batch();
    let (uses, mine) = (batch.get_many(TAG, names), batch.get_many(ACCOUNT_TAG, &mine));
    let found = batch.fetch()?;
    let mut mine = found.take(mine)?.into_iter();
    let rows = names.iter().zip(found.take(uses)?);
    Ok(rows
        .map(|(name, uses)| View {
            name: name.clone(),
            days: uses.unwrap_or_default().days,
            mine: viewer.map(|_| mine.next().flatten().unwrap_or_default()),
        })
        .collect())
}

/// One hashtag.
///
/// # Errors
/// Only the store's.
pub fn view(tx: &ReadTx<'_>, viewer: Option<Id>, name: String) -> Result<View, StoreError> {
    let mut views = views(tx, viewer, std::slice::from_ref(&name))?;
    Ok(views.pop().unwrap_or(View { name, days: Vec::new(), mine: None }))
}

/// Keeps what an account has to do with a hashtag, or drops the row when it
/// says nothing more.
fn keep(tx: &mut WriteTx<'_>, key: &(Id, String), row: &AccountTag) {
    let is_empty = row.posts == 0 && row.follow.is_none() && row.feature.is_none();
    if is_empty { tx.delete(ACCOUNT_TAG, key) } else { tx.put(ACCOUNT_TAG, key, row) }
}
