//! An earlier run that this one is held against.

use std::path::Path;

use crate::base::Problem;
use crate::bench::report::data::{FORMAT, Report};

/// Reads an earlier run.
///
/// # Errors
/// A file that is none.
pub fn read_report(path: &Path) -> Result<Report, Problem> {
    let read = std::fs::read(path).map_err(|error| error.to_string());
    let report: Result<Report, String> =
        read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    let report = report.map_err(|error| {
        Problem::invalid(format!("`{}` is no report of an earlier run: {error}", path.display()))
            .hint("write one with `waxwing --bench --json FILE`")
    })?;
    if report.format > FORMAT {
        let what = format!("`{}` was written by a newer Waxwing", path.display());
        return Err(Problem::invalid(what).hint("measure again with this one"));
    }
    Ok(report)
}
