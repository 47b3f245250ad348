//! Servers with the faults of a real fleet, and a load through proxies before
//! them. Eight slots each, a queue of 64, work that takes 40 ms on average.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, sleep_until, timeout};

pub const SLOTS: u32 = 8;
pub const QUEUE_MAX: u32 = 64;
const WORK_MEAN_MS: f64 = 40.0;
const WORK_SIGMA: f64 = 0.5;
/// A cold server's first request takes ten times as long; so many later it is
/// only a third of that more.
const COLD_FACTOR: f64 = 9.0;
const COLD_REQUESTS: f64 = 150.0;
/// How long a client waits.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// What goes wrong with one server, in seconds of the run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// All work stands still from here …
    pub stalls_at: Option<f64>,
    /// … for so long.
    pub stall_s: f64,
    /// Everything takes so many times as long; 0 is as usual.
    pub slow: f64,
    /// It starts anew, with nothing in its caches.
    pub cold_at: Option<f64>,
    /// It answers 500 at once, from and until.
    pub fails: Option<(f64, f64)>,
}

impl Faults {
    /// What server `number` of eight has in a run that is `scale` times as
    /// long as the one of 45 s.
    pub fn of(number: usize, scale: f64) -> Faults {
        Faults {
            stalls_at: Some((4.0 + 5.0 * number as f64) * scale),
            stall_s: 1.5,
            slow: if number == 1 { 4.0 } else { 0.0 },
            cold_at: (number >= 6).then_some(12.0 * scale),
            fails: (number == 3).then_some((30.0 * scale, 36.0 * scale)),
        }
    }
}

/// One server.
pub struct Peer {
    began: Instant,
    faults: Faults,
    slots: Semaphore,
    /// Requests that work or wait.
    inside: AtomicU32,
    served_cold: AtomicU32,
    /// Requests so far.
    pub seen: AtomicU64,
}

impl Peer {
    pub fn new(began: Instant, faults: Faults) -> Arc<Peer> {
        Arc::new(Peer {
            began,
            faults,
            slots: Semaphore::new(SLOTS as usize),
            inside: AtomicU32::new(0),
            served_cold: AtomicU32::new(0),
            seen: AtomicU64::new(0),
        })
    }

