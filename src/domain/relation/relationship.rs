//! How one account stands to another, seen from the first.

use super::{Actor, RelationError, Target, both, edge};
use crate::base::{Id, Timestamp};
use crate::model::Relation;
use crate::model::tables::{ACCOUNT, BLOCKED_DOMAINS, RELATION};
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
    /// The viewer blocks the other's whole domain.
    pub is_domain_blocked: bool,
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
    let (accounts, blocks) = (batch.get_many(ACCOUNT, others), batch.get_many(BLOCKED_DOMAINS, &[viewer]));
    let found = batch.fetch()?;
    let blocks = found.take(blocks)?.pop().flatten().unwrap_or_default();
    let accounts = found.take(accounts)?;
    let rows = others.iter().zip(found.take(there)?.into_iter().zip(found.take(back)?)).zip(accounts);
    Ok(rows
        .map(|((id, (there, back)), account)| {
            let (there, back) = (there.unwrap_or_default(), back.unwrap_or_default());
            let mute = there.mute.clone().filter(|mute| mute.holds(now));
            let is_domain_blocked = account.is_some_and(|account| blocks.has(account.domain.as_deref()));
            Relationship { id: *id, there, back, mute, is_domain_blocked }
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
