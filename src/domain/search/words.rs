//! Text to the words it is found by: the same for what is written and for
//! what is looked for.
//!
//! Case, accents and widths do not count. Scripts that write no spaces
//! (Chinese, Japanese, Thai …) are cut into overlapping pairs of characters,
//! which needs no dictionary. English endings are taken off, as in Mastodon.

use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Words of one text that are looked at.
pub const WORDS_MAX: usize = 20_000;
/// Characters of a word; the rest of a longer one is dropped.
const WORD_CHARACTERS_MAX: usize = 64;

static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::new(Algorithm::English));

/// A word and its place, for phrases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Folded.
    pub text: String,
    /// Which in the text, from 0.
    pub at: usize,
}

/// Without case, accents and widths.
pub fn fold(text: &str) -> String {
    let apart = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
    let plain = apart.filter(|c| !is_accent(*c)).flat_map(char::to_lowercase);
    ComposingNormalizerBorrowed::new_nfc().normalize_iter(plain).collect()
}

/// Marks of European scripts. Those of others are letters to their readers.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

fn is_letter(c: char) -> bool {
    // Vowel signs and the like of Indic scripts are not all alphabetic.
    c.is_alphanumeric() || (matches!(c, '\u{900}'..='\u{dff}') && !matches!(c, '\u{964}' | '\u{965}'))
}

/// Written without spaces.
fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// A run of letters of one sort.
fn runs(folded: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = folded;
    std::iter::from_fn(move || {
        let start = rest.find(is_letter)?;
        rest = &rest[start..];
        let dense = rest.starts_with(is_dense);
        let end = rest.find(|c| !is_letter(c) || is_dense(c) != dense).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some((dense, run))
    })
}

fn stem(word: &str) -> String {
    let cut: String = word.chars().take(WORD_CHARACTERS_MAX).collect();
    if cut.is_ascii() && cut.len() > 2 { ENGLISH.stem(&cut).into_owned() } else { cut }
}

/// The words of a text as it is kept: of dense scripts each character and
/// each pair, both at the place of the first.
pub fn written(text: &str) -> Vec<Word> {
    cut(text, true)
}

/// The words of a text that is looked for, to be found one after another: of
/// dense scripts only the pairs.
pub fn asked(text: &str) -> Vec<Word> {
    cut(text, false)
}

fn cut(text: &str, with_singles: bool) -> Vec<Word> {
    let folded = fold(text);
    let (mut words, mut at) = (Vec::new(), 0);
    for (dense, run) in runs(&folded) {
        if words.len() >= WORDS_MAX {
            break;
        }
        if !dense {
            words.push(Word { text: stem(run), at });
            at += 1;
            continue;
        }
        let characters: Vec<char> = run.chars().take(WORDS_MAX).collect();
        for (place, first) in characters.iter().enumerate() {
            let pair = characters.get(place + 1).map(|second| String::from_iter([first, second]));
            if with_singles || characters.len() == 1 {
                words.push(Word { text: first.to_string(), at });
            }
            words.extend(pair.map(|text| Word { text, at }));
            at += 1;
        }
    }
    words
}

/// Every beginning of every word of a name, for search while somebody types.
pub fn beginnings(name: &str) -> Vec<String> {
    let folded = fold(name);
    let mut all = Vec::new();
    for (dense, run) in runs(&folded) {
        let characters: Vec<char> = run.chars().take(BEGINNING_CHARACTERS_MAX).collect();
        if dense {
            all.extend(characters.iter().map(char::to_string));
            all.extend(characters.windows(2).map(String::from_iter));
        } else {
            all.extend((1..=characters.len()).map(|end| String::from_iter(&characters[..end])));
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Characters of a name's word that are told apart.
const BEGINNING_CHARACTERS_MAX: usize = 20;

/// The beginnings that a name must have for a question.
pub fn asked_beginnings(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut all = Vec::new();
    for (dense, run) in runs(&folded) {
        let characters: Vec<char> = run.chars().take(BEGINNING_CHARACTERS_MAX).collect();
        if dense && characters.len() > 1 {
            all.extend(characters.windows(2).map(String::from_iter));
        } else {
            all.push(String::from_iter(&characters));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &[Word]) -> Vec<&str> {
        words.iter().map(|word| word.text.as_str()).collect()
    }

    #[test]
    fn case_accents_and_widths_do_not_count() {
        let cases = [
            ("Crème BRÛLÉE", "creme brulee"),
            ("Ａｂｃ１", "abc1"),
            ("Ёлка", "елка"),
            ("Ἀθήνα", "αθηνα"),
            ("がぎ", "がぎ"),
            ("한국", "한국"),
            ("İstanbul", "istanbul"),
        ];
        for (text, expected) in cases {
            assert_eq!(fold(text), expected, "{text}");
        }
    }

    #[test]
    fn words_are_cut_at_everything_that_is_no_letter() {
        assert_eq!(
            texts(&written("Hi, @ana! #Rust_lang https://a.example/x")),
            ["hi", "ana", "rust", "lang", "https", "a", "exampl", "x"]
        );
        assert_eq!(texts(&written("boats BOAT boating")), ["boat", "boat", "boat"]);
        assert_eq!(texts(&written("नमस्ते दुनिया")).len(), 2);
        assert_eq!(texts(&written(" … ")), [""; 0]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        assert_eq!(texts(&asked("東京都")), ["東京", "京都"]);
        assert_eq!(texts(&asked("猫")), ["猫"]);
        assert_eq!(texts(&written("東京")), ["東", "東京", "京"]);
        let mixed = written("rust言語 yes");
        assert_eq!(texts(&mixed), ["rust", "言", "言語", "語", "yes"]);
        assert_eq!(mixed.iter().map(|word| word.at).collect::<Vec<_>>(), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn names_are_found_while_they_are_typed() {
        let all = beginnings("Ana Zoë");
        for typed in ["a", "An", "zoe", "ana z"] {
            assert!(asked_beginnings(typed).iter().all(|part| all.contains(part)), "{typed}");
        }
        assert!(!all.contains(&"na".to_owned()));
    }

    #[test]
    fn a_huge_text_is_cut() {
        assert!(written(&"x ".repeat(100_000)).len() <= WORDS_MAX);
        assert!(written(&"東".repeat(100_000)).len() <= 2 * WORDS_MAX);
    }
}
