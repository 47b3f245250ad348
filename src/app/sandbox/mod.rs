//! `waxwing sandbox`: a whole server to write and test apps against. Plain
//! HTTP on this machine, everything in memory, registration open, no limits,
//! people and posts to begin with, and nothing that leaves it.

mod samples;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::cli::SandboxArgs;
use super::serve::serve_after;
use super::server::Server;
use crate::base::{Problem, ProblemKind};
use crate::config::{self, Config, Environment, Overrides};
use crate::edge::sandbox::SamplePerson;

/// Bytes of a chosen token, so that it is not mistaken for a password.
const TOKEN_BYTES: std::ops::RangeInclusive<usize> = 4..=128;

/// A sandbox that is ready to run.
pub(super) struct Sandbox {
    /// Its settings.
    pub(super) config: Config,
    admin_token: Option<String>,
    /// Thrown away at the end.
    _folder: Folder,
}

impl Sandbox {
    /// Checks the arguments and makes a folder for what cannot be in memory.
    ///
    /// # Errors
    /// A token that is no token, or a folder that cannot be made.
    pub(super) fn prepare(args: SandboxArgs, environment: &Environment) -> Result<Sandbox, Problem> {
        if let Some(token) = &args.admin_token
            && (!TOKEN_BYTES.contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()))
        {
            let detail = "the admin token must be 4 to 128 visible ASCII characters";
            return Err(Problem::invalid(detail).hint("leave it out to get a random one"));
        }
        let folder = Folder::make()?;
        let config = settings(args.listen, &folder.0, environment)?;
        Ok(Sandbox { config, admin_token: args.admin_token, _folder: folder })
    }

    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub(super) fn serve(self) -> Result<(), Problem> {
        let admin_token = self.admin_token.clone();
        serve_after(self.config.clone(), async move |server: &Server| {
            let people = samples::fill(&server.state, admin_token).await?;
            let greeting = greeting(&server.origin, &people);
            server.state.set_sample_people(people);
            Ok(greeting)
        })
    }
}

fn settings(listen: SocketAddr, folder: &Path, environment: &Environment) -> Result<Config, Problem> {
    let lines = format!(
        "http://localhost:{}\ntitle \"Waxwing sandbox\"\nstore memory\nregistration open\nadmin off\n\
         log_level warn\nrate_limit off\n",
        listen.port()
    );
    let overrides = Overrides { data: Some(folder.display().to_string()), listen: vec![listen.to_string()] };
    let config = config::parse(Path::new("sandbox"), lines.as_bytes(), environment, &overrides)
        .map_err(|complaints| Problem::internal(complaints.to_string()))?;
    Ok(Config { is_sandbox: true, ..config })
}

fn greeting(origin: &str, people: &[SamplePerson]) -> String {
    let mut text = format!("Waxwing's sandbox serves {origin}\nNothing leaves it; see {origin}/sandbox\n");
    for SamplePerson { username, password, token, role } in people {
        text.push_str(&format!("{role} {username} password {password} token {token}\n"));
    }
    text
}

/// A folder that goes with the process.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Folder, Problem> {
        let path = std::env::temp_dir().join(format!("waxwing-sandbox-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| {
            let detail = format!("the folder `{}` cannot be made: {error}", path.display());
            Problem::new(ProblemKind::Unavailable, detail).hint("set TMPDIR to a folder that can be written")
        })?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
