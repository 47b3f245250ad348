//! Blocks.

use super::{Actor, RelationError, Target, both, edge, follow};
use crate::base::Moment;
use crate::domain::message::{Saying, tell};
use crate::domain::timeline::unmerge;
use crate::model::tables::BLOCKS;
use crate::model::{Account, Site};
use crate::store::{StoreError, WriteTx};

/// A local account blocks another: neither follows the other any more, and
/// neither sees the other. Takes up to four ids.
///
/// # Errors
/// When one of the two is missing, or both are the same.
pub fn block(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Actor(actor), Target(target)): (Actor, Target),
) -> Result<(), RelationError> {
    let (from, to) = both(tx, actor, target)?;
    follow::stop(tx, moment, site, &from, &to)?;
    follow::expel(tx, moment, site, &to, &from)?;
    let id = moment.id();
    let uri = site.activity(actor, id);
    if put(tx, &from, &to, id, &uri)? {
        tell(tx, moment, site, Saying::Block(&uri), (&from, &to))?;
    }
    Ok(())
}

/// Writes a block down; gives whether it is new.
pub(super) fn put(
    tx: &mut WriteTx<'_>,
    from: &Account,
    to: &Account,
    id: crate::base::Id,
    uri: &str,
) -> Result<bool, StoreError> {
    let mut relation = edge::relation(tx, from.id, to.id)?;
    if relation.block.is_some() {
        return Ok(false);
    }
    relation.block = Some(id);
    relation.block_uri = Some(uri.to_owned());
    edge::save(tx, from.id, to.id, &relation);
    tx.put(BLOCKS, &(from.id, id), &to.id);
    for (one, other) in [(from, to), (to, from)] {
        if one.is_local() {
            unmerge(tx, one.id, other.id)?;
        }
    }
    Ok(true)
}

/// A local account no longer blocks another. Nothing happens if it did not.
/// Takes one id.
///
/// # Errors
/// When one of the two is missing.
pub fn unblock(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (Actor(actor), Target(target)): (Actor, Target),
) -> Result<(), RelationError> {
    let (from, to) = both(tx, actor, target)?;
    if let Some(uri) = take(tx, &from, &to)? {
        tell(tx, moment, site, Saying::UndoBlock(&uri), (&from, &to))?;
    }
    Ok(())
}

/// Takes a block away; gives its ActivityPub id if there was one.
pub(super) fn take(tx: &mut WriteTx<'_>, from: &Account, to: &Account) -> Result<Option<String>, StoreError> {
    let mut relation = edge::relation(tx, from.id, to.id)?;
    let Some(id) = relation.block.take() else { return Ok(None) };
    tx.delete(BLOCKS, &(from.id, id));
    let uri = relation.block_uri.take().unwrap_or_default();
    edge::save(tx, from.id, to.id, &relation);
    Ok(Some(uri))
}
