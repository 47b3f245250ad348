//! The one outbound HTTP client, for every fetch and delivery.
//!
//! It asks only `https` URLs on public addresses (or what the operator
//! allows), follows few redirects and only for GET, reads only as much as the
//! caller takes, and never waits for ever. It speaks HTTP/1.1, as nearly all
//! fediverse servers do: HTTP/2 would add the attack surface of a second
//! protocol for peers that get one request now and then. It asks for no
//! compression, so that a small answer cannot unpack into a huge one.
//!
//! Signing is the caller's: a [`Sign`] closure is run for each hop, so a
//! signature made for one host is never carried to another.

mod connect;
mod error;
pub mod outbox;
mod target;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_LENGTH, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::{Host, Url};

use super::address::{Allow, is_global_unicast};
use crate::base::{Problem, limits};
pub use connect::{ADDRESSES_MAX, LOOKUPS_MAX, Resolver, SystemResolver};
use connect::{Guarded, Timed};
pub use error::{Blame, FetchError, Step};
use outbox::Outbox;
pub use target::{URL_MAX_BYTES, parse as parse_url};

/// Redirects followed for a GET (Mastodon's `max_hops`).
pub const REDIRECTS_MAX: usize = 3;
/// Bytes kept of the body of an answer that is not 2xx.
pub const ERROR_BODY_MAX_BYTES: usize = 16 * 1024;
/// Bytes of the head of an answer.
pub const HEAD_MAX_BYTES: usize = 64 * 1024;
/// Header lines of an answer.
pub const HEADERS_MAX: usize = 100;
/// Requests under way at once; more wait, within their own deadline.
pub const REQUESTS_MAX: usize = 512;
/// Idle connections kept per host.
const IDLE_PER_HOST_MAX: usize = 8;
/// How long an idle connection is kept.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Resolving a name.
    pub dns: Duration,
    /// TCP and TLS, with the name that is resolved for it.
    pub connect: Duration,
    /// From the request sent to the head of the answer.
    pub headers: Duration,
    /// Between two pieces of the body.
    pub read: Duration,
    /// Everything, redirects included (Mastodon's `PerOperationWithDeadline`).
    pub total: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times {
            dns: Duration::from_secs(2),
            connect: Duration::from_secs(5),
            headers: Duration::from_secs(10),
            read: Duration::from_secs(10),
            total: Duration::from_secs(30),
        }
    }
}

/// What a [`Client`] is made from.
pub struct ClientSettings {
    /// Our own host, with the port if it is not 443; named in `User-Agent` and
    /// never asked.
    pub host: String,
    /// What may be asked besides the public internet.
    pub allow: Allow,
    /// Certificate authorities trusted besides the public ones, in PEM.
    pub extra_roots_pem: Vec<u8>,
    /// Limits of time.
    pub times: Times,
    /// Names to addresses.
    pub resolver: Arc<dyn Resolver>,
    /// Of a sandbox: where everything is kept in place of being sent.
    pub outbox: Option<Outbox>,
}

impl ClientSettings {
    /// The defaults for a server of this name: public internet only.
    pub fn new(host: impl Into<String>) -> ClientSettings {
        ClientSettings {
            host: host.into(),
            allow: Allow::default(),
            extra_roots_pem: Vec::new(),
            times: Times::default(),
            resolver: Arc::new(SystemResolver::default()),
            outbox: None,
        }
    }
}

/// Puts a signature on one hop: gets the method, the URL and the headers
/// (`Host` is set already) and adds what it needs. Also run for each redirect.
pub type Sign =
    Arc<dyn Fn(&Method, &Url, &mut HeaderMap) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync>;

/// A request to send.
#[derive(Clone)]
pub struct Outgoing {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    answer_max_bytes: usize,
    may_cut: bool,
    times: Option<Times>,
    sign: Option<Sign>,
}

impl Outgoing {
    /// A GET.
    pub fn get(url: impl Into<String>) -> Outgoing {
        Outgoing {
            method: Method::GET,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            answer_max_bytes: limits::ACTIVITY_MAX_BYTES,
            may_cut: false,
            times: None,
            sign: None,
        }
    }

