//! What a file asks for, each value checked by itself, before they are seen together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::address::{Address, Origin};
use super::settings::{
    AuthorizedFetch, Challenge, Database, Federation, LogFormat, LogLevel, Mail, MediaChoice, Outbound,
    Registration, Terms,
};
use crate::base::RateLimits;

/// One field for each directive. `None` means that it was not written, or was wrong and complained about.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) address: Option<Address>,
    pub(crate) public_url: Option<Origin>,
    pub(crate) email: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    pub(crate) extended_description: Option<String>,
    pub(crate) rules: Vec<String>,
    pub(crate) privacy_policy: Option<String>,
    pub(crate) terms_of_service: Option<Terms>,
    pub(crate) registration: Option<Registration>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) store: Option<WantedStore>,
    pub(crate) mail: Option<Mail>,
    pub(crate) mail_from: Option<String>,
    pub(crate) media: Option<MediaChoice>,
    pub(crate) media_cache_bytes: u64,
    pub(crate) media_cache_age: Duration,
    pub(crate) store_cache_bytes: u64,
    pub(crate) node_listen: Option<Vec<SocketAddr>>,
    pub(crate) node_address: Option<String>,
    pub(crate) peers: Vec<String>,
    pub(crate) balance: Option<&'static str>,
    pub(crate) listen: Option<Vec<SocketAddr>>,
    pub(crate) listen_http: Option<Vec<SocketAddr>>,
    pub(crate) fallback_port: Option<Option<u16>>,
    pub(crate) tls: Option<WantedTls>,
    pub(crate) acme: Option<Vec<Challenge>>,
    pub(crate) acme_directory: Option<Url>,
    pub(crate) acme_root: Option<PathBuf>,
    pub(crate) trusted_proxies: Option<Vec<IpNet>>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) log: Option<LogFormat>,
    pub(crate) log_level: Option<LogLevel>,
    pub(crate) outbound: Outbound,
    pub(crate) authorized_fetch: Option<AuthorizedFetch>,
    pub(crate) federation: Option<Federation>,
    pub(crate) delivery_slots: u64,
    pub(crate) delivery_timeout: Duration,
    pub(crate) stop_timeout: Duration,
    pub(crate) rate_limits: Option<RateLimits>,
}

/// Where records live; the path is not yet absolute.
#[derive(Debug, Clone)]
pub(crate) enum WantedStore {
    File(PathBuf),
    Postgres(Database),
    Memory,
}

/// Where the certificate comes from; paths are not yet absolute.
#[derive(Debug, Clone)]
pub(crate) enum WantedTls {
    Off,
    Internal,
    Acme,
    Files { cert: PathBuf, key: PathBuf },
}
