//! QuoteRequest: the actor wishes to quote the object (FEP-044f).

use serde_json::Value;

use super::Thing;
use crate::wire::activitypub::value::one_id;

/// A wish to quote.
#[derive(Debug, Clone, PartialEq)]
pub struct QuoteRequest {
    /// Id of the post that is to be quoted.
    pub object: String,
    /// The post that quotes it.
    pub instrument: Thing,
}

impl QuoteRequest {
    pub(super) fn read(activity: &Value) -> Option<QuoteRequest> {
        Some(QuoteRequest {
            object: one_id(activity, "object")?,
            instrument: Thing::read(activity, "instrument")?,
        })
    }
}
