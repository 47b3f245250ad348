//! What Waxwing runs with: one plain struct, every default filled in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::address::{Address, Origin};
use crate::base::RateLimits;
pub use crate::base::Registration;

/// Every setting, checked. Made by [`load`](super::load), printed by [`adapt`](super::adapt).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The first line of the file: what this server is called and how it is reached.
    pub address: Address,
    /// What others see: the start of every URL and id this server gives out.
    /// Its port is 0 when the system shall choose one; see [`Config::bound_to`].
    pub public_url: Origin,
    /// The operator's mail address, for the certificate authority and the instance page.
    pub email: Option<String>,
    /// The name of the place, as apps and pages show it.
    pub title: String,
    /// A sentence or two about the place; may be empty.
    pub description: String,
    /// A longer text about it.
    pub extended_description: Option<String>,
    /// Its rules, in their order.
    pub rules: Vec<String>,
    /// What becomes of people's data.
    pub privacy_policy: Option<String>,
    /// On which terms it may be used.
    pub terms_of_service: Option<Terms>,
    /// The mail server that takes our mails; without it, none are sent.
    pub mail: Option<Mail>,
    /// The sender of our mails: an address.
    pub mail_from: String,
    /// Who may sign up, once the owner account exists.
    pub registration: Registration,
    /// The folder of everything Waxwing writes; absolute.
    pub data: PathBuf,
    /// Where records live.
    pub store: StoreChoice,
    /// Where uploaded and cached files live.
    pub media: MediaChoice,
    /// Bytes of files of other servers that are kept.
    pub media_cache_bytes: u64,
    /// How long such a file is kept that nobody asks for.
    pub media_cache_age: Duration,
    /// This node among others that share the store.
    pub node: Node,
    /// Bytes of memory the store may use as a cache.
    pub store_cache_bytes: u64,
    /// Where HTTPS is served, or plain HTTP when `tls` is [`Tls::Off`]. Never empty.
    /// An unspecified IPv6 address (`[::]`) stands for every address of the machine, IPv4 too.
    /// One of several may be skipped when the machine lacks that address family.
    pub listen: Vec<SocketAddr>,
    /// Where plain HTTP is redirected and HTTP-01 challenges are answered; may be empty.
    pub listen_http: Vec<SocketAddr>,
    /// The port tried where `listen` is refused (no permission, or in use).
    pub fallback_port: Option<u16>,
    /// How HTTPS gets its certificate.
    pub tls: Tls,
    /// From whom `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The loopback listener with `/metrics` and `/healthz`; when taken, a warning, not a failure.
    pub admin: Option<SocketAddr>,
    /// How log lines look.
    pub log: LogFormat,
    /// The least important lines that are logged.
    pub log_level: LogLevel,
    /// The client for everything Waxwing fetches and sends.
    pub outbound: Outbound,
    /// Which federation documents ask for a signed request.
    pub authorized_fetch: AuthorizedFetch,
    /// With which servers this one federates.
    pub federation: Federation,
    /// Limits of the queue.
    pub delivery: Delivery,
    /// How often things may be done.
    pub rate_limits: RateLimits,
    /// How long open requests and deliveries may take to end when the server stops.
    pub stop_timeout: Duration,
    /// Nothing leaves this server; what it would have sent is kept to look at.
    /// No directive sets it: `waxwing sandbox` does.
    pub is_sandbox: bool,
}

impl Config {
    /// Which documents ask for a signed request. With an allow-list all do:
    /// whoever does not say who it is is not welcome.
    pub fn fetch_rule(&self) -> AuthorizedFetch {
        match self.federation {
            Federation::Open => self.authorized_fetch,
            Federation::AllowList => AuthorizedFetch::Strict,
        }
    }

    /// The same with the port that the first listener really got.
    ///
    /// Call it when `listen` asked for port 0 or when `fallback_port` was taken:
    /// the public URL then names that port. A public URL that says otherwise on
    /// purpose (a port forwarded by a router) stays.
    #[must_use]
    pub fn bound_to(mut self, port: u16) -> Config {
        let fell_back = self.fallback_port == Some(port) && self.listen.iter().all(|a| a.port() != port);
        if fell_back || self.public_url.port == Some(0) {
            self.public_url = self.public_url.with_port(port);
        }
        self
    }
}

/// On which terms the place may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// From when on, as `2026-01-01`.
    pub effective_date: String,
    /// Plain text.
    pub text: String,
}

/// Where records live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// One redb file; absolute.
    Redb(PathBuf),
    /// A PostgreSQL database, for one node or many.
    Postgres(Database),
    /// Nothing is kept; for trying out and for tests.
    Memory,
}

/// A PostgreSQL database and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// Its address as it was written, the password included.
    pub url: String,
}

