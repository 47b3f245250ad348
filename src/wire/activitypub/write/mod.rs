//! Our documents. Arrays stay arrays even with one member (Pixelfed refuses
//! single values), and everybody is always the full URI.

mod activity;
mod actor;
mod audience;
mod collection;
mod note;
mod poll;
mod quote;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::{ACTIVITY_STREAMS, PUBLIC};
pub use activity::{announce, create, delete_actor, outgoing, update_actor, update_note, update_poll};
pub use actor::{InstanceActor, actor, instance_actor};
pub use audience::{Audience, audience};
pub use collection::{Collection, Page, collection, page};
pub use note::{NoteParts, note, tombstone};
pub use quote::quote_stamp;

/// `@context` of notes and activities: the standard one and the terms that
/// our documents use beyond it.
fn context() -> Value {
    json!([
        ACTIVITY_STREAMS,
        {
            "toot": "http://joinmastodon.org/ns#",
            "sensitive": "as:sensitive",
            "Hashtag": "as:Hashtag",
            "Emoji": "toot:Emoji",
            "blurhash": "toot:blurhash",
            "focalPoint": { "@container": "@list", "@id": "toot:focalPoint" },
            "ostatus": "http://ostatus.org#",
            "conversation": "ostatus:conversation",
            "directMessage": "http://litepub.social/ns#directMessage",
            "votersCount": "toot:votersCount",
            "quote": { "@id": "https://w3id.org/fep/044f#quote", "@type": "@id" },
            "quoteUri": "http://fedibird.com/ns#quoteUri",
            "_misskey_quote": "https://misskey-hub.net/ns#_misskey_quote",
            "quoteAuthorization": { "@id": "https://w3id.org/fep/044f#quoteAuthorization", "@type": "@id" },
            "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
            "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
            "gts": "https://gotosocial.org/ns#",
            "interactionPolicy": { "@id": "gts:interactionPolicy", "@type": "@id" },
            "canQuote": { "@id": "gts:canQuote", "@type": "@id" },
            "automaticApproval": { "@id": "gts:automaticApproval", "@type": "@id" },
            "manualApproval": { "@id": "gts:manualApproval", "@type": "@id" },
            "interactingObject": { "@id": "gts:interactingObject", "@type": "@id" },
            "interactionTarget": { "@id": "gts:interactionTarget", "@type": "@id" }
        }
    ])
}

/// The document with `@context` in front.
pub fn with_context(mut document: Value) -> Value {
    if let Some(map) = document.as_object_mut()
        && !map.contains_key("@context")
    {
        map.insert("@context".into(), context());
    }
    document
}

/// The bytes of a document.
pub fn to_bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// Sets a property unless there is nothing to say.
fn set(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.into(), value.into());
    }
}

/// Whether a document of ours is addressed to everybody.
pub fn is_addressed_to_public(document: &Value) -> bool {
    ["to", "cc"]
        .iter()
        .any(|name| document[name].as_array().is_some_and(|all| all.iter().any(|a| a == PUBLIC)))
}
