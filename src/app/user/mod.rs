//! `waxwing user …`: looks after people from the command line.
//!
//! A file can be open in one process only (a database in many). When no server runs, the command opens it
//! itself; when one does, the command is sent to that server's admin listener
//! ([`desk`]), with a secret from a file that only the server's user can read.

pub mod desk;
mod perform;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead};
use std::sync::Arc;

use super::cli::{Errand, UserCommand};
use super::deliveries;
use super::server::mail_route;
use super::system::{SystemChance, SystemClock};
use crate::base::limits::PASSWORD_BYTES_MAX;
use crate::base::{Chance, Clock, IdGenerator, NODE_MAX, Problem, ProblemKind};
use crate::cluster::command_ids;
use crate::config::{Config, StoreChoice};
use crate::edge::AppState;
use crate::edge::deliveries::Office;
use crate::model::Site;
use crate::store::{Postgres, Store, StoreError};

pub use perform::{Workplace, perform};

/// The node number of a command that has a file for itself.
const COMMAND_NODE: u8 = NODE_MAX;

/// Does what was asked and gives what to print.
///
/// # Errors
/// What stands in the way, and what to do about it.
pub fn run(config: &Config, mut command: UserCommand) -> Result<String, Problem> {
    read_password(&mut command)?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async {
        match open(config)? {
            Some(store) => {
                let done = here(config, store.clone(), command).await;
                store.close().await;
                done
            }
            None => desk::send(config, &Errand::User(command)).await,
        }
    })
}

/// The store, or nothing when a running server has it.
pub(super) fn open(config: &Config) -> Result<Option<Store>, Problem> {
    let path = match &config.store {
        StoreChoice::Redb(path) => path,
        // A database is open to servers and commands at once.
        StoreChoice::Postgres(database) => {
            return match Postgres::open(&database.url) {
                Ok(engine) => Ok(Some(Store::new(engine))),
                Err(error) => Err(Problem::new(ProblemKind::Unavailable, error.to_string())),
            };
        }
        StoreChoice::Memory => return Ok(None),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            let what = format!("the folder `{}` cannot be made: {error}", folder.display());
            Problem::new(ProblemKind::Unavailable, what).hint("name another one with `--data DIR`")
        })?;
    }
    match Store::open_redb(path) {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Held(_)) => Ok(None),
        // Here the one who reads it looks after the machine, so the cause is said.
        Err(error) => Err(Problem::new(ProblemKind::Unavailable, error.to_string())),
    }
}

/// What a running server does with a command that came to its [`desk`].
pub fn performer(state: AppState) -> desk::Perform {
    Arc::new(move |command| {
        let state = state.clone();
        Box::pin(async move {
            let at = Workplace {
                store: state.store.clone(),
                site: state.site.clone(),
                is_certain: true,
                clock: state.clock.clone(),
                chance: state.chance.clone(),
                ids: &state.ids,
            };
            match command {
                Errand::User(command) => perform(at, command).await,
                Errand::Deliveries(order) => deliveries::perform(&Office::from(&state), order).await,
            }
        })
    })
}

async fn here(config: &Config, store: Store, command: UserCommand) -> Result<String, Problem> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let chance: Arc<dyn Chance> = Arc::new(SystemChance);
    let url = &config.public_url;
    let mut site = Site::new(url.scheme.as_str(), &url.authority());
    // What is written now is sent when the server runs.
    site.mail = mail_route(config);
    // Which port a first start will get is not known, and addresses are for ever.
    let is_certain = config.fallback_port.is_none() && url.port != Some(0);
    let ids = match config.store {
        // Servers and other commands may be at the same database.
        StoreChoice::Postgres(_) => command_ids(&store, &*clock).await?,
        _ => IdGenerator::new(COMMAND_NODE),
    };
    perform(Workplace { store, site, is_certain, clock, chance, ids: &ids }, command).await
}

/// Fills the password in from standard input, if that was asked for.
fn read_password(command: &mut UserCommand) -> Result<(), Problem> {
    let (UserCommand::Create { password, .. } | UserCommand::ResetPassword { password, .. }) = command else {
        return Ok(());
    };
    if password.password_stdin {
        let mut line = String::new();
        // Room for a line end; the length itself is judged later.
        let mut input = io::Read::take(io::stdin().lock(), PASSWORD_BYTES_MAX as u64 + 3);
        input.read_line(&mut line).map_err(|error| {
            Problem::invalid(format!("the password cannot be read from standard input: {error}"))
        })?;
        password.password = Some(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(())
}
