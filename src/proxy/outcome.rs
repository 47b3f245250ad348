//! How an exchange with an upstream ended, as far as balancing cares.

/// The end of one try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The headers of an answer came, and it is not one of those below.
    Answered,
    /// It answered 500, 502 or 504.
    ServerError,
    /// It answered 503 without saying that it did not begin the work.
    Unavailable,
    /// It answered 503 marked as shed: it did not begin the work.
    Shed,
    /// No connection: nothing was sent.
    Connect,
    /// The connection broke before the headers of an answer.
    Reset,
    /// It did not answer in time.
    Timeout,
    /// Nobody waits any more: the client left, or another copy won.
    Cancelled,
}

impl Outcome {
    /// What an answer's status means here. `is_shed` is whether it carried
    /// the mark of [`SHED_HEADER`](super::SHED_HEADER).
    pub const fn of_status(status: u16, is_shed: bool) -> Outcome {
        match status {
            500 | 502 | 504 => Outcome::ServerError,
            503 if is_shed => Outcome::Shed,
            503 => Outcome::Unavailable,
            _ => Outcome::Answered,
        }
    }

    /// A failure that speaks of a broken upstream and may eject it. A
    /// timeout or a refusal does not: overload is not cured by having fewer
    /// servers.
    pub const fn is_hard(self) -> bool {
        matches!(self, Outcome::ServerError | Outcome::Connect | Outcome::Reset)
    }

    /// A failure of the upstream of any kind.
    pub const fn is_failure(self) -> bool {
        !matches!(self, Outcome::Answered | Outcome::Cancelled)
    }

    /// A failure of the connection itself, the only kind that Netflix's
    /// client health counts.
    pub const fn is_connection(self) -> bool {
        matches!(self, Outcome::Connect | Outcome::Reset | Outcome::Timeout)
    }

    /// Whether the upstream certainly did not begin the work, so that any
    /// request may be sent elsewhere.
    pub const fn is_unprocessed(self) -> bool {
        matches!(self, Outcome::Connect | Outcome::Shed)
    }
}
