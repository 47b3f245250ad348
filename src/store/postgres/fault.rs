//! What the driver and the database say: whether to try again, and words for
//! people.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// What a failed statement means.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection cannot be used any more, and nobody knows whether the
    /// statement was done.
    Lost(String),
    /// Another writer was first; nothing was done.
    Conflict,
    /// The server refused; nothing was done.
    Refused(StoreError),
}

impl Trouble {
    /// As an answer for those who cannot begin again.
    pub(super) fn into_error(self, place: &str) -> StoreError {
        match self {
            Trouble::Lost(why) => {
                StoreError::Database(format!("the connection to the database at {place} was lost: {why}"))
            }
            Trouble::Conflict => StoreError::Conflict,
            Trouble::Refused(error) => error,
        }
    }
}

/// Whether the database is merely not there just now.
fn is_passing(code: &SqlState) -> bool {
    // A server that starts, stops, was asked to hang up, has become a
    // standby (25006), or does not know how a commit ended (40003).
    code.code().starts_with("08")
        || code.code().starts_with("57P")
        || [
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::TOO_MANY_CONNECTIONS,
        ]
        .contains(code)
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        let Some(said) = error.as_db_error() else { return Trouble::Lost(words(&error)) };
        let code = said.code();
        if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
            return Trouble::Conflict;
        }
        if is_passing(code) {
            return Trouble::Lost(words(&error));
        }
        Trouble::Refused(if *code == SqlState::DISK_FULL {
            StoreError::DiskFull(format!("on the database server: {}", said.message()))
        } else if *code == SqlState::QUERY_CANCELED {
            StoreError::Database(format!(
                "the database took too long and was stopped ({}); if that happens often, see what keeps it busy",
                said.message()
            ))
        } else {
            StoreError::Database(format!("the database refused ({}): {}", code.code(), said.message()))
        })
    }
}

/// A connection that did not come about.
pub(super) struct NoConnection {
    pub(super) error: StoreError,
    /// It may work a little later.
    pub(super) passes: bool,
}

/// Why no connection came about, and what to do.
pub(super) fn connecting(error: &Error, place: &str, user: &str) -> NoConnection {
    let fixed = |fix: &str| NoConnection {
        error: StoreError::Database(format!("{} cannot be used: {}; {fix}", at(place), words(error))),
        passes: false,
    };
    if let Some(code) = error.code() {
        return match code.code() {
            "28P01" => fixed(&format!("put the right password of `{user}` into the line `store`")),
            "28000" => fixed(&format!(
                "the server's pg_hba.conf must let `{user}` in from here, perhaps only with TLS \
                 (`?sslmode=require`)"
            )),
            "3D000" => fixed("make it first: `createdb -O USER NAME`"),
            "53300" => NoConnection { passes: true, ..fixed("raise max_connections, or run fewer nodes") },
            _ if is_passing(code) => NoConnection { passes: true, ..fixed("it is tried again") },
            _ => fixed("see the log of the database server"),
        };
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    match (cause.map(io::Error::kind), words(error)) {
        (_, said) if said.contains("lookup address") || said.contains("not resolve") => {
            NoConnection { passes: true, ..fixed("is the host's name in the line `store` right?") }
        }
        (_, said) if said.contains("does not support TLS") => {
            fixed("turn TLS on there, or write `sslmode=disable` if nobody can listen on the way")
        }
        (_, said) if said.contains("TLS") || said.contains("certificate") => {
            fixed("name its authority with `sslrootcert=FILE`, and dial the name that is in the certificate")
        }
        (_, said) if said.contains("password missing") => {
            fixed(&format!("put the password of `{user}` into the line `store`"))
        }
        (_, said) if said.contains("authentication") => fixed("the server asks for what is not known here"),
        // What the driver makes of a server that `target_session_attrs` refuses.
        (Some(io::ErrorKind::PermissionDenied), said) if said.contains("does not allow writes") => {
            NoConnection {
                passes: true,
                ..fixed("no server there is the primary; has it died, and none taken over?")
            }
        }
        (Some(_), _) => NoConnection { passes: true, ..fixed("is it running, and is the port right?") },
        (None, _) => NoConnection { passes: true, ..fixed("is it running?") },
    }
}

/// A server that did not answer in time.
pub(super) fn silent(place: &str) -> NoConnection {
    let error = StoreError::Database(format!(
        "{} cannot be used: it does not answer; is it running, and does a firewall let us through?",
        at(place)
    ));
    NoConnection { error, passes: true }
}

fn at(place: &str) -> String {
    format!("the database at {place}")
}

/// The driver's words, with the cause where it says more.
pub(super) fn words(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    match error.source() {
        Some(cause) => format!("{error}: {cause}").replace(&format!("{cause}: {cause}"), &cause.to_string()),
        None => error.to_string(),
    }
}
