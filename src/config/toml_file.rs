//! The TOML spelling: `address = "social.example"`, one key for each directive, lists for several values.
//!
//! Knows the shape of the file, not what a directive means.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::complaint::{Complaint, Fault};
use super::draft::{Draft, Entry, Place, Spelling, Word};
use super::line::VALUES_MAX;

/// Reads a whole file. After a mistake in the grammar nothing else is said: the rest would be guessed.
pub(crate) fn read(file: &Arc<str>, text: &str) -> (Draft, Vec<Complaint>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = Lines::new(file, text);
    if !errors.is_empty() {
        let complaints = errors.iter().map(|error| syntax(&lines, error)).collect();
        return (Draft { is_toml: true, entries: Vec::new() }, complaints);
    }
    let entries = table.get_ref().iter().map(|(name, value)| Entry {
        name: name.get_ref().to_string(),
        place: lines.place(name.span()),
        values: words(&lines, value),
    });
    (Draft { is_toml: true, entries: entries.collect() }, Vec::new())
}

/// One word for a plain value, and one for each item of a list.
fn words(lines: &Lines<'_>, value: &Spanned<DeValue<'_>>) -> Vec<Word> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().take(VALUES_MAX + 1).map(|item| word(lines, item)).collect(),
        _ => vec![word(lines, value)],
    }
}

fn word(lines: &Lines<'_>, value: &Spanned<DeValue<'_>>) -> Word {
    let (text, spelling) = match value.get_ref() {
        DeValue::String(text) => (text.to_string(), Spelling::Text),
        DeValue::Integer(number) if number.radix() == 10 => (number.as_str().to_owned(), Spelling::Integer),
        other => (lines.text[value.span()].to_owned(), Spelling::Other(other.type_str())),
    };
    Word { text, spelling, place: lines.place(value.span()) }
}

fn syntax(lines: &Lines<'_>, error: &toml::de::Error) -> Complaint {
    let place = lines.place(error.span().unwrap_or(0..0));
    let what = error.message().lines().collect::<Vec<_>>().join(", ");
    if what == "duplicate key" {
        let fix = "keep one of the lines; several values go into one list";
        return Fault::new("this key was there before", "it is unclear which one counts", fix).at(&place);
    }
    let fix =
        "write lines such as `email = \"you@example.com\"`, or give the file another ending than `.toml`";
    Fault::new(what, "a file named `.toml` is read as TOML", fix).at(&place)
}

/// Finds line and column of a byte.
struct Lines<'a> {
    file: &'a Arc<str>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(file: &'a Arc<str>, text: &'a str) -> Lines<'a> {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Lines { file, text, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let at = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= at);
        let column = self.text[self.starts[line - 1]..at].chars().count() + 1;
        // A config file has at most a million bytes, so neither number can overflow.
        Place { file: Arc::clone(self.file), line: line as u32, column: column as u32 }
    }
}
