//! A failed order in words that say what to do.

use std::time::Duration;

use rustls_acme::acme::{AcmeError, Problem as Refusal};
use serde::Deserialize;

use super::order::OrderError;
use crate::base::Timestamp;
use crate::config::Challenge;

/// What happened, what to do, and when to try again if the authority said so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) what: String,
    pub(super) fix: String,
    pub(super) not_before: Option<Timestamp>,
}

/// What the words are about.
pub(super) struct About<'a> {
    pub(super) name: &'a str,
    pub(super) authority: &'a str,
    pub(super) proof: Challenge,
}

pub(super) fn explain(error: &OrderError, about: &About<'_>) -> Explained {
    match error {
        OrderError::Proof { name, refusal } => refused(refusal.as_ref(), &About { name, ..*about }),
        OrderError::Refused(refusal) => refused(refusal.as_ref(), about),
        OrderError::Request(error) => request(error, about),
        OrderError::Timeout => say(
            format!("`{}` did not answer in time", about.authority),
            "Check this machine's way to the internet.",
        ),
        OrderError::NotOffered => say(
            format!("`{}` does not offer this kind of proof", about.authority),
            "Set the other one: `acme tls-alpn` or `acme http`.",
        ),
        OrderError::Unfinished => say(
            format!("`{}` did not finish the order", about.authority),
            "It may be busy; nothing is to be done.",
        ),
        OrderError::Store(error) => say(
            format!("the other nodes could not be told what to answer ({error})"),
            "Look after the database; nothing else is to be done.",
        ),
        OrderError::Names(error) => say(
            format!("`{}` cannot be in a certificate: {error}", about.name),
            "Correct the address in the first line of the configuration.",
        ),
    }
}

fn say(what: impl Into<String>, fix: impl Into<String>) -> Explained {
    Explained { what: what.into(), fix: fix.into(), not_before: None }
}

/// By the error types of RFC 8555 §6.7.
fn refused(refusal: Option<&Refusal>, about: &About<'_>) -> Explained {
    let name = about.name;
    let kind = refusal.and_then(|refusal| refusal.typ.as_deref()).unwrap_or_default();
    let detail = refusal.and_then(|refusal| refusal.detail.as_deref()).map(shorten).unwrap_or_default();
    let (port, other) = match about.proof {
        Challenge::TlsAlpn => (443, "acme http"),
        Challenge::Http => (80, "acme tls-alpn"),
    };
    let dns = format!("Let the A and AAAA records of `{name}` point to this machine, and to no other.");
    match kind.rsplit(':').next().unwrap_or_default() {
        "connection" => say(
            format!("port {port} of `{name}` cannot be reached from the internet ({detail})"),
            format!("Open port {port} in the firewall and the router. {dns}"),
        ),
        "dns" => say(format!("`{name}` has no address in DNS ({detail})"), dns),
        "unauthorized" | "tls" | "incorrectResponse" => say(
            format!("port {port} of `{name}` did not give the proof ({detail})"),
            format!(
                "{dns} Open port {port} in the firewall and the router. If another program ends TLS in front of \
                 this one, try `{other}`."
            ),
        ),
        "caa" => say(
            format!("a CAA record of `{name}` does not allow this authority ({detail})"),
            "Add it to the CAA record, or remove the record.",
        ),
        "rateLimited" => rate_limited(&detail, about),
        "rejectedIdentifier" => say(
            format!("`{}` gives no certificates for `{name}` ({detail})", about.authority),
            "Use a public name of your own, or `tls internal`.",
        ),
        "invalidContact" | "unsupportedContact" => {
            say(format!("the mail address is refused ({detail})"), "Correct the line `email`.")
        }
        "externalAccountRequired" => say(
            format!("`{}` wants an account made beforehand", about.authority),
            "Use another `acme_directory`; external account binding is not supported.",
        ),
        "serverInternal" => {
            say(format!("`{}` has an internal error ({detail})", about.authority), "It has to pass.")
        }
        _ => say(format!("`{}` refused the order ({detail})", about.authority), dns),
    }
}

fn rate_limited(detail: &str, about: &About<'_>) -> Explained {
    let not_before = retry_after(detail);
    Explained {
        what: format!("the rate limit of `{}` is reached ({detail})", about.authority),
        fix: "Wait; every try before that counts again. For trials set `acme_directory` to a staging authority."
            .to_owned(),
        not_before,
    }
}

/// `… retry after 2026-11-23 05:00:00 UTC: see …`, as Let's Encrypt writes it.
fn retry_after(detail: &str) -> Option<Timestamp> {
    let at = detail.split("retry after ").nth(1)?.get(..19)?;
    Timestamp::parse_rfc3339(&at.replacen(' ', "T", 1))
}

