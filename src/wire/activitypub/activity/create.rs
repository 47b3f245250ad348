//! Create: the actor publishes objects.

use serde_json::Value;

use super::Thing;
use crate::wire::activitypub::value::list;

/// Objects taken from one Create. GoToSocial sends one vote per choice.
const OBJECTS_MAX: usize = 20;

/// What is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Create {
    /// The objects; nearly always one.
    pub objects: Vec<Thing>,
}

impl Create {
    pub(super) fn read(activity: &Value) -> Option<Create> {
        let objects: Vec<Thing> =
            list(activity, "object").into_iter().filter_map(Thing::of).take(OBJECTS_MAX).collect();
        (!objects.is_empty()).then_some(Create { objects })
    }
}
