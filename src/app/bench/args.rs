//! What may be said to `--bench`, and what it means.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::Outputs;
use crate::base::Problem;
use crate::bench::expect::Expectation;
use crate::bench::limit::Objective;
use crate::bench::remote::{self, Leave, Remote};
use crate::bench::scenario::Scenario;
use crate::bench::session::{Options, Size, Target, read_report};

/// Rounds where an earlier run is compared with: enough to see the noise.
const ROUNDS_COMPARED: usize = 3;
const ROUNDS_MAX: usize = 100;
const SECONDS_MAX: f64 = 3600.0;
const PEOPLE_MAX: usize = 1_000_000;
const LISTENERS_MAX: usize = 15_000;
const DESTINATIONS_MAX: usize = 10_000;
const CLIENTS_MAX: usize = 4096;

/// How to measure.
#[derive(Debug, Args)]
#[command(next_help_heading = "Measuring")]
pub struct BenchArgs {
    /// Measure what a server on this machine holds: a temporary one, or the one at URL.
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    bench: Option<Option<String>>,
    /// Only these scenarios: browse, post, stream, inbox, login, media, mixed, deliver, store, proxy.
    #[arg(long, value_name = "NAMES", requires = "bench")]
    only: Option<String>,
    /// Seconds of each round.
    #[arg(long, value_name = "SECONDS", requires = "bench")]
    seconds: Option<f64>,
    /// Requests a second, in place of what is usual for each scenario.
    #[arg(long, value_name = "PER_SECOND", requires = "bench")]
    rate: Option<f64>,
    /// Rounds of each scenario.
    #[arg(long, value_name = "NUMBER", requires = "bench")]
    rounds: Option<usize>,
    /// Raise the rate until the objective breaks, and name what gives way first.
    #[arg(long, value_name = "OBJECTIVE", num_args = 0..=1, requires = "bench")]
    find_limit: Option<Option<String>>,
    /// Something that has to hold, such as 'browse.p99<100ms' or 'post.rate>500/s'; may be given several times.
    #[arg(long, value_name = "THRESHOLD", requires = "bench")]
    expect: Vec<String>,
    /// Compare with an earlier run, as written by --json.
    #[arg(long, value_name = "FILE", requires = "bench")]
    compare: Option<PathBuf>,
    /// Write everything that was found as JSON.
    // `deliveries` has a `json` of its own.
    #[arg(id = "bench-json", long = "json", value_name = "FILE", requires = "bench")]
    json: Option<PathBuf>,
    /// Write a page with pictures.
    #[arg(long, value_name = "FILE", requires = "bench")]
    html: Option<PathBuf>,
    /// So many clients that wait for their answers, in place of arrivals that do not.
    #[arg(long, value_name = "CLIENTS", requires = "bench")]
    closed: Option<usize>,
    /// People of the temporary instance.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, requires = "bench")]
    people: usize,
    /// Posts it begins with.
    #[arg(long, value_name = "NUMBER", default_value_t = 5000, requires = "bench")]
    posts: usize,
    /// Whom each of its people follows, on average.
    #[arg(long, value_name = "NUMBER", default_value_t = 25, requires = "bench")]
    follows: usize,
    /// Open streams of the scenario `stream`.
    #[arg(long, value_name = "NUMBER", default_value_t = 300, requires = "bench")]
    listeners: usize,
    /// Fake servers of the scenario `deliver`, a tenth of them slow and more of them dead.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, requires = "bench")]
    destinations: usize,
    /// What chance begins with.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "bench")]
    seed: u64,
    /// A token of somebody on the server at URL. Others on this machine can see it here, but not in WAXWING_TOKEN.
    #[arg(long, value_name = "TOKEN", requires = "bench")]
    token: Option<String>,
    /// A file with such a token.
    #[arg(long, value_name = "FILE", requires = "bench", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// The certificate authority of the server at URL, in PEM.
    #[arg(long, value_name = "FILE", requires = "bench")]
    root: Option<PathBuf>,
    /// Also post and upload on the server at URL.
    #[arg(long, requires = "bench")]
    write: bool,
    /// The server at URL is yours, although it is not this machine.
    #[arg(long, requires = "bench")]
    i_own_this_server: bool,
}

