//! Holds answers against the API's own description (`/api/openapi.json`):
//! every answer that a test sees must be one that is declared, with a body
//! as its schema says.
//!
//! Knows the part of JSON Schema that the description uses, and is stricter
//! in one thing: an object with named properties has no others.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Answer;

/// The description, ready to be asked.
#[derive(Debug)]
pub struct Schema {
    document: Value,
    /// Paths that were told to be missing, to say so once.
    missing: Mutex<BTreeSet<String>>,
}

impl Schema {
    /// Of a description.
    pub fn new(document: Value) -> Arc<Schema> {
        Arc::new(Schema { document, missing: Mutex::default() })
    }

    /// Panics when the answer to `method path` is not one that is declared.
    pub fn check(&self, method: &str, path: &str, answer: &Answer) {
        let Some((template, item)) = self.find(path) else {
            let is_api = path.starts_with("/api/") && answer.status.as_u16() != 404;
            if is_api && self.missing.lock().expect("no test panics here").insert(path.to_owned()) {
                eprintln!("{path} is not in the API's description");
            }
            return;
        };
        let Some(operation) = item.get(method.to_ascii_lowercase()) else { return };
        if let Err(wrong) = self.check_answer(operation, answer) {
            panic!("{method} {path}: not as {template} is described: {wrong}\n{}", answer.text());
        }
    }

    /// The path of the description that a path is one of: the one with the
    /// longest literal beginning.
    fn find(&self, path: &str) -> Option<(&String, &Value)> {
        let path = path.split('?').next().unwrap_or_default().trim_end_matches('/');
        let paths = self.document["paths"].as_object()?;
        let mut fits: Vec<_> = paths.iter().filter(|(template, _)| fits(template, path)).collect();
        fits.sort_by_key(|(template, _)| template.matches('{').count());
        fits.first().copied()
    }

    fn check_answer(&self, operation: &Value, answer: &Answer) -> Result<(), String> {
        let status = answer.status.as_u16().to_string();
        let declared =
            operation["responses"].get(&status).ok_or(format!("status {status} is not declared"))?;
        let content = declared.get("content").and_then(Value::as_object);
        let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
        let Some(content) = content else {
            return if answer.bytes.is_empty() { Ok(()) } else { Err(format!("{status} has no body")) };
        };
        let media = content.get(kind).ok_or(format!("content type `{kind}` of {status} is not declared"))?;
        if !kind.ends_with("json") || kind.ends_with("ndjson") {
            return Ok(());
        }
        let body = serde_json::from_slice(&answer.bytes).map_err(|e| format!("not JSON: {e}"))?;
        self.value(&media["schema"], &body, "")
    }

    /// Whether a value is as a schema says; the error says where it is not.
    fn value(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        self.shape(schema, value, at)?;
        let known = self.properties(schema);
        if let (Some(known), Some(map)) = (known, value.as_object()) {
            let other = map.keys().find(|key| !known.contains(key.as_str()));
            if let Some(other) = other {
                return Err(format!("{at}.{other} is not declared"));
            }
        }
        Ok(())
    }

    fn shape(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        if let Some(target) = schema.get("$ref") {
            return self.shape(self.resolve(target), value, at);
        }
        self.choices(schema, value, at)?;
        if let Some(types) = schema.get("type") {
            let listed = types.as_array().map_or(std::slice::from_ref(types), Vec::as_slice);
            if !listed.iter().any(|t| is_type(t.as_str().unwrap_or_default(), value)) {
                return Err(format!("{at} is to be {types}, not {value}"));
            }
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            return Err(format!("{at}: {value} is not among {allowed:?}"));
        }
        match value {
            Value::Object(map) => self.object(schema, map, at),
            Value::Array(items) => self.items(schema, items, at),
            Value::String(text) => format_of(schema, text, at),
            Value::Number(number) => bounds(schema, number.as_f64().unwrap_or(0.0), at),
            _ => Ok(()),
        }
    }

    fn choices(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.shape(part, value, at)?;
        }
        for word in ["oneOf", "anyOf"] {
            let Some(choices) = schema[word].as_array() else { continue };
            let results: Vec<_> = choices.iter().map(|choice| self.value(choice, value, at)).collect();
            let fitting = results.iter().filter(|result| result.is_ok()).count();
            if fitting == 0 {
                let why: Vec<String> = results.into_iter().filter_map(Result::err).collect();
                return Err(why.join(", or "));
            }
            if word == "oneOf" && fitting > 1 {
                return Err(format!("{at} fits {fitting} of its choices"));
            }
        }
        Ok(())
    }

    fn object(&self, schema: &Value, map: &serde_json::Map<String, Value>, at: &str) -> Result<(), String> {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(name) {
                return Err(format!("{at}.{name} is missing"));
            }
        }
        for (name, value) in map {
            let declared = schema["properties"]
                .get(name)
                .or_else(|| schema.get("additionalProperties").filter(|more| more.is_object()));
            if let Some(declared) = declared {
                self.value(declared, value, &format!("{at}.{name}"))?;
            }
        }
        Ok(())
    }

    fn items(&self, schema: &Value, items: &[Value], at: &str) -> Result<(), String> {
        if schema["maxItems"].as_u64().is_some_and(|most| items.len() as u64 > most) {
            return Err(format!("{at} has {} items", items.len()));
        }
        let Some(declared) = schema.get("items") else { return Ok(()) };
        items.iter().enumerate().try_for_each(|(i, item)| self.value(declared, item, &format!("{at}[{i}]")))
    }

    /// Every property that a schema names; `None` where any may be there.
    fn properties<'a>(&'a self, schema: &'a Value) -> Option<BTreeSet<&'a str>> {
        if let Some(target) = schema.get("$ref") {
            return self.properties(self.resolve(target));
        }
        if schema.get("oneOf").is_some() || schema.get("anyOf").is_some() {
            return None; // held against each choice
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts: Option<Vec<_>> = parts.iter().map(|part| self.properties(part)).collect();
            return Some(parts?.into_iter().flatten().collect());
        }
        if schema.get("additionalProperties").is_some() {
            return None;
        }
        Some(schema["properties"].as_object()?.keys().map(String::as_str).collect())
    }

    fn resolve(&self, target: &Value) -> &Value {
        let pointer = target.as_str().and_then(|target| target.strip_prefix('#')).unwrap_or_default();
        self.document.pointer(pointer).unwrap_or_else(|| panic!("{target} leads nowhere"))
    }
}

/// Whether a path is one of a template with `{names}`.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given))
                if wanted == given || (wanted.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn bounds(schema: &Value, number: f64, at: &str) -> Result<(), String> {
    let low = schema["minimum"].as_f64().is_some_and(|least| number < least);
    let high = schema["maximum"].as_f64().is_some_and(|most| number > most);
    if low || high { Err(format!("{at}: {number} is out of bounds")) } else { Ok(()) }
}

/// The formats that clients parse.
fn format_of(schema: &Value, text: &str, at: &str) -> Result<(), String> {
    let shape = |pattern: &str| {
        let same = |(p, c): (char, char)| if p == '0' { c.is_ascii_digit() } else { p == c };
        pattern.len() == text.len() && pattern.chars().zip(text.chars()).all(same)
    };
    let good = match schema["format"].as_str() {
        Some("date-time") => shape("0000-00-00T00:00:00.000Z"),
        Some("date") => shape("0000-00-00"),
        Some("uri") => text.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty() && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        }),
        _ => true,
    };
    if good { Ok(()) } else { Err(format!("{at}: `{text}` is no {}", schema["format"])) }
}
