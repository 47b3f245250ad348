//! How one account stands to another, seen from the first.

use super::{Actor, RelationError, Target, both, edge};
use crate::base::{Id, Timestamp};
use crate::model::Relation;
use crate::model::tables::RELATION;
use crate::store::{ReadTx, StoreError, WriteTx};

/// Both directions of a relation (Mastodon API: Relationship).
#[derive(Debug, Clone, Default)]
pub struct Relationship {
    /// The other.
    pub id: Id,
    /// From the viewer to the other.
    pub there: Relation,
    /// From the other to the viewer.
    pub back: Relation,
    /// The mute that holds now.
    pub mute: Option<crate::model::Mute>,
}

impl Relationship {
    /// Whether either blocks the other.
    pub fn is_blocked(&self) -> bool {
        self.there.block.is_some() || self.back.block.is_some()
    }
}

/// How the viewer stands to others, in their order; one round trip.
///
/// # Errors
/// Only the store's.
pub fn relationships(
    tx: &ReadTx<'_>,
    viewer: Id,
    others: &[Id],
    now: Timestamp,
) -> Result<Vec<Relationship>, StoreError> {
    let there: Vec<(Id, Id)> = others.iter().map(|other| (viewer, *other)).collect();
    let back: Vec<(Id, Id)> = others.iter().map(|other| (*other, viewer)).collect();
    let mut batch = tx.batch();
    let (there, back) = (batch.get_many(RELATION, &there), batch.get_many(RELATION, &back));
    let found = batch.fetch()?;
    let (there, back) = (found.take(there)?, found.take(back)?);
    let pairs = there.into_iter().zip(back);
    Ok(others
        .iter()
        .zip(pairs)
        .map(|(id, (there, back))| {
            let (there, back) = (there.unwrap_or_default(), back.unwrap_or_default());
            let mute = there.mute.clone().filter(|mute| mute.holds(now));
            Relationship { id: *id, there, back, mute }
        })
        .collect())
}

/// Longest private note (Mastodon: 2000 characters).
const NOTE_CHARACTERS_MAX: usize = 2000;

/// Keeps a private note about another; blank removes it.
///
/// # Errors
/// When one of the two is missing, or both are the same.
pub fn set_note(
    tx: &mut WriteTx<'_>,
    (Actor(actor), Target(target)): (Actor, Target),
    note: &str,
) -> Result<(), RelationError> {
    both(tx, actor, target)?;
    let mut relation = edge::relation(tx, actor, target)?;
    relation.note = note.trim().chars().take(NOTE_CHARACTERS_MAX).collect();
    edge::save(tx, actor, target, &relation);
    Ok(())
}