    /// A POST with its body.
    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Outgoing {
        let mut request = Outgoing::get(url);
        request.method = Method::POST;
        request.body = body.into();
        request.answer_max_bytes = ERROR_BODY_MAX_BYTES;
        request
    }

    /// Sets a header. Of these only `Accept` survives a redirect.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Outgoing {
        self.headers.insert(name, value);
        self
    }

    /// Sets `Accept`.
    #[must_use]
    pub fn accept(self, types: &'static str) -> Outgoing {
        self.header(ACCEPT, HeaderValue::from_static(types))
    }

    /// Signs each hop.
    #[must_use]
    pub fn sign(mut self, sign: Sign) -> Outgoing {
        self.sign = Some(sign);
        self
    }

    /// How many bytes of a good answer are taken (default: 1 MiB for GET,
    /// 16 KiB for POST).
    #[must_use]
    pub fn answer_max_bytes(mut self, max_bytes: usize) -> Outgoing {
        self.answer_max_bytes = max_bytes;
        self
    }

    /// Takes the beginning of a longer answer instead of refusing it.
    #[must_use]
    pub fn cut(mut self) -> Outgoing {
        self.may_cut = true;
        self
    }

    /// Other limits of time for this request.
    #[must_use]
    pub fn times(mut self, times: Times) -> Outgoing {
        self.times = Some(times);
        self
    }
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status; 2xx unless it comes in [`FetchError::Status`].
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Where it came from after redirects: the origin whose word it is.
    pub url: Url,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let text = self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        Some(text.split(';').next()?.trim().to_ascii_lowercase())
    }

    /// The `charset` of its media type, as written.
    pub fn charset(&self) -> Option<String> {
        let text = self.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        let mut parameters = text.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
        Some(value.trim().trim_matches('"').to_owned())
    }
}

type Pool = legacy::Client<Timed<HttpsConnector<Guarded>>, Full<Bytes>>;

