//! The generator's HTTP/1.1 client: kept connections over real TLS, as many
//! as are needed up to a limit. A request that finds all of them busy waits,
//! and its wait counts.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use super::tally::Flaw;
use crate::base::Problem;

/// Connections at once.
pub const CONNECTIONS_MAX: usize = 1024;
/// Bytes of an answer.
const ANSWER_MAX_BYTES: usize = 16 << 20;

/// A byte stream, encrypted or not.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Where requests go.
#[derive(Clone)]
pub struct Target {
    /// Host and port as the `Host` header has them.
    pub authority: String,
    /// Where it really is.
    pub address: SocketAddr,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Target {
    /// Plain HTTP.
    pub fn plain(authority: &str, address: SocketAddr) -> Target {
        Target { authority: authority.to_owned(), address, tls: None }
    }

    /// TLS; `root_pem` is an authority to trust besides the public ones.
    ///
    /// # Errors
    /// A root that is no certificate, or a host that is no name.
    pub fn tls(authority: &str, address: SocketAddr, root_pem: Option<&str>) -> Result<Target, Problem> {
        let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(root_pem.unwrap_or_default().as_bytes()) {
            let certificate = certificate.map_err(|error| unusable(&error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(&error.to_string()))?;
            count += 1;
        }
        if root_pem.is_some() && count == 0 {
            return Err(unusable("there is no certificate in it"));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Problem::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned()).map_err(|error| unusable(&error.to_string()))?;
        let tls = Some((TlsConnector::from(Arc::new(config)), name));
        Ok(Target { authority: authority.to_owned(), address, tls })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// [`Flaw::Connect`].
    pub async fn connect(&self) -> Result<Box<dyn Wire>, Flaw> {
        let stream = TcpStream::connect(self.address).await.map_err(|_| Flaw::Connect)?;
        let _ = stream.set_nodelay(true);
        Ok(match &self.tls {
            None => Box::new(stream),
            Some((tls, name)) => {
                Box::new(tls.connect(name.clone(), stream).await.map_err(|_| Flaw::Connect)?)
            }
        })
    }
}

fn unusable(why: &str) -> Problem {
    Problem::invalid(format!("the certificate authority cannot be used: {why}"))
        .hint("`--root FILE` takes one in PEM")
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// Itself, if it is a good one.
    ///
    /// # Errors
    /// [`Flaw::Status`].
    pub fn good(self) -> Result<Answer, Flaw> {
        if (200..400).contains(&self.status) { Ok(self) } else { Err(Flaw::Status(self.status)) }
    }

    /// Its body as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<serde_json::Value, Flaw> {
        serde_json::from_slice(&self.body).map_err(|_| Flaw::Wrong("not JSON"))
    }
}

/// A request that is to be sent.
#[derive(Debug, Clone)]
pub struct Ask {
    /// How.
    pub method: Method,
    /// What for.
    pub path: String,
    /// With which token.
    pub token: Option<String>,
    /// Further headers.
    pub headers: HeaderMap,
    /// With what.
    pub body: Bytes,
}

impl Ask {
    /// GET.
    pub fn get(path: impl Into<String>) -> Ask {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Ask { method: Method::GET, path: path.into(), token: None, headers, body }
    }

    /// POST of a body.
    pub fn post(path: impl Into<String>, content_type: &str, body: impl Into<Bytes>) -> Ask {
        let mut headers = HeaderMap::new();
        if let Ok(value) = content_type.parse() {
            headers.insert(CONTENT_TYPE, value);
        }
        Ask { method: Method::POST, body: body.into(), headers, ..Ask::get(path) }
    }

    /// As somebody.
    #[must_use]
    pub fn by(mut self, token: &str) -> Ask {
        self.token = Some(token.to_owned());
        self
    }
}

/// Cheap to clone; all clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    /// The one used last is used first, so that no more are open than needed.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    turns: Semaphore,
}

impl Client {
    /// One without connections yet.
    pub fn new(target: Target) -> Client {
        let (idle, turns) = (Mutex::default(), Semaphore::new(CONNECTIONS_MAX));
        Client { inner: Arc::new(Inner { target, idle, turns }) }
    }

    /// Where its requests go.
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// Sends a request and reads the whole answer, of whatever status.
    ///
    /// # Errors
    /// When no answer came, or too long a one.
    pub async fn send(&self, ask: &Ask) -> Result<Answer, Flaw> {
        let _turn = self.inner.turns.acquire().await.map_err(|_| Flaw::Dropped)?;
        let mut connection = self.connection().await?;
        let answer = connection.send_request(self.message(ask)?).await.map_err(|_| Flaw::Broken)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await.map_err(|_| Flaw::Broken)?;
        self.inner.idle.lock().push(connection);
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
    }

    fn message(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, Flaw> {
        let wrong = Flaw::Wrong("a request that cannot be written");
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(HOST, &self.inner.target.authority)
            .body(Full::new(ask.body.clone()))
            .map_err(|_| wrong.clone())?;
        if let Some(token) = &ask.token {
            let value = format!("Bearer {token}").parse().map_err(|_| wrong)?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        request.headers_mut().extend(ask.headers.clone());
        Ok(request)
    }

    async fn connection(&self) -> Result<SendRequest<Full<Bytes>>, Flaw> {
        loop {
            let Some(mut kept) = self.inner.idle.lock().pop() else { break };
            // One that the server has closed meanwhile is forgotten.
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
        let wire = self.inner.target.connect().await?;
        let (sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(|_| Flaw::Connect)?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
