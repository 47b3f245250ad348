//! `waxwing proxy`: what may be said.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use super::upstream::Upstream;
use crate::config::listen_addresses;
use crate::proxy::Policy;

/// Longest time for an answer, in seconds.
const TIMEOUT_MAX_S: f32 = 86_400.0;

/// How a proxy is set up.
#[derive(Debug, Args)]
pub struct ProxyArgs {
    /// Where to take requests: 127.0.0.1:8080, localhost:8080, or :8080 for every address; may be given several times.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: Vec<Listen>,
    /// A server that answers them: HOST:PORT, http://…, https://… or h2c://… (HTTP/2 in the clear), with `=WEIGHT` behind it if it should get more than the others.
    #[arg(long, value_name = "UPSTREAM", required = true)]
    pub to: Vec<Upstream>,
    /// Who picks: p2c, netflix, round_robin, weighted_round_robin, least_connections, weighted_least_connections, ip_hash, url_hash, least_response_time, sticky_cookie, join_shortest_queue, random or p2c_in_flight.
    #[arg(long, value_name = "NAME", default_value = "p2c")]
    pub policy: Policy,
    /// Threads that forward; one for each processor by default.
    #[arg(long, value_name = "COUNT")]
    pub workers: Option<usize>,
    /// Seconds a server may take until it answers.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub timeout: Duration,
    /// Bytes of a request's body.
    #[arg(long, value_name = "BYTES", default_value = "1073741824")]
    pub max_body: u64,
    /// A proxy before this one (an address or a range), whose Forwarded and X-Forwarded-For are believed.
    #[arg(long, value_name = "RANGE")]
    pub trust: Vec<IpNet>,
    /// What a server without traffic is asked, to learn whether it works.
    #[arg(long, value_name = "PATH", default_value = "/healthz")]
    pub health_path: String,
    /// Serve HTTPS with the certificate chain in this PEM file.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The PEM file of its private key.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// Trust the certificate authorities in this PEM file for https:// upstreams, in place of the public ones.
    #[arg(long, value_name = "FILE")]
    pub upstream_ca: Option<PathBuf>,
}

/// The addresses that one word names.
#[derive(Clone, Debug)]
pub struct Listen(pub Vec<SocketAddr>);

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        listen_addresses(text).map(Listen)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f32 = text.parse().map_err(|_| "it is not a number of seconds".to_owned())?;
    if (0.001..=TIMEOUT_MAX_S).contains(&seconds) {
        return Ok(Duration::from_secs_f32(seconds));
    }
    Err(format!("a time is between 0.001 and {TIMEOUT_MAX_S:.0} seconds"))
}
