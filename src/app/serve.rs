//! Running the server.

use crate::base::{Problem, ProblemKind};
use crate::config::Config;

/// Serves until the process is told to stop.
///
/// # Errors
/// What keeps the server from starting.
pub fn serve(config: Config) -> Result<(), Problem> {
    let what = format!("this build cannot serve {} yet", config.public_url);
    Err(Problem::new(ProblemKind::Unavailable, what)
        .hint("use `waxwing check` and `waxwing adapt` meanwhile"))
}
