//! HTTP message signatures, both kinds that the fediverse speaks:
//! draft-cavage-http-signatures-12 and RFC 9421.
//!
//! Pure functions over what was received. Reading a signature ([`read`])
//! checks everything that needs no key (what it covers, when, for which host,
//! the body's digest) and gives a [`Claim`]; the caller finds the key that the
//! claim names, and [`Claim::verify`] checks the rest. So no key is ever
//! fetched for a request that is refused anyway.
//!
//! Must not know where keys come from.

mod cavage;
mod digest;
mod key;
mod rfc9421;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use http::header::DATE;
use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use crate::base::Timestamp;
pub use key::{KeyError, PrivateKey, PublicKey};

/// How far `Date` or `created` may lie from now (Mastodon and Lemmy allow an
/// hour; five minutes more for slow deliveries).
pub const AGE_MAX: Duration = Duration::from_secs(65 * 60);
/// How long a signature may claim to hold.
pub const LIFETIME_MAX: Duration = Duration::from_secs(12 * 3600);
/// Bytes of a `Signature` or `Signature-Input` header.
const HEADER_MAX_BYTES: usize = 8 * 1024;
/// Components that one signature may cover.
const COMPONENTS_MAX: usize = 32;

/// A request as it came in.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// `GET`, `POST` …
    pub method: &'a Method,
    /// Path and query exactly as received.
    pub path_and_query: &'a str,
    /// Our own scheme, host and port: `https://social.example`.
    pub origin: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The whole body; empty for GET.
    pub body: &'a [u8],
    /// When it came in.
    pub now: Timestamp,
}

impl Incoming<'_> {
    fn authority(&self) -> &str {
        self.origin.split_once("://").map_or(self.origin, |(_, authority)| authority)
    }

    fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or_default()
    }

    fn query(&self) -> Option<&str> {
        self.path_and_query.split_once('?').map(|(_, query)| query)
    }

    /// A header's only value.
    fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let one = all.next()?.to_str().ok()?;
        all.next().is_none().then(|| one.trim())
    }

    /// All values of a header, joined as both drafts say.
    fn joined(&self, name: &str) -> Option<String> {
        let values: Option<Vec<&str>> =
            self.headers.get_all(name).iter().map(|v| v.to_str().ok().map(str::trim)).collect();
        values.filter(|v| !v.is_empty()).map(|v| v.join(", "))
    }

    /// Whether the body has to be covered.
    fn has_body(&self) -> bool {
        !self.body.is_empty() || !matches!(*self.method, Method::GET | Method::HEAD)
    }

    fn is_our_host(&self, host: &str) -> bool {
        let usual_port = if self.origin.starts_with("https:") { ":443" } else { ":80" };
        let plain = |s: &str| {
            let lower = s.to_ascii_lowercase();
            lower.strip_suffix(usual_port).map(str::to_owned).unwrap_or(lower)
        };
        plain(host) == plain(self.authority())
    }
}

/// Why a signature is refused. The text is for logs and for the other side's
/// developer: it names the rule, never a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is none.
    Missing,
    /// It cannot be read.
    Malformed(&'static str),
    /// It does not cover what it must.
    NotCovered(&'static str),
    /// It is too old, from the future, or expired.
    NotNow,
    /// It was made for another host.
    WrongHost,
    /// The body is not the one that was signed.
    WrongBody,
    /// An algorithm that is not accepted, or not one of the key's.
    Algorithm,
    /// The key cannot be used.
    Key(KeyError),
    /// The signature is not by that key.
    Forged,
}

impl Refusal {
    /// A short name for metrics.
    pub const fn label(&self) -> &'static str {
        match self {
            Refusal::Missing => "unsigned",
            Refusal::Malformed(_) => "malformed",
            Refusal::NotCovered(_) => "not_covered",
            Refusal::NotNow => "not_now",
            Refusal::WrongHost => "wrong_host",
            Refusal::WrongBody => "wrong_body",
            Refusal::Algorithm => "algorithm",
            Refusal::Key(_) => "key",
            Refusal::Forged => "forged",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Missing => f.write_str("the request is not signed"),
            Refusal::Malformed(what) => write!(f, "the signature cannot be read: {what}"),
            Refusal::NotCovered(what) => write!(f, "the signature does not cover {what}"),
            Refusal::NotNow => f.write_str("the signature is not valid at this time: check the clock"),
            Refusal::WrongHost => f.write_str("the signature was made for another host"),
            Refusal::WrongBody => f.write_str("the digest does not match the body"),
            Refusal::Algorithm => f.write_str("the signature algorithm is not accepted"),
            Refusal::Key(error) => write!(f, "{error}"),
            Refusal::Forged => f.write_str("the signature does not verify with the key it names"),
        }
    }
}

