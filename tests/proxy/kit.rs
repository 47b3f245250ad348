//! Upstreams that say exactly what a test wants, a proxy before them, and a
//! client that sees every byte.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use waxwing::base::{Clock, FixedChance, Timestamp};
use waxwing::proxy::forward::{Proxy, Route, Settings, Shared, Speech, Target, shared};
use waxwing::proxy::{Place, Policy};

/// No step of a test takes longer.
pub const STEP_MAX: Duration = Duration::from_secs(20);

/// A clock for tests.
pub struct Watch(Instant);

impl Watch {
    pub fn start() -> Arc<Watch> {
        Arc::new(Watch(Instant::now()))
    }
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits for a step, but not for ever.
pub async fn within<T>(what: &str, step: impl Future<Output = T>) -> T {
    timeout(STEP_MAX, step).await.unwrap_or_else(|_| panic!("{what} took too long"))
}

/// A connection that reads up to what a test waits for.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub fn new(stream: TcpStream) -> Wire {
        stream.set_nodelay(true).unwrap();
        Wire { stream, read: Vec::new() }
    }

    pub async fn connect(address: SocketAddr) -> Wire {
        Wire::new(TcpStream::connect(address).await.unwrap())
    }

    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        // A proxy that has refused may have closed already.
        let _ = self.stream.write_all(text.as_ref()).await;
    }

    /// Everything up to and with this; `None` if the connection ended before.
    pub async fn until(&mut self, mark: &str) -> Option<String> {
        within(mark, async {
            loop {
                if let Some(at) = self.read.windows(mark.len()).position(|part| part == mark.as_bytes()) {
                    let rest = self.read.split_off(at + mark.len());
                    return Some(
                        String::from_utf8_lossy(&std::mem::replace(&mut self.read, rest)).into_owned(),
                    );
                }
                if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                    return None;
                }
            }
        })
        .await
    }

    /// A head.
    pub async fn head(&mut self) -> Option<String> {
        self.until("\r\n\r\n").await
    }

    pub async fn exactly(&mut self, count: usize) -> String {
        within("the body", async {
            while self.read.len() < count {
                assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap_or(0), 0, "the body was cut");
            }
            let rest = self.read.split_off(count);
            String::from_utf8_lossy(&std::mem::replace(&mut self.read, rest)).into_owned()
        })
        .await
    }

    /// All until the connection ends.
    pub async fn rest(&mut self) -> String {
        within("the end", async {
            while self.stream.read_buf(&mut self.read).await.unwrap_or(0) > 0 {}
            String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
        })
        .await
    }

    /// Ends the writing half.
    pub async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Closes with a reset.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

/// A server whose connections a test handles itself.
pub struct Upstream {
    pub address: SocketAddr,
    /// Connections so far.
    pub connections: Arc<AtomicUsize>,
    /// Heads so far, for upstreams of [`Upstream::answering`].
    pub heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    /// Hands every connection, with its number, to `handle`.
    pub async fn new<F>(handle: impl Fn(Wire, usize) -> F + Send + 'static) -> Upstream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Upstream::recording(Arc::default(), handle).await
    }

    async fn recording<F>(
        heads: Arc<Mutex<Vec<String>>>,
        handle: impl Fn(Wire, usize) -> F + Send + 'static,
    ) -> Upstream
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(Wire::new(stream), counted.fetch_add(1, SeqCst)));
            }
        });
        Upstream { address, connections, heads, task }
    }

    /// Answers every head the same; bodies must be in the head's packet or
    /// absent.
    pub async fn answering(answer: impl Into<String>) -> Upstream {
        let answer = answer.into();
        Upstream::replying(move |_| answer.clone()).await
    }

    /// Answers each head as `reply` says.
    pub async fn replying(reply: impl Fn(&str) -> String + Send + Sync + 'static) -> Upstream {
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let (seen, reply) = (heads.clone(), Arc::new(reply));
        Upstream::recording(heads, move |mut wire, _| {
            let (seen, reply) = (seen.clone(), reply.clone());
            async move {
                while let Some(head) = wire.head().await {
                    let body = wire.exactly(length_of(&head)).await;
                    seen.lock().unwrap().push(head.clone() + &body);
                    wire.send(reply(&head)).await;
                }
            }
        })
        .await
    }

    pub fn last_head(&self) -> String {
        self.heads.lock().unwrap().last().cloned().unwrap_or_default()
    }

    pub fn seen(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

/// The `Content-Length` of a head.
pub fn length_of(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths.next().map_or(0, |(_, value)| value.parse().unwrap())
}

/// An answer of 200 with this body.
pub fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// A proxy on a port of its own.
pub struct Front {
    pub address: SocketAddr,
    pub proxy: Option<Proxy>,
}

impl Front {
    /// Before these upstreams, turn by turn, so that tests know who is asked.
    pub async fn before(upstreams: &[&Upstream]) -> Front {
        let settings = Settings { policy: Policy::RoundRobin, ..Settings::default() };
        Front::with(settings, upstreams.iter().map(|upstream| upstream.address)).await
    }

    pub async fn with(settings: Settings, upstreams: impl IntoIterator<Item = SocketAddr>) -> Front {
        let routes = upstreams.into_iter().map(|address| route(address, Speech::Plain)).collect();
        Front::over(settings, routes).await
    }

    pub async fn over(settings: Settings, routes: Vec<Route>) -> Front {
        let settings = Settings { grace: Duration::from_secs(10), ..settings };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = shared(settings, routes, Watch::start());
        let proxy = Proxy::start(shared, vec![listener], None, &FixedChance::new(7)).unwrap();
        Front { address, proxy: Some(proxy) }
    }

    pub fn shared(&self) -> &Arc<Shared> {
        self.proxy.as_ref().unwrap().shared()
    }

    /// One exchange on a connection of its own: the whole answer.
    pub async fn ask(&self, text: impl AsRef<[u8]>) -> String {
        let mut wire = Wire::connect(self.address).await;
        wire.send(text).await;
        wire.rest().await
    }

    /// A GET on a connection of its own.
    pub async fn get(&self, path: &str) -> String {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: site.example\r\nConnection: close\r\n\r\n")).await
    }
}

pub fn route(address: SocketAddr, speech: Speech) -> Route {
    let name = address.to_string();
    let place = Place { sticky: u64::from(address.port()), ..Place::new(&name) };
    Route { place, target: Target::new(name, speech) }
}

/// The status of an answer; 0 if there is none.
pub fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// Waits until something holds.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    within(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}
