//! What only its owner had: lists, hashtags, conversations and the like. It
//! goes when a local account is deleted.

use crate::base::Id;
use crate::domain::{list, severance, tag};
use crate::model::tables::{
    BLOCKED_DOMAIN, BLOCKED_DOMAINS, CONVERSATION, CONVERSATION_BY_PEOPLE, CONVERSATIONS, DIRECT_TIMELINE,
    DISMISSED, FEATURED_TAGS, FOLLOWED_TAGS, WARNING, WARNING_OF,
};
use crate::store::{Key, Scan, StoreError, Table, Value, WriteTx};

/// Rows of one table that one step removes.
const ROWS: usize = 200;

/// One step of removing what only this account had. Gives whether there may
/// be more.
///
/// # Errors
/// Only the store's.
pub(super) fn clear(tx: &mut WriteTx<'_>, id: Id) -> Result<bool, StoreError> {
    for list in list::all(tx, id)? {
        match list::delete(tx, id, list.id) {
            Ok(()) | Err(list::ListError::NotFound) => {}
            Err(list::ListError::Store(cause)) => return Err(cause),
            Err(_) => break,
        }
    }
    for (_, name) in tx.scan(FEATURED_TAGS, Scan::prefix(&(id,)).limit(ROWS))? {
        tag::unfeature(tx, id, &name.0)?;
    }
    let tags = tx.scan(FOLLOWED_TAGS, Scan::prefix(&(id,)).limit(ROWS))?;
    for (_, name) in &tags {
        tag::unfollow(tx, id, &name.0)?;
    }
    if let Some(blocks) = tx.get(BLOCKED_DOMAINS, &id)? {
        for block in blocks.all {
            tx.delete(BLOCKED_DOMAIN, &(id, block.domain));
        }
        tx.delete(BLOCKED_DOMAINS, &id);
    }
    let warnings = tx.scan(WARNING_OF, Scan::prefix(&(id,)).limit(ROWS))?;
    for ((_, warning), ()) in &warnings {
        tx.delete(WARNING, warning);
    }
    let has_lost_more = severance::forget(tx, id)?;
    let others = [
        drop_rows(tx, WARNING_OF, id)?,
        drop_rows(tx, CONVERSATIONS, id)?,
        drop_rows(tx, CONVERSATION, id)?,
        drop_rows(tx, CONVERSATION_BY_PEOPLE, id)?,
        drop_rows(tx, DIRECT_TIMELINE, id)?,
        drop_rows(tx, DISMISSED, id)?,
    ];
    Ok(has_lost_more || tags.len() == ROWS || others.contains(&ROWS))
}

/// Removes rows that begin with this account; gives how many.
fn drop_rows<K: Key, V: Value>(
    tx: &mut WriteTx<'_>,
    table: Table<K, V>,
    id: Id,
) -> Result<usize, StoreError> {
    let rows = tx.scan(table, Scan::prefix(&(id,)).limit(ROWS))?;
    for (key, _) in &rows {
        tx.delete(table, key);
    }
    Ok(rows.len())
}
