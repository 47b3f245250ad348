//! How attempts end, and what that means for the job.
//!
//! A table of pure functions; the destination's side of it is in
//! `destination`.

use std::time::Duration;

use crate::base::{Chance, Timestamp};
use crate::domain::delivery::Fate;
use crate::model::queue::{Class, DeadReason, JobRow, SignatureProfile};

/// Shortest and longest pause that a Retry-After may ask for.
pub(super) const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));
/// Panics after which a job is poison.
pub(super) const PANICS_MAX: u8 = 2;
/// Attempts that may end in 401, each with both signatures.
const UNAUTHORIZED_ATTEMPTS_MAX: u8 = 4;

/// Waits before each retry of a job for another server, in seconds.
const RETRY_REMOTE_S: [u64; 11] = [30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 86_400, 86_400];
/// Waits before each retry of our own work: mostly a busy store.
const RETRY_LOCAL_S: [u64; 8] = [1, 5, 30, 120, 600, 3600, 21_600, 86_400];
/// Wait before the first retry of one that failed on our side, in seconds: a
/// store that was away is back, and the other side had no part in it.
const RETRY_SOON_S: u64 = 3;
/// Retries spread by this share to either side, so that they do not come in waves.
const JITTER: f64 = 0.25;

/// Why a destination could not be reached or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No answer in time, or 408.
    Timeout,
    /// No connection, or it broke.
    Connection,
    /// The name does not exist (NXDOMAIN).
    Unresolved,
    /// The resolver is in trouble: nothing is known of the name.
    Resolver,
    /// The TLS handshake failed.
    Tls,
    /// A 5xx answer.
    Server,
}

impl FailureKind {
    const fn words(self) -> &'static str {
        match self {
            FailureKind::Timeout => "no answer in time",
            FailureKind::Connection => "no connection",
            FailureKind::Unresolved => "the name does not exist",
            FailureKind::Resolver => "the name cannot be looked up",
            FailureKind::Tls => "no trusted encryption",
            FailureKind::Server => "the server failed",
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// It became pointless before it was sent.
    Superseded,
    /// The other side will never take it.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The inbox is gone (410).
    Gone {
        /// It was the one for everybody there: the whole server is gone. The
        /// worker knows this, handlers need not.
        is_shared: bool,
    },
    /// Neither signature was accepted (401).
    Unauthorized,
    /// Too much at once (429).
    TooMany {
        /// What the Retry-After header asks for.
        retry_after: Option<Duration>,
    },
    /// 503 with a Retry-After header.
    Unavailable {
        /// What it asks for.
        retry_after: Duration,
    },
    /// The destination failed or cannot be reached.
    Failed {
        /// How.
        kind: FailureKind,
        /// The HTTP status, 0 if there was none.
        status: u16,
        /// In a few words, without private text.
        detail: String,
    },
    /// Our side cannot do it now; nothing is said about the destination.
    TryLater {
        /// In a few words, without private text.
        detail: String,
    },
    /// Our side can never do it.
    Broken {
        /// In a few words, without private text.
        detail: String,
    },
    /// The handler panicked. Only the worker reports this.
    Panicked,
}

impl Outcome {
    /// What an HTTP answer means (RFC 9110, RFC 6585; Mastodon, too, gives up
    /// on every 4xx but 401, 408 and 429).
    pub fn of_status(status: u16, retry_after: Option<Duration>) -> Outcome {
        match status {
            200..=299 => Outcome::Done,
            401 => Outcome::Unauthorized,
            408 => Outcome::failed(FailureKind::Timeout, status, "request timeout"),
            410 => Outcome::Gone { is_shared: false },
            425 => Outcome::TryLater { detail: "too early".into() },
            429 => Outcome::TooMany { retry_after },
            501 => Outcome::Refused { status },
            300..=499 => Outcome::Refused { status },
            503 => match retry_after {
                Some(retry_after) => Outcome::Unavailable { retry_after },
                None => Outcome::failed(FailureKind::Server, status, "server error"),
            },
            _ => Outcome::failed(FailureKind::Server, status, "server error"),
        }
    }

