//! Like, and the reactions of the Pleroma family.

use serde_json::Value;

use crate::wire::activitypub::value::one_id;

/// A like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// The post.
    pub object: String,
}

impl Like {
    pub(super) fn read(activity: &Value) -> Option<Like> {
        Some(Like { object: one_id(activity, "object")? })
    }
}
