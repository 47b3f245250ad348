//! Delete: the actor deletes an object, or itself.

use serde_json::Value;

use crate::wire::activitypub::value::one_id;

/// What is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete {
    /// Id of the object, the Tombstone or the actor.
    pub object: String,
}

impl Delete {
    pub(super) fn read(activity: &Value) -> Option<Delete> {
        Some(Delete { object: one_id(activity, "object")? })
    }
}
