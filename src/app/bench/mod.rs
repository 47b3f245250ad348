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

/// Measures and prints what was found.
///
/// # Errors
/// What keeps it from measuring, or an expectation that does not hold.
pub(super) fn run(args: BenchArgs, has_config: bool) -> Result<(), Problem> {
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
        view: View::new(),
    };
    let view = around.view.clone();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    let report = runtime.block_on(async {
        let mut stop = StopSignals::listen().map_err(Problem::internal)?;
        tokio::select! {
            report = session::run(options, around) => report,
            () = stop.next() => Err(Problem::new(ProblemKind::Unavailable, "stopped before the end; nothing is left behind")),
        }
    });
    view.clear();
    // What still waits on a thread, such as for an instance that is starting,
    // ends with this process, and the instance with it.
    runtime.shutdown_background();
    let report = report?;
    // First of all, so that nothing that fails afterwards takes it away.
    super::run::print(&(report.summary.join("\n") + "\n"))?;
    outputs.write(&report)?;
    verdict(&report)
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
        for path in [&self.json, &self.html].into_iter().flatten() {
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
        }
        Ok(())
    }

    fn write(&self, report: &Report) -> Result<(), Problem> {
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(report).map_err(Problem::internal)?;
            put(path, &(text + "\n"))?;
        }
        if let Some(path) = &self.html {
            put(path, &crate::bench::report::page(report))?;
        }
        Ok(())
    }
}

fn put(path: &Path, text: &str) -> Result<(), Problem> {
    fs::write(path, text).map_err(|error| {
        Problem::new(ProblemKind::Unavailable, format!("`{}` cannot be written: {error}", path.display()))
    })
}
