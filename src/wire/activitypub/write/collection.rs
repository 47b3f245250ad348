//! Collections and their pages (ActivityPub, 5).

use serde_json::{Map, Value, json};

use super::{set, with_context};

/// An ordered collection without its items.
#[derive(Debug, Clone, Copy)]
pub struct Collection<'a> {
    /// Its id.
    pub id: &'a str,
    /// How many items it has.
    pub total: u64,
    /// Its first page; `None` where the items are not shown.
    pub first: Option<&'a str>,
}

/// The document of a [`Collection`].
pub fn collection(parts: Collection<'_>) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), parts.id.into());
    map.insert("type".into(), "OrderedCollection".into());
    map.insert("totalItems".into(), parts.total.into());
    set(&mut map, "first", parts.first);
    with_context(Value::Object(map))
}

/// One page of a collection.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Its id.
    pub id: &'a str,
    /// The collection's id.
    pub part_of: &'a str,
    /// The page with older items.
    pub next: Option<&'a str>,
    /// The page with newer items.
    pub prev: Option<&'a str>,
    /// Ids or objects, newest first.
    pub items: Vec<Value>,
}

/// The document of a [`Page`].
pub fn page(parts: Page<'_>) -> Value {
    let mut document = json!({
        "id": parts.id,
        "type": "OrderedCollectionPage",
        "partOf": parts.part_of,
        "orderedItems": parts.items,
    });
    if let Some(map) = document.as_object_mut() {
        set(map, "next", parts.next);
        set(map, "prev", parts.prev);
    }
    with_context(document)
}
