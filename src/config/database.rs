//! The `store` directive: a file, memory, or a PostgreSQL database.

use std::path::PathBuf;

use super::complaint::{Fault, excerpt};
use super::directives::Shown;
use super::draft::Word;
use super::settings::{Database, StoreChoice};
use super::value;
use super::wanted::WantedStore;

const FIX: &str = "write `postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full`";
const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Reads its value; a file is not yet absolute.
pub(super) fn read(word: &Word) -> Result<WantedStore, Fault> {
    if word.text == "memory" {
        return Ok(WantedStore::Memory);
    }
    match word.text.split_once("://") {
        Some(("postgres" | "postgresql", rest)) => database(&word.text, rest).map(WantedStore::Postgres),
        // The rest of the URL may hold a password.
        Some((scheme, _)) => Err(Fault::new(
            format!("there is no store for `{}://`", excerpt(scheme)),
            "data is kept in one redb file, in a PostgreSQL database, or in memory",
            "name a file, such as `waxwing.redb`, or a database, such as `postgres://waxwing@/waxwing?host=/run/postgresql`",
        )),
        None if is_misspelt(&word.text) => Err(Fault::new(
            "this is the address of a database, but not quite",
            "it would be taken for the name of a file, and the server would begin with an empty store",
            FIX,
        )),
        None => value::path(word).map(WantedStore::File),
    }
}

/// `postgres//…` and `postgres:/…`, which nobody calls a file.
fn is_misspelt(text: &str) -> bool {
    let rest = ["postgresql", "postgres"].iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| rest.starts_with(':') || rest.starts_with("//"))
}

/// Its value in an effective config.
pub(super) fn show(choice: &StoreChoice) -> Shown {
    match choice {
        StoreChoice::Redb(path) => Shown::path(path),
        StoreChoice::Postgres(database) => Shown::Text(database.url.clone()),
        StoreChoice::Memory => Shown::Text("memory".to_owned()),
    }
}

/// Puts a choice in its place.
pub(super) fn resolve(wanted: &WantedStore, data: &std::path::Path) -> StoreChoice {
    match wanted {
        WantedStore::File(path) => StoreChoice::Redb(data.join::<&PathBuf>(path)),
        WantedStore::Postgres(database) => StoreChoice::Postgres(database.clone()),
        WantedStore::Memory => StoreChoice::Memory,
    }
}

/// What can be seen without dialling; the rest is said when the server starts.
fn database(url: &str, rest: &str) -> Result<Database, Fault> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let settings: Vec<(&str, &str)> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let (authority, name) = place.split_once('/').unwrap_or((place, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_named = !host.is_empty() || settings.iter().any(|(name, _)| matches!(*name, "host" | "hostaddr"));
    if !is_named {
        return Err(Fault::new("the database's address names no host", "it cannot be found without", FIX));
    }
    if name.contains('/') {
        return Err(Fault::new("the database's name has a `/`", "one name follows the host", FIX));
    }
    match settings.iter().find(|(name, _)| *name == "sslmode") {
        Some((_, mode)) if !MODES.contains(mode) => {
            let what = format!("there is no sslmode `{}`", excerpt(mode));
            Err(Fault::new(what, "the modes are those of other PostgreSQL programs", FIX))
        }
        _ => Ok(Database { url: url.to_owned() }),
    }
}
