//! Serving a router on bound sockets.
//!
//! HTTP/2 is spoken where TLS negotiated it and HTTP/1.1 otherwise, so no
//! guess from the first bytes is needed (which has no time limit of its own).
//! Every connection has a limit of time for each state it can be stuck in,
//! and each client network has a limit of connections.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tower::ServiceExt;

use super::Bound;
use super::leftover::Leftover;
use super::stall::Stalling;
use crate::net::address::is_global_unicast;
use crate::net::tls::ACME_PROTOCOL;

/// Connections of all clients together that speak HTTP; more wait in the
/// kernel's queue. One that was upgraded counts no more: whoever took it over
/// has limits of its own.
pub const CONNECTIONS_MAX: usize = 4096;
/// Connections of one client (an IPv4 address, an IPv6 /64). Private
/// addresses are not counted: a proxy speaks for everyone.
pub const CONNECTIONS_PER_CLIENT_MAX: usize = 128;
/// Connections of one address whose clients show who they are: those of
/// another node, with as many requests at once as it passes on.
const KNOWN_CONNECTIONS_MAX: usize = CONNECTIONS_MAX / 2;
/// Header lines that a proxy adds.
const HEADERS_ADDED: usize = 28;
/// How long a TLS handshake may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long HTTP/1.1 waits for the head of the next request.
pub const HEAD_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long a connection without requests is kept, whatever it speaks.
pub const IDLE_MAX: Duration = Duration::from_secs(90);
/// How long bytes may wait for a client that stopped reading.
pub const STALL_MAX: Duration = Duration::from_secs(60);
/// Header lines of a request (HTTP/1.1).
pub const HEADERS_MAX: usize = 100;
/// Bytes of the head of a request.
pub const HEADERS_MAX_BYTES: usize = 64 * 1024;
/// Requests under way on one HTTP/2 connection.
pub const STREAMS_MAX: u32 = 100;
/// How often HTTP/2 asks a quiet client whether it is there, and how long it
/// waits for the word.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Pause after the system refuses to accept (no file handles left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How bytes travel.
#[derive(Clone)]
pub enum Transport {
    /// In the clear: loopback, the redirect, behind another TLS terminator.
    Plain,
    /// Over TLS.
    Tls(Arc<ServerConfig>),
}

/// Serves until `stop`, then lets requests under way finish for at most
/// `grace` and cuts the rest. Handlers find the client's address as
/// `ConnectInfo<SocketAddr>`.
pub async fn serve(
    bound: Bound,
    transport: Transport,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) {
    serve_with(bound, transport, router, stop, Waits { grace, ..Waits::default() }).await;
}

/// The same, but at the stop connections stay open for `linger` if they have
/// no request under way: what is on its way to them is still answered, and
/// says that it was the last. New connections are refused at once.
pub async fn serve_lingering(
    bound: Bound,
    transport: Transport,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
    linger: Duration,
) {
    serve_with(bound, transport, router, stop, Waits { grace, linger, ..Waits::default() }).await;
}

/// The same for clients that have shown who they are in the handshake: one
/// address may have many connections, and heads may be longer by what a proxy
/// adds.
pub async fn serve_known(
    bound: Bound,
    tls: Arc<ServerConfig>,
    router: Router,
    stop: CancellationToken,
    grace: Duration,
) {
    let waits = Waits { grace, are_known: true, ..Waits::default() };
    serve_with(bound, Transport::Tls(tls), router, stop, waits).await;
}

/// Serves somebody in this process, until they close their end.
pub async fn serve_pipe(stream: DuplexStream, router: Router) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let router = router.clone();
        async move {
            let leftover = Leftover::default();
            let response = router.oneshot(leftover.watch(request)).await?;
            // Whoever left something unread is not asked again over this pipe.
            let is_clean = leftover.drain().await;
            Ok::<_, Infallible>(closing_unless(is_clean, response))
        }
    });
    let connection = http1::Builder::new()
        .max_headers(HEADERS_MAX + HEADERS_ADDED)
        .max_buf_size(2 * HEADERS_MAX_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A broken pipe is one whose other end is gone.
    let _ = connection.await;
}

/// How long a connection may stay in each state, and whose they are.
pub(super) struct Waits {
    pub(super) handshake: Duration,
    pub(super) head: Duration,
    pub(super) idle: Duration,
    pub(super) stall: Duration,
    pub(super) grace: Duration,
    pub(super) linger: Duration,
    pub(super) are_known: bool,
}

impl Default for Waits {
    fn default() -> Waits {
        Waits {
            handshake: HANDSHAKE_MAX,
            head: HEAD_WAIT_MAX,
            idle: IDLE_MAX,
            stall: STALL_MAX,
            grace: Duration::ZERO,
            linger: Duration::ZERO,
            are_known: false,
        }
    }
}

