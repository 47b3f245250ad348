//! Prints a [`Config`] as TOML, every default included.

use toml::Value;

use super::directives::{DIRECTIVES, Shown};
use super::settings::Config;
use super::value::OFF;

/// The full effective config as a TOML file; reading that gives the same config, and printing it the same bytes.
///
/// Paths are absolute. One that is not Unicode (which a config file cannot hold, but
/// the current folder can) is printed as well as it can be.
pub fn adapt(config: &Config) -> String {
    let mut printed = String::new();
    for directive in DIRECTIVES {
        let value = match (directive.show)(config) {
            Shown::Nothing => continue,
            Shown::Number(number) => number.to_string(),
            Shown::Text(text) => quoted(text),
            Shown::List(items) if items.is_empty() => quoted(OFF.to_owned()),
            Shown::List(items) => {
                format!("[{}]", items.into_iter().map(quoted).collect::<Vec<_>>().join(", "))
            }
        };
        printed.push_str(directive.name);
        printed.push_str(" = ");
        printed.push_str(&value);
        printed.push('\n');
    }
    printed
}

/// A TOML string, escaped as needed.
fn quoted(text: String) -> String {
    Value::String(text).to_string()
}
