//! From the OpenAPI document to what the page shows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ApiDocs, Endpoint, Group, Kind, Reply, Row, TypeView};
use crate::edge::api::common_errors;

/// Reads a document.
pub(super) fn docs(document: &Value) -> ApiDocs {
    let mut groups = BTreeMap::<String, Vec<Endpoint>>::new();
    for (path, item) in object(&document["paths"]) {
        for (tag, endpoint) in endpoints(path, item) {
            groups.entry(tag).or_default().push(endpoint);
        }
    }
    let errors = common_errors().map(|(status, words)| reply(status, words));
    let group = |(name, endpoints): (String, _)| Group { anchor: anchor(&name), name, endpoints };
    ApiDocs {
        groups: groups.into_iter().map(group).collect(),
        errors: errors.collect(),
        types: object(&document["components"]["schemas"])
            .map(|(name, schema)| type_of(name, schema))
            .collect(),
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim().to_owned()
}

fn anchor(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    plain.collect()
}

fn reply(status: &str, words: &str) -> Reply {
    Reply { status: status.to_owned(), words: words.to_owned(), kind: None }
}

/// The endpoints of a path with their topics. Methods that do the same are
/// one endpoint.
fn endpoints(path: &str, item: &Value) -> Vec<(String, Endpoint)> {
    let mut all: Vec<(String, Endpoint)> = Vec::new();
    for (method, operation) in object(item) {
        let endpoint = endpoint(path, method, operation);
        let same = all.iter_mut().map(|(_, known)| known).find(|known| {
            let (methods, anchor) = (endpoint.methods.clone(), endpoint.anchor.clone());
            **known
                == Endpoint {
                    methods: known.methods.clone(),
                    anchor: known.anchor.clone(),
                    ..endpoint.clone()
                }
                && !methods.is_empty()
                && !anchor.is_empty()
        });
        match same {
            Some(known) => known.methods.push(method.to_uppercase()),
            None => all.push((text(&operation["tags"][0]), endpoint)),
        }
    }
    all
}

fn endpoint(path: &str, method: &str, operation: &Value) -> Endpoint {
    let ways: Vec<&Map<String, Value>> = array(&operation["security"]).filter_map(Value::as_object).collect();
    let scopes = ways.iter().flat_map(|way| way.values()).flat_map(array).map(text).collect::<Vec<_>>();
    let words = [text(&operation["summary"]), text(&operation["description"])];
    let parameters = array(&operation["parameters"]).map(|parameter| Row {
        name: text(&parameter["name"]),
        kind: kind(&parameter["schema"]),
        is_required: parameter["required"] == true,
        words: text(&parameter["description"]),
    });
    Endpoint {
        anchor: text(&operation["operationId"]),
        methods: vec![method.to_uppercase()],
        path: path.to_owned(),
        words: words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" "),
        is_open: ways.is_empty() || ways.iter().any(|way| way.is_empty()),
        scope: ways.iter().any(|way| !way.is_empty()).then(|| scopes.join(" ")),
        parameters: parameters.collect(),
        body: content(&operation["requestBody"]),
        replies: object(&operation["responses"])
            .filter_map(|(status, answer)| special(status, answer))
            .collect(),
    }
}

/// An answer, unless any endpoint may give the same.
fn special(status: &str, answer: &Value) -> Option<Reply> {
    let words = text(&answer["description"]);
    let is_common = common_errors().any(|common| common == (status, &words));
    (!is_common).then(|| Reply { kind: content(answer), ..reply(status, &words) })
}

fn content(holder: &Value) -> Option<Kind> {
    let (media, content) = object(&holder["content"]).next()?;
    let kind = kind(&content["schema"]);
    let is_json = media.ends_with("json") || holder["content"].get("application/json").is_some();
    Some(if is_json { kind } else { Kind { before: media.clone(), ..Kind::default() } })
}

fn words(before: impl Into<String>) -> Kind {
    Kind { before: before.into(), ..Kind::default() }
}

