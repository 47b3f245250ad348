//! What a proxied request costs: `waxwing proxy` beside nginx, HAProxy and
//! Caddy, before the same upstream, in rounds that take turns.
//!
//! ```text
//! cargo build --release && cargo run --release --example proxy_benchmark
//! ```
//!
//! Prints requests per second of the proxy's processor time at full speed,
//! and p50 and p99 at a fixed rate, each with its ratio to ours. Options:
//! `--waxwing PROGRAM`, `--rounds N`, `--seconds S`, `--rate PER_SECOND`,
//! `--bytes N` (of the answer), `--clients N`.
#![allow(clippy::disallowed_methods)] // it measures real time
#![allow(unreachable_pub)] // there is nobody outside to reach an example
#![allow(clippy::unwrap_used)] // a measurement that cannot go on should stop

#[path = "../rivals/mod.rs"]
mod rivals;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rivals::{Contender, Kind, Programs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

struct Options {
    waxwing: PathBuf,
    rounds: usize,
    seconds: f64,
    rate: f64,
    bytes: usize,
    clients: usize,
    only: Option<String>,
}

fn options() -> Options {
    let here = std::env::current_exe().unwrap();
    let target = here.parent().unwrap().parent().unwrap().to_owned();
    let mut options = Options {
        waxwing: target.join("waxwing"),
        rounds: 5,
        seconds: 3.0,
        rate: 2000.0,
        bytes: 1024,
        clients: 64,
        only: None,
    };
    let mut words = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        match name.as_str() {
            "--waxwing" => options.waxwing = value.into(),
            "--rounds" => options.rounds = value.parse().unwrap(),
            "--seconds" => options.seconds = value.parse().unwrap(),
            "--rate" => options.rate = value.parse().unwrap(),
            "--bytes" => options.bytes = value.parse().unwrap(),
            "--clients" => options.clients = value.parse().unwrap(),
            "--only" => options.only = Some(value),
            other => panic!("{other} is not known"),
        }
    }
    options
}

fn main() {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() == Some("upstream") {
        return upstream(words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
    }
    let options = options();
    let programs = Programs::new(options.waxwing.clone());
    programs.fetch();
    let upstream = Upstream::start(options.bytes);
    let kinds = [Kind::Waxwing, Kind::Nginx, Kind::Haproxy, Kind::Caddy];
    let mut lanes: Vec<_> = kinds
        .into_iter()
        .map(|kind| Contender { kind, policy: "" })
        .filter(|one| options.only.as_ref().is_none_or(|only| one.name() == *only))
        .filter_map(|one| match programs.start(&one, &[upstream.address]) {
            Ok(running) => {
                running.map(|running| Lane { name: one.name(), running, full: vec![], paced: vec![] })
            }
            Err(error) => {
                eprintln!("left out: {error}");
                None
            }
        })
        .collect();
    for round in 0..=options.rounds {
        for lane in &mut lanes {
            // The first round warms up.
            let full = run(lane, &options, None);
            let paced = run(lane, &options, Some(options.rate));
            if round > 0 {
                lane.full.push(full);
                lane.paced.push(paced);
            }
        }
        eprintln!("round {round} of {} done", options.rounds);
    }
    print(&lanes, &options);
}

struct Lane {
    name: String,
    running: rivals::Running,
    full: Vec<Round>,
    paced: Vec<Round>,
}

#[derive(Clone, Copy)]
struct Round {
    per_s: f64,
    per_cpu_s: f64,
    p50_us: f64,
    p99_us: f64,
    failed: usize,
}

/// Sends requests for a while: as fast as answers come, or at a rate.
fn run(lane: &Lane, options: &Options, rate: Option<f64>) -> Round {
    let address = lane.running.address;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    let cpu = lane.running.cpu_ns();
    let span = Duration::from_secs_f64(options.seconds);
    let (mut latencies, failed) = runtime.block_on(async {
        let clients: Vec<_> = (0..options.clients)
            .map(|number| {
                let pace = rate.map(|rate| Duration::from_secs_f64(options.clients as f64 / rate));
                // Whoever does not answer at all must not stop the others.
                let client = client(address, options.bytes, began, span, pace, number);
                tokio::spawn(tokio::time::timeout(span * 3, client))
            })
            .collect();
        let mut all = Vec::new();
        let mut failed = 0;
        for client in clients {
            match client.await.unwrap() {
                Ok(Ok(mut latencies)) => all.append(&mut latencies),
                _ => failed += 1,
            }
        }
        (all, failed)
    });
    let cpu_s = (lane.running.cpu_ns() - cpu) as f64 / 1e9;
    latencies.sort_unstable();
    let at = |share: f64| {
        latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or_default() as f64
    };
    Round {
        per_s: latencies.len() as f64 / began.elapsed().as_secs_f64(),
        per_cpu_s: latencies.len() as f64 / cpu_s,
        p50_us: at(0.5),
        p99_us: at(0.99),
        failed,
    }
}

/// One connection that asks again and again; latencies in microseconds, from
/// the moment a request was due.
async fn client(
    address: SocketAddr,
    bytes: usize,
    began: Instant,
    span: Duration,
    pace: Option<Duration>,
    number: usize,
) -> std::io::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::with_capacity(100_000);
    let mut buffer = vec![0; bytes + 4096];
    let mut due = began + pace.unwrap_or_default().mul_f64((number as f64 * 0.618).fract());
    while began.elapsed() < span {
        match pace {
            Some(pace) => {
                tokio::time::sleep_until(due.into()).await;
                due += pace;
            }
            None => due = Instant::now(),
        }
        let asked = pace.map_or(due, |pace| due - pace);
        let request = b"GET /a/path?with=query HTTP/1.1\r\nHost: site.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/130.0\r\nAccept: */*\r\nAccept-Language: en\r\nAccept-Encoding: gzip\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";
        stream.write_all(request).await?;
        let mut read = 0;
        loop {
            let count = stream.read(&mut buffer[read..]).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            read += count;
            if !buffer.starts_with(b"HTTP/1.1 200") {
                return Err(std::io::ErrorKind::InvalidData.into());
            }
            if let Some(at) = buffer[..read].windows(4).position(|w| w == b"\r\n\r\n")
                && read >= at + 4 + bytes
            {
                break;
            }
        }
        latencies.push(asked.elapsed().as_micros() as u32);
    }
    Ok(latencies)
}

