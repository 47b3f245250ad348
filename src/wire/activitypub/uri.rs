//! Ids of foreign things: which texts are ids at all, and whose they are.

use url::Url;

/// Longest id that is read (Mastodon's limit for URIs).
pub const ID_MAX_BYTES: usize = 2048;

/// Whether a text can be the id of something that a server serves: an http(s)
/// URL with a host, without a password, and without characters that parsers
/// read in different ways (`https://good\@evil`, tabs, spaces).
pub fn is_id(text: &str) -> bool {
    let is_plain = !text.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7f);
    text.len() <= ID_MAX_BYTES && is_plain && parsed(text).is_some()
}

fn parsed(text: &str) -> Option<Url> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let url = Url::parse(text).ok()?;
    let is_clean = url.username().is_empty() && url.password().is_none() && !rest.starts_with('/');
    (is_clean && url.host_str().is_some_and(|host| !host.is_empty())).then_some(url)
}

/// The host of an id in its one canonical spelling (lower case, punycode, no
/// final dot), with the port unless it is the usual one. Authority is by
/// this: an object is what its own host says it is.
pub fn host(id: &str) -> Option<String> {
    if !is_id(id) {
        return None;
    }
    let url = parsed(id)?;
    let host = url.host_str()?.trim_end_matches('.');
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Whether both ids are of one host.
pub fn is_same_host(a: &str, b: &str) -> bool {
    host(a).is_some_and(|host_of_a| Some(host_of_a) == host(b))
}

/// The id without its fragment: what is fetched to learn of it.
pub fn without_fragment(id: &str) -> &str {
    id.split('#').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_ids() {
        for good in
            ["https://a.example/1", "http://a.example", "https://a.example:8443/x?y#z", "https://[::1]/x"]
        {
            assert!(is_id(good), "{good}");
        }
        let long = format!("https://a.example/{}", "x".repeat(ID_MAX_BYTES));
        for bad in [
            "",
            "x",
            "acct:a@b.example",
            "at://did:plc:x",
            "javascript:x",
            "https:a.example",
            "https://",
            "https:///x",
            "https://good@evil.example/",
            "https://a:b@evil.example",
            "https://good.example\\@evil",
            "https://a.example/ x",
            "https://a.exa\tmple",
            "data:text/plain,x",
            "//a.example",
            "https://a b",
            &long,
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn hosts_have_one_spelling() {
        assert!(is_same_host("https://A.example/1", "https://a.example.:443/2"));
        assert!(is_same_host("https://münchen.example/1", "https://xn--mnchen-3ya.example/2"));
        assert!(!is_same_host("https://a.example/", "https://a.example:8443/"));
        assert!(!is_same_host("https://a.example/", "https://b.a.example/"));
        assert!(!is_same_host("x", "x"));
    }
}
