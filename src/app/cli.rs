//! The command line: what may be said, not what it does.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::config::{Overrides, nearest};

/// A social network server: one binary, three lines of configuration, the fediverse included.
///
/// Without a config file it serves `https://localhost` and keeps its data in the
/// platform's data folder.
#[derive(Debug, Parser)]
#[command(name = "waxwing", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The config file: Caddyfile-like, or TOML if it is named `.toml`.
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: OverrideArgs,
    #[command(flatten)]
    pub bench: super::bench::BenchArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the command line says over the file.
#[derive(Debug, Args)]
pub struct OverrideArgs {
    /// The folder for all data, in place of the one of the config file.
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Where to serve the site, such as 127.0.0.1:8443 or :8443; may be given several times.
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Vec<String>,
}

impl OverrideArgs {
    /// As the config reader takes them.
    pub fn into_overrides(self) -> Overrides {
        Overrides { data: self.data, listen: self.listen }
    }
}

/// What to do instead of running the server.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Says whether a config file is right, or everything that is wrong with it.
    Check {
        /// The config file.
        file: PathBuf,
    },
    /// Prints the full effective config as TOML, every default included.
    Adapt {
        /// The config file; without one, what holds when there is none.
        file: Option<PathBuf>,
    },
    /// Looks after the people of a server, whether it runs or not.
    User {
        #[command(subcommand)]
        command: UserCommand,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Looks at the queue of deliveries to other servers, and steers it.
    Deliveries {
        #[command(subcommand)]
        command: DeliveriesCommand,
        /// Print JSON, as the API has it.
        #[arg(long, global = true)]
        json: bool,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Writes all records into one file, all of the same moment; the store must not be in use if it is a file.
    Backup {
        /// The file to write; it must not be there yet.
        file: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Fills an empty store, a file or a database, with the records of a backup.
    Restore {
        /// The file to read.
        file: PathBuf,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Passes requests on to HTTP servers, each to the one that will answer soonest.
    Proxy(super::proxy::ProxyArgs),
    /// Runs a server to write and test apps against: in memory, with sample people, sending nothing.
    Sandbox(SandboxArgs),
    /// Lists every directive a config file may have.
    Directives,
    /// Prints the version.
    Version,
    /// Is measured by `--bench`, which starts it and talks to it over standard input.
    #[command(name = "bench-instance", hide = true)]
    BenchInstance,
}

/// How a sandbox is set up.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where to serve plain HTTP.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3000")]
    pub listen: std::net::SocketAddr,
    /// The token of the sample admin, in place of a random one.
    #[arg(long, value_name = "TOKEN")]
    pub admin_token: Option<String>,
}

/// Which server is meant.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The config file of the server; without one, the server that runs without.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the server's data, in place of the one of the config file.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
}

/// What to do with a person. Also the message to a running server.
#[derive(Clone, Subcommand, Serialize, Deserialize)]
pub enum UserCommand {
    /// Makes an account and prints its password.
    Create {
        /// The name before the @.
        name: String,
        /// Where to reach them.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// What they may do; there is one owner.
        #[arg(long, value_enum, default_value = "user")]
        role: RoleName,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Lists everyone who can log in.
    List,
    /// Sets a new password, prints it, and logs them out everywhere.
    ResetPassword {
        /// Their name or mail address.
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Keeps them from logging in, and logs them out everywhere.
    Disable {
        /// Their name or mail address.
        name: String,
    },
    /// Lets them in again, or approves them.
    Enable {
        /// Their name or mail address.
        name: String,
    },
}

/// What a running server is asked to do.
#[derive(Clone, Serialize, Deserialize)]
pub enum Errand {
    /// With a person.
    User(UserCommand),
    /// With the queue.
    Deliveries(DeliveriesOrder),
}

/// What to do with the queue, and how to answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeliveriesOrder {
    /// What.
    pub command: DeliveriesCommand,
    /// As JSON.
    pub json: bool,
}

/// What to do with the queue. A destination is called by its host, or by the
/// number that the list gives it.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum DeliveriesCommand {
    /// Lists destinations with what waits there.
    List {
        /// The most of this first.
        #[arg(long, value_enum, default_value = "backlog")]
        order: OrderName,
        /// Only those in this state.
        #[arg(long, value_enum)]
        state: Option<StateName>,
        /// Only those that are paused.
        #[arg(long)]
        paused: bool,
        /// Only those with this in their name.
        #[arg(long, value_name = "TEXT")]
        find: Option<String>,
        /// Rows.
        #[arg(long, default_value = "50")]
        limit: usize,
    },
    /// Shows one destination: how it is, what happened there, what waits.
    Show {
        /// The destination.
        host: String,
        /// Jobs that are shown.
        #[arg(long, default_value = "20")]
        jobs: usize,
    },
    /// Sends nothing more there until it is resumed.
    Pause {
        /// The destination.
        host: String,
    },
    /// Sends there again, slowly at first.
    Resume {
        /// The destination.
        host: String,
    },
    /// Looks at once whether it is back.
    Probe {
        /// The destination.
        host: String,
    },
    /// Limits it; what is left out is left to the queue.
    Limits {
        /// The destination.
        host: String,
        /// Requests a second.
        #[arg(long)]
        rate: Option<f32>,
        /// Requests at once.
        #[arg(long)]
        cap: Option<u32>,
    },
    /// Throws away what waits there.
    Purge {
        /// The destination.
        host: String,
        /// Only what this account sends, by its id.
        #[arg(long, value_name = "ID")]
        sender: Option<String>,
        /// Only this kind of work.
        #[arg(long)]
        kind: Option<String>,
        /// Only what was written before.
        #[arg(long, value_name = "TIME")]
        before: Option<String>,
    },
    /// Tries dead letters again.
    Replay {
        /// The destination.
        host: String,
        /// Only those given up for this reason.
        #[arg(long)]
        reason: Option<String>,
        /// Only those given up at this time or later.
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Only those given up before.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Says which rule keeps a job from starting.
    Explain {
        /// The destination.
        host: String,
        /// The job's act, as `show` has it.
        act: String,
        /// The job's inbox, as `show` has it.
        #[arg(default_value = "0")]
        inbox: u32,
    },
    /// Prints dead letters, one JSON document on each line.
    Export {
        /// Only those of this destination.
        host: Option<String>,
        /// Only those given up for this reason.
        #[arg(long)]
        reason: Option<String>,
        /// Where to go on.
        #[arg(skip)]
        after: Option<String>,
    },
}

/// What a list of destinations is ordered by.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
pub enum OrderName {
    /// Jobs that wait.
    Backlog,
    /// Age of the oldest of them.
    Age,
    /// How unwell it is.
    State,
    /// Failures in a row.
    Failures,
    /// Dead letters.
    Dead,
    /// Its name.
    Name,
}

/// A destination's state.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
pub enum StateName {
    /// Sent to as usual.
    Closed,
    /// Left alone for a while.
    Open,
    /// Being tried.
    HalfOpen,
    /// Only failures for two days.
    Dormant,
    /// Only failures for a week.
    Dead,
}

/// Where a password comes from.
#[derive(Clone, Args, Serialize, Deserialize)]
pub struct PasswordArgs {
    /// Read the password from the first line of standard input, in place of making one.
    #[arg(long)]
    pub password_stdin: bool,
    /// What was read there.
    #[arg(skip)]
    pub password: Option<String>,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
pub enum RoleName {
    /// Their own things.
    User,
    /// Reports and accounts as well.
    Moderator,
    /// Settings as well.
    Admin,
    /// Everything.
    Owner,
}

impl std::fmt::Debug for UserCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither passwords nor people belong in a log.
        f.write_str(match self {
            UserCommand::Create { .. } => "Create",
            UserCommand::List => "List",
            UserCommand::ResetPassword { .. } => "ResetPassword",
            UserCommand::Disable { .. } => "Disable",
            UserCommand::Enable { .. } => "Enable",
        })
    }
}

/// The command that a missing config file was probably meant to be.
pub fn command_like(file: &str) -> Option<&'static str> {
    nearest(
        file,
        [
            "check",
            "adapt",
            "directives",
            "version",
            "user",
            "deliveries",
            "backup",
            "restore",
            "proxy",
            "sandbox",
            "help",
        ],
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_plain_start_takes_a_config_and_overrides() {
        let cli = parse("waxwing a.conf --data d --listen :1 --listen :2").unwrap();
        assert_eq!(cli.config, Some("a.conf".into()));
        assert!(cli.command.is_none());
        let over = cli.overrides.into_overrides();
        assert_eq!(over, Overrides { data: Some("d".into()), listen: vec![":1".into(), ":2".into()] });
        assert!(parse("waxwing").is_ok());
    }

    #[test]
    fn commands_are_told_from_config_files() {
        let command = |line| parse(line).unwrap().command;
        assert!(matches!(command("waxwing check a.conf"), Some(Command::Check { .. })));
        assert!(matches!(command("waxwing adapt"), Some(Command::Adapt { file: None })));
        assert!(command("waxwing ./check").is_none());
        for bad in ["waxwing check", "waxwing check a b", "waxwing a.conf b.conf", "waxwing --wibble"] {
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn user_commands_take_their_server_before_or_after() {
        for line in
            ["waxwing user --data d create ana --role admin", "waxwing user create ana --role admin --data d"]
        {
            let Some(Command::User { command: UserCommand::Create { name, role, .. }, place }) =
                parse(line).unwrap().command
            else {
                panic!("{line} is something else");
            };
            assert_eq!((name.as_str(), place.data.as_deref()), ("ana", Some("d")));
            assert!(matches!(role, RoleName::Admin));
        }
        for line in ["list", "reset-password ana", "disable ana", "enable ana@example.com"] {
            assert!(parse(&format!("waxwing user {line}")).is_ok(), "{line}");
        }
        assert!(parse("waxwing user").is_err() && parse("waxwing user create").is_err());
    }

    #[test]
    fn deliveries_are_asked_for_in_many_ways() {
        for line in [
            "list",
            "list --order age --state half-open --paused --find x --limit 5 --json",
            "--json show b.example --jobs 3",
            "pause b.example",
            "resume 7 --config c.conf",
            "probe b.example",
            "limits b.example --rate 0.5 --cap 2",
            "purge b.example --sender 1 --kind deliver --before 2026-11-23",
            "replay b.example --reason refused",
            "explain b.example 9 3",
            "export",
            "export b.example --reason gone",
        ] {
            assert!(parse(&format!("waxwing deliveries {line}")).is_ok(), "{line}");
        }
        for bad in ["", "pause", "list --order size", "limits b.example --rate fast", "explain b.example"] {
            assert!(parse(&format!("waxwing deliveries {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mistyped_command_is_recognised() {
        assert_eq!(command_like("chekc"), Some("check"));
        assert_eq!(command_like("social.conf"), None);
    }
}
