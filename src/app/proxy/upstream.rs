//! An upstream as the command line names it.

use std::str::FromStr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::base::Problem;
use crate::proxy::forward::{Route, Speech, Target};
use crate::proxy::{Place, StickyKey, WEIGHT_MAX};

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    scheme: Scheme,
    host: String,
    port: u16,
    weight: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    H2c,
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Upstream, String> {
        let (address, weight) = match text.rsplit_once('=') {
            Some((address, weight)) => (address, weight.parse().unwrap_or(0)),
            None => (text, 1),
        };
        if !(1..=WEIGHT_MAX).contains(&weight) {
            return Err(format!("the weight in `{text}` must be a number from 1 to {WEIGHT_MAX}"));
        }
        let (scheme, rest) = match address.split_once("://") {
            None => (Scheme::Http, address),
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("h2c", rest)) => (Scheme::H2c, rest),
            Some((other, _)) => {
                return Err(format!("`{other}://` is not known; there are http, https and h2c"));
            }
        };
        let (host, port) = host_and_port(rest.trim_end_matches('/'), scheme)
            .ok_or_else(|| format!("`{text}` is not HOST:PORT; a path cannot be given"))?;
        Ok(Upstream { scheme, host: host.to_owned(), port, weight })
    }
}

fn host_and_port(text: &str, scheme: Scheme) -> Option<(&str, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ if scheme == Scheme::Https => (text, 443),
        _ if scheme == Scheme::Http && text.contains('.') => (text, 80),
        _ => return None,
    };
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    is_host.then_some((host, port))
}

impl Upstream {
    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// As the proxy takes it. `key` makes the numbers of sticky cookies.
    ///
    /// # Errors
    /// If its host is no name that a certificate can have.
    pub(super) fn route(&self, key: &StickyKey, tls: &Arc<ClientConfig>) -> Result<Route, Problem> {
        let address = self.address();
        let speech = match self.scheme {
            Scheme::Http => Speech::Plain,
            Scheme::H2c => Speech::PlainHttp2,
            Scheme::Https => {
                let bare = self.host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(bare).map_err(|error| {
                    Problem::invalid(format!("`{address}` cannot be asked over TLS: {error}"))
                })?;
                Speech::Tls(tls.clone(), name)
            }
        };
        let place = Place { name: address.clone().into(), weight: self.weight, sticky: key.number(&address) };
        Ok(Route { place, target: Target::new(address, speech) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_read() {
        let read = |text: &str| text.parse::<Upstream>().map(|u| (u.scheme, u.address(), u.weight)).ok();
        assert_eq!(read("a:1"), Some((Scheme::Http, "a:1".into(), 1)));
        assert_eq!(read("127.0.0.1:80=3"), Some((Scheme::Http, "127.0.0.1:80".into(), 3)));
        assert_eq!(read("[::1]:80"), Some((Scheme::Http, "[::1]:80".into(), 1)));
        assert_eq!(read("https://a.example/"), Some((Scheme::Https, "a.example:443".into(), 1)));
        assert_eq!(read("h2c://a:5"), Some((Scheme::H2c, "a:5".into(), 1)));
        for wrong in
            ["", "a", ":1", "a:99999", "a:1/x", "ftp://a:1", "a:1=0", "a:1=x", "a b:1", "[x]:1", "u@a:1"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
