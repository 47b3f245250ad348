//! What the driver and the database say: whether to try again, and words for
//! people.

use std::error::Error as _;
use std::{fmt, io};

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// What a failed statement means.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection cannot be used any more, and nobody knows whether the
    /// statement was done.
    Lost(Loss),
    /// Another writer was first; nothing was done.
    Conflict,
    /// The server refused; nothing was done.
    Refused(StoreError),
}

/// Why a connection cannot be used any more.
#[derive(Debug)]
pub(super) enum Loss {
    /// It broke, in the driver's or the server's words.
    Broken(String),
    /// Nothing came in time.
    Silent,
    /// The server takes no writes any more.
    Standby,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::Broken(why) => f.write_str(why),
            Loss::Silent => f.write_str("the database did not answer in time"),
            Loss::Standby => f.write_str("the server is a standby now, which takes no writes"),
        }
    }
}

impl Trouble {
    /// As an answer for those who cannot begin again.
    pub(super) fn into_error(self, place: &str) -> StoreError {
        match self {
            Trouble::Lost(Loss::Standby) => standby(place).error,
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
    // A server that starts, stops, was asked to hang up, or does not know how a
    // commit ended (40003).
    code.code().starts_with("08")
        || code.code().starts_with("57P")
        || [
            SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::TOO_MANY_CONNECTIONS,
        ]
        .contains(code)
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        let Some(said) = error.as_db_error() else { return Trouble::Lost(Loss::Broken(words(&error))) };
        let code = said.code();
        if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code) {
            return Trouble::Conflict;
        }
        if is_passing(code) {
            return Trouble::Lost(Loss::Broken(words(&error)));
        }
        if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
            return Trouble::Lost(Loss::Standby);
        }
        Trouble::Refused(if *code == SqlState::DISK_FULL {
            StoreError::DiskFull(format!("on the database server: {}", said.message()))
        } else if *code == SqlState::QUERY_CANCELED {
            StoreError::Cancelled(format!(
                "the database took too long and was stopped ({}); if that happens often, see what keeps it busy",
                said.message()
            ))
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            StoreError::Database(format!(
                "the database refused ({}): {}; make the user its owner (`alter database NAME owner to USER`), \
                 or let it make tables (`grant create on schema public to USER`, in that database)",
                code.code(),
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
    pub(super) hope: Hope,
}

/// Whether it may come about a little later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hope {
    /// Somebody has to mend something.
    None,
    /// The server is a standby: another one may take writes, or this one soon.
    Elsewhere,
    /// It is away.
    Soon,
}

impl NoConnection {
    fn with(self, hope: Hope) -> NoConnection {
        NoConnection { hope, ..self }
    }
}

/// Of two that did not come about, what is to be told, and the better hope.
pub(super) fn worse(before: Option<NoConnection>, now: NoConnection) -> NoConnection {
    match before {
        None => now,
        Some(before) => {
            let hope = before.hope.max(now.hope);
            // What somebody has to mend says more than what passes.
            if before.hope < now.hope { before.with(hope) } else { now.with(hope) }
        }
    }
}

/// Why no connection came about, and what to do.
pub(super) fn connecting(error: &Error, place: &str, user: &str) -> NoConnection {
    let fixed = |fix: &str| unusable(place, &words(error), fix);
    let passing = |fix: &str| fixed(fix).with(Hope::Soon);
    if let Some(code) = error.code() {
        return match code.code() {
            "28P01" => fixed(&format!("put the right password of `{user}` into the line `store`")),
            "28000" => fixed(&format!(
                "the server's pg_hba.conf must let `{user}` in from here, perhaps only with TLS \
                 (`?sslmode=require`)"
            )),
            "3D000" => fixed("make it first: `createdb -O USER NAME`"),
            "53300" => passing("raise max_connections, or run fewer nodes"),
            _ if is_passing(code) => passing("it is tried again"),
            _ => fixed("see the log of the database server"),
        };
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    match (cause.map(io::Error::kind), words(error)) {
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
            standby(place)
        }
        (Some(_), _) => passing("is it running, and is the port right?"),
        (None, _) => passing("is it running?"),
    }
}

fn unusable(place: &str, what: &str, fix: &str) -> NoConnection {
    let error = StoreError::Database(format!("the database at {place} cannot be used: {what}; {fix}"));
    NoConnection { error, hope: Hope::None }
}

/// A server that takes no writes.
fn standby(place: &str) -> NoConnection {
    let fix = "name the primary in the line `store`, or all servers (`@ONE,TWO/`): the one that takes writes is used";
    unusable(place, "it is a standby, which takes no writes", fix).with(Hope::Elsewhere)
}

/// A host whose name leads nowhere.
pub(super) fn nameless(place: &str, why: &str) -> NoConnection {
    unusable(place, why, "is the host's name in the line `store` right?").with(Hope::Soon)
}

/// A server that did not answer in time.
pub(super) fn silent(place: &str) -> NoConnection {
    let fix = "is it running, and does a firewall let us through?";
    unusable(place, "it does not answer", fix).with(Hope::Soon)
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
