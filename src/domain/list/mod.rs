//! Lists: making and changing them, and who is on them. Their timelines are
//! in [`crate::domain::timeline`].

mod members;
#[cfg(test)]
mod tests;

pub use members::{MEMBERS_AT_ONCE, add, containing, members, remove};

use crate::base::{Id, Moment};
use crate::domain::timeline::clear_home;
use crate::model::tables::{LIST, LIST_MEMBERS, LIST_TIMELINE, RELATION};
use crate::model::{List, RepliesPolicy};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Lists that one account may have (Mastodon: 50).
pub const LISTS_MAX: usize = 50;
/// Characters of a title (Mastodon: 256).
pub const TITLE_CHARACTERS_MAX: usize = 256;
/// Members that a list may have: as many as one may follow.
const MEMBERS_MAX: usize = 7500;

/// Why nothing was done with a list.
#[derive(Debug)]
pub enum ListError {
    /// There is no such list of theirs, or an account is missing or not
    /// followed.
    NotFound,
    /// A list needs a title.
    TitleBlank,
    /// The title has more than [`TITLE_CHARACTERS_MAX`] characters.
    TitleTooLong,
    /// There are [`LISTS_MAX`] lists.
    TooMany,
    /// An account is on the list.
    AlreadyThere,
    /// More than [`MEMBERS_AT_ONCE`] accounts in one request.
    TooManyAtOnce,
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ListError {
    fn from(cause: StoreError) -> Self {
        ListError::Store(cause)
    }
}

/// What of a list is given; `None` stays as it is, or as it is at first.
#[derive(Debug, Clone, Default)]
pub struct ListForm {
    /// Its name.
    pub title: Option<String>,
    /// Which answers it shows.
    pub replies: Option<RepliesPolicy>,
    /// Its members' posts stay out of the home timeline.
    pub is_exclusive: Option<bool>,
}

impl ListForm {
    fn apply(&self, list: &mut List) -> Result<(), ListError> {
        if let Some(title) = &self.title {
            list.title = title.trim().to_owned();
        }
        if list.title.is_empty() {
            return Err(ListError::TitleBlank);
        }
        if list.title.chars().nth(TITLE_CHARACTERS_MAX).is_some() {
            return Err(ListError::TitleTooLong);
        }
        list.replies = self.replies.unwrap_or(list.replies);
        list.is_exclusive = self.is_exclusive.unwrap_or(list.is_exclusive);
        Ok(())
    }
}

/// Somebody's lists, oldest first.
///
/// # Errors
/// Only the store's.
pub fn all(tx: &ReadTx<'_>, owner: Id) -> Result<Vec<List>, StoreError> {
    let rows = tx.scan(LIST, Scan::prefix(&(owner,)).limit(LISTS_MAX))?;
    Ok(rows.into_iter().map(|(_, list)| list).collect())
}

/// One of somebody's lists.
///
/// # Errors
/// [`ListError::NotFound`] for other people's as well.
pub fn get(tx: &ReadTx<'_>, owner: Id, id: Id) -> Result<List, ListError> {
    tx.get(LIST, &(owner, id))?.ok_or(ListError::NotFound)
}

/// Makes a list. Takes one id.
///
/// # Errors
/// When the title is not good, or there are too many lists.
pub fn create(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    owner: Id,
    form: &ListForm,
) -> Result<List, ListError> {
    let (title, replies) = (String::new(), RepliesPolicy::default());
    let mut list = List { id: moment.id(), owner, title, replies, is_exclusive: false };
    form.apply(&mut list)?;
    if all(tx, owner)?.len() >= LISTS_MAX {
        return Err(ListError::TooMany);
    }
    tx.put(LIST, &(owner, list.id), &list);
    Ok(list)
}

/// Changes a list. One that becomes exclusive takes its members' posts out of
/// the home timeline.
///
/// # Errors
/// When there is no such list, or the title is not good.
pub fn update(tx: &mut WriteTx<'_>, owner: Id, id: Id, form: &ListForm) -> Result<List, ListError> {
    let old = get(tx, owner, id)?;
    let mut list = old.clone();
    form.apply(&mut list)?;
    tx.put(LIST, &(owner, id), &list);
    if list.is_exclusive && !old.is_exclusive {
        let members: Vec<Id> = members_of(tx, id)?.into_iter().map(|(_, member)| member).collect();
        clear_home(tx, owner, &members)?;
    }
    Ok(list)
}

/// Deletes a list with everything on it.
///
/// # Errors
/// When there is no such list.
pub fn delete(tx: &mut WriteTx<'_>, owner: Id, id: Id) -> Result<(), ListError> {
    get(tx, owner, id)?;
    tx.delete(LIST, &(owner, id));
    let rows = members_of(tx, id)?;
    let keys: Vec<(Id, Id)> = rows.iter().map(|(_, member)| (owner, *member)).collect();
    for (key, relation) in keys.iter().zip(tx.get_many(RELATION, &keys)?) {
        let Some(mut relation) = relation else { continue };
        relation.lists.retain(|place| place.list != id);
        if relation.is_empty() { tx.delete(RELATION, key) } else { tx.put(RELATION, key, &relation) }
    }
    for (at, _) in rows {
        tx.delete(LIST_MEMBERS, &(id, at));
    }
    // Trimming keeps the rows below what one scan may read.
    for (key, _) in tx.scan(LIST_TIMELINE, Scan::prefix(&(id,)))? {
        tx.delete(LIST_TIMELINE, &key);
    }
    Ok(())
}

/// Places and members of a list.
fn members_of(tx: &ReadTx<'_>, list: Id) -> Result<Vec<(Id, Id)>, StoreError> {
    let rows = tx.scan(LIST_MEMBERS, Scan::prefix(&(list,)).limit(MEMBERS_MAX))?;
    Ok(rows.into_iter().map(|((_, at), member)| (at, member)).collect())
}
