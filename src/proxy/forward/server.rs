//! A proxy of its own: threads that forward, each with a runtime and resting
//! connections of its own, so that a request never changes threads; and one
//! place where connections are accepted and handed out evenly.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpStream as StdStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::{TlsAcceptor, TlsStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client::Client;
use super::health;
use super::io::Io;
use super::outgoing::Origin;
use super::serve::serve;
use super::settings::{CONNECTIONS_MAX, Settings};
use super::target::Target;
use super::worker::{Shared, Worker};
use crate::base::{Chance, Clock};
use crate::proxy::{Balancer, Dice, Place};

/// How long a TLS handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Pause after the system refuses to accept (no file handles left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often resting connections are looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// One upstream: how the balancer knows it, and where it is.
pub struct Route {
    /// What the balancer knows it by; its name must be its own.
    pub place: Place,
    /// Where it is.
    pub target: Target,
}

/// What is needed to forward, without sockets that listen.
///
/// # Panics
/// Never; the clock and the chance are the program's.
pub fn shared(settings: Settings, routes: Vec<Route>, clock: Arc<dyn Clock>) -> Arc<Shared> {
    let since = clock.monotonic();
    let now = crate::proxy::Tick::from_micros(since.as_micros() as u64);
    let places = routes.iter().map(|route| route.place.clone()).collect();
    let targets: HashMap<_, _> =
        routes.into_iter().map(|route| (route.place.name, Arc::new(route.target))).collect();
    Arc::new(Shared {
        balancer: Balancer::new(settings.policy, places, now),
        settings,
        targets: ArcSwap::from_pointee(targets),
        clock,
        requests: AtomicU64::new(0),
    })
}

/// A running proxy.
pub struct Proxy {
    shared: Arc<Shared>,
    stop: CancellationToken,
    threads: Vec<JoinHandle<()>>,
    accepting: TaskTracker,
}

/// A client's connection on its way to a thread.
type Accepted = (StdStream, SocketAddr);

/// Where a thread takes its connections from.
#[derive(Clone)]
struct Door {
    accepted: UnboundedSender<Accepted>,
    connections: Arc<AtomicUsize>,
}

/// What every thread needs.
#[derive(Clone)]
struct Parts {
    shared: Arc<Shared>,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
}

impl Proxy {
    /// Forwards what comes to these sockets, in the clear or, with `tls`, over
    /// TLS. Must be called inside a runtime, which accepts and looks after the
    /// upstreams' health.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(
        shared: Arc<Shared>,
        listeners: Vec<TcpListener>,
        tls: Option<Arc<ServerConfig>>,
        chance: &impl Chance,
    ) -> io::Result<Proxy> {
        let stop = CancellationToken::new();
        let parts = Parts { shared: shared.clone(), tls: tls.map(TlsAcceptor::from), stop: stop.clone() };
        let mut threads = Vec::new();
        let mut doors = Vec::new();
        for number in 0..shared.settings.workers.max(1) {
            let (accepted, coming) = unbounded_channel();
            let connections = Arc::new(AtomicUsize::new(0));
            doors.push(Door { accepted, connections: connections.clone() });
            let (parts, dice) = (parts.clone(), Dice::seeded(chance.u64()));
            let work = move || run_worker(parts, dice, coming, connections);
            threads.push(thread::Builder::new().name(format!("proxy-{number}")).spawn(work)?);
        }
        let accepting = TaskTracker::new();
        for listener in listeners {
            accepting.spawn(accept(listener, doors.clone(), stop.clone()));
        }
        accepting.spawn(health::look_after(shared.clone(), Dice::seeded(chance.u64()), stop.clone()));
        accepting.close();
        Ok(Proxy { shared, stop, threads, accepting })
    }

    /// What the proxy knows.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Accepts nothing more, lets what is under way finish for the settings'
    /// grace, and ends.
    pub async fn stop(self) {
        self.stop.cancel();
        self.accepting.wait().await;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in self.threads {
                // A panic was reported by its own hook.
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

async fn accept(listener: TcpListener, doors: Vec<Door>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let handed = accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer)));
        let emptiest = doors.iter().min_by_key(|door| door.connections.load(Relaxed));
        match (handed, emptiest) {
            (Ok(accepted), Some(door)) if door.connections.load(Relaxed) < CONNECTIONS_MAX => {
                door.connections.fetch_add(1, Relaxed);
                // A thread that is gone takes nothing; the connection closes.
                let _ = door.accepted.send(accepted);
            }
            (Ok(_), _) => {}
            (Err(error), _) => {
                tracing::debug!(%error, "connection not accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn run_worker(parts: Parts, dice: Dice, coming: UnboundedReceiver<Accepted>, connections: Arc<AtomicUsize>) {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "a forwarding thread could not start: {error}");
            return;
        }
    };
    runtime.block_on(work(parts, dice, coming, connections));
}

async fn work(
    parts: Parts,
    dice: Dice,
    mut coming: UnboundedReceiver<Accepted>,
    connections: Arc<AtomicUsize>,
) {
    let worker = Arc::new(Worker::new(parts.shared.clone(), dice));
    let tasks = TaskTracker::new();
    let mut sweeps = interval(SWEEP_EVERY);
    sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = parts.stop.cancelled() => break,
            _ = sweeps.tick() => worker.sweep(),
            accepted = coming.recv() => {
                let Some((stream, peer)) = accepted else { break };
                let (parts, worker, connections) = (parts.clone(), worker.clone(), connections.clone());
                tasks.spawn(async move {
                    connection(parts, worker, stream, peer).await;
                    connections.fetch_sub(1, Relaxed);
                });
            }
        }
    }
    tasks.close();
    if timeout(parts.shared.settings.grace, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "{} connections were cut at the stop", tasks.len());
    }
    worker.close_resting();
}

async fn connection(parts: Parts, worker: Arc<Worker>, stream: StdStream, peer: SocketAddr) {
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    // A segment is one write of ours already; waiting to fill it only delays.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let is_https = parts.tls.is_some();
    let io = match parts.tls {
        None => Io::Plain(stream),
        Some(tls) => {
            let shaken = tokio::select! {
                () = parts.stop.cancelled() => return,
                shaken = timeout(HANDSHAKE_MAX, tls.accept(stream)) => shaken,
            };
            let Ok(Ok(stream)) = shaken else { return };
            Io::Tls(Box::new(TlsStream::Server(stream)))
        }
    };
    let peer_ip = peer.ip().to_canonical();
    let is_trusted = parts.shared.settings.trusted.iter().any(|range| range.contains(&peer_ip));
    let origin = Origin::new(peer_ip, is_https, is_trusted);
    serve(Client::new(io, peer, origin, parts.stop), worker).await;
}