/// The upstream, in a process of its own: this program again.
struct Upstream {
    child: Child,
    address: SocketAddr,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Upstream {
    fn start(bytes: usize) -> Upstream {
        let address = rivals::free_port();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["upstream", &address.port().to_string(), &bytes.to_string()]);
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Upstream { child, address }
    }
}

fn upstream(port: u16, bytes: usize) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: {bytes}\r\nCache-Control: no-cache\r\n\r\n{}",
        "x".repeat(bytes)
    );
    let answer: &'static [u8] = Box::leak(answer.into_bytes().into_boxed_slice());
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                let mut buffer = [0; 8192];
                let mut read = 0;
                while let Ok(count @ 1..) = stream.read(&mut buffer[read..]).await {
                    read += count;
                    if buffer[..read].ends_with(b"\r\n\r\n") {
                        read = 0;
                        if stream.write_all(answer).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(lanes: &[Lane], options: &Options) {
    println!(
        "{} bytes, {} connections, median of {} rounds of {} s; full speed, then {} requests/s",
        options.bytes, options.clients, options.rounds, options.seconds, options.rate
    );
    println!(
        "proxy      requests/s  per CPU-second  ours/its   p50 us   p99 us  p99 full  ours/its p99  failed"
    );
    let ours = lanes.iter().find(|lane| lane.name == "waxwing");
    for lane in lanes {
        let cpu = |lane: &Lane| median(&lane.full, |round| round.per_cpu_s);
        let p99 = |lane: &Lane| median(&lane.paced, |round| round.p99_us);
        let failed: usize = lane.full.iter().chain(&lane.paced).map(|round| round.failed).sum();
        println!(
            "{:<10} {:>10.0}  {:>14.0}  {:>8.2}  {:>7.0}  {:>7.0}  {:>8.0}  {:>12.2}  {failed:>6}",
            lane.name,
            median(&lane.full, |round| round.per_s),
            cpu(lane),
            ours.map_or(f64::NAN, |ours| cpu(ours) / cpu(lane)),
            median(&lane.paced, |round| round.p50_us),
            p99(lane),
            median(&lane.full, |round| round.p99_us),
            ours.map_or(f64::NAN, |ours| p99(ours) / p99(lane)),
        );
    }
}
