//! Follow: the actor asks to follow the object.

use serde_json::Value;

use crate::wire::activitypub::value::one_id;

/// A wish to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// Who is to be followed.
    pub object: String,
}

impl Follow {
    pub(super) fn read(activity: &Value) -> Option<Follow> {
        Some(Follow { object: one_id(activity, "object")? })
    }
}