/// What a schema lets through, in words.
fn kind(schema: &Value) -> Kind {
    if let Some(target) = schema["$ref"].as_str() {
        let name = target.rsplit('/').next().map(str::to_owned);
        return Kind { name, ..Kind::default() };
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        return choice(choices);
    }
    if let [part] = array(&schema["allOf"]).collect::<Vec<_>>().as_slice() {
        return kind(part);
    }
    if schema["enum"].is_array() {
        let all: Vec<String> = array(&schema["enum"]).map(|word| format!("`{}`", text(word))).collect();
        return words(format!("one of {}", all.join(", ")));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        several => array(several).filter_map(Value::as_str).collect(),
    };
    let mut described = match types.iter().find(|name| **name != "null") {
        Some(&"array") => {
            let of = kind(&schema["items"]);
            Kind { before: format!("list of {}", of.before), ..of }
        }
        Some(&"object") if schema["additionalProperties"].is_object() => {
            let of = kind(&schema["additionalProperties"]);
            Kind { before: format!("map of {}", of.before), ..of }
        }
        Some(&"string") => words(schema["format"].as_str().unwrap_or("text")),
        Some(name) => words(*name),
        None => words("anything"),
    };
    if types.contains(&"null") {
        described.after.push_str(" or null");
    }
    described
}

fn choice(choices: &[Value]) -> Kind {
    let real: Vec<&Value> = choices.iter().filter(|choice| choice["type"] != "null").collect();
    let or_null = if real.len() < choices.len() { " or null" } else { "" };
    match real.as_slice() {
        [one] => {
            let mut one = kind(one);
            one.after.push_str(or_null);
            one
        }
        several => {
            let names = several.iter().map(|one| {
                let Kind { before, name, after } = kind(one);
                format!("{before}{}{after}", name.unwrap_or_default())
            });
            words(format!("{}{or_null}", names.collect::<Vec<_>>().join(", or ")))
        }
    }
}

fn type_of(name: &str, schema: &Value) -> TypeView {
    let parts: Vec<&Value> = array(&schema["allOf"]).collect();
    let own: Vec<&Value> = if parts.is_empty() { vec![schema] } else { parts.clone() };
    let rows: Vec<Row> = own.iter().flat_map(|part| rows(part)).collect();
    let includes: Vec<String> = parts.iter().filter_map(|part| kind(part).name).collect();
    let has_keys = !rows.is_empty() || !includes.is_empty();
    TypeView {
        name: name.to_owned(),
        words: text(&schema["description"]),
        kind: (!has_keys).then(|| kind(schema)),
        includes,
        rows,
    }
}

fn rows(schema: &Value) -> Vec<Row> {
    let required: Vec<String> = array(&schema["required"]).map(text).collect();
    let row = |(name, property): (&String, &Value)| Row {
        name: name.clone(),
        kind: kind(property),
        is_required: required.contains(name),
        words: text(&property["description"]),
    };
    object(&schema["properties"]).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(schema: Value) -> String {
        let Kind { before, name, after } = kind(&schema);
        format!("{before}{}{after}", name.unwrap_or_default())
    }

    #[test]
    fn a_schema_is_told_in_words() {
        let reference = json!({ "$ref": "#/components/schemas/Status" });
        for (schema, expected) in [
            (json!({ "type": "string" }), "text"),
            (json!({ "type": ["string", "null"], "format": "date-time" }), "date-time or null"),
            (json!({ "type": "array", "items": reference }), "list of Status"),
            (json!({ "oneOf": [{ "type": "null" }, reference] }), "Status or null"),
            (json!({ "type": "string", "enum": ["a", "b"] }), "one of `a`, `b`"),
            (json!({ "type": "object", "additionalProperties": reference }), "map of Status"),
            (json!({}), "anything"),
        ] {
            assert_eq!(shown(schema), expected);
        }
    }

    #[test]
    fn methods_that_do_the_same_are_one_endpoint() {
        let change = |id: &str| {
            json!({
                "operationId": id, "tags": ["Lists"], "summary": "Changes it.",
                "security": [{ "oauth": ["write:lists"] }],
                "responses": { "200": { "description": "" }, "503": { "description": "x" } },
            })
        };
        let item = json!({ "get": { "operationId": "g", "tags": ["Lists"] }, "patch": change("a"), "put": change("b") });
        let docs = docs(&json!({ "paths": { "/api/v1/lists/{id}": item } }));
        let [group] = docs.groups.as_slice() else { panic!("one topic") };
        let methods: Vec<_> = group.endpoints.iter().map(|endpoint| endpoint.methods.join(" ")).collect();
        assert_eq!(methods, ["GET", "PATCH PUT"]);
        let change = &group.endpoints[1];
        assert_eq!((change.scope.as_deref(), change.is_open), (Some("write:lists"), false));
        assert_eq!(change.replies.len(), 2);
    }
}
