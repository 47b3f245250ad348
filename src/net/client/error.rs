//! What can go wrong with a fetch, and who can mend it.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;

use super::Answer;

/// Why a request had no usable answer.
#[derive(Debug)]
pub enum FetchError {
    /// The URL itself is refused: scheme, userinfo, control characters, …
    Url(&'static str),
    /// The URL is one of our own; our own things are read from the store.
    OwnHost,
    /// The host has only addresses that may not be dialled. Names one.
    Refused(IpAddr),
    /// The name does not resolve.
    Dns(io::Error),
    /// The connection was not made.
    Connect(io::Error),
    /// No trusted, encrypted connection.
    Tls(String),
    /// A step took longer than its limit.
    Timeout(Step),
    /// The connection broke, or the answer is not HTTP.
    Protocol(Box<dyn Error + Send + Sync>),
    /// The head of the answer is larger than allowed.
    HeadTooLarge,
    /// The body is larger than the bytes asked for at most.
    TooLarge(usize),
    /// The body is compressed although nobody asked for it.
    Encoded,
    /// More redirects than allowed.
    TooManyRedirects,
    /// A redirect to where we do not follow: no or a bad `Location`, a
    /// lesser scheme.
    BadRedirect(&'static str),
    /// A POST was answered with a redirect, which is never followed.
    Redirected(StatusCode),
    /// Any answer other than 2xx; its body is cut at 16 KiB.
    Status(Box<Answer>),
    /// The caller's signing of a hop failed.
    Sign(Box<dyn Error + Send + Sync>),
    /// More requests at once than the client takes.
    Busy,
}

/// The step of a fetch that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Resolving the name.
    Dns,
    /// TCP and TLS.
    Connect,
    /// Waiting for the head of the answer.
    Headers,
    /// Waiting for the next piece of the body.
    Body,
    /// The whole of it.
    Total,
}

/// Who can mend a failed fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Whoever wrote the URL: trying again gives the same.
    Url,
    /// The other server or the way to it: may pass.
    Peer,
    /// The other server refuses this request (4xx): it means it.
    Answer,
    /// This server.
    Us,
}

impl FetchError {
    /// Who can mend it.
    pub fn blame(&self) -> Blame {
        match self {
            FetchError::Url(_) | FetchError::OwnHost | FetchError::Refused(_) => Blame::Url,
            FetchError::Sign(_) | FetchError::Busy => Blame::Us,
            FetchError::Status(answer) if is_final(answer.status) => Blame::Answer,
            FetchError::TooLarge(_) | FetchError::Encoded | FetchError::Redirected(_) => Blame::Answer,
            FetchError::TooManyRedirects | FetchError::BadRedirect(_) => Blame::Answer,
            _ => Blame::Peer,
        }
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            FetchError::Status(answer) => Some(answer.status),
            FetchError::Redirected(status) => Some(*status),
            _ => None,
        }
    }

    /// How long the other server asks us to wait (`Retry-After` in seconds;
    /// its date form is read by the caller, who has a clock).
    pub fn retry_after(&self) -> Option<Duration> {
        let FetchError::Status(answer) = self else { return None };
        let text = answer.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
        text.trim().parse().ok().map(Duration::from_secs)
    }

    /// A short fixed word for metrics and tables.
    pub fn label(&self) -> &'static str {
        match self {
            FetchError::Url(_) => "url",
            FetchError::OwnHost => "own_host",
            FetchError::Refused(_) => "refused_address",
            FetchError::Dns(_) => "dns",
            FetchError::Connect(_) => "connect",
            FetchError::Tls(_) => "tls",
            FetchError::Timeout(_) => "timeout",
            FetchError::Protocol(_) => "protocol",
            FetchError::HeadTooLarge | FetchError::TooLarge(_) => "too_large",
            FetchError::Encoded => "encoded",
            FetchError::TooManyRedirects | FetchError::BadRedirect(_) => "redirect",
            FetchError::Redirected(_) => "redirect",
            FetchError::Status(_) => "status",
            FetchError::Sign(_) => "sign",
            FetchError::Busy => "busy",
        }
    }
}

impl FetchError {
    /// The same failure again. Only the connector's failures come to us by
    /// reference (the pool keeps the original), so only those are told apart.
    pub(super) fn copied(&self) -> FetchError {
        let again = |error: &io::Error| io::Error::new(error.kind(), error.to_string());
        match self {
            FetchError::Url(why) => FetchError::Url(why),
            FetchError::Refused(address) => FetchError::Refused(*address),
            FetchError::Dns(error) => FetchError::Dns(again(error)),
            FetchError::Connect(error) => FetchError::Connect(again(error)),
            FetchError::Timeout(step) => FetchError::Timeout(*step),
            other => FetchError::Protocol(other.to_string().into()),
        }
    }
}

/// Statuses that trying again will not change.
fn is_final(status: StatusCode) -> bool {
    let may_pass =
        matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY);
    !status.is_server_error() && !may_pass
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FetchError::Url(why) => write!(f, "URL refused: {why}"),
            FetchError::OwnHost => f.write_str("URL refused: it is on this server"),
            FetchError::Refused(address) => write!(f, "{address} is not a public address"),
            FetchError::Dns(why) => write!(f, "name not resolved: {why}"),
            FetchError::Connect(why) => write!(f, "not connected: {why}"),
            FetchError::Tls(why) => write!(f, "no trusted TLS connection: {why}"),
            FetchError::Timeout(step) => write!(f, "too slow: {}", step.words()),
            FetchError::Protocol(why) => write!(f, "connection broke: {why}"),
            FetchError::HeadTooLarge => f.write_str("answer head too large"),
            FetchError::TooLarge(max_bytes) => write!(f, "answer larger than {max_bytes} bytes"),
            FetchError::Encoded => f.write_str("answer compressed without being asked"),
            FetchError::TooManyRedirects => f.write_str("too many redirects"),
            FetchError::BadRedirect(why) => write!(f, "redirect refused: {why}"),
            FetchError::Redirected(status) => write!(f, "answered {status} to a POST"),
            FetchError::Status(answer) => write!(f, "answered {}", answer.status),
            FetchError::Sign(why) => write!(f, "request not signed: {why}"),
            FetchError::Busy => f.write_str("too many requests at once"),
        }
    }
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Step::Dns => "the name did not resolve in time",
            Step::Connect => "no connection in time",
            Step::Headers => "no answer in time",
            Step::Body => "the body stopped",
            Step::Total => "the whole took too long",
        }
    }
}

impl Error for FetchError {}
