//! Whatever JSON comes in, reading it gives an answer.

use proptest::prelude::*;
use serde_json::Value;

use super::activity::Activity;
use super::{Actor, Object, read_key};

const NAMES: [&str; 24] = [
    "id",
    "@id",
    "type",
    "@type",
    "actor",
    "object",
    "to",
    "cc",
    "content",
    "contentMap",
    "summary",
    "name",
    "tag",
    "attachment",
    "url",
    "href",
    "icon",
    "publicKey",
    "publicKeyPem",
    "owner",
    "inbox",
    "endpoints",
    "inReplyTo",
    "focalPoint",
];
const TEXTS: [&str; 16] = [
    "",
    "Note",
    "Person",
    "Create",
    "Announce",
    "Undo",
    "Mention",
    "Hashtag",
    "Emoji",
    "PropertyValue",
    "as:Public",
    "https://peer.example/1",
    "https://peer.example/1#main-key",
    "2025-02-30T99:00:00Z",
    "#é\u{200b}",
    "<b>&\u{0}",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(&NAMES[..]), inner), 0..8).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_document_is_too_odd(document in value()) {
        let _ = (Actor::read(&document), read_key(&document, "https://peer.example/1#main-key"));
        if let Some(object) = Object::read(&document) {
            let _ = (object.visibility("https://peer.example/1"), object.vote());
        }
        if let Some(activity) = Activity::read(&document) {
            let _ = activity.is_self_delete();
        }
    }
}
