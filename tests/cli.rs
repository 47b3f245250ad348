//! The command line, as somebody at a terminal sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in a folder of its own, with a home folder that is not ours.
fn waxwing(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_waxwing"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("LOCALAPPDATA", folder)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_right_file_is_called_right() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.conf"), "social.example\nemail you@example.com\n").unwrap();
    let said = stdout(&waxwing(folder.path(), &["check", "a.conf"]));
    assert_eq!(said, "a.conf is right: https://social.example with a certificate by ACME\n");
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.conf"), "social.example\nemial x\nlog xml\n").unwrap();
    for command in [&["check", "a.conf"][..], &["adapt", "a.conf"], &["a.conf"]] {
        let said = stderr(&waxwing(folder.path(), command));
        let starts: Vec<_> = said.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(starts, ["a.conf:2:1", "a.conf:3:5"], "{command:?}");
    }
}

#[test]
fn adapting_what_was_adapted_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.conf"), "http://localhost:8080\ndata d\nlog json\n").unwrap();
    let once = stdout(&waxwing(folder.path(), &["adapt", "a.conf"]));
    assert!(once.contains("log_level = \"info\""), "defaults are included: {once}");
    fs::write(folder.path().join("once.toml"), &once).unwrap();
    assert_eq!(stdout(&waxwing(folder.path(), &["adapt", "once.toml"])), once);
}

#[test]
fn without_a_file_the_local_config_is_adapted() {
    let folder = tempfile::tempdir().unwrap();
    let said = stdout(&waxwing(folder.path(), &["adapt"]));
    assert!(said.contains("public_url = \"https://localhost\"\n"), "{said}");
    assert!(said.contains(folder.path().to_str().unwrap()), "the data folder is in HOME: {said}");
}

#[test]
fn a_mistyped_command_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let said = stderr(&waxwing(folder.path(), &["chekc"]));
    assert!(said.contains("there is no such file") && said.contains("`waxwing check`"), "{said}");
}

#[test]
fn the_directives_and_the_version_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    let said = stdout(&waxwing(folder.path(), &["directives"]));
    assert!(said.contains("\nauthorized_fetch off|public|strict\n"), "{said}");
    assert!(said.lines().all(|line| line.chars().count() <= 80 || !line.starts_with(' ')), "{said}");
    assert_eq!(
        stdout(&waxwing(folder.path(), &["version"])),
        stdout(&waxwing(folder.path(), &["--version"]))
    );
}

#[test]
fn people_are_looked_after_while_no_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.conf"), "social.example\n").unwrap();
    let user = |arguments: &[&str]| {
        waxwing(folder.path(), &[&["user", "--config", "a.conf", "--data", "d"], arguments].concat())
    };
    let made = stdout(&user(&["create", "ana", "--role", "owner"]));
    assert!(made.starts_with("made @ana@social.example\npassword: "), "{made}");
    assert!(stderr(&user(&["create", "ana"])).contains("this username"), "the first one was kept");
    assert_eq!(stdout(&user(&["list"])), "ana\towner\tactive\t-\n");
    assert!(folder.path().join("d/waxwing.redb").exists());
    assert!(stdout(&user(&["disable", "ana"])).contains("kept out"));
}

#[test]
fn a_store_that_another_process_holds_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.conf"), "social.example\ndata .\n").unwrap();
    let _held = waxwing::store::Store::open_redb(folder.path().join("waxwing.redb")).unwrap();
    let said = stderr(&waxwing(folder.path(), &["user", "list", "--config", "a.conf"]));
    assert!(said.contains("only the running server") && said.contains("admin.json"), "{said}");
}

/// A server in the background; killed when dropped.
struct Running(std::process::Child);

impl Running {
    /// Starts it and waits until it says that it serves.
    fn start(folder: &Path, arguments: &[&str]) -> Running {
        use std::io::{BufRead, BufReader};
        let mut child = Command::new(env!("CARGO_BIN_EXE_waxwing"))
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let running = Running(child);
        // The third line is the last; when the process ends instead, the lines end too.
        let third = lines.by_ref().map(Result::unwrap).nth(2);
        assert!(third.is_some(), "the server did not start");
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn people_are_looked_after_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.conf"), "https://localhost:0\ndata d\nadmin 127.0.0.1:0\n").unwrap();
    let _running = Running::start(folder.path(), &["a.conf"]);
    let user =
        |arguments: &[&str]| waxwing(folder.path(), &[&["user", "--config", "a.conf"], arguments].concat());
    let made = stdout(&user(&["create", "ana", "--role", "admin"]));
    assert!(made.starts_with("made @ana@localhost:"), "{made}");
    assert!(!made.starts_with("made @ana@localhost:0"), "the port is the one that it got: {made}");
    assert_eq!(stdout(&user(&["list"])), "ana\tadmin\tactive\t-\n");
    assert!(stderr(&user(&["create", "ana"])).contains("this username"), "refusals come through");
    assert!(stdout(&user(&["reset-password", "ana"])).contains("password: "));
}

#[test]
fn a_proxy_says_what_is_wrong_with_its_options() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    for (options, status, expected) in [
        (["--listen", "here.example:80"], 2, "`here.example:80` is not an address to listen on"),
        (["--listen", "127.0.0.1"], 2, "`127.0.0.1` has no port"),
        (["--timeout", "nan"], 2, "a time is between 0.001 and 86400 seconds"),
        (["--timeout", "-1"], 2, "a time is between 0.001 and 86400 seconds"),
        (["--upstream-ca", "empty.pem"], 1, "there is no certificate in it"),
        (["--certificate", "no.pem"], 2, "--key"),
    ] {
        let [name, value] = options;
        let said = waxwing(folder.path(), &["proxy", "--to", "127.0.0.1:9", &format!("{name}={value}")]);
        let words = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(status), "{options:?}: {words}");
        assert!(words.contains(expected), "{options:?}: {words}");
    }
}
