//! How one account stands to another (docs: entities/Relationship).

use serde::Serialize;
use utoipa::ToSchema;

use crate::base::{Id, Timestamp};
use crate::model::{Mute, Relation};

/// Sixteen keys; clients decode them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Relationship {
    id: String,
    following: bool,
    showing_reblogs: bool,
    notifying: bool,
    #[schema(required)]
    languages: Option<Vec<String>>,
    followed_by: bool,
    blocking: bool,
    blocked_by: bool,
    muting: bool,
    muting_notifications: bool,
    #[schema(required, format = DateTime)]
    muting_expires_at: Option<String>,
    requested: bool,
    requested_by: bool,
    domain_blocking: bool,
    endorsed: bool,
    note: String,
}

impl Relationship {
    /// From what goes there and back, the mute that holds now, and whether
    /// the other's domain is blocked.
    pub fn new(
        other: Id,
        (there, back): (&Relation, &Relation),
        mute: Option<&Mute>,
        is_domain_blocked: bool,
    ) -> Relationship {
        let (follow, request) = (there.follow.as_ref(), there.request.as_ref());
        let reblogs = follow.map(|f| f.show_reblogs).or(request.map(|r| r.show_reblogs));
        let notifying = follow.map(|f| f.notify).or(request.map(|r| r.notify));
        let languages = follow.map(|f| f.languages.clone()).filter(|languages| !languages.is_empty());
        Relationship {
            id: other.to_string(),
            following: follow.is_some(),
            showing_reblogs: reblogs.unwrap_or(false),
            notifying: notifying.unwrap_or(false),
            languages,
            followed_by: back.follow.is_some(),
            blocking: there.block.is_some(),
            blocked_by: back.block.is_some(),
            muting: mute.is_some(),
            muting_notifications: mute.is_some_and(|m| m.notifications),
            muting_expires_at: mute.and_then(|m| m.until).map(Timestamp::rfc3339),
            requested: request.is_some(),
            requested_by: back.request.is_some(),
            domain_blocking: is_domain_blocked,
            endorsed: there.endorsement.is_some(),
            note: there.note.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_sixteen_keys() {
        let nothing = Relation::default();
        let value =
            serde_json::to_value(Relationship::new(Id(1), (&nothing, &nothing), None, false)).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 16);
    }
}
