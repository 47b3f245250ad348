//! This test program run again as another process, as a store's owner.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use waxwing::base::Id;
use waxwing::store::{Counter, Scan, Store, Table};

use crate::home::{Fail, open_postgres};

pub const LEFT: Table<u64, Vec<u8>> = Table::new("left");
pub const RIGHT: Table<u64, Id> = Table::new("right");
pub const SUM: Counter<()> = Counter::new("sum");

const PLACE: &str = "WAXWING_TEST_STORE";
/// Tasks that write at once.
const WRITERS: u64 = 4;

/// The command line of a child that writes to the store in this folder, or
/// in the database at this address.
pub fn command(place: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    arrange(&mut command, place.as_ref());
    command
}

/// The store at such a place.
pub fn open(place: &OsStr) -> Store {
    match place.to_str() {
        Some(url) if url.starts_with("postgres:") => open_postgres(url),
        _ => Store::open_redb(Path::new(place).join("waxwing.redb")).unwrap(),
    }
}

/// As [`command`], by a shell that can limit it first.
pub fn limited_command(folder: &Path, limit: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limit}; exec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
    arrange(&mut command, folder.as_os_str());
    command
}

fn arrange(command: &mut Command, place: &OsStr) {
    command
        .args(["--ignored", "--exact", "--nocapture", "child::a_child_writes_until_it_cannot"])
        .env(PLACE, place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
}

/// A child and what it says.
pub struct Writer {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Writer {
    pub fn start(mut command: Command) -> Writer {
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Writer { child, said }
    }

    /// Waits for the next line that begins with this word; gives the rest.
    /// `None` when the child has ended.
    pub fn next(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        while self.said.read_line(&mut line).unwrap() > 0 {
            // A line cut short by the kill was never said.
            if let Some(rest) = line.strip_suffix('\n').and_then(|line| line.strip_prefix(word)) {
                return Some(rest.trim().to_owned());
            }
            line.clear();
        }
        None
    }

    /// `kill -9`, unless it has ended; gives all else it acknowledged.
    pub fn kill(&mut self) -> Vec<u64> {
        self.child.kill().unwrap();
        let mut acknowledged = Vec::new();
        while let Some(key) = self.next("ack ") {
            acknowledged.push(key.parse().unwrap());
        }
        self.child.wait().unwrap();
        let mut rest = Vec::new();
        self.said.read_to_end(&mut rest).unwrap();
        acknowledged
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    // One call, so that a kill leaves whole lines, but for the last perhaps.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Writes rows to the store until the store fails or this process is killed,
/// and says each acknowledged one. Not a test of its own.
#[ignore = "run by other tests as a second process"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_writes_until_it_cannot() {
    let Some(place) = std::env::var_os(PLACE) else { return };
    // The test harness has begun a line.
    say("");
    let store = open(&place);
    let last = store.read(|tx| Ok::<_, Fail>(tx.scan(LEFT, Scan::all().reverse().limit(1))?)).await.unwrap();
    let first = last.first().map_or(0, |(key, _)| key + 1);
    say("opened");
    let writers = (0..WRITERS).map(|n| tokio::spawn(write_from(store.clone(), first + n)));
    let failed = futures_util::future::join_all(writers).await;
    let rows = store.read(|tx| Ok::<_, Fail>(tx.scan(LEFT, Scan::all())?.len())).await;
    say(&format!("failed {}", failed[0].as_ref().unwrap()));
    say(&format!("rows {}", rows.map_or_else(|e| format!("{e:?}"), |rows| rows.to_string())));
}

async fn write_from(store: Store, mut key: u64) -> String {
    loop {
        let outcome = store
            .write(move |tx| {
                tx.put(LEFT, &key, &vec![key as u8; (key % 2000) as usize]);
                tx.put(RIGHT, &key, &Id(key));
                tx.add(SUM, &(), 1);
                Ok(())
            })
            .await;
        match outcome {
            Ok(()) => say(&format!("ack {key}")),
            Err(Fail::Store(error)) => return error.to_string(),
            Err(Fail::Refused) => unreachable!("it never refuses"),
        }
        key += WRITERS;
    }
}