impl std::error::Error for Refusal {}

/// A signature that is in order but for the key.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which key, as the sender names it.
    pub key_id: String,
    /// Which of the two kinds it is.
    pub kind: Kind,
    algorithm: Algorithm,
    /// What may have been signed; any one is good.
    bases: Vec<String>,
    signature: Vec<u8>,
}

/// The two kinds of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// draft-cavage-http-signatures.
    Cavage,
    /// RFC 9421.
    Rfc9421,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// Whatever the key is for.
    OfKey,
    RsaSha256,
    Ed25519,
}

impl Claim {
    /// Checks the signature with the key that [`Claim::key_id`] names.
    ///
    /// # Errors
    /// [`Refusal::Algorithm`] when the key is for another algorithm,
    /// [`Refusal::Forged`] when the signature is not by it.
    pub fn verify(&self, key: &PublicKey) -> Result<(), Refusal> {
        let fits = match self.algorithm {
            Algorithm::OfKey => true,
            Algorithm::RsaSha256 => key.is_rsa(),
            Algorithm::Ed25519 => !key.is_rsa(),
        };
        if !fits {
            return Err(Refusal::Algorithm);
        }
        let is_good = self.bases.iter().any(|base| key.verify(base.as_bytes(), &self.signature));
        if is_good { Ok(()) } else { Err(Refusal::Forged) }
    }
}

/// Reads the request's signature. Where `Signature-Input` is present only
/// RFC 9421 is tried, so that a stripped or added header cannot choose the
/// weaker kind.
///
/// # Errors
/// The first rule that the signature breaks.
pub fn read(request: &Incoming<'_>) -> Result<Claim, Refusal> {
    let claim = if request.headers.contains_key("signature-input") {
        rfc9421::read(request)?
    } else if request.headers.contains_key("signature") {
        cavage::read(request)?
    } else {
        return Err(Refusal::Missing);
    };
    let is_key = !claim.key_id.is_empty() && claim.key_id.len() <= 2048;
    if is_key { Ok(claim) } else { Err(Refusal::Malformed("keyid")) }
}

/// Whether `at` is near enough to now.
fn check_age(at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let apart = at.since(now).max(now.since(at));
    if apart <= AGE_MAX { Ok(()) } else { Err(Refusal::NotNow) }
}

/// An `expires` lies in the future, but not far from `from`.
fn check_expiry(from: Timestamp, expires: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let is_good = now <= expires && expires >= from && expires.since(from) <= LIFETIME_MAX;
    if is_good { Ok(()) } else { Err(Refusal::NotNow) }
}

/// The `Date` header.
fn date(request: &Incoming<'_>) -> Result<Timestamp, Refusal> {
    let text = request.header("date").ok_or(Refusal::Malformed("date"))?;
    let at = httpdate::parse_http_date(text).map_err(|_| Refusal::Malformed("date"))?;
    let since_1970 = at.duration_since(std::time::UNIX_EPOCH).map_err(|_| Refusal::Malformed("date"))?;
    Ok(Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)))
}

/// A key with the name others know it by.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// `https://social.example/ap/users/1#main-key`.
    pub key_id: &'a str,
    /// Its private half.
    pub key: &'a PrivateKey,
}

/// A request of ours that is to be signed.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// `GET` or `POST`.
    pub method: &'a Method,
    /// Where it goes.
    pub url: &'a Url,
    /// Its body; `None` for GET.
    pub body: Option<&'a [u8]>,
    /// When it is made.
    pub now: Timestamp,
}

/// Signs a request: adds `Date`, the body's digest and the signature to
/// `headers`. `Host` must be what [`host_header`] gives.
///
/// # Errors
/// When the key cannot sign or a name cannot stand in a header.
pub fn sign(
    kind: Kind,
    request: &Outgoing<'_>,
    signer: &Signer<'_>,
    headers: &mut HeaderMap,
) -> Result<(), KeyError> {
    headers.insert(DATE, value(&httpdate::fmt_http_date(request.now.system_time()))?);
    match kind {
        Kind::Cavage => cavage::sign(request, signer, headers),
        Kind::Rfc9421 => rfc9421::sign(request, signer, headers),
    }
}

/// The `Host` header of a URL: the port only where it is not the usual one.
pub fn host_header(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}

fn value(text: &str) -> Result<HeaderValue, KeyError> {
    HeaderValue::from_str(text).map_err(|_| KeyError::NotAHeader)
}