pub(super) async fn serve_with(
    bound: Bound,
    transport: Transport,
    router: Router,
    stop: CancellationToken,
    waits: Waits,
) {
    let grace = waits.grace;
    let server = Arc::new(Server {
        waits,
        tls: match transport {
            Transport::Plain => None,
            Transport::Tls(config) => Some(TlsAcceptor::from(config)),
        },
        router,
        slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        clients: Arc::default(),
        stop,
        cut: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    let accepting = bound.listeners.into_iter().map(|listener| server.clone().accept(listener));
    futures_util::future::join_all(accepting).await;
    server.tasks.close();
    if timeout(grace, server.tasks.wait()).await.is_err() {
        server.cut.cancel();
        server.tasks.wait().await;
    }
}

struct Server {
    waits: Waits,
    tls: Option<TlsAcceptor>,
    router: Router,
    slots: Arc<Semaphore>,
    clients: Arc<Clients>,
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let next = async {
                let slot = self.slots.clone().acquire_owned().await.ok();
                (slot, listener.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                () = self.stop.cancelled() => return self.empty(listener),
                next = next => next,
            };
            match accepted {
                Ok((stream, peer)) => self.begin(stream, peer, slot),
                Err(error) => {
                    tracing::debug!(%error, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Takes in who has connected already; the system would reset them.
    fn empty(self: &Arc<Self>, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok(slot) = self.slots.clone().try_acquire_owned()
            && let Ok((stream, peer)) = listener.accept()
        {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.begin(stream, peer, Some(slot));
            }
        }
    }

    fn begin(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, slot: Option<OwnedSemaphorePermit>) {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let most = if self.waits.are_known { KNOWN_CONNECTIONS_MAX } else { CONNECTIONS_PER_CLIENT_MAX };
        let Some(place) = self.clients.enter(peer.ip(), most) else {
            metrics::counter!("waxwing_connections_refused_total").increment(1);
            return;
        };
        let server = self.clone();
        self.tasks.spawn(async move {
            let _slot = slot;
            let keep = Keep(Arc::new(Kept {
                _place: place,
                _running: server.tasks.token(),
                cut: server.cut.clone(),
            }));
            tokio::select! {
                () = server.cut.cancelled() => {}
                () = server.connection(stream, peer, keep) => {}
            }
        });
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, keep: Keep) {
        // A segment is one write of ours already; waiting to fill it only delays.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let stream = Stalling::new(stream, self.waits.stall);
        let Some(tls) = &self.tls else { return self.http1(stream, peer, keep).await };
        let handshake = timeout(self.waits.handshake, tls.accept(stream));
        let stopped = async {
            self.stop.cancelled().await;
            tokio::time::sleep(self.waits.linger).await;
        };
        let shaken = tokio::select! {
            () = stopped => return,
            shaken = handshake => shaken,
        };
        let Ok(Ok(mut stream)) = shaken else {
            metrics::counter!("waxwing_tls_handshakes_failed_total").increment(1);
            return;
        };
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => self.http2(stream, peer, keep).await,
            // The handshake itself was the proof (RFC 8737 §3).
            Some(protocol) if protocol == ACME_PROTOCOL => drop(stream.shutdown().await),
            _ => self.http1(stream, peer, keep).await,
        }
    }

    async fn http1(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        keep: Keep,
    ) {
        let activity = Arc::new(Activity::default());
        let caller = Caller { peer, keep };
        let service =
            service_fn(|request| answer(self.router.clone(), activity.clone(), caller.clone(), request));
        let (headers, head_bytes) = match self.waits.are_known {
            true => (HEADERS_MAX + HEADERS_ADDED, 2 * HEADERS_MAX_BYTES),
            false => (HEADERS_MAX, HEADERS_MAX_BYTES),
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.waits.head)
            .max_headers(headers)
            .max_buf_size(head_bytes)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        self.drive(connection, &activity).await;
    }

    async fn http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        keep: Keep,
    ) {
        let activity = Arc::new(Activity::default());
        let (router, counted) = (self.router.clone(), activity.clone());
        let caller = Caller { peer, keep };
        let service =
            service_fn(move |request| answer(router.clone(), counted.clone(), caller.clone(), request));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(HEADERS_MAX_BYTES as u32)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_EVERY)
            .serve_connection(TokioIo::new(stream), service);
        self.drive(connection, &activity).await;
    }

    /// Until the server stops and the connection has had time for one more
    /// request.
    async fn parted(&self, activity: &Activity) {
        self.stop.cancelled().await;
        let seen = activity.requests.load(Ordering::Relaxed);
        for _ in 0..LINGER_LOOKS {
            if self.waits.linger.is_zero() || activity.requests.load(Ordering::Relaxed) != seen {
                return;
            }
            tokio::time::sleep(self.waits.linger / LINGER_LOOKS).await;
        }
    }

    /// Runs a connection until it ends, the server stops, or it has been
    /// without a request for too long.
    async fn drive(&self, connection: impl Stoppable, activity: &Activity) {
        let mut connection = pin!(connection);
        let mut is_ending = false;
        let mut seen = None;
        loop {
            tokio::select! {
                // A broken connection is the client's affair; there is nobody to tell.
                _ = connection.as_mut() => return,
                () = self.parted(activity), if !is_ending => {
                    is_ending = true;
                    connection.as_mut().finish_up();
                }
                () = tokio::time::sleep(self.waits.idle) => {
                    let is_idle = activity.under_way.load(Ordering::Relaxed) == 0;
                    let requests = Some(activity.requests.load(Ordering::Relaxed));
                    if is_idle && is_ending {
                        return;
                    }
                    if is_idle && seen == requests {
                        is_ending = true;
                        connection.as_mut().finish_up();
                    }
                    seen = requests;
                }
            }
        }
    }
}

/// How often a connection that lingers is looked at.
const LINGER_LOOKS: u32 = 20;

/// What a connection is doing.
#[derive(Default)]
struct Activity {
    requests: AtomicU64,
    under_way: AtomicUsize,
}

/// Counts a request from its head to the last byte of its answer.
struct UnderWay(Arc<Activity>);

impl UnderWay {
    fn start(activity: Arc<Activity>) -> UnderWay {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(activity)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that can be told to take no further requests.
trait Stoppable: Future {
    fn finish_up(self: Pin<&mut Self>);
}

impl<I, S> Stoppable for http1::UpgradeableConnection<I, S>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = Body>,
    S::Error: Into<axum::BoxError>,
{
    fn finish_up(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S> Stoppable for http2::Connection<I, S, TokioExecutor>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
    S: HttpService<Incoming, ResBody = Body>,
    S::Future: Send + 'static,
    S::Error: Into<axum::BoxError>,
{
    fn finish_up(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// A connection's place among its client's, as a request extension. Whoever
/// takes a connection over (an upgrade) holds on to it until that is closed:
/// so it stays counted, and the server's stop waits for it.
#[derive(Clone)]
pub struct Keep(Arc<Kept>);

struct Kept {
    _place: Place,
    _running: TaskTrackerToken,
    cut: CancellationToken,
}

impl Keep {
    /// The same as a token.
    pub fn cutting(&self) -> CancellationToken {
        self.0.cut.clone()
    }

    /// Waits until the connection must be closed at once: the server stopped
    /// and the time for a clean end is over.
    pub async fn cut(&self) {
        self.0.cut.cancelled().await;
    }
}

/// Who is at the other end of a connection.
#[derive(Clone)]
struct Caller {
    peer: SocketAddr,
    keep: Keep,
}

async fn answer(
    router: Router,
    activity: Arc<Activity>,
    caller: Caller,
    mut request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Infallible> {
    let under_way = UnderWay::start(activity);
    request.extensions_mut().insert(ConnectInfo(caller.peer));
    request.extensions_mut().insert(caller.keep);
    let leftover = Leftover::default();
    let response = router.oneshot(leftover.watch(request)).await?;
    let response = closing_unless(leftover.drain().await, response);
    Ok(response.map(|body| Body::new(Counted { body, _under_way: under_way })))
}

/// Clients that are told do not send their next request into the void.
fn closing_unless(is_clean: bool, mut response: http::Response<Body>) -> http::Response<Body> {
    if !is_clean {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A body that is under way until it is sent or dropped.
struct Counted {
    body: Body,
    _under_way: UnderWay,
}

impl hyper::body::Body for Counted {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Connections by client network.
#[derive(Default)]
struct Clients(Mutex<HashMap<IpAddr, usize>>);

/// One counted connection.
struct Place {
    clients: Arc<Clients>,
    network: Option<IpAddr>,
}

impl Clients {
    fn enter(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Place> {
        let network = is_global_unicast(address).then(|| network(address));
        if let Some(network) = network {
            let mut counts = self.0.lock();
            let count = counts.entry(network).or_insert(0);
            if *count >= most {
                return None;
            }
            *count += 1;
        }
        Some(Place { clients: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else { return };
        let mut counts = self.clients.0.lock();
        if let Some(count) = counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&network);
            }
        }
    }
}

/// One household has one IPv4 address or one IPv6 /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_network_cannot_take_every_connection() {
        let clients = Arc::new(Clients::default());
        let address = |last: u16| IpAddr::V6(Ipv6Addr::new(0x2a01, 0x4f8, 1, 2, 0, 0, 0, last));
        let places: Vec<_> = (0..CONNECTIONS_PER_CLIENT_MAX)
            .map(|n| clients.enter(address(n as u16), CONNECTIONS_PER_CLIENT_MAX).unwrap())
            .collect();
        assert!(clients.enter(address(9), CONNECTIONS_PER_CLIENT_MAX).is_none());
        assert!(clients.enter("8.8.8.8".parse().unwrap(), 1).is_some());
        drop(places);
        assert!(clients.enter(address(9), CONNECTIONS_PER_CLIENT_MAX).is_some());
        assert!(clients.0.lock().is_empty());
    }
}
