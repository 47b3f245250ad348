//! Undo: the actor takes back what it did.

use serde_json::Value;

use super::Thing;
use crate::wire::activitypub::value::one_id;

/// What is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// A Follow.
    Follow,
    /// A Like or reaction.
    Like,
    /// An Announce.
    Announce,
    /// A Block.
    Block,
    /// An Accept: the follower is removed.
    Accept,
    /// Only an id was given.
    Unknown,
}

/// Something taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// What kind of activity it was.
    pub undone: Undone,
    /// Its id, if it is named.
    pub id: Option<String>,
    /// Who had done it, if it is embedded.
    pub actor: Option<String>,
    /// What it was about, if it is embedded.
    pub object: Option<String>,
}

impl Undo {
    pub(super) fn read(activity: &Value) -> Option<Undo> {
        let thing = Thing::read(activity, "object")?;
        let id = thing.id().map(str::to_owned);
        let undone = match thing.kind() {
            "Follow" => Undone::Follow,
            "Like" | "EmojiReact" => Undone::Like,
            "Announce" => Undone::Announce,
            "Block" => Undone::Block,
            "Accept" => Undone::Accept,
            "" => Undone::Unknown,
            _ => return None,
        };
        let inner = thing.embedded();
        Some(Undo {
            undone,
            id,
            actor: inner.and_then(|inner| one_id(inner, "actor")),
            object: inner.and_then(|inner| one_id(inner, "object")),
        })
    }
}