    /// A failure of the destination.
    pub fn failed(kind: FailureKind, status: u16, detail: impl Into<String>) -> Outcome {
        Outcome::Failed { kind, status, detail: detail.into() }
    }

    /// Its name in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Superseded => "superseded",
            Outcome::Refused { .. } => "refused",
            Outcome::Gone { .. } => "gone",
            Outcome::Unauthorized => "unauthorized",
            Outcome::TooMany { .. } => "too_many",
            Outcome::Unavailable { .. } => "unavailable",
            Outcome::Failed { kind: FailureKind::Timeout, .. } => "timeout",
            Outcome::Failed { kind: FailureKind::Connection, .. } => "connection",
            Outcome::Failed { kind: FailureKind::Unresolved, .. } => "unresolved",
            Outcome::Failed { kind: FailureKind::Resolver, .. } => "resolver",
            Outcome::Failed { kind: FailureKind::Tls, .. } => "tls",
            Outcome::Failed { kind: FailureKind::Server, .. } => "server_error",
            Outcome::TryLater { .. } => "try_later",
            Outcome::Broken { .. } => "broken",
            Outcome::Panicked => "panicked",
        }
    }

    /// Whether an admin should read of it.
    pub(super) fn is_mishap(&self) -> bool {
        !matches!(self, Outcome::Done | Outcome::Superseded)
    }

    /// What happened, for a person to read.
    pub fn words(&self) -> String {
        let after = |wait: &Duration| format!("it asks for {} s of quiet", wait.as_secs());
        match self {
            Outcome::Done => "done".into(),
            Outcome::Superseded => "a later activity made it pointless".into(),
            Outcome::Refused { status } => format!("refused: answered {status}"),
            Outcome::Gone { is_shared: false } => "the inbox is gone: answered 410".into(),
            Outcome::Gone { is_shared: true } => "the server is gone: its shared inbox answered 410".into(),
            Outcome::Unauthorized => "neither signature was accepted: answered 401".into(),
            Outcome::TooMany { retry_after: Some(wait) } => {
                format!("too much at once (429): {}", after(wait))
            }
            Outcome::TooMany { retry_after: None } => "too much at once: answered 429".into(),
            Outcome::Unavailable { retry_after } => format!("not available (503): {}", after(retry_after)),
            Outcome::Failed { kind, status: 0, detail } => format!("{}: {detail}", kind.words()),
            Outcome::Failed { status, .. } => format!("failed: answered {status}"),
            Outcome::TryLater { detail } | Outcome::Broken { detail } => format!("on our side: {detail}"),
            Outcome::Panicked => "on our side: the program stumbled over it".into(),
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self {
            Outcome::Refused { status } | Outcome::Failed { status, .. } => *status,
            Outcome::Gone { .. } => 410,
            Outcome::Unauthorized => 401,
            Outcome::TooMany { .. } => 429,
            Outcome::Unavailable { .. } => 503,
            _ => 0,
        }
    }

    fn text(&self) -> String {
        match self {
            Outcome::Failed { detail, .. } | Outcome::TryLater { detail } | Outcome::Broken { detail } => {
                detail.clone()
            }
            Outcome::Refused { status } => format!("refused with {status}"),
            other => other.name().replace('_', " "),
        }
    }
}

/// What a handler says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub outcome: Outcome,
    /// The signature the host accepted.
    pub profile: Option<SignatureProfile>,
    /// How long the host takes no more, as it says of itself.
    pub quiet_for: Option<Duration>,
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Report {
        Report { outcome, profile: None, quiet_for: None }
    }
}

