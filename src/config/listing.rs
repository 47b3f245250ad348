//! The table of directives, printed for people: on the terminal and in the README.

use super::directives::{DIRECTIVES, Default, Directive};

/// Every directive with its values, default and meaning, for a terminal of 80 columns or more.
pub fn listing() -> String {
    const WIDTH: usize = 80;
    let mut printed = String::new();
    for directive in DIRECTIVES {
        let head = if directive.name == "address" { "(first line)" } else { directive.name };
        printed.push_str(&format!("{head} {}\n", directive.values));
        wrap(&mut printed, &directive.doc.replace('`', ""), WIDTH);
        wrap(&mut printed, &format!("default: {}", default_of(directive).replace('`', "")), WIDTH);
        printed.push('\n');
    }
    printed.truncate(printed.trim_end().len());
    printed.push('\n');
    printed
}

fn wrap(printed: &mut String, text: &str, width: usize) {
    const INDENT: &str = "    ";
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count() + 1;
        if column > 0 && INDENT.len() + column + length > width {
            printed.push('\n');
            column = 0;
        }
        printed.push_str(if column == 0 { INDENT } else { " " });
        printed.push_str(word);
        column += length;
    }
    printed.push('\n');
}

/// The same as a Markdown table.
pub fn markdown_table() -> String {
    let mut printed = String::from("| Directive | Default | What it does |\n|---|---|---|\n");
    for directive in DIRECTIVES {
        let name = match directive.name {
            "address" => format!("`{}` (first line)", directive.example),
            name => format!("`{name} {}`", directive.values.replace('|', "\\|")),
        };
        printed.push_str(&format!("| {name} | {} | {} |\n", default_of(directive), directive.doc));
    }
    printed
}

fn default_of(directive: &Directive) -> String {
    match directive.default {
        Default::Value("") => "empty".to_owned(),
        Default::Value(text) => format!("`{text}`"),
        Default::Derived(words) => words.to_owned(),
    }
}
