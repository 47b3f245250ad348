//! Which addresses may be dialled: global unicast, and what the operator
//! allows by name or range. Everything else is refused, because a list of
//! forbidden ranges keeps forgetting one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// Whether an address belongs to the public internet: IANA's special-purpose
/// registries (RFC 6890) are taken out, and so is every IPv6 form that carries
/// an IPv4 address inside (mapped, compatible, NAT64, 6to4, Teredo), which
/// would smuggle a private one.
pub fn is_global_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_global_v4(v4),
        IpAddr::V6(v6) => is_global_v6(v6),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] => true,                   // this network, private, loopback
        [100, 64..=127, ..] => true,                  // shared by carriers (RFC 6598)
        [169, 254, ..] => true,                       // link-local, cloud metadata
        [172, 16..=31, ..] | [192, 168, ..] => true,  // private
        [192, 0, 0 | 2, _] => true,                   // protocol assignments, documentation
        [192, 88, 99, _] => true,                     // 6to4 relays
        [198, 18..=19, ..] => true,                   // benchmarks
        [198, 51, 100, _] | [203, 0, 113, _] => true, // documentation
        [224..=255, ..] => true,                      // multicast, reserved, broadcast
        _ => false,
    };
    !special
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // Only 2000::/3 is handed out as global unicast. Loopback, `::`, mapped,
    // compatible, NAT64, unique local, link-local and multicast lie outside.
    let is_global_block = segments[0] & 0xe000 == 0x2000;
    let special = match segments {
        [0x2001, 0..=0x01ff, ..] => true, // Teredo, benchmarks, ORCHID (2001::/23)
        [0x2001, 0x0db8, ..] => true,     // documentation
        [0x2002, ..] => true,             // 6to4
        [0x3fff, 0..=0x0fff, ..] => true, // documentation (RFC 9637)
        _ => false,
    };
    is_global_block && !special
}

/// What the operator lets through besides the public internet: host names and
/// address ranges. Empty by default; meant for tests and private networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    hosts: Vec<String>,
    ranges: Vec<IpNet>,
}

/// The text is neither a host name nor an address range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAllowable(pub String);

impl std::fmt::Display for NotAllowable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is neither a host name nor an address range such as `10.0.0.0/8`", self.0)
    }
}

impl std::error::Error for NotAllowable {}

impl Allow {
    /// Reads host names (`peer.internal`), addresses (`127.0.0.1`) and ranges
    /// (`10.0.0.0/8`, `fd00::/8`).
    ///
    /// # Errors
    /// The first text that is none of these.
    pub fn parse<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Allow, NotAllowable> {
        let mut allow = Allow::default();
        for text in texts {
            allow.add(text.as_ref().trim())?;
        }
        Ok(allow)
    }

    fn add(&mut self, text: &str) -> Result<(), NotAllowable> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(range) = IpNet::from_str(bare) {
            self.ranges.push(range);
        } else if let Ok(address) = IpAddr::from_str(bare) {
            self.ranges.push(IpNet::from(address));
        } else {
            match url::Host::parse(text) {
                Ok(url::Host::Domain(name)) => self.hosts.push(without_dot(&name).to_owned()),
                _ => return Err(NotAllowable(text.to_owned())),
            }
        }
        Ok(())
    }

    /// Whether nothing is allowed beyond the public internet.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.ranges.is_empty()
    }

    /// Whether a host is named here (as the WHATWG URL parser writes it).
    pub fn covers_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|name| name == without_dot(host))
    }

    /// Whether an address lies in an allowed range.
    pub fn covers_address(&self, address: IpAddr) -> bool {
        let plain = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(&address) || range.contains(&plain))
    }
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_global() {
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in private {
            assert!(!is_global_unicast(text.parse().unwrap()), "{text}");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.0.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a01:4f8::1",
            "2003::1",
            "3ffe::1",
        ];
        for text in public {
            assert!(is_global_unicast(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn allowed_names_and_ranges_are_read() {
        let allow = Allow::parse(["Peer.Internal.", "127.0.0.0/8", "fd00::1", "[::1]"]).unwrap();
        assert!(allow.covers_host("peer.internal"));
        assert!(allow.covers_host("peer.internal."));
        assert!(!allow.covers_host("x.peer.internal"));
        for (address, expected) in [
            ("127.9.9.9", true),
            ("::ffff:127.0.0.1", true),
            ("fd00::1", true),
            ("::1", true),
            ("fd00::2", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(allow.covers_address(address.parse().unwrap()), expected, "{address}");
        }
        for bad in ["", "a b", "10.0.0.0/99", "http://x"] {
            assert!(Allow::parse([bad]).is_err(), "{bad}");
        }
    }
}