/// The library gives failed requests as opaque errors, so here, and only
/// here, their text is read.
fn request(error: &AcmeError, about: &About<'_>) -> Explained {
    let text = error.to_string();
    if let Some(refusal) = refusal_in(&text) {
        return refused(Some(&refusal), about);
    }
    let authority = about.authority;
    if ["UnknownIssuer", "CaUsedAsEndEntity", "InvalidCertificate"].iter().any(|word| text.contains(word)) {
        return say(
            format!("the certificate of `{authority}` itself is not trusted"),
            "Set `acme_root` to the PEM file of the authority it comes from.",
        );
    }
    say(
        format!("`{authority}` cannot be reached ({})", shorten(&text)),
        "Check `acme_directory`, and this machine's way to the internet and its DNS.",
    )
}

/// Finds the problem document in `non 2xx http status: 429 "{…}"`.
fn refusal_in(text: &str) -> Option<Refusal> {
    #[derive(Deserialize)]
    struct Body {
        r#type: Option<String>,
        detail: Option<String>,
    }
    let quoted = text.split_once("non 2xx http status: ")?.1.split_once(' ')?.1;
    let body: String = serde_json::from_str(quoted.trim()).ok()?;
    let body: Body = serde_json::from_str(&body).ok()?;
    Some(Refusal { typ: body.r#type, detail: body.detail })
}

/// Foreign text in a log line: one line, not endless.
fn shorten(text: &str) -> String {
    const CHARACTERS_MAX: usize = 240;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(CHARACTERS_MAX).collect()
}

/// The pause before the next try: 1, 3, 9, 27, then 60 minutes with the
/// default first pause, so that an hour sees five failures, which is what
/// Let's Encrypt allows. `unit` (0 to 1) spreads it by a fifth.
pub(super) fn backoff(first: Duration, failures: u32, unit: f64) -> Duration {
    const LONGEST: Duration = Duration::from_secs(60 * 60);
    let plain = first.saturating_mul(3_u32.saturating_pow(failures.saturating_sub(1).min(12))).min(LONGEST);
    plain.mul_f64(0.9 + 0.2 * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About<'static> {
        About { name: "social.example", authority: "acme.example", proof: Challenge::TlsAlpn }
    }

    fn refusal(kind: &str, detail: &str) -> Option<Refusal> {
        Some(Refusal {
            typ: Some(format!("urn:ietf:params:acme:error:{kind}")),
            detail: Some(detail.to_owned()),
        })
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for (kind, what, fix) in [
            ("connection", "port 443 of `social.example`", "firewall"),
            ("dns", "no address in DNS", "A and AAAA records"),
            ("unauthorized", "did not give the proof", "acme http"),
            ("tls", "did not give the proof", "acme http"),
            ("caa", "CAA record", "CAA record"),
            ("rateLimited", "rate limit", "staging"),
            ("rejectedIdentifier", "no certificates for", "tls internal"),
            ("invalidContact", "mail address", "`email`"),
            ("externalAccountRequired", "account made beforehand", "acme_directory"),
            ("serverInternal", "internal error", "pass"),
            ("unheardOf", "refused the order", "records"),
        ] {
            let name = "social.example".to_owned();
            let explained = explain(&OrderError::Proof { name, refusal: refusal(kind, "why\n") }, &about());
            assert!(explained.what.contains(what) && explained.fix.contains(fix), "{kind}: {explained:?}");
            assert!(!explained.what.contains('\n'), "one line");
        }
    }

    #[test]
    fn a_rate_limit_says_until_when() {
        let detail =
            "too many certificates (5) already issued, retry after 2026-11-23 05:00:00 UTC: see https://x";
        let explained = explain(&OrderError::Refused(refusal("rateLimited", detail)), &about());
        assert_eq!(explained.not_before, Timestamp::parse_rfc3339("2026-11-23T05:00:00Z"));
    }

    #[test]
    fn problems_are_found_in_the_librarys_words() {
        let body =
            r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"say \"no\"\n","status":429}"#;
        let found = refusal_in(&format!("http request error: non 2xx http status: 429 {body:?}")).unwrap();
        assert!(found.typ.unwrap().ends_with("rateLimited"));
        assert_eq!(found.detail.unwrap(), "say \"no\"\n");
        assert!(refusal_in("io error: no").is_none());
    }

    #[test]
    fn retries_grow_and_stay_below_the_authoritys_limit() {
        let minute = Duration::from_secs(60);
        let pauses: Vec<u64> = (1..=7).map(|n| backoff(minute, n, 0.5).as_secs() / 60).collect();
        assert_eq!(pauses, [1, 3, 9, 27, 60, 60, 60]);
        assert!(backoff(minute, 1, 0.0) < backoff(minute, 1, 0.99));
        assert!(backoff(minute, u32::MAX, 0.5) <= minute * 66);
    }
}
