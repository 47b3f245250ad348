//! The folder of examples, and what holds for every config.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// A machine that is the same everywhere.
fn machine() -> Environment {
    Environment {
        current_dir: PathBuf::from("/srv"),
        data_dir: Some(PathBuf::from("/home/ana/.local/share/waxwing")),
    }
}

fn outcome(name: &str, bytes: &[u8]) -> Result<Config, Complaints> {
    parse(Path::new(name), bytes, &machine(), &Overrides::default())
}

/// Every input in `tests/golden/config` makes the output that lies beside it:
/// `NAME.adapted` for a good one, `NAME.errors` for a bad one. `BLESS=1` writes them anew.
#[test]
fn every_example_makes_what_lies_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config");
    let bless = std::env::var_os("BLESS").is_some();
    let mut inputs: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.retain(|path| path.extension().is_some_and(|end| end == "conf" || end == "toml"));
    inputs.sort();
    assert!(inputs.len() >= 30, "only {} examples in {}", inputs.len(), folder.display());
    let mut wrong = Vec::new();
    for input in inputs {
        let name = input.file_name().unwrap().to_str().unwrap();
        let (end, printed) = match outcome(name, &fs::read(&input).unwrap()) {
            Ok(config) => ("adapted", adapt(&config)),
            Err(complaints) => ("errors", format!("{complaints}\n")),
        };
        let beside = folder.join(format!("{name}.{end}"));
        if bless {
            for old in ["adapted", "errors"] {
                let _ = fs::remove_file(folder.join(format!("{name}.{old}")));
            }
            fs::write(&beside, &printed).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if expected != printed {
            wrong.push(format!("{name}: expected\n{expected}\nbut got\n{printed}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Adapting what was adapted changes no byte and means the same.
fn assert_stable(config: &Config) {
    let printed = adapt(config);
    let again = outcome("adapted.toml", printed.as_bytes());
    let again = again.unwrap_or_else(|complaints| panic!("{printed}\nis refused:\n{complaints}"));
    assert_eq!(&again, config);
    assert_eq!(adapt(&again), printed);
}

#[test]
fn every_good_example_is_stable_when_adapted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Ok(config) = outcome(name, &fs::read(&path).unwrap()) {
            assert_stable(&config);
        }
    }
}

#[test]
fn no_file_means_localhost() {
    let config = load(None, &machine(), &Overrides::default()).unwrap();
    assert_eq!(config.public_url.to_string(), "https://localhost");
    assert_eq!(config.tls, Tls::Internal);
    assert_eq!(config.listen, ["127.0.0.1:443".parse().unwrap(), "[::1]:443".parse().unwrap()]);
    assert_eq!(config.fallback_port, Some(8443));
    assert_eq!(config.store, StoreChoice::Redb("/home/ana/.local/share/waxwing/waxwing.redb".into()));
    assert_eq!(config.clone().bound_to(443), config);
    assert_eq!(config.clone().bound_to(8443).public_url.to_string(), "https://localhost:8443");
    assert_stable(&config);
}

#[test]
fn a_free_port_ends_up_in_the_public_url() {
    let over = Overrides { data: Some("d".into()), listen: vec!["127.0.0.1:0".into()] };
    let config = load(None, &machine(), &over).unwrap();
    assert_eq!(config.data, Path::new("/srv/d"));
    assert_eq!(config.fallback_port, None);
    assert_eq!(config.bound_to(40123).public_url.to_string(), "https://localhost:40123");

    let behind = outcome("f.conf", b"http://social.example:0\nlisten 127.0.0.1:0").unwrap();
    assert_eq!(behind.bound_to(40123).public_url.to_string(), "https://social.example");
}

#[test]
fn the_command_line_overrides_the_file() {
    let over = Overrides { data: Some("/d".into()), listen: vec![":1".into(), "127.0.0.1:2".into()] };
    let config = parse(Path::new("f.conf"), b"a.example\ndata x\nlisten :3", &machine(), &over).unwrap();
    assert_eq!(config.data, Path::new("/d"));
    assert_eq!(config.listen, ["[::]:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap()]);

    let over = Overrides { data: Some(String::new()), listen: vec!["x".into()] };
    let complaints = load(None, &machine(), &over).unwrap_err().to_string();
    assert!(complaints.contains("--data: the path is empty"), "{complaints}");
    assert!(complaints.contains("--listen: `x` is not an address to listen on"), "{complaints}");
}

#[test]
fn a_machine_without_a_home_is_told_to_name_a_folder() {
    let bare = Environment { data_dir: None, ..machine() };
    let complaints = load(None, &bare, &Overrides::default()).unwrap_err().to_string();
    assert!(complaints.contains("--data DIR"), "{complaints}");
    let over = Overrides { data: Some("d".into()), ..Overrides::default() };
    assert!(load(None, &bare, &over).is_ok());
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.conf");
    // Sparse: a terabyte that no test could read.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let complaints = load(Some(&path), &machine(), &Overrides::default()).unwrap_err().to_string();
    assert!(complaints.contains("more than 1 MiB"), "{complaints}");
    let text = [b"#".repeat(CONFIG_MAX_BYTES - 10), b"\na.example".to_vec()].concat();
    assert!(outcome("f.conf", &text).is_ok());
    assert!(outcome("f.conf", &b"#".repeat(CONFIG_MAX_BYTES + 1)).is_err());
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let check = |path: &Path, expected: &str| {
        let complaints = load(Some(path), &machine(), &Overrides::default()).unwrap_err().to_string();
        assert!(complaints.contains(expected), "{complaints}");
    };
    check(&folder.path().join("none.conf"), "no such file");
    check(folder.path(), "it is a folder");
}

#[test]
fn a_thousand_mistakes_are_summed_up() {
    let complaints = outcome("f.conf", &b"a.example\n".repeat(1000)).unwrap_err();
    assert_eq!(complaints.iter().count(), 999);
    let printed = complaints.to_string();
    assert_eq!(printed.lines().count(), COMPLAINTS_MAX + 1);
    assert!(printed.ends_with("and 949 more like these"));
}

#[test]
fn every_directive_has_a_default_and_an_example_that_read() {
    for directive in directives::DIRECTIVES {
        let needs = match directive.name {
            "listen_http" | "acme" | "acme_directory" | "acme_root" => "tls acme",
            "node_listen" | "node_address" | "peers" | "balance" => "store postgres://db/waxwing",
            _ => "",
        };
        let example = match directive.name {
            "address" => directive.example.to_owned(),
            name => format!("social.example\n{name} {}\n{needs}", directive.example),
        };
        if let Err(complaints) = outcome("f.conf", example.as_bytes()) {
            panic!("{example}\n{complaints}");
        }
        assert!(directives::guess(directive.name).is_some_and(|d| d.name == directive.name));
        for alias in directive.aliases {
            assert!(directives::find(alias).is_none(), "{alias} is an alias and a name");
            assert!(
                directives::guess(alias).is_some_and(|d| d.name == directive.name),
                "{alias} is ambiguous"
            );
        }
    }
}

#[test]
fn the_sample_is_right() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample.conf");
    let config = load(Some(&sample), &machine(), &Overrides::default()).unwrap();
    assert_eq!(config.public_url.to_string(), "https://social.example");
    assert!(matches!(config.tls, Tls::Acme(_)));
    assert_stable(&config);
}

/// The README has the table of directives as it is. `BLESS=1` writes it anew.
#[test]
fn the_readme_lists_every_directive() {
    const MARKS: (&str, &str) = ("<!-- directives -->\n", "<!-- /directives -->");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(MARKS.0).expect("the README has a place for the table");
    let (table, after) = rest.split_once(MARKS.1).expect("the table's place has an end");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, format!("{before}{}{}{}{after}", MARKS.0, markdown_table(), MARKS.1)).unwrap();
    } else {
        assert!(table == markdown_table(), "the README's table is old; write it anew with BLESS=1");
    }
}

/// Lines that may or may not go together.
fn some_lines() -> impl Strategy<Value = Vec<String>> {
    let values = prop_oneof![
        Just("off".to_owned()),
        Just("acme".to_owned()),
        Just("internal".to_owned()),
        Just("memory".to_owned()),
        Just("http tls-alpn".to_owned()),
        Just("10s".to_owned()),
        Just("64MiB".to_owned()),
        Just("8443".to_owned()),
        Just(":8080 127.0.0.1:0".to_owned()),
        Just("localhost:8444".to_owned()),
        Just("10.1.2.3/8 ::1 peer.test".to_owned()),
        Just("a.pem b/c.pem".to_owned()),
        Just("https://ca.example/dir".to_owned()),
        Just("strict".to_owned()),
        Just("open".to_owned()),
        "`[^`\\r]{0,20}`",
        "\"[a-z \\\\\"#]{0,9}\"",
        "\\PC{0,12}",
    ];
    let names = prop::sample::select(directives::DIRECTIVES.iter().map(|d| d.name).collect::<Vec<_>>());
    prop::collection::vec((names, values).prop_map(|(name, value)| format!("{name} {value}")), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_is_stable_and_nothing_panics(
        address in prop::sample::select(vec![
            "social.example", "https://localhost", "localhost:0", "http://a.example:8080", "http://localhost",
            "https://[::1]:8443", "nas.local {",
        ]),
        lines in some_lines(),
    ) {
        let file = format!("{address}\n{}", lines.join("\n"));
        if let Ok(config) = outcome("f.conf", file.as_bytes()) {
            assert_stable(&config);
        }
    }

    #[test]
    fn any_bytes_are_a_config_or_complaints(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "\\PC{0,200}") {
        for name in ["f.conf", "f.toml"] {
            let _ = outcome(name, &bytes).map_err(|complaints| complaints.to_string());
            let _ = outcome(name, text.as_bytes()).map_err(|complaints| complaints.to_string());
        }
    }
}