impl BenchArgs {
    /// Whether it is to be measured at all.
    pub(in crate::app) fn is_asked(&self) -> bool {
        self.bench.is_some()
    }

    /// With the token of the environment, unless another one was given.
    #[must_use]
    pub(super) fn with_token(mut self, token: Option<String>) -> BenchArgs {
        self.token = self.token.or(token);
        self
    }

    /// What it all means.
    ///
    /// # Errors
    /// What cannot be understood or done.
    pub(super) fn understood(self) -> Result<(Options, Outputs), Problem> {
        let outputs = Outputs { json: self.json.clone(), html: self.html.clone() };
        let (target, scenarios) = self.target()?;
        self.check_closed(&scenarios)?;
        if self.find_limit.is_some() && !scenarios.iter().any(|one| one.has_limit()) {
            let names: Vec<_> =
                Scenario::ALL.iter().filter(|one| one.has_limit()).map(|one| one.name()).collect();
            return Err(Problem::invalid("`--find-limit`: no limit of these scenarios is looked for")
                .hint(format!("it looks for that of {}", names.join(", "))));
        }
        let expectations: Result<Vec<_>, String> =
            self.expect.iter().map(|text| Expectation::parse(text)).collect();
        let expectations = expectations.map_err(Problem::invalid)?;
        for one in &expectations {
            one.check_measured(&scenarios, self.find_limit.is_some())?;
        }
        outputs.check()?;
        let objective = match &self.find_limit {
            None => None,
            Some(text) => {
                Some(Objective::parse(text.as_deref().unwrap_or_default()).map_err(Problem::invalid)?)
            }
        };
        let before = self.compare.as_deref().map(read_report).transpose()?;
        let usual = if before.is_some() { ROUNDS_COMPARED } else { 1 };
        let options = Options {
            target,
            scenarios,
            rate_per_s: self.rate.map(|rate| within("--rate", rate, 0.01, 1_000_000.0)).transpose()?,
            seconds: self
                .seconds
                .map(|seconds| within("--seconds", seconds, 0.5, SECONDS_MAX))
                .transpose()?,
            rounds: within("--rounds", self.rounds.unwrap_or(usual), 1, ROUNDS_MAX)?,
            objective,
            expectations,
            before,
            closed: self.closed.map(|clients| within("--closed", clients, 1, CLIENTS_MAX)).transpose()?,
            seed: self.seed,
        };
        Ok((options, outputs))
    }

    /// Clients that wait for answers ask as fast as those come: no rate can
    /// be asked for, and none is ever too high.
    fn check_closed(&self, scenarios: &[Scenario]) -> Result<(), Problem> {
        if self.closed.is_none() {
            return Ok(());
        }
        for (is_given, name) in [(self.find_limit.is_some(), "--find-limit"), (self.rate.is_some(), "--rate")]
        {
            if is_given {
                return Err(Problem::invalid(format!("`--closed` and `{name}` do not go together")).hint(
                    "clients that wait for their answers ask no more than is answered, whatever the rate",
                ));
            }
        }
        if scenarios.contains(&Scenario::Inbox) {
            return Err(Problem::invalid(
                "`inbox` cannot be measured with `--closed`: its activities are signed before it begins",
            )
            .hint("name others, such as `--only browse,post,login,media`"));
        }
        Ok(())
    }

