//! What a case expects and what it measured, and the table of all of them.

use std::fmt::Display;
use std::fmt::Write as _;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// It needs something that is not there yet; counts as nothing.
    Waits,
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) number: &'static str,
    pub(crate) fault: &'static str,
    pub(crate) expected: String,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
}

/// Expectations, each held against its measurement at once, so that what is
/// printed as expected is what was compared.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    expected: Vec<String>,
    measured: Vec<String>,
    failed: bool,
    waits: Option<String>,
}

impl Checks {
    pub(crate) fn new() -> Checks {
        Checks::default()
    }

    /// A case that cannot be run yet.
    pub(crate) fn waiting(for_what: &str) -> Checks {
        Checks { waits: Some(format!("waits for {for_what}")), ..Checks::default() }
    }

    /// A number, in this unit, that must not be larger.
    pub(crate) fn at_most(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        let holds = measured <= limit;
        self.push(
            format!("{what} ≤ {}{unit}", short(limit)),
            &format!("{what} {}{unit}", short(measured)),
            holds,
        );
    }

    /// A number, in this unit, that must not be smaller.
    pub(crate) fn at_least(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        let holds = measured >= limit;
        self.push(
            format!("{what} ≥ {}{unit}", short(limit)),
            &format!("{what} {}{unit}", short(measured)),
            holds,
        );
    }

    /// A number that must be this one.
    pub(crate) fn is<T: PartialEq + Display>(&mut self, what: &str, measured: T, wanted: T) {
        let holds = measured == wanted;
        self.push(format!("{wanted} {what}"), &format!("{measured} {what}"), holds);
    }

    /// Something that is so or not.
    pub(crate) fn holds(&mut self, what: &str, measured: &str, holds: bool) {
        self.push(what.to_owned(), measured, holds);
    }

    /// Something measured that nothing is expected of.
    pub(crate) fn note(&mut self, what: String) {
        self.measured.push(format!("({what})"));
    }

    fn push(&mut self, expected: String, measured: &str, holds: bool) {
        self.expected.push(expected);
        self.measured.push(if holds { measured.to_owned() } else { format!("{measured} ✗") });
        self.failed |= !holds;
    }

    /// The line of the table.
    pub(crate) fn row(self, number: &'static str, fault: &'static str) -> Row {
        if let Some(waits) = self.waits {
            return Row { number, fault, expected: waits, measured: "–".into(), verdict: Verdict::Waits };
        }
        let is_passed = !self.failed && !self.expected.is_empty();
        let verdict = if is_passed { Verdict::Passed } else { Verdict::Failed };
        Row { number, fault, expected: self.expected.join("; "), measured: self.measured.join("; "), verdict }
    }
}

/// Three digits that matter.
fn short(number: f64) -> String {
    match number.abs() {
        n if n >= 100.0 || n.fract() == 0.0 => format!("{number:.0}"),
        n if n >= 1.0 => format!("{number:.2}"),
        _ => format!("{number:.3}"),
    }
}

impl Row {
    /// A case that could not be carried through.
    pub(crate) fn broken(number: &'static str, fault: &'static str, why: &str) -> Row {
        Row {
            number,
            fault,
            expected: "the case runs".into(),
            measured: why.to_owned(),
            verdict: Verdict::Failed,
        }
    }
}

/// The table as text, and how many passed, failed and wait.
pub(crate) fn render(rows: &[Row]) -> (String, [usize; 3]) {
    let mut counts = [0; 3];
    let mut text = String::from("# | fault | expected | measured | verdict\n");
    for row in rows {
        let word = match row.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
            Verdict::Waits => "waits",
        };
        counts[row.verdict as usize] += 1;
        let _ =
            writeln!(text, "{} | {} | {} | {} | {word}", row.number, row.fault, row.expected, row.measured);
    }
    (text, counts)
}
