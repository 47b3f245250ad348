//! Fake destinations: other servers in this process, each with a loopback
//! address of its own. Most take what comes, some take long, some are dead.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::latency::Latencies;
use super::report::data;
use super::stage::{Awaited, Slate, marks};
use super::tally::Done;
use crate::base::{Clock, Problem, ProblemKind};

/// Bytes of a delivery that are read.
const BODY_MAX_BYTES: usize = 1 << 20;
/// How long a healthy one takes: a server on the same continent.
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// How long a slow one takes.
const SLOW: Duration = Duration::from_secs(4);
/// Of a hundred so many are slow, and so many dead.
const SLOW_SHARE: usize = 10;
const DEAD_SHARE: usize = 15;

/// How one behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Takes it after a round trip.
    Well,
    /// Takes it after seconds.
    Slow,
    /// Refuses connections, or takes them and never answers.
    Dead,
}

impl Nature {
    /// Of one of many: the dead first, then the slow.
    pub fn of(number: usize, count: usize) -> Nature {
        let place = number * 100 / count.max(1);
        match place {
            _ if count < 4 => Nature::Well,
            // Too few for shares: one of each.
            _ if count < 20 => [Nature::Dead, Nature::Slow].get(number).copied().unwrap_or(Nature::Well),
            place if place < DEAD_SHARE => Nature::Dead,
            place if place < DEAD_SHARE + SLOW_SHARE => Nature::Slow,
            _ => Nature::Well,
        }
    }

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Nature::Well => "well",
            Nature::Slow => "slow",
            Nature::Dead => "dead",
        }
    }
}

/// One destination.
struct Peer {
    nature: Nature,
    inbox: String,
    got: Mutex<Latencies>,
}

/// What they have in common.
struct Shared {
    clock: Arc<dyn Clock>,
    awaited: Awaited,
    slate: Slate,
}

/// The kinds under which arrivals are noted: at healthy destinations, at slow ones.
pub const ARRIVED: usize = 0;
/// See [`ARRIVED`].
pub const ARRIVED_SLOW: usize = 1;

/// All of them; gone when dropped.
pub struct Fleet {
    peers: Vec<Arc<Peer>>,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Fleet {
    /// So many destinations, listening.
    ///
    /// # Errors
    /// When there is no room for them on this machine.
    pub async fn start(count: usize, clock: Arc<dyn Clock>, slate: Slate) -> Result<Fleet, Problem> {
        let shared = Arc::new(Shared { clock, awaited: Awaited::default(), slate });
        let (mut peers, mut tasks) = (Vec::new(), JoinSet::new());
        for number in 0..count {
            let nature = Nature::of(number, count);
            let listener = bind(number).await.map_err(|error| {
                let what = format!("no more than {number} of {count} fake servers can listen: {error}");
                Problem::new(ProblemKind::Unavailable, what)
            })?;
            let address = listener.local_addr().map_err(Problem::internal)?;
            let inbox = format!("http://{address}/inbox");
            let peer = Arc::new(Peer { nature, inbox, got: Mutex::default() });
            // Of the dead every second one is not even there.
            if nature != Nature::Dead || number.is_multiple_of(2) {
                tasks.spawn(listen(listener, peer.clone(), shared.clone()));
            }
            peers.push(peer);
        }
        Ok(Fleet { peers, shared, _tasks: tasks })
    }

    /// Where they take deliveries.
    pub fn inboxes(&self) -> Vec<String> {
        self.peers.iter().map(|peer| peer.inbox.clone()).collect()
    }

    /// A new post that all of them are to get; gives its number and its mark.
    pub fn expect(&self, due: Duration) -> (u64, String) {
        let well = self.peers.iter().filter(|peer| peer.nature == Nature::Well).count();
        self.shared.awaited.begin(due, well as u32)
    }

    /// What is still awaited.
    pub fn awaited(&self) -> &Awaited {
        &self.shared.awaited
    }

    /// What each of them got, of so many.
    pub fn picture(&self, posts: u64) -> Vec<data::Destination> {
        let seen = |(number, peer): (usize, &Arc<Peer>)| {
            let got = peer.got.lock();
            data::Destination {
                name: format!("destination {}", number + 1),
                nature: peer.nature.name().to_owned(),
                wanted: posts,
                got: got.count(),
                p50: got.ms(0.5),
                p99: got.ms(0.99),
            }
        };
        self.peers.iter().enumerate().map(seen).collect()
    }
}

/// On Linux all of 127.0.0.0/8 is this machine; elsewhere one address has to do.
async fn bind(number: usize) -> std::io::Result<TcpListener> {
    let [high, low] = [(number / 250) as u8, (number % 250) as u8 + 1];
    match TcpListener::bind((Ipv4Addr::new(127, 77, high, low), 0)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await,
    }
}

async fn listen(listener: TcpListener, peer: Arc<Peer>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, peer.clone(), shared.clone()));
    }
}

async fn serve(stream: TcpStream, peer: Arc<Peer>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (peer, shared) = (peer.clone(), shared.clone());
        async move { take(&peer, &shared, request).await }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new());
    // Whoever called has gone; nothing is left to be told.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn take(
    peer: &Peer,
    shared: &Shared,
    request: Request<Incoming>,
) -> std::io::Result<Response<Full<Bytes>>> {
    let body = Limited::new(request.into_body(), BODY_MAX_BYTES).collect().await;
    let body = body.map_err(std::io::Error::other)?.to_bytes();
    let kind = match peer.nature {
        Nature::Well => ARRIVED,
        Nature::Slow => ARRIVED_SLOW,
        Nature::Dead => return std::future::pending().await,
    };
    let ended = shared.clock.monotonic();
    for number in marks(&body) {
        let due = if kind == ARRIVED { shared.awaited.heard(number) } else { shared.awaited.due(number) };
        if let Some(due) = due {
            peer.got.lock().record(ended.saturating_sub(due));
            shared.slate.note(&Done { kind, due, sent: due, ended, outcome: Ok(()) });
        }
    }
    tokio::time::sleep(if kind == ARRIVED { ROUND_TRIP } else { SLOW }).await;
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_are_well_and_some_are_not() {
        for (count, well, slow, dead) in [(100, 75, 10, 15), (40, 30, 4, 6), (10, 8, 1, 1), (3, 3, 0, 0)] {
            let of = |nature| (0..count).filter(|number| Nature::of(*number, count) == nature).count();
            assert_eq!((of(Nature::Well), of(Nature::Slow), of(Nature::Dead)), (well, slow, dead), "{count}");
        }
    }
}
