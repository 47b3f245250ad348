//! JSON from strangers, bounded before it is parsed.

use std::fmt;

use serde_json::Value;

use crate::base::limits::{ACTIVITY_MAX_BYTES, JSON_DEPTH_MAX, JSON_NODES_MAX};

/// Why a document is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonError {
    /// More than `ACTIVITY_MAX_BYTES`.
    TooLarge,
    /// Nested deeper than `JSON_DEPTH_MAX`.
    TooDeep,
    /// More than `JSON_NODES_MAX` values.
    TooMany,
    /// Not JSON in UTF-8.
    Syntax,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonError::TooLarge => write!(f, "the document is larger than {ACTIVITY_MAX_BYTES} bytes"),
            JsonError::TooDeep => write!(f, "the JSON is nested deeper than {JSON_DEPTH_MAX} levels"),
            JsonError::TooMany => write!(f, "the JSON has more than {JSON_NODES_MAX} values"),
            JsonError::Syntax => f.write_str("the document is not valid JSON"),
        }
    }
}

impl std::error::Error for JsonError {}

/// Parses a document of bounded size, depth and number of values. The bounds
/// are checked in one pass over the bytes, before anything is allocated.
///
/// # Errors
/// The bound it breaks, or that it is not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    if bytes.len() > ACTIVITY_MAX_BYTES {
        return Err(JsonError::TooLarge);
    }
    check_shape(bytes)?;
    serde_json::from_slice(bytes).map_err(|_| JsonError::Syntax)
}

/// Counts brackets and commas outside of strings. Every value but the first
/// of a container follows a comma, so brackets and commas bound the values.
fn check_shape(bytes: &[u8]) -> Result<(), JsonError> {
    let (mut depth, mut values) = (0usize, 1usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => {
                depth += 1;
                values += 1;
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            (false, b',') => values += 1,
            _ => {}
        }
        if depth > JSON_DEPTH_MAX {
            return Err(JsonError::TooDeep);
        }
        if values > JSON_NODES_MAX {
            return Err(JsonError::TooMany);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_within_the_bounds_are_read() {
        let deep = format!("{}1{}", "[".repeat(JSON_DEPTH_MAX), "]".repeat(JSON_DEPTH_MAX));
        for good in ["{}", "null", r#"{"a":"[[[{{,,,","b":"\"[\\"}"#, &deep] {
            assert!(parse(good.as_bytes()).is_ok(), "{good}");
        }
    }

    #[test]
    fn bombs_and_broken_documents_are_refused() {
        let deep = "[".repeat(JSON_DEPTH_MAX + 1);
        let endless = "[".repeat(500_000);
        let wide = format!("[{}1]", "1,".repeat(JSON_NODES_MAX));
        let large = format!("\"{}\"", "a".repeat(ACTIVITY_MAX_BYTES));
        assert_eq!(parse(deep.as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(parse(endless.as_bytes()), Err(JsonError::TooDeep));
        assert_eq!(parse(wide.as_bytes()), Err(JsonError::TooMany));
        assert_eq!(parse(large.as_bytes()), Err(JsonError::TooLarge));
        for bad in [&b""[..], b"{", b"\"\\", b"{\"a\":1}x", b"\"\xff\"", b"\xef\xbb\xbf{}", b"NaN"] {
            assert_eq!(parse(bad), Err(JsonError::Syntax), "{bad:?}");
        }
    }
}
