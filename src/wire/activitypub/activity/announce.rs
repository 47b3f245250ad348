//! Announce: the actor shares an object, or, from groups, an activity
//! (FEP-1b12).

use serde_json::Value;

use super::Thing;
use crate::wire::activitypub::object::is_post;
use crate::wire::activitypub::value::one_id;

/// A boost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announce {
    /// Id of the shared post. Only the id: what somebody else says the post
    /// is, it need not be.
    pub object: String,
}

impl Announce {
    /// Lemmy sends a post twice, as `Announce{Page}` and as
    /// `Announce{Create{Page}}`; both are read as a share of the page. A
    /// shared Like or Delete is not followed.
    pub(super) fn read(activity: &Value) -> Option<Announce> {
        let thing = Thing::read(activity, "object")?;
        let object = match (&thing, thing.kind()) {
            (Thing::Embedded(inner), "Create") => one_id(inner, "object")?,
            (Thing::Embedded(_), kind) if !kind.is_empty() && !is_post(kind) => return None,
            _ => thing.id()?.to_owned(),
        };
        Some(Announce { object })
    }
}