/// What becomes of a job. `None`: it stays ready as it is, because the attempt
/// said nothing about it ("distance is not evidence about the payload").
pub fn fate(
    outcome: &Outcome,
    class: Class,
    is_host_well: bool,
    row: &JobRow,
    now: Timestamp,
    chance: &dyn Chance,
) -> Option<Fate> {
    let dead = |row: JobRow, reason| {
        Some(Fate::Dead { row, reason, http_status: outcome.status(), error: outcome.text() })
    };
    let row = row.clone();
    match outcome {
        Outcome::Done => Some(Fate::Done),
        Outcome::Superseded => Some(Fate::Dropped),
        Outcome::Refused { .. } | Outcome::Broken { .. } => dead(row, DeadReason::Refused),
        Outcome::Gone { .. } => dead(row, DeadReason::Gone),
        Outcome::TooMany { .. } | Outcome::Unavailable { .. } => None,
        Outcome::Failed { .. } if !is_host_well => None,
        Outcome::Unauthorized if row.attempts + 1 >= UNAUTHORIZED_ATTEMPTS_MAX => {
            dead(row, DeadReason::Refused)
        }
        Outcome::Panicked if row.panics + 1 >= PANICS_MAX => {
            dead(JobRow { panics: row.panics + 1, ..row }, DeadReason::Poison)
        }
        _ => {
            let panics = row.panics + u8::from(*outcome == Outcome::Panicked);
            let wait = match outcome {
                Outcome::TryLater { .. } if class == Class::Remote => own_retry_wait(row.attempts, chance),
                _ => retry_wait(class, row.attempts, chance),
            };
            match wait {
                Some(wait) if now.plus(wait) < row.expires_at => {
                    let row = JobRow { attempts: row.attempts.saturating_add(1), panics, ..row };
                    Some(Fate::Defer { row, due: now.plus(wait) })
                }
                Some(_) => dead(row, DeadReason::Expired),
                None => dead(row, DeadReason::Exhausted),
            }
        }
    }
}

/// How long until the retry after `attempts` earlier ones; `None` after the last.
pub fn retry_wait(class: Class, attempts: u8, chance: &dyn Chance) -> Option<Duration> {
    let waits: &[u64] = match class {
        Class::Local | Class::Ingress => &RETRY_LOCAL_S,
        Class::Remote | Class::Push | Class::Webhook | Class::Mail | Class::Web => &RETRY_REMOTE_S,
    };
    let wait_s = *waits.get(usize::from(attempts))?;
    Some(spread(Duration::from_secs(wait_s), JITTER, chance))
}

/// The same for another server's job that failed on our side.
fn own_retry_wait(attempts: u8, chance: &dyn Chance) -> Option<Duration> {
    match attempts.checked_sub(1) {
        None => Some(spread(Duration::from_secs(RETRY_SOON_S), JITTER, chance)),
        Some(earlier) => retry_wait(Class::Remote, earlier, chance),
    }
}

