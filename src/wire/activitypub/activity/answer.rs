//! Accept and Reject: the answer to a Follow.

use serde_json::Value;

use super::Thing;
use crate::wire::activitypub::value::one_id;

/// An answer to a Follow. The Follow is known by its id, or by its two ends
/// where the other server wrote an id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Id of the Follow, if it is named.
    pub follow: Option<String>,
    /// Who asked, if the Follow is embedded.
    pub follower: Option<String>,
    /// Who was asked, if the Follow is embedded.
    pub followed: Option<String>,
    /// What comes with it: the stamp where a wish to quote is granted.
    pub result: Option<String>,
}

impl Answer {
    pub(super) fn read(activity: &Value) -> Option<Answer> {
        let object = Thing::read(activity, "object")?;
        let follow = object.id().map(str::to_owned);
        let result = one_id(activity, "result");
        match &object {
            Thing::Id(_) => Some(Answer { follow, follower: None, followed: None, result }),
            Thing::Embedded(_) if object.kind() == "QuoteRequest" => {
                Some(Answer { follow, follower: None, followed: None, result })
            }
            // Answers to other requests (joins) are not ours.
            Thing::Embedded(inner) if object.kind() == "Follow" => Some(Answer {
                follow,
                follower: one_id(inner, "actor"),
                followed: one_id(inner, "object"),
                result,
            }),
            Thing::Embedded(_) => None,
        }
    }
}
