//! Collections and their pages, as other servers write them.

use serde_json::Value;

use super::value::{kind, list, reference};

/// One part of a collection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Part {
    /// ActivityPub ids of its items.
    pub items: Vec<String>,
    /// Where it goes on: an address, or the next part itself.
    pub next: Option<Value>,
}

/// Reads a collection or a page of one. A collection goes on with its first
/// page, a page with the next one.
pub fn part(document: &Value) -> Part {
    let all = ["items", "orderedItems"].into_iter().flat_map(|name| list(document, name));
    let items = all.filter_map(reference).map(str::to_owned).collect();
    // A page may name the first one, too.
    let onward = if kind(document).ends_with("Page") { "next" } else { "first" };
    let next = [onward, "next"].into_iter().find_map(|name| document.get(name)).cloned();
    Part { items, next: next.filter(|next| next.is_string() || next.is_object()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn collections_go_on_with_their_first_page_and_pages_with_the_next() {
        let check = |document: Value, items: &[&str], next: Option<Value>| {
            let found = part(&document);
            assert_eq!(
                (found.items.iter().map(String::as_str).collect::<Vec<_>>(), found.next),
                (items.to_vec(), next)
            );
        };
        check(
            json!({ "items": ["https://a.example/1", { "id": "https://a.example/2" }] }),
            &["https://a.example/1", "https://a.example/2"],
            None,
        );
        check(
            json!({ "type": "CollectionPage", "orderedItems": "https://a.example/1", "first": "https://a.example/0", "next": "https://a.example/p" }),
            &["https://a.example/1"],
            Some(json!("https://a.example/p")),
        );
        let first = json!({ "type": "CollectionPage", "items": [] });
        check(json!({ "type": "Collection", "first": first.clone() }), &[], Some(first));
        check(json!({ "items": [7, null], "next": 3 }), &[], None);
        check(json!(null), &[], None);
    }
}
