//! Names with brackets, as Rails reads them: `a[b][]=1`.

use serde_json::{Map, Value};

/// Brackets one name may have.
const DEPTH_MAX: usize = 8;

/// One step of a name.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    /// `[name]`
    Name(&'a str),
    /// `[]`
    Append,
}

/// Splits `a[b][]` into `a` and its steps; `None` when the brackets do not
/// match or are too many. Then the whole is a plain name.
fn steps(name: &str) -> Option<(&str, Vec<Step<'_>>)> {
    let (root, mut rest) = match name.find('[') {
        Some(at) if at > 0 => name.split_at(at),
        _ => return None,
    };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let (step, after) = inner.split_once(']')?;
        if step.contains('[') || steps.len() == DEPTH_MAX {
            return None;
        }
        rest = after;
        // No parameter is a list of lists, but Mastodon.py writes `id[][]` for `id[]`.
        if step.is_empty() && steps.last() == Some(&Step::Append) {
            continue;
        }
        steps.push(if step.is_empty() { Step::Append } else { Step::Name(step) });
    }
    Some((root, steps))
}

/// Puts a value under a name. A later value replaces an earlier one of the
/// same name; one that does not fit what is there (a list where a text is)
/// replaces it too.
pub(super) fn insert(root: &mut Map<String, Value>, name: &str, value: String) {
    match steps(name) {
        None => {
            root.insert(name.to_owned(), Value::String(value));
        }
        Some((first, steps)) => {
            let slot = root.entry(first.to_owned()).or_insert(Value::Null);
            put(slot, &steps, value);
        }
    }
}

fn put(slot: &mut Value, steps: &[Step<'_>], value: String) {
    match steps {
        [] => *slot = Value::String(value),
        [Step::Name(name), rest @ ..] => {
            let map = object(slot);
            put(map.entry((*name).to_owned()).or_insert(Value::Null), rest, value);
        }
        [Step::Append, rest @ ..] => {
            let list = array(slot);
            if needs_new(list.last(), rest) {
                list.push(Value::Null);
            }
            if let Some(last) = list.last_mut() {
                put(last, rest, value);
            }
        }
    }
}

/// `x[][a]=1&x[][b]=2&x[][a]=3` are two objects: a new one begins when its
/// name is there already.
fn needs_new(last: Option<&Value>, rest: &[Step<'_>]) -> bool {
    match (last, rest) {
        (Some(Value::Object(map)), [Step::Name(name), deeper @ ..]) => {
            map.get(*name).is_some_and(|there| match deeper {
                [] => true,
                [Step::Append, ..] => !there.is_array(),
                [Step::Name(_), ..] => needs_new(Some(there), deeper),
            })
        }
        _ => true,
    }
}

fn object(slot: &mut Value) -> &mut Map<String, Value> {
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was made an object just now")
}

fn array(slot: &mut Value) -> &mut Vec<Value> {
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    slot.as_array_mut().expect("it was made an array just now")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(pairs: &[(&str, &str)], expected: Value) {
        let mut root = Map::new();
        for (name, value) in pairs {
            insert(&mut root, name, (*value).to_owned());
        }
        assert_eq!(Value::Object(root), expected, "{pairs:?}");
    }

    #[test]
    fn names_nest_as_in_rails() {
        check(&[("a", "1"), ("a", "2")], json!({"a": "2"}));
        check(&[("a[]", "1"), ("a[]", "2")], json!({"a": ["1", "2"]}));
        check(&[("a[][]", "1"), ("a[][]", "2")], json!({"a": ["1", "2"]}));
        check(&[("source[privacy]", "direct")], json!({"source": {"privacy": "direct"}}));
        check(&[("f[0][name]", "x"), ("f[0][value]", "y")], json!({"f": {"0": {"name": "x", "value": "y"}}}));
        check(
            &[("k[][a]", "1"), ("k[][b]", "2"), ("k[][a]", "3")],
            json!({"k": [{"a": "1", "b": "2"}, {"a": "3"}]}),
        );
        check(&[("p[options][]", "x"), ("p[options][]", "y")], json!({"p": {"options": ["x", "y"]}}));
    }

    #[test]
    fn odd_names_are_plain_names() {
        for odd in ["[a]", "a[", "a[b", "a]b[", "a[b]c", "a[[b]]", "", "[]"] {
            check(&[(odd, "1")], json!({ odd: "1" }));
        }
        let deep = format!("a{}", "[b]".repeat(100));
        check(&[(&deep, "1")], json!({ deep.clone(): "1" }));
    }

    #[test]
    fn what_does_not_fit_is_replaced() {
        check(&[("a", "1"), ("a[]", "2")], json!({"a": ["2"]}));
        check(&[("a[]", "1"), ("a[b]", "2")], json!({"a": {"b": "2"}}));
    }
}
