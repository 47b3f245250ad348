//! The site's address: the first line of the file, and the public URL made of it.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::complaint::{Fault, excerpt};

/// The two schemes a site can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The word before `://`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    /// The port that a URL need not name.
    pub const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Scheme, host and port: `https://social.example`, `http://127.0.0.1:8080`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// HTTP or HTTPS.
    pub scheme: Scheme,
    /// Lower-case ASCII name or IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port, when it is not the scheme's own.
    pub port: Option<u16>,
}

/// The first line of the file. `http` means plain HTTP behind someone who ends TLS.
pub type Address = Origin;

impl Origin {
    /// Host and port as in a `Host` header and in `acct:` names: no port when it is the scheme's own.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The port that is really meant.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(self.scheme.default_port())
    }

    /// The same at another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Origin {
        let port = (port != self.scheme.default_port()).then_some(port);
        Origin { scheme: self.scheme, host: self.host.clone(), port }
    }

    /// A URL below this origin; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// The host as an IP address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// Whether the name means this machine (RFC 6761 section 6.3).
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// Whether no public certificate authority can know the name: an address,
    /// a name without a dot, or one that is set aside for private networks
    /// (RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`).
    pub fn is_private_name(&self) -> bool {
        const PRIVATE: [&str; 6] = [".localhost", ".local", ".internal", ".home.arpa", ".test", ".onion"];
        self.ip().is_some() || !self.host.contains('.') || PRIVATE.iter().any(|end| self.host.ends_with(end))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.authority())
    }
}

const EXAMPLE: &str =
    "write a name like `social.example`, `https://localhost:8443` or `http://social.example`";

/// Reads `social.example`, `https://localhost:8443`, `http://social.example`.
///
/// # Errors
/// A fault that says which part is wrong.
pub(crate) fn parse(text: &str) -> Result<Origin, Fault> {
    let fault = |what: String, why: &str| Fault::new(what, why, EXAMPLE);
    let (scheme, rest) = match text.split_once("://") {
        Some(("https", rest)) => (Scheme::Https, rest),
        Some(("http", rest)) => (Scheme::Http, rest),
        Some((other, _)) => {
            return Err(fault(
                format!("`{}://` is not a scheme Waxwing serves", excerpt(other)),
                "it speaks HTTP, alone or over TLS",
            ));
        }
        None => (Scheme::Https, text),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = split_port(rest);
    if rest.contains(['/', '?', '#', '@', '\\']) {
        return Err(fault(
            format!("`{}` is more than a host and a port", excerpt(text)),
            "one server is one whole site",
        ));
    }
    if host.is_empty() {
        return Err(fault(
            format!("`{}` names no host", excerpt(text)),
            "other servers find people by the host's name, as in `@ana@social.example`",
        ));
    }
    let port = match port {
        None => None,
        Some(digits) => Some(parse_port(digits)?),
    };
    let host = canonical_host(host).ok_or_else(|| {
        fault(
            format!("`{}` is not a host name", excerpt(host)),
            "a name has letters, digits and hyphens between its dots",
        )
    })?;
    let origin = Origin { scheme, host, port: None };
    Ok(port.map_or(origin.clone(), |port| origin.with_port(port)))
}

/// Reads a public URL: an address whose scheme is written out, and HTTPS for a public name.
pub(crate) fn parse_public_url(text: &str) -> Result<Origin, Fault> {
    let fix = "write one like `https://social.example`";
    if !text.contains("://") {
        return Err(Fault::new(format!("`{}` is not a URL", excerpt(text)), "it must say `https://`", fix));
    }
    let origin = parse(text)?;
    if origin.scheme == Scheme::Http && !origin.is_private_name() {
        let what = format!("`{}` is plain HTTP", excerpt(text));
        return Err(Fault::new(what, "other servers only talk to HTTPS", fix));
    }
    Ok(origin)
}

/// Reads a port number, 0 to 65535.
pub(crate) fn parse_port(digits: &str) -> Result<u16, Fault> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain).ok_or_else(|| {
        Fault::new(
            format!("`{}` is not a port", excerpt(digits)),
            "ports are the numbers 1 to 65535, or 0 for any free one",
            "write a number like `8443`",
        )
    })
}

/// Splits `host:port`, `[::1]:port`, `host`.
fn split_port(text: &str) -> (&str, Option<&str>) {
    let after_bracket = text.rfind(']').map_or(0, |at| at + 1);
    match text[after_bracket..].find(':') {
        Some(at) => (&text[..after_bracket + at], Some(&text[after_bracket + at + 1..])),
        None => (text, None),
    }
}

/// The host as the URL standard writes it, or nothing if it is none.
pub(crate) fn canonical_host(host: &str) -> Option<String> {
    const NAME_MAX_BYTES: usize = 253;
    const LABEL_MAX_BYTES: usize = 63;
    if host.contains(['/', '\\', '?', '#', '@']) || (host.contains(':') && !host.starts_with('[')) {
        return None;
    }
    let canonical = Url::parse(&format!("https://{host}/")).ok()?.host()?.to_owned();
    // The URL standard reads `8443` as the address 0.0.32.251, which nobody means.
    if matches!(canonical, Host::Ipv4(ip) if ip.to_string() != host) {
        return None;
    }
    if let Host::Domain(name) = &canonical {
        let label_ok = |label: &str| {
            let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
            !label.is_empty()
                && label.len() <= LABEL_MAX_BYTES
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > NAME_MAX_BYTES || !name.split('.').all(label_ok) {
            return None;
        }
    }
    Some(canonical.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map(|a| a.to_string()).as_deref().ok(), Some(expected), "{text}");
    }

    #[test]
    fn addresses_are_read_in_every_form() {
        check("social.example", "https://social.example");
        check("Social.Example/", "https://social.example");
        check("https://localhost:8443", "https://localhost:8443");
        check("https://localhost:443", "https://localhost");
        check("http://social.example", "http://social.example");
        check("http://social.example:80", "http://social.example");
        check("http://social.example:8080", "http://social.example:8080");
        check("localhost:0", "https://localhost:0");
        check("bücher.example", "https://xn--bcher-kva.example");
        check("https://[::1]:8443", "https://[::1]:8443");
        check("127.0.0.1", "https://127.0.0.1");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let bad = [
            "",
            ":8443",
            "http://:8080",
            "https://",
            "ftp://social.example",
            "social.example/path",
            "user@social.example",
            "social.example:99999",
            "social.example:",
            "social.example:+80",
            "*.social.example",
            "social..example",
            "-x.example",
            "a b",
            "https://[::1",
            "::1",
            "8443",
            "0x7f.1",
        ];
        for text in bad {
            assert!(parse(text).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn private_names_are_known() {
        let is_private = |text| parse(text).unwrap().is_private_name();
        assert!(is_private("localhost") && is_private("nas.local") && is_private("nas"));
        assert!(is_private("10.0.0.1") && is_private("[::1]"));
        assert!(!is_private("social.example") && !is_private("locals.example"));
    }
}
