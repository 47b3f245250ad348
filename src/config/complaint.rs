//! What is wrong with a config file, said so that it can be mended.

use std::error::Error;
use std::fmt;

use super::draft::Place;

/// Complaints shown at once; a file with more is the wrong file.
pub const COMPLAINTS_MAX: usize = 50;
/// Characters of the file's own text shown in one complaint.
const EXCERPT_MAX_CHARACTERS: usize = 60;

/// One thing that is wrong, before it is known where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// What to do about it.
    pub fix: String,
}

impl Fault {
    /// A fault in its three parts.
    pub fn new(what: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Fault {
        Fault { what: what.into(), why: why.into(), fix: fix.into() }
    }

    /// The fault, and where it is.
    pub fn at(self, place: &Place) -> Complaint {
        Complaint { place: place.clone(), fault: self }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub place: Place,
    /// What, why, and the way out.
    pub fault: Fault,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { what, why, fix } = &self.fault;
        write!(f, "{}: {what}; {why}; {fix}", self.place)
    }
}

/// Everything that is wrong with one config file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaints(Vec<Complaint>);

impl Complaints {
    /// All of these, in the order of the file; nothing if there are none.
    pub(crate) fn of(mut all: Vec<Complaint>) -> Option<Complaints> {
        all.sort_by(|a, b| a.place.cmp(&b.place));
        (!all.is_empty()).then_some(Complaints(all))
    }

    /// One by one, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Complaint> {
        self.0.iter()
    }
}

impl From<Complaint> for Complaints {
    fn from(one: Complaint) -> Complaints {
        Complaints(vec![one])
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, complaint) in self.0.iter().take(COMPLAINTS_MAX).enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            complaint.fmt(f)?;
        }
        match self.0.len().saturating_sub(COMPLAINTS_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more like these"),
        }
    }
}

impl Error for Complaints {}

/// The file's own text, safe and short enough for a terminal.
pub(crate) fn excerpt(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(EXCERPT_MAX_CHARACTERS)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(EXCERPT_MAX_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}

/// The known word that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const WORD_MAX_CHARACTERS: usize = 40;
    let word: Vec<char> = word.to_lowercase().chars().take(WORD_MAX_CHARACTERS + 1).collect();
    if word.len() > WORD_MAX_CHARACTERS {
        return None;
    }
    // A third of the letters may be wrong: more, and the guess misleads.
    let allowed = (word.len() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.chars().collect::<Vec<_>>()), candidate))
        .filter(|(far, candidate)| *far <= allowed && *far < candidate.len())
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Letters to add, drop, change or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i.max(j)
            } else {
                let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_far_ones_are_not() {
        let known = ["email", "listen", "registration", "log", "log_level"];
        let check = |word, expected| assert_eq!(nearest(word, known), expected, "{word}");
        check("emial", Some("email"));
        check("mail", Some("email"));
        check("Email", Some("email"));
        check("registrations", Some("registration"));
        check("listne", Some("listen"));
        check("lgo", Some("log"));
        check("federation_mode", None);
        check("x", None);
        check(&"email".repeat(100), None);
    }

    #[test]
    fn an_excerpt_is_short_and_has_no_control_characters() {
        assert_eq!(excerpt("a\u{1b}[31m"), "a\u{fffd}[31m");
        assert_eq!(excerpt(&"x".repeat(1000)).chars().count(), EXCERPT_MAX_CHARACTERS + 1);
    }
}
