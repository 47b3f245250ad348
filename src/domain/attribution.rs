//! Who may say who wrote a page: a page names its author
//! (`fediverse:creator`), and the author names the hosts that may do so, so
//! that neither can pretend.

use url::{Host, Url};

/// Hosts that one account may name (Mastodon: 100 lines).
pub const DOMAINS_MAX: usize = 100;

/// The hosts as they are compared, each once; blank ones fall away. `None` if
/// one is no host, or there are too many.
pub fn domains(typed: &[String]) -> Option<Vec<String>> {
    let filled = typed.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let mut domains: Vec<String> = filled.map(domain).collect::<Option<_>>()?;
    let mut seen = std::collections::BTreeSet::new();
    domains.retain(|domain| seen.insert(domain.clone()));
    (domains.len() <= DOMAINS_MAX).then_some(domains)
}

/// People paste addresses; the host is what counts.
fn domain(typed: &str) -> Option<String> {
    let bare = typed.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let url = Url::parse(&format!("https://{bare}/")).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_alone = url.port().is_none() && url.username().is_empty() && url.password().is_none();
    match url.host()? {
        Host::Domain(host) if is_bare && is_alone && host.contains('.') => Some(host.to_owned()),
        _ => None,
    }
}

/// Whether a page of this host may name somebody who names these.
pub fn allows(domains: &[String], host: &str) -> bool {
    let is_below =
        |domain: &String| host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
    domains.iter().any(|domain| host == domain || is_below(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_was_pasted() {
        let check = |typed: &str, expected: Option<&[&str]>| {
            let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
            let found = domains(&typed);
            let found: Option<Vec<&str>> = found.as_ref().map(|all| all.iter().map(String::as_str).collect());
            assert_eq!(found.as_deref(), expected, "{typed:?}");
        };
        check("A.Example https://b.example/  a.example", Some(&["a.example", "b.example"]));
        check("bücher.example", Some(&["xn--bcher-kva.example"]));
        check("", Some(&[]));
        for bad in [
            "a",
            "a.example/x",
            "a.example:8443",
            "u@a.example",
            "10.0.0.1",
            "[::1]",
            "a..b c",
            "a.example?x",
        ] {
            check(bad, None);
        }
        let many: Vec<String> = (0..=DOMAINS_MAX).map(|n| format!("a{n}.example")).collect();
        assert!(domains(&many).is_none() && domains(&many[1..]).is_some());
    }

    #[test]
    fn a_host_speaks_for_those_below_it() {
        let known = vec!["news.example".to_owned()];
        for (host, expected) in [
            ("news.example", true),
            ("www.news.example", true),
            ("fakenews.example", false),
            ("example", false),
        ] {
            assert_eq!(allows(&known, host), expected, "{host}");
        }
        assert!(!allows(&[], "news.example"));
    }
}
