//! The balancer against a fleet with faults, over real sockets: eight servers
//! in processes of their own, three proxies of a kind before them, 1,040
//! requests a second that wait for nobody, and a client's patience of 1 s.
//!
//! Server n stands still for 1.5 s at second 4 + 5 n; server 1 is four times
//! slower; servers 6 and 7 start cold at second 12; server 3 answers 500 in a
//! millisecond from second 30 to 36.
//!
//! ```text
//! cargo build --release && cargo run --release --example balance_live
//! ```
//!
//! Options: `--waxwing PROGRAM`, `--seconds S` (45), `--uniform S` (20: the
//! healthy fleet), `--seed N`, `--only WORD` (rows with this in their name).
//! Ends with an error if a bound of the last lines is missed.
#![allow(clippy::disallowed_methods)] // it lives in real time
#![allow(unreachable_pub)] // there is nobody outside to reach an example
#![allow(clippy::unwrap_used)] // a measurement that cannot go on should stop
#![allow(dead_code)] // the modules serve other examples, too

#[path = "../faulty/mod.rs"]
mod faulty;
#[path = "../rivals/mod.rs"]
mod rivals;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use faulty::{Faults, Peer, Tally, load};
use rivals::{Contender, Kind, Programs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

const PEERS: usize = 8;
const PROXIES: usize = 3;
const PER_SECOND: f64 = 1040.0;
/// The run that the faults' times are written for.
const WHOLE_S: f64 = 45.0;
/// Before the first second of a run all processes are there.
const HEAD_START: Duration = Duration::from_millis(1500);

const CONTENDERS: &[(Kind, &str)] = &[
    (Kind::Waxwing, "p2c"),
    (Kind::Nginx, ""),
    (Kind::Haproxy, ""),
    (Kind::Caddy, ""),
    (Kind::Waxwing, "netflix"),
    (Kind::Waxwing, "round_robin"),
    (Kind::Waxwing, "least_connections"),
    (Kind::Nginx, "least_conn"),
    (Kind::Nginx, "random two least_conn"),
    (Kind::Haproxy, "leastconn"),
    (Kind::Haproxy, "random(2)"),
];
/// The rows that are some proxy's default, or its best simple policy: what
/// the tenth is a tenth of.
const SIMPLE: &[&str] = &[
    "nginx",
    "nginx least_conn",
    "nginx random two least_conn",
    "haproxy",
    "haproxy leastconn",
    "haproxy random(2)",
    "caddy",
];

struct Options {
    waxwing: PathBuf,
    seconds: f64,
    uniform: f64,
    seed: u64,
    only: Option<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "peer") {
        peer(&words);
        return ExitCode::SUCCESS;
    }
    let options = options(&words);
    let programs = Programs::new(options.waxwing.clone());
    programs.fetch();
    println!(
        "| balancer ({} s, {PER_SECOND} requests/s) | failed | of | mean ms | p50 | p99 | p99.9 | extra | timeout, 500, 503, other |",
        options.seconds
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut rows = Vec::new();
    for (kind, policy) in CONTENDERS {
        let contender = Contender { kind: *kind, policy };
        if options.only.as_ref().is_some_and(|only| !contender.name().contains(only)) {
            continue;
        }
        if let Some(row) =
            run(&programs, &contender, options.seconds, options.seconds / WHOLE_S, options.seed)
        {
            println!("{}", row.line());
            rows.push(row);
        }
    }
    println!(
        "\n| healthy fleet ({} s) | failed | of | mean ms | p50 | p99 | p99.9 | extra | |\n|---|---|---|---|---|---|---|---|---|",
        options.uniform
    );
    let mut uniform = Vec::new();
    for policy in ["p2c", "round_robin"] {
        let contender = Contender { kind: Kind::Waxwing, policy };
        if options.uniform > 0.0
            && let Some(row) = run(&programs, &contender, options.uniform, 0.0, options.seed)
        {
            println!("{}", row.line());
            uniform.push(row);
        }
    }
    judge(&rows, &uniform)
}

fn options(words: &[String]) -> Options {
    let here = std::env::current_exe().unwrap();
    let target = here.parent().unwrap().parent().unwrap().to_owned();
    let mut options =
        Options { waxwing: target.join("waxwing"), seconds: WHOLE_S, uniform: 20.0, seed: 1, only: None };
    for pair in words.chunks(2) {
        let [name, value] = pair else { panic!("{pair:?} has no value") };
        match name.as_str() {
            "--waxwing" => options.waxwing = value.into(),
            "--seconds" => options.seconds = value.parse().unwrap(),
            "--uniform" => options.uniform = value.parse().unwrap(),
            "--seed" => options.seed = value.parse().unwrap(),
            "--only" => options.only = Some(value.clone()),
            other => panic!("{other} is not known"),
        }
    }
    options
}

struct Row {
    name: String,
    tally: Tally,
    /// Requests that the servers saw beyond those that were sent, in percent.
    extra: f64,
}

impl Row {
    fn line(&self) -> String {
        let t = &self.tally;
        format!(
            "| {} | {} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} % | {}, {}, {}, {} |",
            self.name,
            t.failed(),
            t.sent(),
            t.mean(),
            t.at(0.5),
            t.at(0.99),
            t.at(0.999),
            self.extra,
            t.timeouts,
            t.status_500,
            t.status_503,
            t.other
        )
    }
}

/// One run with fresh servers and proxies. A scale of 0 is without faults.
fn run(programs: &Programs, contender: &Contender, seconds: f64, scale: f64, seed: u64) -> Option<Row> {
    let begins = SystemTime::now() + HEAD_START;
    let peers: Vec<PeerProcess> =
        (0..PEERS).map(|number| PeerProcess::start(number, scale, begins)).collect();
    let addresses: Vec<SocketAddr> = peers.iter().map(|peer| peer.address).collect();
    let mut proxies = Vec::new();
    for _ in 0..PROXIES {
        match programs.start(contender, &addresses) {
            Ok(Some(running)) => proxies.push(running),
            Ok(None) => return None,
            Err(error) => {
                eprintln!("left out: {error}");
                return None;
            }
        }
    }
    let fronts: Vec<SocketAddr> = proxies.iter().map(|running| running.address).collect();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let left = begins.duration_since(SystemTime::now()).unwrap_or_default();
        tokio::time::sleep(left).await;
        let tally = load(&fronts, PER_SECOND, Instant::now(), Duration::from_secs_f64(seconds), seed).await;
        let mut seen = 0;
        for address in &addresses {
            seen += count(*address).await.unwrap_or(0);
        }
        let extra = (seen as f64 / tally.sent() as f64 - 1.0) * 100.0;
        Some(Row { name: contender.name(), tally, extra })
    })
}

