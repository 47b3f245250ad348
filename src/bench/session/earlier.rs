//! An earlier run that this one is held against.

use std::path::Path;

use serde_json::Value;

use crate::base::Problem;
use crate::bench::report::data::{FORMAT, Report};

/// Bytes of a report: hours of many rounds.
const REPORT_MAX_BYTES: u64 = 256 << 20;

/// Reads an earlier run.
///
/// # Errors
/// A file that is none.
pub fn read_report(path: &Path) -> Result<Report, Problem> {
    let unusable = |why: &str| {
        Problem::invalid(format!("`{}` is no report of an earlier run: {why}", path.display()))
            .hint("write one with `waxwing --bench --json FILE`")
    };
    let meta = std::fs::metadata(path).map_err(|error| unusable(&error.to_string()))?;
    // Opening a pipe may wait for ever.
    if !meta.is_file() || meta.len() > REPORT_MAX_BYTES {
        return Err(unusable("it is no file, or too long a one"));
    }
    let bytes = std::fs::read(path).map_err(|error| unusable(&error.to_string()))?;
    read(&bytes).map_err(|wrong| match wrong {
        Wrong::Newer => Problem::invalid(format!("`{}` was written by a newer Waxwing", path.display()))
            .hint("measure again with this one"),
        Wrong::Other(why) => unusable(&why),
    })
}

#[derive(Debug, PartialEq)]
enum Wrong {
    Newer,
    Other(String),
}

fn read(bytes: &[u8]) -> Result<Report, Wrong> {
    let other = |error: serde_json::Error| Wrong::Other(error.to_string());
    let mut value: Value = serde_json::from_slice(bytes).map_err(other)?;
    // Before the rest, which a newer one may have in another form.
    if value["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT)) {
        return Err(Wrong::Newer);
    }
    tame(&mut value);
    serde_json::from_value(value).map_err(other)
}

/// Takes control characters out of all texts: they are printed on a terminal,
/// and the file may be anybody's.
fn tame(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|sign| !sign.is_control()),
        Value::Array(all) => all.iter_mut().for_each(tame),
        Value::Object(all) => all.values_mut().for_each(tame),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_form_is_told_from_what_is_none() {
        assert_eq!(read(br#"{"format": 99}"#), Err(Wrong::Newer));
        assert!(matches!(read(b"{}"), Err(Wrong::Other(_))));
    }

    #[test]
    fn nothing_of_a_file_reaches_the_terminal_as_an_order() {
        let report = Report { format: FORMAT, target: "a\u{1b}[2Jb".into(), ..Report::default() };
        let bytes = serde_json::to_vec(&report).unwrap();
        assert_eq!(read(&bytes).unwrap().target, "a[2Jb");
    }
}