/// The outbound client; cheap to clone, keeps connections for reuse.
#[derive(Clone)]
pub struct Client {
    pool: Pool,
    own: Arc<str>,
    allow: Arc<Allow>,
    times: Times,
    user_agent: HeaderValue,
    slots: Arc<Semaphore>,
    outbox: Option<Outbox>,
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// When the extra roots are not PEM certificates, or the host is no host.
    pub fn new(settings: ClientSettings) -> Result<Client, Problem> {
        let allow = Arc::new(settings.allow);
        let guarded = Guarded {
            resolver: settings.resolver,
            allow: allow.clone(),
            dns: settings.times.dns,
            connect: settings.times.connect,
        };
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(client_tls(&settings.extra_roots_pem)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(guarded);
        let limit = settings.times.connect;
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http1_max_buf_size(HEAD_MAX_BYTES)
            .http1_max_headers(HEADERS_MAX)
            .build(Timed { inner: https, limit });
        let user_agent = format!("Waxwing/{} (+https://{}/)", env!("CARGO_PKG_VERSION"), settings.host);
        Ok(Client {
            pool,
            own: settings.host.to_ascii_lowercase().into(),
            allow,
            times: settings.times,
            user_agent: HeaderValue::from_str(&user_agent)
                .map_err(|_| Problem::invalid(format!("`{}` is not a host name", settings.host)))?,
            slots: Arc::new(Semaphore::new(REQUESTS_MAX)),
            outbox: settings.outbox,
        })
    }

    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// [`FetchError`]; every answer that is not 2xx is one.
    pub async fn send(&self, request: Outgoing) -> Result<Answer, FetchError> {
        if let Some(outbox) = &self.outbox {
            return keep(outbox, request);
        }
        let times = request.times.unwrap_or(self.times);
        let sent = match timeout(times.total, self.follow(&request, times)).await {
            Ok(sent) => sent,
            Err(_) => Err(FetchError::Timeout(Step::Total)),
        };
        let outcome = sent.as_ref().map_or_else(FetchError::label, |_| "ok");
        metrics::counter!("waxwing_outbound_requests_total", "outcome" => outcome).increment(1);
        sent
    }

    /// Whether a URL names what may be asked, as far as can be told before a
    /// name is resolved: no private address, and plain http and names of this
    /// machine only where the operator allows them.
    pub fn may_ask(&self, url: &Url) -> bool {
        let is_https = url.scheme() == "https";
        match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                let is_ours = name == "localhost" || name.ends_with(".localhost");
                self.allow.covers_host(name) || (is_https && !is_ours)
            }
            Some(Host::Ipv4(address)) => self.covers(address.into(), is_https),
            Some(Host::Ipv6(address)) => self.covers(address.into(), is_https),
            None => false,
        }
    }

    fn covers(&self, address: IpAddr, is_https: bool) -> bool {
        self.allow.covers_address(address) || (is_https && is_global_unicast(address))
    }

    /// What a sandbox would have sent; `None` on a real server.
    pub fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }

    async fn follow(&self, request: &Outgoing, times: Times) -> Result<Answer, FetchError> {
        let _slot = self.slots.acquire().await.map_err(|_| FetchError::Busy)?;
        let mut url = target::parse(&request.url)?;
        for hop in 0..=REDIRECTS_MAX {
            let response = self.hop(request, &url, hop, times).await?;
            if !is_redirect(response.status()) {
                return read_answer(request, url, response, times).await;
            }
            if request.method != Method::GET {
                return Err(FetchError::Redirected(response.status()));
            }
            url = next_url(&url, response.headers())?;
        }
        Err(FetchError::TooManyRedirects)
    }

    async fn hop(
        &self,
        request: &Outgoing,
        url: &Url,
        hop: usize,
        times: Times,
    ) -> Result<http::Response<Incoming>, FetchError> {
        self.refuse_own(url)?;
        let mut headers = if hop == 0 { request.headers.clone() } else { accept_only(&request.headers) };
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.insert(HOST, host_header(url)?);
        if let Some(sign) = &request.sign {
            sign(&request.method, url, &mut headers).map_err(FetchError::Sign)?;
        }
        let mut message = http::Request::new(Full::new(request.body.clone()));
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = url.as_str().parse().map_err(|_| FetchError::Url("not a URL"))?;
        *message.headers_mut() = headers;
        // Connecting has its own, shorter limits; this one adds up to both.
        let limit = times.connect + times.headers;
        match timeout(limit, self.pool.request(message)).await {
            Ok(response) => response.map_err(|error| explain(&error)),
            Err(_) => Err(FetchError::Timeout(Step::Headers)),
        }
    }

    /// Our own objects are in the store; asking ourselves could only loop.
    /// Another port of our host is someone else when the operator allows it.
    fn refuse_own(&self, url: &Url) -> Result<(), FetchError> {
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        let (own_host, own_port) = split_port(&self.own);
        let is_own_port = url.port_or_known_default() == Some(own_port);
        let is_allowed = !self.allow.is_empty() && !is_own_port;
        if host == own_host && !is_allowed { Err(FetchError::OwnHost) } else { Ok(()) }
    }
}

fn split_port(own: &str) -> (&str, u16) {
    match own.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().unwrap_or(443)),
        _ => (own, 443),
    }
}

