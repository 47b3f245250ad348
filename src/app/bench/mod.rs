//! `waxwing --bench`: the command line's side of the measuring room, and the
//! instance that is measured.

mod args;
pub(super) mod child;
mod folder;
mod seed;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use args::BenchArgs;
use folder::Folder;

use super::stop::StopSignals;
use super::system::SystemClock;
use crate::base::{Clock, Problem, ProblemKind};
use crate::bench::report::data::Report;
use crate::bench::session::{self, Surroundings};
use crate::bench::view::View;

/// Where the token of a server that runs may be, unseen by others.
const TOKEN: &str = "WAXWING_TOKEN";
/// The exit status of what could not be measured, or not all of it.
const UNMEASURED: i32 = 2;

/// Measures and prints what was found. The process ends with status 2 when
/// something could not be measured.
///
/// # Errors
/// An expectation that does not hold.
pub(super) fn run(args: BenchArgs, has_config: bool) -> Result<(), Problem> {
    let measured = measure(args.with_token(setting(TOKEN)), has_config).and_then(|report| {
        let missing: Vec<&str> = report
            .scenarios
            .iter()
            .filter(|one| one.failed.is_some())
            .map(|one| one.scenario.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(report);
        }
        Err(Problem::new(ProblemKind::Unavailable, format!("could not be measured: {}", missing.join(", "))))
    });
    match measured {
        Ok(report) => verdict(&report),
        Err(problem) => {
            eprintln!("{problem}");
            std::process::exit(UNMEASURED)
        }
    }
}

fn measure(args: BenchArgs, has_config: bool) -> Result<Report, Problem> {
    if has_config {
        let what =
            "`--bench` measures a temporary instance and takes no config file: it never touches your data";
        return Err(Problem::invalid(what).hint("`--bench URL` measures a server that runs"));
    }
    super::files::allow_many();
    let (options, outputs) = args.understood()?;
    let folder = Folder::make(&env::temp_dir())?;
    let around = Surroundings {
        clock: Arc::new(SystemClock::start()) as Arc<dyn Clock>,
        program: env::current_exe().map_err(Problem::internal)?,
        folder: folder.path().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        view: View::new(setting("TERM").as_deref() != Some("dumb")),
    };
    let view = around.view.clone();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    let report = runtime.block_on(async {
        let mut stop = StopSignals::listen().map_err(Problem::internal)?;
        tokio::select! {
            report = session::run(options, around) => report,
            () = stop.next() => Err(stopped()),
            () = hung_up() => Err(stopped()),
        }
    });
    view.clear();
    // What still waits on a thread, such as for an instance that is starting,
    // ends with this process, and the instance with it.
    runtime.shutdown_background();
    let report = report?;
    // First of all, so that nothing that fails afterwards takes it away.
    if !outputs.takes_stdout() {
        super::run::print(&(report.summary.join("\n") + "\n"))?;
    }
    outputs.write(&report)?;
    Ok(report)
}

/// The terminal was closed. A server lives on then, or reads its files again;
/// nobody waits for a measurement any more.
async fn hung_up() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut signal) = signal(SignalKind::hangup()) {
            signal.recv().await;
            return;
        }
    }
    std::future::pending::<()>().await;
}

#[expect(clippy::disallowed_methods, reason = "the command line's side: there is no config file to ask")]
fn setting(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn stopped() -> Problem {
    Problem::new(ProblemKind::Unavailable, "stopped before the end; nothing is left behind")
}

/// Whether all that was expected holds.
fn verdict(report: &Report) -> Result<(), Problem> {
    let failed = report.expectations.iter().filter(|one| !one.held).count();
    if failed == 0 {
        return Ok(());
    }
    let all = report.expectations.len();
    let (of, verb) = if all == 1 {
        ("the one expectation".to_owned(), "does")
    } else {
        (format!("{failed} of {all} expectations"), "do")
    };
    Err(Problem::invalid(format!("{of} {verb} not hold")))
}

/// Where the report is written to besides.
struct Outputs {
    json: Option<PathBuf>,
    html: Option<PathBuf>,
}

impl Outputs {
    /// Checks before the run what would be a pity after it.
    fn check(&self) -> Result<(), Problem> {
        if self.json.is_some() && self.json == self.html {
            return Err(Problem::invalid("`--json` and `--html` name one file"));
        }
        for path in [&self.json, &self.html].into_iter().flatten().filter(|path| !is_stdout(path)) {
            if path.is_dir() {
                return Err(Problem::invalid(format!(
                    "`{}` is a folder, not a file to write",
                    path.display()
                )));
            }
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
                let what = format!(
                    "`{}` cannot be written: there is no folder `{}`",
                    path.display(),
                    folder.display()
                );
                return Err(Problem::invalid(what));
            }
            if let Err(error) = try_to_write(path) {
                return Err(Problem::invalid(format!("`{}` cannot be written: {error}", path.display())));
            }
        }
        Ok(())
    }

    fn takes_stdout(&self) -> bool {
        [&self.json, &self.html].into_iter().flatten().any(|path| is_stdout(path))
    }

    /// Tries both, whatever becomes of the first.
    fn write(&self, report: &Report) -> Result<(), Problem> {
        let json = self.json.as_ref().map_or(Ok(()), |path| {
            let text = serde_json::to_string_pretty(report).map_err(Problem::internal)?;
            put(path, &(text + "\n"))
        });
        let html = self.html.as_ref().map_or(Ok(()), |path| put(path, &crate::bench::report::page(report)));
        json.and(html)
    }
}

/// Leaves what is there as it is, and nothing where there was nothing. What is
/// no file, such as a pipe, is not tried: its reader would see an end.
fn try_to_write(path: &Path) -> std::io::Result<()> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() => fs::OpenOptions::new().append(true).open(path).map(drop),
        Ok(_) => Ok(()),
        Err(_) => {
            fs::OpenOptions::new().append(true).create(true).open(path)?;
            fs::remove_file(path)
        }
    }
}

/// `-` is standard output, as elsewhere.
fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

fn put(path: &Path, text: &str) -> Result<(), Problem> {
    if is_stdout(path) {
        return super::run::print(text);
    }
    fs::write(path, text).map_err(|error| {
        Problem::new(ProblemKind::Unavailable, format!("`{}` cannot be written: {error}", path.display()))
    })
}
