//! One directive of the draft, being read: hands out its values and collects what is wrong with them.

use super::complaint::{Complaint, Fault, excerpt};
use super::directives::Directive;
use super::draft::{Entry, Place, Word};

/// Values of one directive; more are a mistake.
pub(crate) const VALUES_MAX: usize = 64;

/// One directive of the draft, and the table's line about it.
pub(crate) struct Line<'a> {
    directive: &'static Directive,
    entry: &'a Entry,
    is_toml: bool,
    complaints: &'a mut Vec<Complaint>,
}

impl<'a> Line<'a> {
    /// `complaints` receives what is wrong.
    pub(crate) fn new(
        directive: &'static Directive,
        entry: &'a Entry,
        is_toml: bool,
        complaints: &'a mut Vec<Complaint>,
    ) -> Self {
        Line { directive, entry, is_toml, complaints }
    }

    /// The words as written.
    pub(crate) fn words(&self) -> &'a [Word] {
        &self.entry.values
    }

    /// The one value; nothing, and a complaint, if it is missing, wrong, or not alone.
    pub(crate) fn one<T>(&mut self, read: impl Fn(&Word) -> Result<T, Fault>) -> Option<T> {
        match self.words() {
            [] => self.missing(),
            [word] => self.read(word, read),
            [_, second, ..] => self.too_many(second, "one value"),
        }
    }

    /// All values, at least one in a Caddyfile; nothing, and a complaint for each, if any is wrong.
    pub(crate) fn many<T>(&mut self, read: impl Fn(&Word) -> Result<T, Fault>) -> Option<Vec<T>> {
        if self.words().is_empty() {
            return self.missing();
        }
        if let Some(word) = self.words().get(VALUES_MAX) {
            return self.too_many(word, &format!("at most {VALUES_MAX} values"));
        }
        let values: Vec<Option<T>> = self.words().iter().map(|word| self.read(word, &read)).collect();
        values.into_iter().collect()
    }

    /// The value of one word.
    pub(crate) fn read<T>(&mut self, word: &Word, read: impl Fn(&Word) -> Result<T, Fault>) -> Option<T> {
        read(word).map_err(|fault| self.complain(&word.place, fault)).ok()
    }

    /// Whether the only value is this word.
    pub(crate) fn is_just(&self, text: &str) -> bool {
        matches!(self.words(), [word] if word.text == text)
    }

    /// Notes what is wrong.
    pub(crate) fn complain(&mut self, place: &Place, fault: Fault) {
        self.complaints.push(fault.at(place));
    }

    /// Complains that there is no value.
    pub(crate) fn missing<T>(&mut self) -> Option<T> {
        let Directive { name, values, .. } = self.directive;
        let fault = Fault::new(
            format!("`{name}` has no value"),
            format!("it takes `{values}`"),
            format!("write {}", self.directive.example_line(self.is_toml)),
        );
        self.complain(&self.entry.place.clone(), fault);
        None
    }

    /// Complains about a value that should not be there.
    pub(crate) fn too_many<T>(&mut self, word: &Word, takes: &str) -> Option<T> {
        let Directive { name, .. } = self.directive;
        let fix = if self.directive.is_text() && !self.is_toml {
            format!("put the text in quotes: `{name} \"…\"`")
        } else {
            format!("write {}", self.directive.example_line(self.is_toml))
        };
        let what = format!("`{}` is one value too many", excerpt(&word.text));
        self.complain(&word.place, Fault::new(what, format!("`{name}` takes {takes}"), fix));
        None
    }
}