async fn count(address: SocketAddr) -> Option<u64> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.write_all(b"GET /count HTTP/1.1\r\nHost: a\r\n\r\n").await.ok()?;
    let mut text = vec![0; 1000];
    let length = stream.read(&mut text).await.ok()?;
    String::from_utf8_lossy(text.get(..length)?).rsplit("\r\n").next()?.parse().ok()
}

struct PeerProcess {
    child: Child,
    address: SocketAddr,
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl PeerProcess {
    /// This program again, as a server.
    fn start(number: usize, scale: f64, begins: SystemTime) -> PeerProcess {
        let address = rivals::free_port();
        let begins_ms = begins.duration_since(UNIX_EPOCH).unwrap().as_millis();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "peer",
            &address.to_string(),
            &number.to_string(),
            &scale.to_string(),
            &begins_ms.to_string(),
        ]);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        PeerProcess { child, address }
    }
}

fn peer(words: &[String]) {
    let address: SocketAddr = words[1].parse().unwrap();
    let (number, scale): (usize, f64) = (words[2].parse().unwrap(), words[3].parse().unwrap());
    let begins = UNIX_EPOCH + Duration::from_millis(words[4].parse().unwrap());
    let left = begins.duration_since(SystemTime::now()).unwrap_or_default();
    let faults = if scale > 0.0 { Faults::of(number, scale) } else { Faults::default() };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let peer = Peer::new(Instant::now() + left, faults);
        peer.serve(TcpListener::bind(address).await.unwrap()).await;
    });
}

/// Holds the rows against the bounds.
fn judge(rows: &[Row], uniform: &[Row]) -> ExitCode {
    let named = |name: &str| rows.iter().find(|row| row.name == name);
    let best =
        rows.iter().filter(|row| SIMPLE.contains(&row.name.as_str())).min_by_key(|row| row.tally.failed());
    let mut is_right = true;
    let mut say = |holds: bool, what: String| {
        println!("{} {what}", if holds { "holds: " } else { "MISSED:" });
        is_right &= holds;
    };
    println!();
    if let (Some(ours), Some(best)) = (named("waxwing p2c"), best) {
        let (failed, theirs) = (ours.tally.failed(), best.tally.failed());
        say(failed * 10 <= theirs, format!("failed {failed} <= a tenth of {theirs} ({})", best.name));
        say(ours.extra <= 10.0, format!("extra requests {:.1} % <= 10 %", ours.extra));
    }
    if let [ours, turns] = uniform {
        let ratio = ours.tally.mean() / turns.tally.mean();
        say(ratio <= 1.03, format!("mean on a healthy fleet x{ratio:.3} of round robin <= 1.03"));
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
