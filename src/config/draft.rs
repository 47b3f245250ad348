//! What a config file says, before anyone asks what it means: names and values, each with its place.
//! Both spellings become this.

use std::fmt;
use std::sync::Arc;

/// A line and column in a file, or the command line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as it was named, or an argument such as `--listen`.
    pub file: Arc<str>,
    /// Line, from 1; 0 when the place is the file as a whole, or an argument.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Word {
    /// A bare word.
    pub fn bare(text: &str, place: Place) -> Word {
        Word { text: text.to_owned(), spelling: Spelling::Bare, place }
    }
}

impl Entry {
    /// A directive with one value, both at this place.
    pub fn single(name: &str, value: &str, place: Place) -> Entry {
        Entry { name: name.to_owned(), place: place.clone(), values: vec![Word::bare(value, place)] }
    }
}

impl Place {
    /// The file as a whole.
    pub fn whole(file: &Arc<str>) -> Place {
        Place { file: Arc::clone(file), line: 0, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}:{}", self.file, self.column),
        }
    }
}

/// How a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// A word without quotes, in a Caddyfile or on the command line: may be anything.
    Bare,
    /// Text in quotes, in either spelling.
    Text,
    /// A TOML integer.
    Integer,
    /// It could not be read, and has its complaint already.
    Broken,
    /// Some other TOML type, by its name (`boolean`, `float`, `datetime`, `table`, `array`).
    Other(&'static str),
}

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it says, quotes and escapes resolved.
    pub text: String,
    /// How it was written.
    pub spelling: Spelling,
    /// Where.
    pub place: Place,
}

/// One directive as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The directive's name.
    pub name: String,
    /// Where the name stands.
    pub place: Place,
    /// Its values.
    pub values: Vec<Word>,
}

/// A whole file: `address` first in a Caddyfile, anywhere in TOML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// Whether the file is TOML; hints are then spelled so.
    pub is_toml: bool,
    /// Everything the file says, in its order.
    pub entries: Vec<Entry>,
}
