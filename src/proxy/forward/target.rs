//! Where an upstream is, and making a connection to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::DuplexStream;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

use super::http2;
use super::io::Io;

/// Addresses of one name.
const ADDRESSES_MAX: usize = 16;
/// So long may it take to learn what a name stands for.
const RESOLVE_MAX: Duration = Duration::from_secs(5);

/// What is spoken with an upstream.
#[derive(Clone)]
pub enum Speech {
    /// HTTP/1.1 in the clear.
    Plain,
    /// HTTP/2 in the clear, without asking (`h2c`).
    PlainHttp2,
    /// TLS; HTTP/2 if both sides can.
    Tls(Arc<ClientConfig>, ServerName<'static>),
    /// HTTP/1.1 with a server in this process, which each call hands one end
    /// of a new pipe to: no network, no TLS.
    Pipe(Arc<dyn Fn() -> DuplexStream + Send + Sync>),
}

/// An upstream's place on the network.
pub struct Target {
    /// `host:port`.
    pub(super) address: String,
    speech: Speech,
    /// What the name stands for now.
    known: ArcSwap<Vec<SocketAddr>>,
    /// How many connections in a row could not be made.
    missed: AtomicU32,
    /// Held by who asks, so that requests do not ask all at once.
    asking: Mutex<()>,
    /// Connections of HTTP/2, shared by all requests.
    http2: http2::Shared,
}

impl Target {
    /// An upstream at `host:port`.
    pub fn new(address: String, speech: Speech) -> Target {
        let known = address.parse().ok().into_iter().collect();
        Target {
            address,
            speech,
            known: ArcSwap::from_pointee(known),
            missed: AtomicU32::new(0),
            asking: Mutex::default(),
            http2: http2::Shared::default(),
        }
    }

    /// How many connections in a row could not be made: nobody is there, or
    /// something is between.
    pub(super) fn missed(&self) -> u32 {
        self.missed.load(Ordering::Relaxed)
    }

    fn has_name(&self) -> bool {
        !matches!(self.speech, Speech::Pipe(_)) && self.address.parse::<SocketAddr>().is_err()
    }

    /// Asks what the name stands for; what was known stays if nobody answers.
    ///
    /// # Errors
    /// Those of the resolver, and `TimedOut` after [`RESOLVE_MAX`].
    pub(super) async fn resolve(&self) -> io::Result<()> {
        if !self.has_name() {
            return Ok(());
        }
        let _alone = self.asking.lock().await;
        self.ask_name().await
    }

    async fn ask_name(&self) -> io::Result<()> {
        let asked = timeout(RESOLVE_MAX, lookup_host(&self.address)).await;
        let found: Vec<_> = asked.map_err(|_| io::ErrorKind::TimedOut)??.take(ADDRESSES_MAX).collect();
        if !found.is_empty() {
            self.known.store(Arc::new(found));
        }
        Ok(())
    }

    /// What the name stands for; asked for by the first who needs it.
    async fn addresses(&self) -> io::Result<Arc<Vec<SocketAddr>>> {
        if self.known.load().is_empty() {
            let _alone = self.asking.lock().await;
            if self.known.load().is_empty() {
                self.ask_name().await?;
            }
        }
        Ok(self.known.load_full())
    }

    /// A connection, or for HTTP/2 a stream.
    pub(super) async fn connect(&self) -> io::Result<Io> {
        if let Some(spoken) = self.http2.stream().await {
            return Ok(Io::Http2(Box::new(spoken)));
        }
        match &self.speech {
            Speech::Pipe(open) => Ok(Io::Pipe(open())),
            Speech::Plain => Ok(Io::Plain(self.dial().await?)),
            Speech::PlainHttp2 => self.http2.begin(Io::Plain(self.dial().await?)).await,
            Speech::Tls(config, name) => {
                let stream = self.dial().await?;
                let tls = TlsConnector::from(config.clone()).connect(name.clone(), stream).await?;
                let is_http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
                let io = Io::Tls(Box::new(TlsStream::Client(tls)));
                if is_http2 { self.http2.begin(io).await } else { Ok(io) }
            }
        }
    }

    async fn dial(&self) -> io::Result<TcpStream> {
        let dialled = self.dial_each().await;
        match &dialled {
            Ok(_) => self.missed.store(0, Ordering::Relaxed),
            Err(_) => _ = self.missed.fetch_add(1, Ordering::Relaxed),
        }
        dialled
    }

    async fn dial_each(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.addresses().await?.iter() {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
