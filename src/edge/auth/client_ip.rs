//! The address of whoever asks.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::domain::throttle::Source;
use crate::edge::AppState;
use crate::net::address::is_global_unicast;

/// Entries of `X-Forwarded-For` that are looked at, from the right.
const HOPS_MAX: usize = 16;

/// The client's address: that of the connection, or, where a trusted proxy
/// connects, the one it saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientIp(pub(crate) IpAddr);

impl ClientIp {
    /// As attempts are counted.
    pub(crate) fn source(self) -> Source {
        self.0.into()
    }

    /// As open streams are counted; `None` where the address is a private
    /// one: a proxy that we do not know of speaks for everyone.
    pub(crate) fn listener(self) -> Option<Source> {
        is_global_unicast(self.0).then(|| self.source())
    }
}

impl FromRequestParts<AppState> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<ClientIp, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        // Requests that did not come over a socket have no address (tests).
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_canonical();
        let is_proxy =
            |address: IpAddr| state.config.trusted_proxies.iter().any(|net| net.contains(&address));
        Ok(ClientIp(behind_proxies(peer, &parts.headers, is_proxy)))
    }
}

/// Walks `X-Forwarded-For` from the right, as long as whoever wrote an entry
/// is a trusted proxy. What is left of that anybody may have made up.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut address = peer;
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX) {
        if !is_proxy(address) {
            break;
        }
        match entry.trim().parse::<IpAddr>() {
            Ok(before) => address = before.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn streams_are_counted_for_public_addresses_by_network() {
        let listener = |text: &str| ClientIp(ip(text)).listener();
        assert!(listener("10.0.0.1").is_none() && listener("::1").is_none());
        assert!(listener("9.9.9.9").is_some());
        assert_eq!(listener("2a01:4f8:1:2::3"), listener("2a01:4f8:1:2:ffff::4"));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6, 203.0.113.7".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.2".parse().unwrap());
        let is_proxy = |a: IpAddr| matches!(a, IpAddr::V4(v4) if v4.octets()[0] == 10);
        assert_eq!(behind_proxies(ip("10.0.0.1"), &headers, is_proxy), ip("203.0.113.7"));
        assert_eq!(behind_proxies(ip("198.51.100.1"), &headers, is_proxy), ip("198.51.100.1"));
        headers.append("x-forwarded-for", "garbage".parse().unwrap());
        assert_eq!(behind_proxies(ip("10.0.0.1"), &headers, is_proxy), ip("10.0.0.1"));
    }
}