/// A span up to `share` longer or shorter.
pub(crate) fn spread(span: Duration, share: f64, chance: &dyn Chance) -> Duration {
    span.mul_f64(1.0 + share * (2.0 * chance.unit() - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FixedChance, Id};
    use crate::model::queue::{JobKind, OrderKey};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn row(attempts: u8) -> JobRow {
        JobRow {
            sender: Id(1),
            order: OrderKey::NONE,
            attempts,
            panics: 0,
            created_at: NOW,
            expires_at: NOW.plus(Duration::from_secs(30 * 86_400)),
            bytes: 10,
            kind: JobKind::Deliver,
        }
    }

    fn fate_of(outcome: &Outcome, is_host_well: bool, row: &JobRow) -> Option<Fate> {
        fate(outcome, Class::Remote, is_host_well, row, NOW, &FixedChance::new(1))
    }

    #[test]
    fn answers_mean_what_the_table_says() {
        for (status, name) in [
            (200, "done"),
            (202, "done"),
            (301, "refused"),
            (400, "refused"),
            (401, "unauthorized"),
            (403, "refused"),
            (404, "refused"),
            (408, "timeout"),
            (410, "gone"),
            (413, "refused"),
            (422, "refused"),
            (429, "too_many"),
            (500, "server_error"),
            (501, "refused"),
            (502, "server_error"),
            (503, "server_error"),
            (999, "server_error"),
        ] {
            assert_eq!(Outcome::of_status(status, None).name(), name, "{status}");
        }
        let busy = Outcome::of_status(503, Some(Duration::from_secs(5)));
        assert_eq!(busy.name(), "unavailable");
    }

    #[test]
    fn retries_grow_and_end() {
        let chance = FixedChance::new(7);
        for (attempts, wait_s) in RETRY_REMOTE_S.iter().enumerate() {
            let wait = retry_wait(Class::Remote, attempts as u8, &chance).unwrap().as_secs_f64();
            let expected = *wait_s as f64;
            assert!((0.75 * expected..=1.25 * expected).contains(&wait), "{attempts}: {wait}");
        }
        assert_eq!(retry_wait(Class::Remote, 11, &chance), None);
        let server_error = Outcome::of_status(500, None);
        assert!(
            matches!(fate_of(&server_error, true, &row(0)), Some(Fate::Defer { row, .. }) if row.attempts == 1)
        );
        let last = fate_of(&server_error, true, &row(11));
        assert!(matches!(last, Some(Fate::Dead { reason: DeadReason::Exhausted, http_status: 500, .. })));
    }

    #[test]
    fn what_failed_on_our_side_is_tried_again_soon() {
        let ours = Outcome::TryLater { detail: "the store is away".into() };
        let wait_s = |attempts| match fate_of(&ours, true, &row(attempts)) {
            Some(Fate::Defer { row, due }) if row.attempts == attempts + 1 => due.since(NOW).as_secs(),
            other => panic!("{other:?}"),
        };
        assert!(wait_s(0) < 4 && (22..38).contains(&wait_s(1)) && (90..=150).contains(&wait_s(2)));
        assert!(matches!(fate_of(&ours, true, &row(12)), Some(Fate::Dead { .. })), "it ends all the same");
    }

    #[test]
    fn a_failing_host_costs_its_jobs_no_attempt() {
        assert_eq!(fate_of(&Outcome::of_status(500, None), false, &row(0)), None);
        assert_eq!(fate_of(&Outcome::of_status(429, None), true, &row(0)), None);
    }

    #[test]
    fn refused_jobs_die_at_once() {
        for (outcome, reason) in [
            (Outcome::of_status(404, None), DeadReason::Refused),
            (Outcome::of_status(410, None), DeadReason::Gone),
            (Outcome::Broken { detail: "no key".into() }, DeadReason::Refused),
        ] {
            assert!(
                matches!(fate_of(&outcome, true, &row(0)), Some(Fate::Dead { reason: r, .. }) if r == reason)
            );
        }
    }

    #[test]
    fn the_second_panic_is_poison() {
        let once = fate_of(&Outcome::Panicked, true, &row(0));
        let Some(Fate::Defer { row, .. }) = once else { panic!("{once:?}") };
        let twice = fate_of(&Outcome::Panicked, true, &row);
        assert!(matches!(twice, Some(Fate::Dead { reason: DeadReason::Poison, .. })));
    }

    #[test]
    fn a_refused_signature_is_tried_four_times() {
        assert!(matches!(fate_of(&Outcome::Unauthorized, true, &row(2)), Some(Fate::Defer { .. })));
        assert!(matches!(fate_of(&Outcome::Unauthorized, true, &row(3)), Some(Fate::Dead { .. })));
    }

    #[test]
    fn a_retry_after_the_end_is_not_waited_for() {
        let short = JobRow { expires_at: NOW.plus(Duration::from_secs(10)), ..row(0) };
        let fate = fate_of(&Outcome::of_status(500, None), true, &short);
        assert!(matches!(fate, Some(Fate::Dead { reason: DeadReason::Expired, .. })));
    }
}
