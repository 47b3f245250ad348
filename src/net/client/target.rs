//! Which URLs may be asked for at all.

use url::{Host, Url};

use super::FetchError;

/// Longest URL we ask for, in bytes.
pub const URL_MAX_BYTES: usize = 2048;

/// Reads a URL strictly: `https://` or `http://` written out, no userinfo, no
/// backslash, no white space or control characters (all of which parsers
/// disagree about). The fragment is dropped. Whether `http` is allowed is
/// decided when the address is known.
///
/// # Errors
/// [`FetchError::Url`] with the reason.
pub fn parse(text: &str) -> Result<Url, FetchError> {
    if text.len() > URL_MAX_BYTES {
        return Err(FetchError::Url("too long"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(FetchError::Url("contains white space, control characters or a backslash"));
    }
    let has_scheme = ["https://", "http://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)));
    if !has_scheme {
        return Err(FetchError::Url("not an https URL"));
    }
    let url = Url::parse(text).map_err(|_| FetchError::Url("not a URL"))?;
    check(url)
}

/// The same for a URL made by joining, as redirects are.
pub(super) fn check(mut url: Url) -> Result<Url, FetchError> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(FetchError::Url("not an https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Url("contains a user name"));
    }
    if url.port_or_known_default() == Some(0) {
        return Err(FetchError::Url("port 0"));
    }
    match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() && name != "." => {}
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {}
        _ => return Err(FetchError::Url("no host")),
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_urls_are_refused() {
        let long = format!("https://a.example/{}", "a".repeat(URL_MAX_BYTES));
        let bad = [
            "",
            "https:",
            "https://",
            "//a.example/",
            "/x",
            "http:good.example",
            "https:good.example",
            "https://good@evil.example/",
            "https://a:b@evil.example/",
            "https://good.example\\@evil.example/",
            "https://a.example/\t",
            "https://a.exa\nmple/",
            " https://a.example/",
            "https://a.example/\u{7f}",
            "https://a.example:0/",
            "https://a.example:99999/",
            "ftp://a.example/",
            "file:///etc/passwd",
            "data:text/plain,x",
            "gopher://a.example/",
            "javascript:alert(1)",
            "https://[::1",
            "https://./",
            long.as_str(),
        ];
        for text in bad {
            assert!(matches!(parse(text), Err(FetchError::Url(_))), "{text:?}");
        }
    }

    #[test]
    fn good_urls_are_canonical() {
        for (text, expected) in [
            ("HTTPS://A.Example/x#frag", "https://a.example/x"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://2130706433/", "https://127.0.0.1/"),
            ("https://0x7f.1/", "https://127.0.0.1/"),
            ("https://a.example:443/?q=1", "https://a.example/?q=1"),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), expected);
        }
    }
}
