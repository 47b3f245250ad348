//! Endorsements: people whom somebody follows and shows on their profile.

use std::sync::Arc;

use super::lists::people;
use super::{Actor, RelationError, Target, both, edge};
use crate::base::{Id, Moment};
use crate::domain::page::{Page, Paged};
use crate::domain::timeline::Person;
use crate::model::tables::ENDORSEMENTS;
use crate::store::{ReadTx, StoreError, WriteTx};

/// Shows somebody on the profile; the end of the follow ends it. Takes one id.
///
/// # Errors
/// [`RelationError::NotFollowed`] where they are not followed.
pub fn endorse(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    (Actor(actor), Target(target)): (Actor, Target),
) -> Result<(), RelationError> {
    both(tx, actor, target)?;
    let mut relation = edge::relation(tx, actor, target)?;
    if relation.follow.is_none() {
        return Err(RelationError::NotFollowed);
    }
    if relation.endorsement.is_none() {
        let id = moment.id();
        relation.endorsement = Some(id);
        edge::save(tx, actor, target, &relation);
        tx.put(ENDORSEMENTS, &(actor, id), &target);
    }
    Ok(())
}

/// Shows somebody no longer. Nothing happens if they were not shown.
///
/// # Errors
/// When one of the two is missing.
pub fn unendorse(
    tx: &mut WriteTx<'_>,
    (Actor(actor), Target(target)): (Actor, Target),
) -> Result<(), RelationError> {
    both(tx, actor, target)?;
    let mut relation = edge::relation(tx, actor, target)?;
    if let Some(id) = relation.endorsement.take() {
        tx.delete(ENDORSEMENTS, &(actor, id));
        edge::save(tx, actor, target, &relation);
    }
    Ok(())
}

/// A page of those whom an account shows.
///
/// # Errors
/// Only the store's.
pub fn endorsed(tx: &ReadTx<'_>, of: Id, page: &Page) -> Result<Paged<Arc<Person>>, StoreError> {
    people(tx, ENDORSEMENTS, of, page)
}
