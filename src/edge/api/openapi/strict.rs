//! What answers promise, made exact: a key that an answer may leave out is
//! never null in it. Types say the two apart (`skip_serializing_if`), the
//! schemas derived from them do not.
//!
//! So an entity's key that is always there and null where empty has
//! `#[schema(required)]`.

use std::collections::BTreeSet;

use serde_json::Value;

const COMPONENTS: &str = "#/components/schemas/";

/// Makes every schema exact that an answer leads to.
pub(super) fn make(document: &mut Value) {
    let mut wanted = BTreeSet::new();
    for operation in operations(&document["paths"]) {
        references(&operation["responses"], &mut wanted);
    }
    let mut done = BTreeSet::new();
    while let Some(name) = wanted.pop_first() {
        if done.insert(name.clone()) {
            let schema = &mut document["components"]["schemas"][&name];
            exact(schema);
            let mut found = BTreeSet::new();
            references(schema, &mut found);
            wanted.extend(found.into_iter().filter(|name| !done.contains(name)));
        }
    }
}

fn operations(paths: &Value) -> impl Iterator<Item = &Value> {
    let items = paths.as_object().into_iter().flat_map(|paths| paths.values());
    items.filter_map(Value::as_object).flat_map(|item| item.values())
}

/// Names of the components that a part of the document refers to.
fn references(node: &Value, found: &mut BTreeSet<String>) {
    match node {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix(COMPONENTS));
            found.extend(name.map(str::to_owned));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Takes null away from every key that is not required.
fn exact(node: &mut Value) {
    match node {
        Value::Object(map) => {
            let required = map.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) {
                let optional = properties.iter_mut().filter(|(name, _)| !required.iter().any(|r| r == *name));
                optional.for_each(|(_, schema)| without_null(schema));
            }
            map.values_mut().for_each(exact);
        }
        Value::Array(all) => all.iter_mut().for_each(exact),
        _ => {}
    }
}

/// The same without null: of several types, or of several schemas.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").filter(|types| types.is_array()) {
        let rest: Vec<Value> =
            types.as_array().into_iter().flatten().filter(|t| *t != "null").cloned().collect();
        *types = match rest.as_slice() {
            [one] => one.clone(),
            _ => Value::Array(rest),
        };
    }
    let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|t| t != "null"));
    if let [one] = choices.as_slice()
        && let (Some(mut one), Some(whole)) = (one.as_object().cloned(), schema.as_object_mut())
    {
        whole.remove("oneOf");
        one.extend(std::mem::take(whole));
        *whole = one;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_may_be_left_out_is_never_null() {
        let schema = json!({
            "type": "object",
            "required": ["url"],
            "properties": {
                "url": { "type": ["string", "null"] },
                "text": { "type": ["string", "null"], "format": "uri" },
                "status": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/B" }] },
            },
        });
        let answer =
            json!({ "content": { "application/json": { "schema": { "$ref": "#/components/schemas/A" } } } });
        let mut document = json!({
            "paths": { "/a": { "get": { "responses": { "200": answer } } } },
            "components": { "schemas": { "A": schema.clone(), "B": schema.clone(), "Sent": schema } },
        });
        make(&mut document);
        let schemas = &document["components"]["schemas"];
        for name in ["A", "B"] {
            let properties = &schemas[name]["properties"];
            assert_eq!(properties["url"]["type"], json!(["string", "null"]));
            assert_eq!(properties["text"], json!({ "type": "string", "format": "uri" }));
            assert_eq!(properties["status"], json!({ "$ref": "#/components/schemas/B" }));
        }
        assert_eq!(schemas["Sent"]["properties"]["text"]["type"], json!(["string", "null"]));
    }
}