/// Without the password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database(postgres://…)")
    }
}

/// A node among others; of no meaning where the store is not shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where the other nodes are listened to.
    pub listen: Vec<SocketAddr>,
    /// Another free port will do.
    pub may_move: bool,
    /// Where the others reach it: host and port. Without it, the machine's
    /// own address and the port that is listened on.
    pub address: Option<String>,
    /// The others, by hand: host and port. When empty, they find each other
    /// in the store.
    pub peers: Vec<String>,
    /// How the node that answers a request is chosen; one of [`BALANCE`](super::BALANCE).
    pub balance: &'static str,
}

/// Where files live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaChoice {
    /// A folder; absolute.
    Folder(PathBuf),
    /// Nothing is kept; for trying out and for tests.
    Memory,
    /// A bucket that speaks S3.
    S3(Box<S3>),
}

/// A bucket that speaks S3, and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct S3 {
    /// The bucket's name.
    pub bucket: String,
    /// What the names of all files begin with; may be empty.
    pub prefix: String,
    /// Where to ask; without it, Amazon's for the region.
    pub endpoint: Option<Url>,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub access_key: String,
    /// Their secret.
    pub secret_key: String,
    /// Whether the bucket is named in the path, not in the host.
    pub is_path_style: bool,
    /// All of it as it was written.
    pub written: String,
}

/// Without the secret.
impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "S3 {{ bucket: {:?}, prefix: {:?}, endpoint: {:?} }}",
            self.bucket, self.prefix, self.endpoint
        )
    }
}

/// A mail server that takes our mails, and how to get in.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its name or address; IPv6 in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is protected.
    pub security: MailSecurity,
    /// User and password.
    pub login: Option<(String, String)>,
    /// All of it as it was written.
    pub written: String,
}

/// Without user and password.
impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mail { host, port, security, .. } = self;
        write!(f, "Mail {{ host: {host:?}, port: {port}, security: {security:?} }}")
    }
}

/// How the way to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// Not at all: it is this machine.
    None,
    /// By STARTTLS, or no mail is sent (RFC 3207).
    StartTls,
    /// By TLS from the start (RFC 8314).
    Tls,
}

/// How HTTPS gets its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Plain HTTP; someone in front ends TLS.
    Off,
    /// A certificate authority of our own, made on the first run and kept in the data folder.
    Internal,
    /// A public (or private) certificate authority that speaks ACME (RFC 8555).
    Acme(Acme),
    /// PEM files that somebody else renews.
    Files {
        /// The certificate chain, leaf first.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// How certificates are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The directory resource (RFC 8555 section 7.1.1).
    pub directory: Url,
    /// A PEM file with the authority that the directory's own certificate comes from, if not a public one.
    pub root: Option<PathBuf>,
    /// The proofs to try, best first. Never empty.
    pub challenges: Vec<Challenge>,
}

/// How a certificate authority sees that the name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Challenge {
    /// TLS-ALPN-01 on the HTTPS listener (RFC 8737).
    TlsAlpn,
    /// HTTP-01 on the plain listener (RFC 8555 section 8.3).
    Http,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least important lines that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogLevel {
    /// Wakes someone.
    Error,
    /// Healed itself.
    Warn,
    /// Notable events.
    Info,
    /// For finding a fault.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word, as `tracing` and the config file spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// The client for everything Waxwing fetches and sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outbound {
    /// Host names that may be reached although their address is private; lower case.
    pub allow_hosts: Vec<String>,
    /// Address ranges that may be reached although they are private.
    pub allow_ranges: Vec<IpNet>,
    /// A PEM file with authorities trusted besides the public ones.
    pub root: Option<PathBuf>,
}

/// Which federation documents ask for a signed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorizedFetch {
    /// None.
    Off,
    /// All but those of public posts.
    Public,
    /// All but the instance actor.
    Strict,
}

/// With which servers this one federates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Federation {
    /// With all that are not blocked.
    Open,
    /// With those that are explicitly welcome (`/api/v1/admin/domain_allows`),
    /// and names below theirs.
    AllowList,
}

/// Limits of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Deliveries under way at once, all destinations together.
    pub slots: usize,
    /// The whole time one attempt may take.
    pub timeout: Duration,
}

/// Every address of the machine, at this port.
pub(crate) fn everywhere(port: u16) -> Vec<SocketAddr> {
    vec![SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)]
}

/// This machine only, at this port.
pub(crate) fn loopback(port: u16) -> Vec<SocketAddr> {
    // Port 0 gives each socket a port of its own, and the public URL can name only one.
    let v4 = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let v6 = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port);
    if port == 0 { vec![v4] } else { vec![v4, v6] }
}
