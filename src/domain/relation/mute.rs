//! Mutes: private, so nobody is told.

use std::time::Duration;

use super::{Actor, RelationError, Target, both, edge};
use crate::base::Moment;
use crate::model::Mute;
use crate::model::tables::MUTES;
use crate::store::WriteTx;

/// How to mute.
#[derive(Debug, Clone, Copy)]
pub struct MuteOptions {
    /// Notifications are hidden too.
    pub notifications: bool,
    /// For how long; `None` until further notice.
    pub duration: Option<Duration>,
}

/// A local account mutes another, or changes how it does. Takes one id.
///
/// # Errors
/// When one of the two is missing, or both are the same.
pub fn mute(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    (Actor(actor), Target(target)): (Actor, Target),
    options: MuteOptions,
) -> Result<(), RelationError> {
    both(tx, actor, target)?;
    let mut relation = edge::relation(tx, actor, target)?;
    let id = relation.mute.map_or_else(|| moment.id(), |mute| mute.id);
    let until = options.duration.map(|span| moment.now.plus(span));
    relation.mute = Some(Mute { id, notifications: options.notifications, until });
    edge::save(tx, actor, target, &relation);
    tx.put(MUTES, &(actor, id), &target);
    Ok(())
}

/// A local account no longer mutes another. Nothing happens if it did not.
///
/// # Errors
/// When one of the two is missing.
pub fn unmute(
    tx: &mut WriteTx<'_>,
    (Actor(actor), Target(target)): (Actor, Target),
) -> Result<(), RelationError> {
    both(tx, actor, target)?;
    let mut relation = edge::relation(tx, actor, target)?;
    if let Some(mute) = relation.mute.take() {
        tx.delete(MUTES, &(actor, mute.id));
        edge::save(tx, actor, target, &relation);
    }
    Ok(())
}