    pub async fn serve(self: Arc<Peer>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            tokio::spawn(self.clone().connection(stream));
        }
    }

    async fn connection(self: Arc<Peer>, mut stream: TcpStream) {
        let mut buffer = Vec::with_capacity(2048);
        while let Some(head) = head(&mut stream, &mut buffer).await {
            let answer = if head.starts_with("GET /count ") {
                let count = self.seen.load(Relaxed).to_string();
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{count}", count.len())
            } else if head.starts_with("GET /healthz ") {
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()
            } else {
                self.seen.fetch_add(1, Relaxed);
                // Nobody waits for whom the connection is closed.
                let mut byte = [0];
                tokio::select! {
                    answer = self.work(&head) => answer,
                    _ = stream.read(&mut byte) => return,
                }
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn at(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    async fn work(&self, head: &str) -> String {
        let _inside = Inside::enter(&self.inside);
        if self.faults.fails.is_some_and(|(from, until)| (from..until).contains(&self.at())) {
            sleep(Duration::from_millis(1)).await;
            return self.answer("500 Internal Server Error", "");
        }
        if self.inside.load(Relaxed) > SLOTS + QUEUE_MAX {
            return self.answer("503 Service Unavailable", "waxwing-shed: 1\r\nRetry-After: 1\r\n");
        }
        let Ok(_slot) = self.slots.acquire().await else { return String::new() };
        let number = head.split(['/', ' ']).find_map(|part| part.parse::<u64>().ok()).unwrap_or(0);
        sleep_until(self.end_of(self.at(), self.work_s(number)).into()).await;
        self.answer("200 OK", "")
    }

    fn work_s(&self, number: u64) -> f64 {
        let mut work = lognormal(number) / 1000.0;
        if self.faults.slow > 0.0 {
            work *= self.faults.slow;
        }
        if self.faults.cold_at.is_some_and(|cold| self.at() >= cold) {
            let served = f64::from(self.served_cold.fetch_add(1, Relaxed));
            work *= 1.0 + COLD_FACTOR * (-served / COLD_REQUESTS).exp();
        }
        work
    }

    /// When work that begins at this second ends; it stands still meanwhile.
    fn end_of(&self, start: f64, work: f64) -> Instant {
        let mut end = start + work;
        if let Some(stall) = self.faults.stalls_at {
            let over = stall + self.faults.stall_s;
            if end > stall && start < over {
                end += over - stall.max(start);
            }
        }
        self.began + Duration::from_secs_f64(end)
    }

    fn answer(&self, status: &str, more: &str) -> String {
        let since = self.faults.cold_at.filter(|cold| self.at() >= *cold);
        let uptime = match (since, self.faults.cold_at) {
            (Some(cold), _) => self.at() - cold,
            _ => 1000.0 + self.at(),
        };
        let rif = self.inside.load(Relaxed);
        format!(
            "HTTP/1.1 {status}\r\n{more}endpoint-load-metrics: TEXT application_utilization={:.3}, \
             named_metrics.rif={rif}, named_metrics.limit={SLOTS}, named_metrics.uptime={uptime:.0}\r\n\
             Content-Length: 2\r\n\r\nok",
            f64::from(rif) / f64::from(SLOTS)
        )
    }
}

struct Inside<'a>(&'a AtomicU32);

impl Inside<'_> {
    fn enter(count: &AtomicU32) -> Inside<'_> {
        count.fetch_add(1, Relaxed);
        Inside(count)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// A head with its body, which is short and comes with it.
async fn head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..at + 4]).into_owned();
            let body =
                head.to_lowercase().split("content-length: ").nth(1).map_or(0, |rest| {
                    rest.split('\r').next().and_then(|text| text.parse().ok()).unwrap_or(0)
                });
            if buffer.len() >= at + 4 + body {
                buffer.drain(..at + 4 + body);
                return Some(head);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub fn unit(number: u64) -> f64 {
    ((mix(number) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Milliseconds of work: the same for the same request, whoever does it.
fn lognormal(number: u64) -> f64 {
    let (a, b) = (unit(number * 2 + 1), unit(number * 2 + 2));
    let normal = (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos();
    (WORK_MEAN_MS.ln() - WORK_SIGMA * WORK_SIGMA / 2.0 + WORK_SIGMA * normal).exp()
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Of answers of 200 in time, in milliseconds, sorted.
    pub latencies: Vec<f64>,
    pub timeouts: usize,
    pub status_500: usize,
    pub status_503: usize,
    pub other: usize,
}

impl Tally {
    pub fn failed(&self) -> usize {
        self.timeouts + self.status_500 + self.status_503 + self.other
    }

    pub fn sent(&self) -> usize {
        self.latencies.len() + self.failed()
    }

    pub fn mean(&self) -> f64 {
        self.latencies.iter().sum::<f64>() / self.latencies.len().max(1) as f64
    }

    pub fn at(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// Sends requests at random moments, so many a second, through the proxies by
/// turns; nobody waits for the answer of another. Four of five are GETs.
pub async fn load(proxies: &[SocketAddr], per_s: f64, began: Instant, span: Duration, seed: u64) -> Tally {
    load_of(proxies, per_s, began, span, seed, Arc::new(any_request)).await
}

/// A request by its number, whole.
pub type Request = dyn Fn(u64) -> String + Send + Sync;

fn any_request(number: u64) -> String {
    if mix(number).is_multiple_of(5) {
        format!("POST /r/{number} HTTP/1.1\r\nHost: site\r\nContent-Length: 2\r\n\r\nhi")
    } else {
        format!("GET /r/{number} HTTP/1.1\r\nHost: site\r\n\r\n")
    }
}

/// The same with requests of one's own.
pub async fn load_of(
    proxies: &[SocketAddr],
    per_s: f64,
    began: Instant,
    span: Duration,
    seed: u64,
    request: Arc<Request>,
) -> Tally {
    let pools: Vec<Arc<Pool>> =
        proxies.iter().map(|address| Arc::new(Pool::new(*address, request.clone()))).collect();
    let mut due = 0.0;
    let mut requests = Vec::new();
    for number in 0u64.. {
        due -= unit(seed.wrapping_mul(1 << 32) + number).ln() / per_s;
        if due > span.as_secs_f64() {
            break;
        }
        let at = began + Duration::from_secs_f64(due);
        sleep_until(at.into()).await;
        let pool = pools[number as usize % pools.len()].clone();
        requests.push(tokio::spawn(async move { pool.ask(number, at).await }));
    }
    let mut tally = Tally::default();
    for request in requests {
        match request.await.unwrap_or(Err(0)) {
            Ok(ms) => tally.latencies.push(ms),
            Err(1) => tally.timeouts += 1,
            Err(500) => tally.status_500 += 1,
            Err(503) => tally.status_503 += 1,
            Err(_) => tally.other += 1,
        }
    }
    tally.latencies.sort_by(f64::total_cmp);
    tally
}

/// Connections to one proxy.
struct Pool {
    address: SocketAddr,
    request: Arc<Request>,
    idle: std::sync::Mutex<Vec<TcpStream>>,
}

impl Pool {
    fn new(address: SocketAddr, request: Arc<Request>) -> Pool {
        Pool { address, request, idle: std::sync::Mutex::default() }
    }

    /// Milliseconds until 200; else the status, or 1 for no answer in time.
    async fn ask(&self, number: u64, due: Instant) -> Result<f64, u16> {
        let left = PATIENCE.saturating_sub(due.elapsed());
        let status = timeout(left, self.exchange(number)).await.unwrap_or(Ok(1)).unwrap_or(0);
        if status == 200 { Ok(due.elapsed().as_secs_f64() * 1000.0) } else { Err(status) }
    }

    async fn exchange(&self, number: u64) -> std::io::Result<u16> {
        let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(self.address).await?,
        };
        stream.set_nodelay(true)?;
        stream.write_all((self.request)(number).as_bytes()).await?;
        let mut buffer = Vec::with_capacity(1024);
        let head = head(&mut stream, &mut buffer).await.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = head.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0);
        if !head.to_lowercase().contains("connection: close")
            && let Ok(mut idle) = self.idle.lock()
        {
            idle.push(stream);
        }
        Ok(status)
    }
}
