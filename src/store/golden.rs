//! Golden bytes: proof that rows written by every earlier version still
//! read. For tests of the rooms that define records.
//!
//! `tests/golden/records/<name>.hex` has one encoding per line, oldest
//! first, `#` begins a comment; lines are added and never changed.

use std::fmt::Debug;
use std::path::Path;

use super::Value;

/// Checks that every line of `tests/golden/records/<name>.hex` decodes to
/// this value, and that the last line is how it is encoded today. Call it
/// with one sample per shape worth keeping:
/// `check("status", &sample).unwrap()`.
///
/// # Errors
/// What is wrong, with the line to add if the encoding is a new one.
pub fn check<V: Value + PartialEq + Debug>(name: &str, value: &V) -> Result<(), String> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/records").join(name).with_extension("hex");
    let text = std::fs::read_to_string(&file).map_err(|e| {
        format!("`{}`: {e}; if this sample is new, the file is this line: {}", file.display(), encode(value))
    })?;
    check_lines(&text, value).map_err(|why| format!("`{}`: {why}", file.display()))
}

fn check_lines<V: Value + PartialEq + Debug>(text: &str, value: &V) -> Result<(), String> {
    let mut newest = "";
    for (number, line) in (1..).zip(text.lines()) {
        let digits = line.split('#').next().unwrap_or_default().trim();
        if digits.is_empty() {
            continue;
        }
        newest = digits;
        let bytes = decode(digits).ok_or_else(|| format!("line {number} is not hexadecimal"))?;
        let read = V::from_bytes(&bytes).map_err(|e| {
            format!("line {number} does not read any more ({e:?}); rows on disk will not either")
        })?;
        if read != *value {
            return Err(format!("line {number} reads as {read:?}, not as {value:?}"));
        }
    }
    let today = encode(value);
    if newest != today {
        return Err(format!("the encoding has changed; if that is meant, add this line: {today}"));
    }
    Ok(())
}

fn encode(value: &impl Value) -> String {
    value.to_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(digits: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Id;

    fn complaint(text: &str) -> String {
        check_lines(text, &Id(1)).unwrap_err()
    }

    #[test]
    fn changed_or_unreadable_lines_are_refused() {
        assert_eq!(check_lines("# an id\n0000000000000001 # v1\n", &Id(1)), Ok(()));
        assert!(complaint("").contains("add this line: 0000000000000001"));
        assert!(complaint("0000000000000002").contains("line 1 reads as"));
        assert!(complaint("0000\n0000000000000001").contains("line 1 does not read any more"));
        assert!(complaint("xx").contains("not hexadecimal"));
        // Trailing bytes are ignored when read, but are not what is written.
        assert!(complaint("0000000000000001ff").contains("has changed"));
    }
}
