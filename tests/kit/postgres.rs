//! A PostgreSQL server of the tests' own: in a temporary folder, reached by a
//! socket in it, so that no port is taken. It ends with the process that
//! started it, however that ends.
//!
//! Needs the programs `initdb`, `postgres` and `psql` (Debian: `postgresql`).

#![allow(dead_code)] // Each test program uses a part.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Tries of something that takes a moment, and the pause between them.
const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

static SHARED: OnceLock<Server> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Starts the server and ends it when nobody holds the other end of its input
/// any more.
const KEEPER: &str = r#"folder=$1; shift
"$@" >"$folder/log" 2>&1 & server=$!
while read -r _; do :; done
kill -CONT $server; kill -QUIT $server; wait $server; rm -rf "$folder""#;

/// A server that runs.
pub struct Server {
    folder: PathBuf,
    port: u16,
    arguments: Vec<String>,
    keeper: Option<Child>,
}

impl Server {
    /// A new server; further arguments are settings such as `-c` `port=1`.
    pub fn start(arguments: &[&str]) -> Server {
        let folder = tempfile::Builder::new().prefix("waxwing-pg-").tempdir().unwrap().keep();
        give(&folder);
        run(Command::new(program("initdb")).arg("-D").arg(folder.join("data")).args([
            "-U",
            "waxwing",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let mut server = Server { folder, port: 5432, arguments, keeper: None };
        server.begin();
        server
    }

    /// Further settings, for when it is started again, and its port; the
    /// socket has the port in its name.
    pub fn set(&mut self, arguments: &[&str], port: u16) {
        self.arguments.extend(arguments.iter().map(ToString::to_string));
        self.port = port;
    }

    /// Starts it, also again, and waits until it answers.
    pub fn begin(&mut self) {
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(&self.folder);
        command.arg(program("postgres")).arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        command
            .args(["-c", "listen_addresses=", "-c", "max_connections=300", "-p", &self.port.to_string()])
            .args(&self.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // In a group of its own, so that whatever ends the tests leaves it to
        // tidy up.
        self.keeper = Some(unprivileged(&mut command).process_group(0).spawn().unwrap());
        self.wait();
    }

    /// Waits until it takes questions.
    fn wait(&self) {
        for _ in 0..TRIES {
            if self.psql("select 1").is_ok() {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("the database server did not start: {}", self.log());
    }

    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Its folder of data, with the files of its settings.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The address of a database in it, through the socket.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&port={}&user=waxwing", self.folder.display(), self.port)
    }

    /// The address of an empty place in it. Whoever connects by it can be told
    /// by the `application_name`, which is that of the schema.
    pub fn empty(&self) -> String {
        let name = format!("home_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("create schema {name}"));
        format!("{}&options=-csearch_path%3D{name}&application_name={name}", self.url("postgres"))
    }

    /// The folder of its socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!(".s.PGSQL.{}", self.port))
    }

    /// Runs statements as its owner; gives what they answer.
    pub fn sql(&self, sql: &str) -> String {
        self.psql(sql).unwrap_or_else(|said| panic!("{sql}: {said}"))
    }

    fn psql(&self, sql: &str) -> Result<String, String> {
        let mut command = Command::new(program("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "waxwing", "-d", "postgres"]);
        let output = command
            .arg("-h")
            .arg(&self.folder)
            .args(["-p", &self.port.to_string(), "-c", sql])
            .output()
            .unwrap();
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Waits until no store is connected any more.
    pub fn wait_until_alone(&self) {
        self.wait_until_gone("waxwing");
    }

    /// Waits until the server has ended with all who connected by this address
    /// of [`Server::empty`], and with what they asked for.
    pub fn wait_until_left(&self, url: &str) {
        self.wait_until_gone(schema(url));
    }

    fn wait_until_gone(&self, name: &str) {
        let sql = format!("select count(*) from pg_stat_activity where application_name = '{name}'");
        let left = (0..TRIES).find(|_| {
            std::thread::sleep(PAUSE);
            self.sql(&sql) == "0"
        });
        assert!(left.is_some(), "a closed store keeps its connections");
    }

    /// The address of an empty database in it, for those who must not hear each
    /// other's signals. Told by the `application_name`, as in [`Server::empty`].
    pub fn database(&self) -> String {
        let name = format!("home_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("create database {name}"));
        format!("{}&application_name={name}", self.url(&name))
    }

    /// Removes those of these databases that nobody is connected to; gives the
    /// others.
    pub fn sweep(&self, urls: Vec<String>) -> Vec<String> {
        if urls.is_empty() {
            return urls;
        }
        let connected = self.sql("select distinct datname from pg_stat_activity where datname is not null");
        let connected: Vec<&str> = connected.lines().collect();
        let (mut used, left): (Vec<_>, Vec<_>) =
            urls.into_iter().partition(|url| connected.contains(&schema(url)));
        for url in left {
            // Its vacuum may have just begun; the next sweep finds it again.
            if self.psql(&format!("drop database {}", schema(&url))).is_err() {
                used.push(url);
            }
        }
        used
    }

    fn postmaster(&self) -> Option<i32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok()
    }

    /// Its processes, the first one first.
    fn processes(&self) -> Vec<i32> {
        let Some(first) = self.postmaster() else { return Vec::new() };
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(first).chain(children).collect()
    }

    fn signal(&self, signal: Signal) {
        for process in self.processes() {
            let _ = kill_process(Pid::from_raw(process).unwrap(), signal);
        }
    }

    /// It does nothing more, and nobody is told.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// All its processes die at once, as in a power cut.
    pub fn kill(&mut self) {
        let all = self.processes();
        self.signal(Signal::KILL);
        self.rest(&all);
    }

    /// It is asked to hang up on everyone and stop.
    pub fn stop(&mut self) {
        let all = self.processes();
        if let Some(first) = all.first() {
            let _ = kill_process(Pid::from_raw(*first).unwrap(), Signal::INT);
        }
        self.rest(&all);
    }

    /// Waits until none of its processes is left.
    fn rest(&mut self, processes: &[i32]) {
        // Killed, since at the end of its input it would remove the folder.
        if let Some(mut keeper) = self.keeper.take() {
            keeper.kill().unwrap();
            keeper.wait().unwrap();
        }
        for _ in 0..TRIES {
            if processes.iter().all(|process| is_gone(*process)) {
                // What a dead one leaves, lest somebody else has its number now.
                let _ = fs::remove_file(self.data().join("postmaster.pid"));
                let _ = fs::remove_file(self.socket().with_extension(format!("{}.lock", self.port)));
                return;
            }
            std::thread::sleep(PAUSE);
        }
        panic!("the database server did not stop: {}", self.log());
    }
}

fn is_gone(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_on();
        match self.keeper.take() {
            Some(mut keeper) => {
                drop(keeper.stdin.take());
                let _ = keeper.wait();
            }
            None => drop(fs::remove_dir_all(&self.folder)),
        }
    }
}

/// The address of an empty place in a server that all tests of this program
/// share.
pub fn empty() -> String {
    shared().empty()
}

/// The server that all tests of this program share.
pub fn shared() -> &'static Server {
    SHARED.get_or_init(|| Server::start(&[]))
}

/// The same, but faster: what it stores survives it, and no power cut.
pub fn hasty() -> &'static Server {
    SHARED.get_or_init(|| Server::start(&["-c", "fsync=off", "-c", "full_page_writes=off"]))
}

/// The name of a place that [`Server::empty`] gave: that of its schema.
pub fn schema(url: &str) -> &str {
    url.rsplit_once("application_name=").expect("it is the last setting").1
}

/// A program of PostgreSQL's, the newest where there are several.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).collect::<Vec<_>>();
    let places = folders.into_iter().rev().map(|(_, path)| path).chain(others);
    let found = places.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!("`{name}` is missing: install PostgreSQL (Debian: `apt-get install postgresql`)")
    })
}

/// The server refuses to run as root, so there it runs as its Debian user.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let user =
        ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name)));
    let mut fields = user.unwrap().split(':').skip(2).map(|field| field.parse().unwrap());
    fields.next().zip(fields.next())
}

fn unprivileged(command: &mut Command) -> &mut Command {
    if let Some((user, group)) = owner() {
        command.uid(user).gid(group).current_dir("/");
    }
    command
}

/// Makes the server's user the owner of a file or folder.
pub fn give(path: &Path) {
    if let Some((user, group)) = owner() {
        std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
    }
}

fn run(command: &mut Command) {
    let output = unprivileged(command).output().unwrap();
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stderr);
        panic!("{command:?} failed");
    }
}
