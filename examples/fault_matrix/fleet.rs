//! Many other servers in one process: each has a loopback address of its own,
//! a behaviour that can be changed at any time, and a log.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use waxwing::base::FixedChance;
use waxwing::wire::http_signature::PublicKey;

use crate::Failure;
use crate::answer::answer;
use crate::behaviour::{Behaviour, RoundTrip};
use crate::ledger::Ledger;
use crate::raw;

/// One of this many requests has its signature checked.
const VERIFY_EVERY: usize = 8;

/// One server.
pub(crate) struct Peer {
    pub(crate) number: u32,
    pub(crate) address: SocketAddr,
    pub(crate) behaviour: Mutex<Behaviour>,
    pub(crate) log: Mutex<Vec<Asked>>,
    /// Requests that are being kept waiting.
    pub(crate) waiting: AtomicUsize,
    /// The most there were at once.
    pub(crate) most_waiting: AtomicUsize,
    pub(crate) shared: Arc<Shared>,
}

/// A request or, below HTTP, a connection.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    /// What it was told; 0 if nothing.
    pub(crate) status: u16,
    /// The Date header.
    pub(crate) date: Option<String>,
}

/// What all peers have in common.
pub(crate) struct Shared {
    pub(crate) ledger: Ledger,
    /// Public keys by key id.
    pub(crate) keys: Mutex<HashMap<String, Arc<PublicKey>>>,
    pub(crate) chance: FixedChance,
    pub(crate) scheme: &'static str,
    tls: Option<TlsAcceptor>,
    asked: AtomicUsize,
    is_lean: AtomicBool,
    closes: AtomicBool,
}

impl Shared {
    /// From now on each connection is for one request.
    #[allow(dead_code)] // for the matrix
    pub(crate) fn close_each(&self) {
        self.closes.store(true, Ordering::Relaxed);
    }

    pub(crate) fn closes(&self) -> bool {
        self.closes.load(Ordering::Relaxed)
    }

    /// From now on requests are taken at once and nothing is noted of them.
    #[allow(dead_code)] // for the benchmark
    pub(crate) fn be_lean(&self) {
        self.is_lean.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_lean(&self) -> bool {
        self.is_lean.load(Ordering::Relaxed)
    }

    /// Whether the signature of this request is to be checked.
    pub(crate) fn is_sample(&self) -> bool {
        self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(VERIFY_EVERY)
    }
}

/// All of them.
pub(crate) struct Fleet {
    pub(crate) peers: Vec<Arc<Peer>>,
    pub(crate) shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Fleet {
    /// So many peers, all well.
    pub(crate) async fn start(count: u32, tls: Option<TlsAcceptor>) -> Result<Fleet, Failure> {
        static SUBNET: AtomicUsize = AtomicUsize::new(0);
        let subnet = 10 + (SUBNET.fetch_add(1, Ordering::Relaxed) % 200) as u8;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            ledger: Ledger::default(),
            keys: Mutex::default(),
            chance: FixedChance::new(u64::from(subnet)),
            scheme,
            tls,
            asked: AtomicUsize::new(0),
            is_lean: AtomicBool::new(false),
            closes: AtomicBool::new(false),
        });
        let (mut peers, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..count {
            let [high, low] = [(number / 250) as u8, (number % 250) as u8 + 1];
            let listener = TcpListener::bind((Ipv4Addr::new(127, subnet, high, low), 0)).await?;
            let peer = Arc::new(Peer {
                number,
                address: listener.local_addr()?,
                behaviour: Mutex::new(Behaviour::Well(RoundTrip::USUAL)),
                log: Mutex::default(),
                waiting: AtomicUsize::new(0),
                most_waiting: AtomicUsize::new(0),
                shared: shared.clone(),
            });
            tasks.push(tokio::spawn(listen(listener, peer.clone())));
            peers.push(peer);
        }
        Ok(Fleet { peers, shared, tasks })
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// Where peer `number` takes activities.
    pub(crate) fn inbox(&self, number: u32) -> String {
        self.peers[number as usize].inbox()
    }

    /// Changes how some behave.
    pub(crate) fn turn(&self, numbers: impl IntoIterator<Item = u32>, behaviour: &Behaviour) {
        for number in numbers {
            *self.peers[number as usize].behaviour.lock() = behaviour.clone();
        }
    }

    /// Requests to some peers since then.
    pub(crate) fn asked(&self, numbers: impl IntoIterator<Item = u32>, since: Instant) -> usize {
        let asked = |number: u32| {
            self.peers[number as usize].log.lock().iter().filter(|asked| asked.at >= since).count()
        };
        numbers.into_iter().map(asked).sum()
    }

    /// Requests that some peers keep waiting now.
    pub(crate) fn waiting(&self, numbers: impl IntoIterator<Item = u32>) -> usize {
        numbers.into_iter().map(|number| self.peers[number as usize].waiting.load(Ordering::Relaxed)).sum()
    }
}

impl Fleet {
    /// The most requests that any of some peers had at once since this was
    /// asked last.
    #[allow(dead_code)] // for the matrix
    pub(crate) fn most_at_once(&self, numbers: impl IntoIterator<Item = u32>) -> usize {
        let most = |number: u32| {
            let peer = &self.peers[number as usize];
            peer.most_waiting.swap(peer.waiting.load(Ordering::Relaxed), Ordering::Relaxed)
        };
        numbers.into_iter().map(most).max().unwrap_or(0)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Peer {
    pub(crate) fn inbox(&self) -> String {
        format!("{}://{}/inbox", self.shared.scheme, self.address)
    }
}

async fn listen(listener: TcpListener, peer: Arc<Peer>) {
    // Dropped with this task, it takes the connections along.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, peer.clone()));
    }
}

async fn serve(stream: TcpStream, peer: Arc<Peer>) {
    let _ = stream.set_nodelay(true);
    let behaviour = peer.behaviour.lock().clone();
    if behaviour.is_raw() {
        return raw::serve(stream, &peer, &behaviour).await;
    }
    match &peer.shared.tls {
        None => http(stream, peer).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => http(stream, peer).await,
            Err(_) => raw::note(&peer),
        },
    }
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Arc<Peer>) {
    let service = service_fn(move |request| {
        let peer = peer.clone();
        async move { answer(&peer, request).await }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new());
    // Whoever called has gone; nothing is left to be told.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
