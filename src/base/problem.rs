//! Errors for people: what happened, why it matters, how to fix it.

use std::error::Error;
use std::fmt;

/// What sort of problem it is; the edge maps each to one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// 400: the request cannot be understood.
    Malformed,
    /// 401: no valid login, token or signature.
    Unauthenticated,
    /// 403: known, but not allowed.
    Forbidden,
    /// 404: not there, or not to be seen by this one.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 406: no representation fits the Accept header.
    NotAcceptable,
    /// 408: the request took too long to arrive.
    Timeout,
    /// 409: it collides with a newer state.
    Conflict,
    /// 410: it was there and is deleted.
    Gone,
    /// 413: too large.
    TooLarge,
    /// 415: wrong content type.
    UnsupportedMediaType,
    /// 422: understood, but not valid.
    Invalid,
    /// 429: too many requests.
    TooMany,
    /// 500: our fault.
    Internal,
    /// 502: who should have answered broke off.
    BadGateway,
    /// 503: try again later.
    Unavailable,
    /// 504: who should have answered did not in time.
    GatewayTimeout,
}

impl ProblemKind {
    /// The HTTP status code (RFC 9110, RFC 6585).
    pub const fn status(self) -> u16 {
        match self {
            ProblemKind::Malformed => 400,
            ProblemKind::Unauthenticated => 401,
            ProblemKind::Forbidden => 403,
            ProblemKind::NotFound => 404,
            ProblemKind::MethodNotAllowed => 405,
            ProblemKind::NotAcceptable => 406,
            ProblemKind::Timeout => 408,
            ProblemKind::Conflict => 409,
            ProblemKind::Gone => 410,
            ProblemKind::TooLarge => 413,
            ProblemKind::UnsupportedMediaType => 415,
            ProblemKind::Invalid => 422,
            ProblemKind::TooMany => 429,
            ProblemKind::Internal => 500,
            ProblemKind::BadGateway => 502,
            ProblemKind::Unavailable => 503,
            ProblemKind::GatewayTimeout => 504,
        }
    }

    /// A short title, as in `application/problem+json` (RFC 9457).
    pub const fn title(self) -> &'static str {
        match self {
            ProblemKind::Malformed => "Bad request",
            ProblemKind::Unauthenticated => "Not logged in",
            ProblemKind::Forbidden => "Not allowed",
            ProblemKind::NotFound => "Not found",
            ProblemKind::MethodNotAllowed => "Method not allowed",
            ProblemKind::NotAcceptable => "Not acceptable",
            ProblemKind::Timeout => "Request timeout",
            ProblemKind::Conflict => "Conflict",
            ProblemKind::Gone => "Gone",
            ProblemKind::TooLarge => "Too large",
            ProblemKind::UnsupportedMediaType => "Unsupported media type",
            ProblemKind::Invalid => "Not valid",
            ProblemKind::TooMany => "Too many requests",
            ProblemKind::Internal => "Internal error",
            ProblemKind::BadGateway => "Bad gateway",
            ProblemKind::Unavailable => "Unavailable",
            ProblemKind::GatewayTimeout => "No answer in time",
        }
    }
}

/// An error with what a person needs to act on it.
pub struct Problem {
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// One sentence for the one who asked: what is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Seconds after which a retry makes sense (429, 502, 503, 504).
    pub retry_after_s: Option<u32>,
    /// The cause. Logged once, never sent.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem with its one sentence.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), hint: None, retry_after_s: None, source: None }
    }

    /// 404 with Mastodon's words, for missing and private things alike.
    pub fn not_found() -> Problem {
        Problem::new(ProblemKind::NotFound, "Record not found")
    }

    /// 422.
    pub fn invalid(detail: impl Into<String>) -> Problem {
        Problem::new(ProblemKind::Invalid, detail)
    }

    /// 400.
    pub fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(ProblemKind::Malformed, detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(ProblemKind::Forbidden, detail)
    }

    /// 401 with Mastodon's words.
    pub fn unauthenticated() -> Problem {
        Problem::new(ProblemKind::Unauthenticated, "The access token is invalid")
    }

    /// 500; the cause is logged, the sender learns nothing of it.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Problem {
        let mut problem = Problem::new(ProblemKind::Internal, "Something went wrong on our side");
        problem.source = Some(source.into());
        problem
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Problem {
        self.source = Some(source.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n{hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.detail)?;
        if let Some(source) = &self.source {
            write!(f, " ({source})")?;
        }
        Ok(())
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|s| s as &(dyn Error + 'static))
    }
}
