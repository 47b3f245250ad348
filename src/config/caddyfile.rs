//! The Caddyfile-like spelling: the site's address first, then one directive a line, `#` comments,
//! `"text"` on one line, `` `text` `` over several, and braces round the directives if you like.
//!
//! Knows the shape of the file, not what a directive means.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use super::complaint::{Complaint, Fault, excerpt};
use super::directives;
use super::draft::{Draft, Entry, Place, Spelling, Word};

/// Reads a whole file; what can be read is in the draft even when there are complaints.
pub(crate) fn read(file: &Arc<str>, text: &str) -> (Draft, Vec<Complaint>) {
    let mut complaints = Vec::new();
    let tokens = Scanner::new(file, text).tokens(&mut complaints);
    let mut parser = Parser { draft: Draft::default(), complaints, site: Site::BeforeAddress };
    // Inside a block that no directive takes: skipped, so that it makes one complaint and not many.
    let mut skipping: Option<Place> = None;
    for line in tokens.split(|token| matches!(token, Token::LineEnd)).filter(|line| !line.is_empty()) {
        match (&skipping, line) {
            (Some(_), [Token::Close(_)]) => skipping = None,
            (Some(_), _) => {}
            (None, _) => skipping = parser.line(line),
        }
    }
    if let Some(open) = skipping {
        parser.complaints.push(unclosed(&open));
    }
    parser.finish()
}

/// Where in the file the parser is.
enum Site {
    BeforeAddress,
    /// After the address, without braces.
    Open,
    /// After the address and this `{`.
    InBraces(Place),
    /// After the closing brace.
    Closed,
}

struct Parser {
    draft: Draft,
    complaints: Vec<Complaint>,
    site: Site,
}

impl Parser {
    /// Reads one line. Gives the place of a `{` whose block must be skipped.
    fn line(&mut self, line: &[Token]) -> Option<Place> {
        let (line, brace) = match line {
            [words @ .., Token::Open(place)] => (words, Some(place.clone())),
            _ => (line, None),
        };
        if let [Token::Close(place)] = line {
            self.close(place);
            return None;
        }
        let (mut words, mut brace) = (Vec::new(), brace);
        for token in line {
            match token {
                Token::Word(word) => words.push(word.clone()),
                Token::Open(place) | Token::Close(place) => {
                    let fix = "put `{` at the end of its line and `}` on a line of its own";
                    let why = "each directive has a line of its own";
                    self.complaints
                        .push(Fault::new("a brace stands in the middle of a line", why, fix).at(place));
                    return None;
                }
                Token::LineEnd => {}
            }
        }
        if let Some(word) =
            words.last_mut().filter(|word| word.spelling == Spelling::Bare && word.text.ends_with('{'))
        {
            let what = format!("`{}` ends with a brace", excerpt(&word.text));
            let why = "a brace is a word of its own";
            self.complaints.push(Fault::new(what, why, "put a space before the `{`").at(&word.place));
            // Read on as if the space were there.
            word.text.pop();
            brace = Some(word.place.clone());
        }
        match self.site {
            Site::BeforeAddress => self.first_line(words, brace),
            Site::Open | Site::InBraces(_) => self.directive(words, brace),
            Site::Closed => {
                let Some(word) = words.first() else { return brace };
                let what = format!("`{}` stands after the closing brace", excerpt(&word.text));
                let why = "a server is one site, and what stands outside its braces belongs to none";
                self.complaints.push(Fault::new(what, why, "move the line above the `}`").at(&word.place));
                brace
            }
        }
    }

    fn first_line(&mut self, words: Vec<Word>, brace: Option<Place>) -> Option<Place> {
        let Some(first) = words.first() else {
            let place = brace?;
            let fix = "write the site's address before the brace: `social.example {`";
            self.complaints.push(
                Fault::new("a block without a name", "it must be known which site it is", fix).at(&place),
            );
            self.site = Site::InBraces(place);
            return None;
        };
        if first.text != "address" && directives::find(&first.text).is_some() {
            let what = format!("the file begins with `{}`, not with an address", first.text);
            let why = "the first line says which site this is";
            self.complaints.push(
                Fault::new(what, why, "put a line such as `social.example` before it").at(&first.place),
            );
            self.site = Site::Open;
            return self.directive(words, brace);
        }
        let place = first.place.clone();
        let named = first.text == "address";
        let mut values = if named { words[1..].to_vec() } else { words };
        self.drop_equals(&mut values);
        self.draft.entries.push(Entry { name: "address".to_owned(), place, values });
        self.site = brace.map_or(Site::Open, Site::InBraces);
        None
    }

    fn directive(&mut self, mut words: Vec<Word>, brace: Option<Place>) -> Option<Place> {
        if words.is_empty() {
            let place = brace?;
            self.complaints.push(
                Fault::new("a block without a name", "nothing says what it is about", "remove it").at(&place),
            );
            return Some(place);
        }
        let name = words.remove(0);
        if let Some(place) = &brace {
            let what = format!("`{}` takes no block", excerpt(&name.text));
            self.complaints
                .push(Fault::new(what, "every setting fits on its line", "remove the braces").at(place));
        }
        self.drop_equals(&mut words);
        self.draft.entries.push(Entry { name: name.text, place: name.place, values: words });
        brace
    }

