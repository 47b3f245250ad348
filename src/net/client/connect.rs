//! Name → addresses → check → connection, with nothing in between that could
//! change the answer: the address that is checked is the one that is dialled.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::{FetchError, Step};
use crate::net::address::{Allow, is_global_unicast};

/// Addresses tried of one name.
pub const ADDRESSES_MAX: usize = 6;
/// Look-ups that wait for the system's resolver at once. Each holds a thread.
pub const LOOKUPS_MAX: usize = 64;
/// Head start of one address before the next is tried too (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// Turns names into addresses.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of `host`, best first.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is no such name, any other when
    /// the resolver is in trouble.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The operating system's resolver.
pub struct SystemResolver {
    slots: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver { slots: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let slot = self.slots.clone().acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        // The slot goes with the thread, not with the waiter: a look-up that
        // was given up still occupies its thread.
        let lookup = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            (host.as_str(), 0).to_socket_addrs().map(|found| found.map(|a| a.ip()).collect())
        });
        lookup.await.map_err(io::Error::other)?.map_err(tell_apart)
    }
}

/// What C libraries and Windows say of a name that does not exist. The
/// standard library keeps no more of `getaddrinfo`'s answer than its words.
const NO_SUCH_NAME: [&str; 6] = [
    "Name or service not known",
    "No address associated with",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided",
    "No such host is known",
];

/// Gives the failures of a look-up the kinds that [`Resolver`] promises.
fn tell_apart(error: io::Error) -> io::Error {
    let words = error.to_string();
    let is_gone = NO_SUCH_NAME.iter().any(|known| words.contains(known));
    match (is_gone, error.kind()) {
        (true, _) => io::Error::new(io::ErrorKind::NotFound, words),
        (false, io::ErrorKind::NotFound) => io::Error::other(words),
        (false, _) => error,
    }
}

/// The connector below TLS.
#[derive(Clone)]
pub(super) struct Guarded {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) allow: Arc<Allow>,
    pub(super) dns: Duration,
    pub(super) connect: Duration,
}

impl Guarded {
    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, FetchError> {
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_https = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let addresses = self.addresses(host).await?;
        let addresses = permitted(&self.allow, host, is_https, addresses)?;
        let dialled = timeout(self.connect, dial(addresses, port)).await;
        let stream = dialled.map_err(|_| FetchError::Timeout(Step::Connect))?.map_err(FetchError::Connect)?;
        stream.set_nodelay(true).map_err(FetchError::Connect)?;
        Ok(TokioIo::new(stream))
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        if let Ok(literal) = host.parse() {
            return Ok(vec![literal]);
        }
        let found = timeout(self.dns, self.resolver.resolve(host)).await;
        found.map_err(|_| FetchError::Timeout(Step::Dns))?.map_err(FetchError::Dns)
    }
}

/// Keeps the addresses that may be dialled. Plain HTTP is only for what the
/// operator allowed by name or range.
pub(super) fn permitted(
    allow: &Allow,
    host: &str,
    is_https: bool,
    addresses: Vec<IpAddr>,
) -> Result<Vec<IpAddr>, FetchError> {
    let named = allow.covers_host(host);
    let may = |address: &IpAddr| {
        named || allow.covers_address(*address) || (is_https && is_global_unicast(*address))
    };
    let first = addresses.first().copied();
    let kept: Vec<IpAddr> = addresses.into_iter().filter(may).take(ADDRESSES_MAX).collect();
    match (kept.is_empty(), first) {
        (false, _) => Ok(kept),
        (true, None) => Err(FetchError::Dns(io::Error::new(io::ErrorKind::NotFound, "no addresses"))),
        (true, Some(address)) if !is_https && is_global_unicast(address) => {
            Err(FetchError::Url("plain http is only for allowed hosts"))
        }
        (true, Some(address)) => Err(FetchError::Refused(address)),
    }
}

/// Connects to the first address that answers; a silent one does not hold up
/// the next (RFC 8305, simplified).
async fn dial(addresses: Vec<IpAddr>, port: u16) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut tries = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "no addresses");
    loop {
        match waiting.next() {
            Some(address) => tries.push(TcpStream::connect(SocketAddr::new(address, port))),
            None if tries.is_empty() => return Err(failure),
            None => {}
        }
        let stagger = tokio::time::sleep(STAGGER);
        tokio::select! {
            Some(tried) = tries.next() => match tried {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            },
            () = stagger, if waiting.len() > 0 => {}
        }
    }
}

impl tower::Service<Uri> for Guarded {
    type Response = TokioIo<TcpStream>;
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, FetchError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Bounds TCP and TLS together.
#[derive(Clone)]
pub(super) struct Timed<C> {
    pub(super) inner: C,
    pub(super) limit: Duration,
}

impl<C> tower::Service<Uri> for Timed<C>
where
    C: tower::Service<Uri>,
    C::Future: Send + 'static,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = C::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let limit = self.limit;
        Box::pin(async move {
            match timeout(limit, connecting).await {
                Ok(done) => done.map_err(Into::into),
                Err(_) => Err(FetchError::Timeout(Step::Connect).into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_gone_is_told_from_a_resolver_in_trouble() {
        for (words, is_gone) in [
            ("failed to lookup address information: Name or service not known", true),
            ("failed to lookup address information: No address associated with hostname", true),
            ("failed to lookup address information: Temporary failure in name resolution", false),
            ("failed to lookup address information: Non-recoverable failure in name resolution", false),
            ("failed to lookup address information: Try again", false),
            ("No such host is known. (os error 11001)", true),
        ] {
            let kind = tell_apart(io::Error::other(words)).kind();
            assert_eq!(kind == io::ErrorKind::NotFound, is_gone, "{words}");
        }
    }
}
