//! Tolerant looks at foreign JSON: a property may be one value or a list, a
//! reference may be an id or an object, and `@id` and `@type` are names too.

use serde_json::Value;

use super::uri::is_id;
use crate::base::Timestamp;

/// Members of one list that are looked at.
const MEMBERS_MAX: usize = 500;

/// The property, unless it is null.
pub(super) fn get<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// All members of a property; one value is a list of one.
pub(super) fn list<'v>(object: &'v Value, name: &str) -> Vec<&'v Value> {
    match get(object, name) {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().filter(|v| !v.is_null()).take(MEMBERS_MAX).collect(),
        Some(one) => vec![one],
    }
}

/// The first text of a property.
pub(super) fn text<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    list(object, name).into_iter().find_map(Value::as_str)
}

/// A text, or where there is none the first of its translations (`nameMap`).
pub(super) fn text_or_map<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    text(object, name).or_else(|| {
        let translations = get(object, &format!("{name}Map"))?.as_object()?;
        translations.values().find_map(Value::as_str)
    })
}

/// A text cut to a number of bytes at a character's border.
pub(super) fn cut(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The types of an object.
pub(super) fn types(object: &Value) -> Vec<&str> {
    let named = if object.get("type").is_some() { "type" } else { "@type" };
    list(object, named).into_iter().filter_map(Value::as_str).collect()
}

/// The first type without a namespace prefix.
pub(super) fn kind(object: &Value) -> &str {
    let first = types(object).first().copied().unwrap_or_default();
    first.strip_prefix("as:").unwrap_or(first)
}

/// The id of a reference: the text itself, or the id (or `href` of a Link)
/// of the object.
pub(super) fn reference(value: &Value) -> Option<&str> {
    let text = match value {
        Value::String(text) => text,
        Value::Object(map) => {
            let named = ["id", "@id", "href"].iter().find_map(|name| map.get(*name));
            return named.and_then(Value::as_str).filter(|id| is_id(id));
        }
        _ => return None,
    };
    is_id(text).then_some(text)
}

/// The object's own id.
pub(super) fn id(object: &Value) -> Option<&str> {
    let text = object.get("id").or_else(|| object.get("@id"))?.as_str()?;
    is_id(text).then_some(text)
}

/// The first id that a property refers to.
pub(super) fn one_id(object: &Value, name: &str) -> Option<String> {
    list(object, name).into_iter().find_map(reference).map(str::to_owned)
}

/// Every id that a property refers to, and the names of everybody.
pub(super) fn addresses(object: &Value, name: &str) -> Vec<String> {
    list(object, name)
        .into_iter()
        .filter_map(|value| match value.as_str() {
            Some(text) if super::is_public(text) => Some(text.to_owned()),
            _ => reference(value).map(str::to_owned),
        })
        .collect()
}

/// A yes or no; absent is no.
pub(super) fn flag(object: &Value, name: &str) -> bool {
    get(object, name).and_then(Value::as_bool).unwrap_or(false)
}

/// A date and time.
pub(super) fn time(object: &Value, name: &str) -> Option<Timestamp> {
    text(object, name).and_then(Timestamp::parse_rfc3339)
}

/// The page of an object: `url` may be a text, a Link, or a list of these of
/// which one is HTML.
pub(super) fn page_url(object: &Value) -> Option<String> {
    let all = list(object, "url");
    let is_html = |value: &&&Value| text(value, "mediaType").is_none_or(|t| t.starts_with("text/html"));
    let chosen = all.iter().filter(is_html).find_map(|v| reference(v));
    chosen.map(str::to_owned)
}

/// The address of a picture or file: `url`, or `href`.
pub(super) fn file_url(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return is_id(text).then(|| text.to_owned());
    }
    one_id(value, "url").or_else(|| one_id(value, "href"))
}