    /// TOML in a file that is not named so.
    fn drop_equals(&mut self, values: &mut Vec<Word>) {
        if values.first().is_some_and(|word| word.text == "=" && word.spelling == Spelling::Bare) {
            let why = "in this spelling a value follows its directive after a space";
            let fix = "remove it, or name the file `.toml` if it is TOML";
            self.complaints
                .push(Fault::new("`=` does not belong here", why, fix).at(&values.remove(0).place));
        }
    }

    fn close(&mut self, place: &Place) {
        if let Site::InBraces(_) = self.site {
            self.site = Site::Closed;
            return;
        }
        let fault = Fault::new(
            "this `}` closes nothing",
            "no `{` is open here",
            "remove it, or write the missing `{`",
        );
        self.complaints.push(fault.at(place));
    }

    fn finish(mut self) -> (Draft, Vec<Complaint>) {
        if let Site::InBraces(open) = &self.site {
            self.complaints.push(unclosed(open));
        }
        (self.draft, self.complaints)
    }
}

fn unclosed(open: &Place) -> Complaint {
    Fault::new(
        "this `{` is never closed",
        "the file may have been cut off",
        "write a `}` on a line of its own",
    )
    .at(open)
}

enum Token {
    Word(Word),
    Open(Place),
    Close(Place),
    LineEnd,
}

/// Cuts the text into tokens and knows where it is.
struct Scanner<'a> {
    rest: Peekable<Chars<'a>>,
    here: Place,
}

impl<'a> Scanner<'a> {
    fn new(file: &Arc<str>, text: &'a str) -> Scanner<'a> {
        Scanner { rest: text.chars().peekable(), here: Place { file: Arc::clone(file), line: 1, column: 1 } }
    }

    fn step(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.here.line += 1;
            self.here.column = 1;
        } else {
            self.here.column += 1;
        }
        Some(c)
    }

    fn tokens(mut self, complaints: &mut Vec<Complaint>) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some(&c) = self.rest.peek() {
            match c {
                '\n' => {
                    self.step();
                    tokens.push(Token::LineEnd);
                }
                '#' => {
                    while self.rest.peek().is_some_and(|c| *c != '\n') {
                        self.step();
                    }
                }
                c if c.is_whitespace() => {
                    self.step();
                }
                '"' | '`' => tokens.push(self.quoted(c).map_or_else(|c| broken(c, complaints), Token::Word)),
                _ => {
                    let token = self.bare().unwrap_or_else(|c| broken(c, complaints));
                    tokens.push(token);
                }
            }
        }
        tokens
    }

    /// A word without quotes, or a brace.
    fn bare(&mut self) -> Result<Token, Complaint> {
        let place = self.here.clone();
        let mut text = String::new();
        while self.rest.peek().is_some_and(|c| !c.is_whitespace()) {
            text.extend(self.step());
        }
        match text.as_str() {
            "{" => return Ok(Token::Open(place)),
            "}" => return Ok(Token::Close(place)),
            _ => {}
        }
        if text.starts_with(['\'', '‘', '’', '“', '”', '„', '«', '´']) {
            let what = format!("`{}` begins with a mark that quotes nothing here", excerpt(&text));
            let why = "only \" and ` hold text with spaces together";
            return Err(Fault::new(what, why, "write \"…\" with straight double quotes").at(&place));
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            let what = format!("a control character, U+{:04X}, is in this word", u32::from(c));
            return Err(
                Fault::new(what, "it cannot be seen, so nobody can mean it", "type the word anew").at(&place)
            );
        }
        Ok(Token::Word(Word { text, spelling: Spelling::Bare, place }))
    }

    /// `"text"` with `\"` and `\\`, on one line; or `` `text` `` as it stands, over any lines.
    fn quoted(&mut self, quote: char) -> Result<Word, Complaint> {
        let place = self.here.clone();
        self.step();
        let mut text = String::new();
        loop {
            match self.rest.peek() {
                None => return Err(unclosed_quote(quote, &place)),
                // A forgotten quote must not swallow the rest of the file.
                Some('\n') if quote == '"' => return Err(unclosed_quote(quote, &place)),
                Some('\\') if quote == '"' => {
                    self.step();
                    match self.rest.peek() {
                        Some('"' | '\\') => text.extend(self.step()),
                        _ => text.push('\\'),
                    }
                }
                Some(&c) if c == quote => {
                    self.step();
                    break;
                }
                // Windows line ends inside the text are line ends.
                Some('\r') => {
                    self.step();
                }
                Some(_) => text.extend(self.step()),
            }
        }
        if self.rest.peek().is_some_and(|c| !c.is_whitespace()) {
            let fix = r#"put a space after it, or write `\"` for a quote inside the text"#;
            let why = "it is unclear whether the text goes on";
            while self.rest.peek().is_some_and(|c| !c.is_whitespace()) {
                self.step();
            }
            return Err(Fault::new("something touches the closing quote of this text", why, fix).at(&place));
        }
        Ok(Word { text, spelling: Spelling::Text, place })
    }
}

/// Notes the complaint, and keeps the word's place so that it does not seem to be missing.
fn broken(complaint: Complaint, complaints: &mut Vec<Complaint>) -> Token {
    let word = Word { text: String::new(), spelling: Spelling::Broken, place: complaint.place.clone() };
    complaints.push(complaint);
    Token::Word(word)
}

fn unclosed_quote(quote: char, place: &Place) -> Complaint {
    let what = format!("the {quote} opened here is never closed");
    let fix = if quote == '"' {
        "write \" at the end of the text, or use ` for text of several lines"
    } else {
        "write ` at the end of the text"
    };
    Fault::new(what, "it is unclear where the text ends", fix).at(place)
}
