//! Block: the actor blocks the object.

use serde_json::Value;

use crate::wire::activitypub::value::one_id;

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Who is blocked.
    pub object: String,
}

impl Block {
    pub(super) fn read(activity: &Value) -> Option<Block> {
        Some(Block { object: one_id(activity, "object")? })
    }
}
