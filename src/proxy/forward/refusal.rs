//! Why a message is not passed on.

/// A refusal: the status for the client, and one sentence for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub(super) status: u16,
    pub(super) reason: &'static str,
}

impl Refusal {
    /// The status for the client.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// One sentence for people.
    pub const fn reason(&self) -> &'static str {
        self.reason
    }

    /// Seconds after which it may be different, where waiting helps.
    pub const fn retry_after_s(&self) -> Option<u32> {
        match self.status {
            502..=504 => Some(1),
            _ => None,
        }
    }

    /// With a status and one sentence.
    pub const fn new(status: u16, reason: &'static str) -> Refusal {
        Refusal { status, reason }
    }

    /// 400: the message is not what the standard calls one.
    pub(super) const fn bad(reason: &'static str) -> Refusal {
        Refusal::new(400, reason)
    }
}

/// The phrase of a status that this proxy gives by itself.
pub(super) const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}
