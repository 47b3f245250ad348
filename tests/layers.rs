//! Checks that imports only point down. The rooms and what each may use are
//! the table of `src/ARCHITECTURE.md`; this is the same table for a machine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms it may use besides itself.
const RULES: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("config", &["base"]),
    ("store", &["base"]),
    ("model", &["base", "store"]),
    ("wire", &["base", "model"]),
    ("domain", &["base", "model", "store"]),
    ("cluster", &["base", "store", "model"]),
    ("net", &["base", "config", "store", "model", "wire", "domain", "cluster"]),
    ("proxy", &["base"]),
    ("queue", &["base", "config", "store", "model", "wire", "domain", "cluster", "net"]),
    ("search", &["base", "store", "model", "wire", "domain", "cluster"]),
    (
        "edge",
        &["base", "config", "store", "model", "wire", "domain", "cluster", "net", "proxy", "queue", "search"],
    ),
    ("bench", &["base", "store", "wire", "proxy"]),
    (
        "app",
        &[
            "base", "config", "store", "model", "wire", "domain", "cluster", "net", "proxy", "queue",
            "search", "edge", "bench",
        ],
    ),
];

/// Crates that a room must not know.
const FOREIGN: &[(&str, &[&str])] = &[
    ("base", &["axum", "tokio", "redb", "hyper"]),
    ("config", &["axum", "tokio", "redb", "hyper"]),
    ("store", &["axum", "hyper", "serde_json"]),
    ("model", &["axum", "tokio", "redb", "hyper", "serde_json"]),
    ("wire", &["axum", "tokio", "redb", "hyper"]),
    ("domain", &["axum", "tokio", "redb", "hyper", "serde_json", "rand", "tantivy"]),
    ("cluster", &["axum", "hyper", "redb", "serde_json"]),
    ("net", &["redb"]),
    ("proxy", &["axum", "redb"]),
    ("queue", &["axum", "redb"]),
    ("search", &["axum", "hyper", "redb"]),
    ("edge", &["redb", "tantivy"]),
    ("bench", &["axum", "redb", "tantivy"]),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder is readable") {
        let path = entry.expect("the source folder is readable").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The first path segments after `prefix` in a line: `crate::store::Key` gives `store`.
fn named_after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(prefix).filter_map(move |(at, _)| {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
            return None;
        }
        line[at + prefix.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next()
    })
}

/// What one line of a room's code does against the rules.
fn complaint(room: &str, line: &str) -> Option<String> {
    let code = line.split("//").next().unwrap_or_default();
    let (_, may_use) = RULES.iter().find(|(name, _)| *name == room)?;
    let is_room = |name: &str| RULES.iter().any(|(room, _)| *room == name);
    if let Some(up) = named_after(code, "crate::").find(|n| is_room(n) && *n != room && !may_use.contains(n))
    {
        return Some(format!("`{room}` must not use `{up}`; it may use {may_use:?}"));
    }
    let (_, foreign) = FOREIGN.iter().find(|(name, _)| *name == room)?;
    foreign
        .iter()
        .find(|name| named_after(code, &format!("{name}::")).next().is_some())
        .map(|name| format!("`{room}` must not know the crate `{name}`"))
}

#[test]
fn imports_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&root, &mut all);
    assert!(all.len() > 20, "the sources were not found");
    let mut wrong = String::new();
    for path in all {
        let inside = path.strip_prefix(&root).expect("it was found below the root");
        let room = inside.components().next().expect("a file has a name").as_os_str().to_string_lossy();
        let text = fs::read_to_string(&path).expect("sources are UTF-8");
        // Tests of a room may use more than the room: they build its surroundings.
        let is_test = inside.file_name().is_some_and(|name| name == "tests.rs")
            || inside.components().any(|part| part.as_os_str() == "tests");
        let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        if is_test {
            continue;
        }
        for (number, line) in body.lines().enumerate() {
            if let Some(rule) = complaint(&room, line) {
                let _ =
                    writeln!(wrong, "src/{}:{}: {rule}\n    {}", inside.display(), number + 1, line.trim());
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point up:\n{wrong}");
}

#[test]
fn an_import_that_points_up_is_found() {
    assert!(complaint("store", "use crate::model::Account;").is_some());
    assert!(complaint("domain", "let x = crate::net::Client::new();").is_some());
    assert!(complaint("domain", "use axum::Router;").is_some());
    assert!(complaint("domain", "async fn f() { tokio::spawn(g()).await }").is_some());
    assert!(complaint("domain", "use crate::store::ReadTx; // not crate::net").is_none());
    assert!(complaint("edge", "use crate::queue::Worker;").is_none());
}
