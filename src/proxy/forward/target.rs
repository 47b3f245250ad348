//! Where an upstream is, and making a connection to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::DuplexStream;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::{TlsConnector, TlsStream};

use super::http2;
use super::io::Io;

/// Addresses of one name.
const ADDRESSES_MAX: usize = 16;

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
    /// Connections of HTTP/2, shared by all requests.
    http2: http2::Shared,
}

impl Target {
    /// An upstream at `host:port`.
    pub fn new(address: String, speech: Speech) -> Target {
        let known = address.parse().ok().into_iter().collect();
        Target { address, speech, known: ArcSwap::from_pointee(known), http2: http2::Shared::default() }
    }

    /// Asks what the name stands for; what was known stays if nobody answers.
    ///
    /// # Errors
    /// Those of the resolver.
    pub async fn resolve(&self) -> io::Result<()> {
        if matches!(self.speech, Speech::Pipe(_)) || self.address.parse::<SocketAddr>().is_ok() {
            return Ok(());
        }
        let found: Vec<_> = lookup_host(&self.address).await?.take(ADDRESSES_MAX).collect();
        if !found.is_empty() {
            self.known.store(Arc::new(found));
        }
        Ok(())
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
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in self.known.load_full().iter() {
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
