//! Telling remote accounts what a local one does to them, in the transaction
//! that does it.

use super::delivery::{Targets, say};
use crate::base::{Id, Moment};
use crate::model::queue::{FollowRef, OrderKey, Outgoing};
use crate::model::{Account, Site};
use crate::store::{StoreError, WriteTx};

/// What is said. The text is the ActivityPub id of the Follow or Block.
#[derive(Debug, Clone, Copy)]
pub enum Saying<'a> {
    /// I want to follow you.
    Follow(&'a str),
    /// I no longer follow you, or no longer ask to.
    UndoFollow(&'a str),
    /// You may follow me.
    Accept(&'a str),
    /// You may not, or no longer, follow me.
    Reject(&'a str),
    /// I block you.
    Block(&'a str),
    /// I no longer block you.
    UndoBlock(&'a str),
}

/// Keeps blocks apart from follows: an Undo makes everything unsent under
/// its order key pointless, and must not swallow what it is not about.
const BLOCKS: u64 = 0x0b10_c4b1_0c4b_10c4;

/// Tells `to`, if it is remote and `from` is local. Takes two ids then.
///
/// # Errors
/// Only the store's.
pub fn tell(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    saying: Saying<'_>,
    (from, to): (&Account, &Account),
) -> Result<(), StoreError> {
    if !from.is_local() || to.is_local() {
        return Ok(());
    }
    let id = site.activity(from.id, moment.id());
    let mut targets = Targets::new();
    targets.add(&to.inbox, None);
    say(tx, moment, from.id, outgoing(saying, id, from, to), order(saying, from.id, to.id), &targets)?;
    Ok(())
}

fn outgoing(saying: Saying<'_>, id: String, from: &Account, to: &Account) -> Outgoing {
    let (actor, object) = (from.uri.clone(), to.uri.clone());
    let my_follow = |uri: &str| FollowRef { id: uri.into(), actor: from.uri.clone(), object: to.uri.clone() };
    let their_follow =
        |uri: &str| FollowRef { id: uri.into(), actor: to.uri.clone(), object: from.uri.clone() };
    match saying {
        Saying::Follow(uri) => Outgoing::Follow(my_follow(uri)),
        Saying::UndoFollow(uri) => Outgoing::UndoFollow { id, follow: my_follow(uri) },
        Saying::Accept(uri) => Outgoing::Accept { id, actor, follow: their_follow(uri) },
        Saying::Reject(uri) => Outgoing::Reject { id, actor, follow: their_follow(uri) },
        Saying::Block(uri) => Outgoing::Block { id: uri.into(), actor, object },
        Saying::UndoBlock(uri) => Outgoing::UndoBlock { id, actor, block: uri.into(), object },
    }
}

fn order(saying: Saying<'_>, from: Id, to: Id) -> OrderKey {
    match saying {
        Saying::Follow(_) | Saying::UndoFollow(_) => OrderKey::of_pair(from, to),
        // They concern a follow in the other direction.
        Saying::Accept(_) | Saying::Reject(_) => OrderKey::of_pair(to, from),
        Saying::Block(_) | Saying::UndoBlock(_) => OrderKey::of_pair(Id(from.0 ^ BLOCKS), to),
    }
}
