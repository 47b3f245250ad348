//! What each command does.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::cli::{Cli, Command, DeliveriesOrder, PlaceArgs, command_like};
use super::logging;
use super::sandbox::Sandbox;
use super::serve::serve;
use crate::base::{Problem, ProblemKind};
use crate::config::{self, Complaints, Config, Environment, Overrides, Platform, Tls};

/// Does what the command line says; returns when that is done, for a server when it was stopped.
///
/// # Errors
/// A problem to print, with what to do about it.
pub fn run(cli: Cli) -> Result<(), Problem> {
    match cli.command {
        None if cli.bench.is_asked() => super::bench::run(cli.bench, cli.config.is_some()),
        None => {
            let config = load(cli.config.as_deref(), &cli.overrides.into_overrides())?;
            logging::start(config.log, config.log_level, log_filter().as_deref());
            serve(config)
        }
        Some(Command::Check { file }) => {
            let config = load(Some(&file), &Overrides::default())?;
            print(&summary(&file, &config))
        }
        Some(Command::Adapt { file }) => {
            let config = load(file.as_deref(), &Overrides::default())?;
            print(&config::adapt(&config))
        }
        Some(Command::User { command, place }) => print(&super::user::run(&config_of(place)?, command)?),
        Some(Command::Deliveries { command, json, place }) => {
            print(&super::deliveries::run(&config_of(place)?, DeliveriesOrder { command, json })?)
        }
        Some(Command::Backup { file, place }) => print(&super::backup::backup(&config_of(place)?, &file)?),
        Some(Command::Restore { file, place }) => print(&super::backup::restore(&config_of(place)?, &file)?),
        Some(Command::Proxy(args)) => {
            logging::start(config::LogFormat::Text, config::LogLevel::Info, log_filter().as_deref());
            super::proxy::run(args)
        }
        Some(Command::Sandbox(args)) => {
            let sandbox = Sandbox::prepare(args, &environment()?)?;
            logging::start(sandbox.config.log, sandbox.config.log_level, log_filter().as_deref());
            sandbox.serve()
        }
        Some(Command::BenchInstance) => super::bench::child::serve(&environment()?),
        Some(Command::Directives) => print(&config::listing()),
        Some(Command::Version) => print(concat!("waxwing ", env!("CARGO_PKG_VERSION"), "\n")),
    }
}

/// The config of the server that a command is about.
fn config_of(place: PlaceArgs) -> Result<Config, Problem> {
    let overrides = Overrides { data: place.data, ..Overrides::default() };
    load(place.config.as_deref(), &overrides)
}

/// The config of a file, or of none, on this machine.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Config, Problem> {
    config::load(file, &environment()?, overrides).map_err(|complaints| refuse(file, &complaints))
}

fn refuse(file: Option<&Path>, complaints: &Complaints) -> Problem {
    let problem = Problem::new(ProblemKind::Invalid, complaints.to_string());
    let command = file.filter(|file| !file.exists()).and_then(Path::to_str).and_then(command_like);
    match command {
        Some(command) => problem.hint(format!("did you mean the command `waxwing {command}`?")),
        None => problem,
    }
}

#[expect(clippy::disallowed_methods, reason = "app is the room that asks the environment, for all others")]
fn environment() -> Result<Environment, Problem> {
    let current_dir: PathBuf = env::current_dir().map_err(|error| {
        Problem::new(ProblemKind::Unavailable, format!("the current folder is not known: {error}"))
            .hint("change to a folder that exists")
    })?;
    Ok(Environment::new(Platform::current(), current_dir, |name| env::var(name).ok()))
}

/// `RUST_LOG`, for looking closer without changing the config.
#[expect(clippy::disallowed_methods, reason = "app is the room that asks the environment, for all others")]
fn log_filter() -> Option<String> {
    env::var("RUST_LOG").ok()
}

/// One line for a person who checked a file.
fn summary(file: &Path, config: &Config) -> String {
    let tls = match config.tls {
        Tls::Off => "TLS ended by another program",
        Tls::Internal => "a certificate of its own authority",
        Tls::Acme(_) => "a certificate by ACME",
        Tls::Files { .. } => "the certificate of two files",
    };
    format!("{} is right: {} with {tls}\n", file.display(), config.public_url)
}

/// Prints to standard output; a reader that went away (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::new(ProblemKind::Unavailable, format!("cannot write the answer: {error}")))
        }
        _ => Ok(()),
    }
}
