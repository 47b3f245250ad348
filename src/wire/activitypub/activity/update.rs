//! Update: the actor changes an object, or itself.

use serde_json::Value;

use super::Thing;

/// What is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The object after the change.
    pub object: Thing,
}

impl Update {
    pub(super) fn read(activity: &Value) -> Option<Update> {
        Some(Update { object: Thing::read(activity, "object")? })
    }
}
