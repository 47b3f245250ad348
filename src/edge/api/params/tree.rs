//! Parameters as a tree, and the ways Mastodon's clients write each kind.

use serde_json::{Map, Value};

use crate::base::{Id, Problem};

/// Named values: text, lists and further trees.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tree(pub(super) Map<String, Value>);

/// A scalar as text; `None` for null, lists and trees.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Mastodon's booleans (docs: "Parameters"): these are false, blank is not
/// given, anything else is true.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "" => None,
        "0" | "f" | "F" | "false" | "FALSE" | "off" | "OFF" => Some(false),
        _ => Some(true),
    }
}

impl Tree {
    /// Whether the parameter was sent at all, even as null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A scalar as it was sent; may be blank.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(scalar)
    }

    /// A scalar that is not blank, without blanks around it.
    pub(crate) fn filled(&self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A boolean.
    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        self.text(key).and_then(|text| truth(text.trim()))
    }

    /// A whole number.
    ///
    /// # Errors
    /// 400 when it is something else.
    pub(crate) fn number(&self, key: &str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.filled(key) else { return Ok(None) };
        let wrong = || Problem::malformed(format!("`{key}` is not a whole number"));
        text.parse().map(Some).map_err(|_| wrong())
    }

    /// An id; one that cannot be ours is none.
    pub(crate) fn id(&self, key: &str) -> Option<Id> {
        self.filled(key)?.parse().ok()
    }

    /// A list of scalars; `None` where none was sent. A scalar in its place
    /// is not a list, and is ignored.
    pub(crate) fn list(&self, key: &str) -> Option<Vec<String>> {
        Some(self.values(key)?.into_iter().filter_map(scalar).collect())
    }

    /// A list, or a single scalar as a list of one.
    pub(crate) fn list_or_one(&self, key: &str) -> Vec<String> {
        self.list(key).or_else(|| self.text(key).map(|one| vec![one])).unwrap_or_default()
    }

    /// A list of ids; those that cannot be ours are left out.
    pub(crate) fn ids(&self, key: &str) -> Vec<Id> {
        self.list_or_one(key).iter().filter_map(|text| text.trim().parse().ok()).collect()
    }

    /// A tree inside this one.
    pub(crate) fn child(&self, key: &str) -> Option<Tree> {
        match self.0.get(key)? {
            Value::Object(map) => Some(Tree(map.clone())),
            _ => None,
        }
    }

    /// A list of trees: `x[0][a]=`, `x[][a]=` or a JSON array of objects.
    pub(crate) fn children(&self, key: &str) -> Option<Vec<Tree>> {
        let trees = self.values(key)?.into_iter().filter_map(|value| match value {
            Value::Object(map) => Some(Tree(map.clone())),
            _ => None,
        });
        Some(trees.collect())
    }

    fn values(&self, key: &str) -> Option<Vec<&Value>> {
        numbered(self.0.get(key)?)
    }
}

/// The values of an array, or of a map with numbers as keys in the order of
/// those; `None` for anything else.
pub(super) fn numbered(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(values) => Some(values.iter().collect()),
        Value::Object(map) => {
            let numbered: Option<Vec<(u64, &Value)>> =
                map.iter().map(|(key, value)| Some((key.parse().ok()?, value))).collect();
            let mut numbered = numbered?;
            numbered.sort_by_key(|(number, _)| *number);
            Some(numbered.into_iter().map(|(_, value)| value).collect())
        }
        _ => None,
    }
}