/// In a sandbox everything that is sent arrives, and nothing that is asked
/// for exists.
fn keep(outbox: &Outbox, request: Outgoing) -> Result<Answer, FetchError> {
    let url = target::parse(&request.url)?;
    outbox.keep(&request.method, url.clone(), &request.headers, request.body);
    if request.method == Method::GET {
        return Err(FetchError::Dns(std::io::Error::other("a sandbox asks nobody")));
    }
    Ok(Answer { status: StatusCode::ACCEPTED, headers: HeaderMap::new(), url, body: Bytes::new() })
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Other headers may be meant for the first host only.
fn accept_only(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::new();
    if let Some(accept) = headers.get(ACCEPT) {
        kept.insert(ACCEPT, accept.clone());
    }
    kept
}

fn host_header(url: &Url) -> Result<HeaderValue, FetchError> {
    let host = url.host_str().ok_or(FetchError::Url("no host"))?;
    let text = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    HeaderValue::from_str(&text).map_err(|_| FetchError::Url("no host"))
}

fn next_url(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let location = headers.get(LOCATION).ok_or(FetchError::BadRedirect("no Location"))?;
    let location = location.to_str().map_err(|_| FetchError::BadRedirect("Location is not text"))?;
    if location.len() > URL_MAX_BYTES || location.contains('\\') {
        return Err(FetchError::BadRedirect("Location is not a URL"));
    }
    let url = from.join(location).map_err(|_| FetchError::BadRedirect("Location is not a URL"))?;
    let url = target::check(url).map_err(|_| FetchError::BadRedirect("Location is not an https URL"))?;
    if from.scheme() == "https" && url.scheme() != "https" {
        return Err(FetchError::BadRedirect("from https to http"));
    }
    Ok(url)
}

async fn read_answer(
    request: &Outgoing,
    url: Url,
    response: http::Response<Incoming>,
    times: Times,
) -> Result<Answer, FetchError> {
    let (head, body) = response.into_parts();
    let is_good = head.status.is_success();
    if is_good && is_encoded(&head.headers) {
        return Err(FetchError::Encoded);
    }
    let max_bytes = if is_good { request.answer_max_bytes } else { ERROR_BODY_MAX_BYTES };
    let must_fit = is_good && !request.may_cut;
    if must_fit && announced_bytes(&head.headers).is_some_and(|bytes| bytes > max_bytes as u64) {
        return Err(FetchError::TooLarge(max_bytes));
    }
    let body = match read_body(body, max_bytes, times.read).await {
        Ok(Read { is_cut: true, .. }) if must_fit => return Err(FetchError::TooLarge(max_bytes)),
        Ok(read) => read.bytes,
        // The status says enough when the rest of a refusal does not come.
        Err(_) if !is_good => Bytes::new(),
        Err(error) => return Err(error),
    };
    let answer = Answer { status: head.status, headers: head.headers, url, body };
    if is_good { Ok(answer) } else { Err(FetchError::Status(Box::new(answer))) }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

struct Read {
    bytes: Bytes,
    is_cut: bool,
}

async fn read_body(mut body: Incoming, max_bytes: usize, read: Duration) -> Result<Read, FetchError> {
    let mut bytes = bytes::BytesMut::new();
    while !body.is_end_stream() {
        let frame = timeout(read, body.frame()).await.map_err(|_| FetchError::Timeout(Step::Body))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|error| FetchError::Protocol(error.into()))?;
        let Ok(piece) = frame.into_data() else { continue };
        let room = max_bytes - bytes.len();
        if piece.len() > room {
            bytes.extend_from_slice(&piece[..room]);
            return Ok(Read { bytes: bytes.freeze(), is_cut: true });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Read { bytes: bytes.freeze(), is_cut: false })
}

/// Finds our own word for a failure that comes wrapped in others.
fn explain(error: &legacy::Error) -> FetchError {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(known) = inner.downcast_ref::<FetchError>() {
            return known.copied();
        }
        if let Some(tls) = tls_error(inner) {
            return FetchError::Tls(tls.to_string());
        }
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>()
            && hyper.is_parse_too_large()
        {
            return FetchError::HeadTooLarge;
        }
        cause = inner.source();
    }
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    if error.is_connect() { FetchError::Tls(text) } else { FetchError::Protocol(text.into()) }
}

/// A TLS error inside any number of I/O errors (whose `source` skips it).
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    tls_error(inner)
}

pub(in crate::net) fn client_tls(extra_roots_pem: &[u8]) -> Result<rustls::ClientConfig, Problem> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for root in CertificateDer::pem_slice_iter(extra_roots_pem) {
        let root = root.map_err(|error| bad_roots(error.to_string()))?;
        roots.add(root).map_err(|error| bad_roots(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Problem::internal)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn bad_roots(why: String) -> Problem {
    Problem::invalid(format!("extra certificate authorities not read: {why}"))
        .hint("Give a file of certificates in PEM form (`-----BEGIN CERTIFICATE-----`).")
}