    fn target(&self) -> Result<(Target, Vec<Scenario>), Problem> {
        let only = self.only.as_deref().map(Scenario::list).transpose()?;
        let Some(url) = self.bench.clone().flatten() else {
            let size = Size {
                people: within("--people", self.people, 2, PEOPLE_MAX)?,
                follows: within("--follows", self.follows, 0, 10_000)?,
                posts: within("--posts", self.posts, 1, 10_000_000)?,
                listeners: within("--listeners", self.listeners, 1, LISTENERS_MAX)?,
                destinations: within("--destinations", self.destinations, 1, DESTINATIONS_MAX)?,
            };
            return Ok((Target::Own(size), only.unwrap_or_else(|| Scenario::ALL.to_vec())));
        };
        let usual = if self.write {
            vec![Scenario::Browse, Scenario::Post, Scenario::Media]
        } else {
            vec![Scenario::Browse]
        };
        let scenarios = only.unwrap_or(usual);
        let leave = Leave { writes: self.write, owns_server: self.i_own_this_server };
        let origin = remote::check(&url, &scenarios, leave)?;
        let read = |path: &PathBuf| {
            fs::read_to_string(path)
                .map_err(|error| Problem::invalid(format!("`{}` cannot be read: {error}", path.display())))
        };
        let from_file = self.token_file.as_ref().map(read).transpose()?;
        let token = from_file.map(|text| text.trim().to_owned()).or_else(|| self.token.clone());
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
            Problem::invalid("a server that runs is measured as one of its people").hint(
                "`--token TOKEN`, `--token-file FILE` or WAXWING_TOKEN has one that an app of theirs got; \
                 the README says how to get one",
            )
        })?;
        let root_pem = self.root.as_ref().map(read).transpose()?;
        Ok((Target::Running(Remote { origin, token, root_pem }), scenarios))
    }
}

fn within<T: PartialOrd + std::fmt::Display>(name: &str, value: T, least: T, most: T) -> Result<T, Problem> {
    if value >= least && value <= most {
        return Ok(value);
    }
    Err(Problem::invalid(format!("{name} {value} is out of bounds: from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::app::cli::Cli;

    fn understood(line: &str) -> Result<Options, String> {
        let cli = Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string())?;
        cli.bench.understood().map(|(options, _)| options).map_err(|problem| problem.to_string())
    }

    #[test]
    fn everything_is_measured_where_nothing_is_said() {
        let options = understood("waxwing --bench").unwrap();
        assert_eq!(options.scenarios, Scenario::ALL);
        assert_eq!((options.rounds, options.objective), (1, None));
        assert!(matches!(options.target, Target::Own(Size { people: 1000, .. })));
    }

    #[test]
    fn much_may_be_said() {
        let options = understood(
            "waxwing --bench --only browse,post --seconds 2 --rate 50 --rounds 3 --find-limit p99<=100ms \
             --expect browse.p99<100ms --expect post.rate>5/s --people 50 --seed 7",
        );
        let options = options.unwrap();
        assert_eq!(options.scenarios, [Scenario::Browse, Scenario::Post]);
        assert_eq!((options.rounds, options.seed, options.expectations.len()), (3, 7, 2));
        assert_eq!(options.objective.map(|objective| objective.p99_ms), Some(100.0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, part) in [
            ("waxwing --seconds 3", "--bench"),
            ("waxwing --bench --only brows", "no scenario `brows`"),
            ("waxwing --bench --seconds 0", "out of bounds"),
            ("waxwing --bench --expect browse.p99", "compares nothing"),
            ("waxwing --bench --only post --expect browse.p99<1s", "not measured"),
            ("waxwing --bench https://social.example --token x", "--i-own-this-server"),
            ("waxwing --bench http://localhost:3000", "--token"),
            ("waxwing --bench http://localhost:3000 --token x --only post", "--write"),
            ("waxwing --bench --compare /nowhere.json", "no report"),
            ("waxwing --bench --only browse --closed 4 --find-limit", "do not go together"),
            ("waxwing --bench --only browse --closed 4 --rate 9", "do not go together"),
            ("waxwing --bench --closed 4", "`inbox` cannot be measured"),
            ("waxwing --bench --only stream,deliver --find-limit", "it looks for that of browse"),
            ("waxwing --bench --json /tmp/same --html /tmp/same", "one file"),
            ("waxwing --bench --only ,", "no scenario is named"),
            ("waxwing --bench --json /nowhere/at/all.json", "there is no folder `/nowhere/at`"),
            ("waxwing --bench --html /", "is a folder"),
        ] {
            let error = understood(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
