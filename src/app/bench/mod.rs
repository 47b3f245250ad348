//! `waxwing --bench`: the command line's side of the measuring room, and the
//! instance that is measured.

mod args;
pub(super) mod child;
mod seed;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use args::BenchArgs;

use super::stop::StopSignals;
use super::system::SystemClock;
use crate::base::{Clock, Problem, ProblemKind};
use crate::bench::report::data::Report;
use crate::bench::session::{self, Surroundings};
use crate::bench::view::View;

/// Measures; gives what is printed at the end.
///
/// # Errors
/// What keeps it from measuring, or an expectation that does not hold.
pub(super) fn run(args: BenchArgs, has_config: bool) -> Result<String, Problem> {
    if has_config {
        let what =
            "`--bench` measures a temporary instance and takes no config file: it never touches your data";
        return Err(Problem::invalid(what).hint("`--bench URL` measures a server that runs"));
    }
    super::files::allow_many();
    let (options, outputs) = args.understood()?;
    let folder = Folder::make()?;
    let around = Surroundings {
        clock: Arc::new(SystemClock::start()) as Arc<dyn Clock>,
        program: env::current_exe().map_err(Problem::internal)?,
        folder: folder.0.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        view: View::new(),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    let report = runtime.block_on(async {
        let mut stop = StopSignals::listen().map_err(Problem::internal)?;
        tokio::select! {
            report = session::run(options, around) => report,
            () = stop.next() => Err(Problem::new(ProblemKind::Unavailable, "stopped before the end; nothing is left behind")),
        }
    });
    // What still waits on a thread, such as for an instance that is starting,
    // ends with this process, and the instance with it.
    runtime.shutdown_background();
    let report = report?;
    outputs.write(&report)?;
    verdict(&report)
}

/// The summary; as an error when something expected does not hold.
fn verdict(report: &Report) -> Result<String, Problem> {
    let text = report.summary.join("\n") + "\n";
    let failed = report.expectations.iter().filter(|one| !one.held).count();
    if failed == 0 {
        return Ok(text);
    }
    let all = report.expectations.len();
    let (of, verb) = if all == 1 {
        ("the one expectation".to_owned(), "does")
    } else {
        (format!("{failed} of {all} expectations"), "do")
    };
    Err(Problem::invalid(format!("{text}{of} {verb} not hold")))
}

/// Where the report is written to besides.
struct Outputs {
    json: Option<PathBuf>,
    html: Option<PathBuf>,
}

impl Outputs {
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

/// A folder that goes with the process.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Folder, Problem> {
        let path = env::temp_dir().join(format!("waxwing-bench-{}", std::process::id()));
        super::server::make_folder(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
