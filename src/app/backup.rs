//! `waxwing backup FILE` and `waxwing restore FILE`: all records of a store
//! in one file, and from such a file into an empty store of either engine.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::server::open_store;
use super::system::SystemClock;
use crate::base::{Clock, Problem, ProblemKind};
use crate::config::{Config, StoreChoice};
use crate::store::archive::{self, ArchiveError, Copied};
use crate::store::{Postgres, Store};

/// How often a long copy says how far it is.
const REPORT_EVERY: Duration = Duration::from_secs(2);

/// Writes a backup and says what is in it.
///
/// # Errors
/// What stands in the way, and what to do about it.
pub(super) fn backup(config: &Config, file: &Path) -> Result<String, Problem> {
    let runtime = runtime()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    if file.try_exists().unwrap_or(true) {
        let what = format!("`{}` is there already, and a backup is never overwritten", file.display());
        return Err(Problem::invalid(what).hint("name a new file"));
    }
    if let StoreChoice::Redb(path) = &config.store
        && !path.exists()
    {
        let what = format!("there is no store at `{}`", path.display());
        return Err(Problem::invalid(what).hint("name the server's config with `--config FILE`"));
    }
    let part = part_of(file);
    let copied = runtime.block_on(async {
        let store = open_store(config, clock.clone(), Postgres::open)?;
        let written = write(&store, &part, Report::new("saved", clock)).await;
        store.close().await;
        written.map_err(|error| {
            let _ = fs::remove_file(&part);
            refuse(&error)
        })
    })?;
    fs::rename(&part, file).map_err(|error| refuse(&error.into()))?;
    Ok(format!(
        "{} rows of {} tables are in {}\nuploaded files are not; copy them with the media folder\n",
        copied.rows,
        copied.tables,
        file.display()
    ))
}

async fn write(store: &Store, part: &Path, mut report: Report) -> Result<Copied, ArchiveError> {
    if archive::is_unfinished(store).await? {
        return Err(ArchiveError::Damaged("the store itself was never wholly restored".into()));
    }
    let out = BufWriter::new(private(part)?);
    let (out, copied) = archive::backup(store, out, move |copied| report.hear(copied)).await?;
    let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(copied)
}

/// Fills an empty store from a backup and says what was in it.
///
/// # Errors
/// What stands in the way, and what to do about it.
pub(super) fn restore(config: &Config, file: &Path) -> Result<String, Problem> {
    if config.store == StoreChoice::Memory {
        let what = "the store of this config is `memory`, which would forget the backup at once";
        return Err(Problem::invalid(what).hint("name a file or a database in the line `store`"));
    }
    let runtime = runtime()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let open = || Ok::<_, ArchiveError>(BufReader::new(File::open(file)?));
    // All of it first, so that nothing is touched for the sake of a damaged one.
    open().and_then(archive::verify).map_err(|error| refuse(&error))?;
    super::server::make_folder(&config.data)?;
    let store = open_store(config, clock.clone(), Postgres::open)?;
    let mut report = Report::new("restored", clock);
    let restored =
        open().and_then(|input| archive::restore(&store, runtime.handle(), input, |done| report.hear(done)));
    runtime.block_on(store.close());
    let copied = restored.map_err(|error| refuse(&error))?;
    Ok(format!(
        "{} rows of {} tables were restored\nuploaded files were not; copy the media folder\n",
        copied.rows, copied.tables
    ))
}

/// One that answers to nobody and only waits for the store.
fn runtime() -> Result<tokio::runtime::Runtime, Problem> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Problem::internal)
}

/// The name under which a backup is written until it is whole.
fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// A new file that only its owner may read: there are keys and private posts in it.
fn private(path: &Path) -> Result<File, std::io::Error> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn refuse(error: &ArchiveError) -> Problem {
    // The one who reads it looks after the machine, so the cause is said.
    Problem::new(ProblemKind::Unavailable, error.to_string())
}

/// Says on standard error how far a copy is.
struct Report {
    done: &'static str,
    clock: Arc<dyn Clock>,
    last: Duration,
}

impl Report {
    fn new(done: &'static str, clock: Arc<dyn Clock>) -> Report {
        let last = clock.monotonic();
        Report { done, clock, last }
    }

    fn hear(&mut self, copied: Copied) {
        let now = self.clock.monotonic();
        if now.saturating_sub(self.last) >= REPORT_EVERY {
            self.last = now;
            let mebibytes = copied.bytes >> 20;
            // Nobody may be reading it.
            let _ = writeln!(std::io::stderr(), "{} rows, {mebibytes} MiB {}", copied.rows, self.done);
        }
    }
}
