//! Flag: the actor, mostly a server's own, reports the objects.

use serde_json::Value;

use crate::wire::activitypub::value::{cut, list, reference, text};

/// Objects of one report.
const OBJECTS_MAX: usize = 200;
/// Bytes of the reason that are read.
const CONTENT_MAX_BYTES: usize = 20 * 1024;

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Accounts and posts.
    pub objects: Vec<String>,
    /// Why; may be blank.
    pub content: String,
}

impl Flag {
    pub(super) fn read(activity: &Value) -> Option<Flag> {
        let objects: Vec<String> = list(activity, "object")
            .into_iter()
            .filter_map(reference)
            .take(OBJECTS_MAX)
            .map(str::to_owned)
            .collect();
        let content = cut(text(activity, "content").unwrap_or_default(), CONTENT_MAX_BYTES).to_owned();
        (!objects.is_empty()).then_some(Flag { objects, content })
    }
}
