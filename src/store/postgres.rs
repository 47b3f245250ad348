//! The shared engine: a PostgreSQL database, used by one process or by many.
//!
//! Each of our tables is one table of keys and values there, made when it is
//! first used; any SQL engine that is compatible will do, since there are no
//! extensions, no procedures and no advisory locks. Batches are SERIALIZABLE,
//! so several processes on one database are as right as one. A database that
//! is away is waited for; a batch whose end was not heard is asked for.
//!
//! All waiting is done on the caller's thread, and a small runtime of its own
//! moves the bytes. So nothing here may be called on a thread that serves
//! tasks: reads go to the blocking pool, writes to the lane's thread.

mod address;
mod batch;
mod fault;
mod link;
mod news;
mod past;
mod pool;
mod roll;
mod scribe;
mod session;
mod tables;
mod tls;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Handle, Runtime};

use super::StoreError;
use super::backend::{Backend, Batch, Hear, Snapshot};
use super::overlay::Signal;
use address::Target;
use batch::Writing;
use link::{Link, within};
use news::News;
use pool::{Dialer, Pool, READERS_BESIDE, READERS_MAX};
use scribe::Scribe;
use session::{Session, Source};
use tables::{Found, Known};

/// How long a server that starts waits for a database that is away: a machine
/// that boots both has it there by then.
const START_WAIT: Duration = Duration::from_secs(30);

/// A store in a PostgreSQL database.
pub struct Postgres {
    dialer: Arc<Dialer>,
    readers: Pool,
    writer: Scribe,
    /// For what must not wait behind the conflicts of others.
    readers_beside: Pool,
    writer_beside: Scribe,
    /// The connection for what must not be part of a transaction.
    clerk: Mutex<Option<Link>>,
    known: Known,
    /// The name of this process.
    name: String,
    news: News,
    handle: Handle,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Postgres {
    /// Connects to `postgres://USER:PASSWORD@HOST:PORT/NAME`, and makes what
    /// the store needs there.
    ///
    /// `sslmode` is one of `disable`, `prefer` (the default: encrypted if the
    /// server can, its certificate not checked), `require` (always encrypted,
    /// certificate not checked), `verify-ca` and `verify-full` (checked; use
    /// this across a network). `sslrootcert` names the authority in PEM; the
    /// public ones hold without it. `sslcert` and `sslkey` are our own.
    ///
    /// Of several hosts (`@ONE,TWO/`) the one that takes writes is used.
    ///
    /// # Errors
    /// [`StoreError::Database`] with what is wrong and what to do about it;
    /// [`StoreError::Newer`].
    pub fn open(url: &str) -> Result<Postgres, StoreError> {
        Postgres::open_within(url, Duration::ZERO)
    }

    /// As [`Postgres::open`], but a database that is away or still starts is
    /// waited for, half a minute.
    ///
    /// # Errors
    /// As [`Postgres::open`].
    pub fn open_patiently(url: &str) -> Result<Postgres, StoreError> {
        Postgres::open_within(url, START_WAIT)
    }

    fn open_within(url: &str, patience: Duration) -> Result<Postgres, StoreError> {
        let dialer = Arc::new(Dialer::new(Target::parse(url)?));
        // The caller may be a task, which must not wait on its own thread.
        let opening = || std::thread::Builder::new().name("store-opening".into());
        std::thread::scope(|scope| {
            let thread = opening().spawn_scoped(scope, || Postgres::connect(dialer, patience));
            thread.map(|thread| thread.join())
        })
        .map_err(|error| StoreError::Engine(error.to_string()))?
        .unwrap_or(Err(StoreError::Panicked))
    }

    fn connect(dialer: Arc<Dialer>, patience: Duration) -> Result<Postgres, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        let handle = runtime.handle().clone();
        let known = Known::default();
        let place = dialer.target.shown.clone();
        let opened = handle.block_on(async {
            let link = dialer.dial_first(patience).await?;
            let found = within(tables::open(&link, &known, &place)).await;
            let found = found.map_err(|trouble| trouble.into_error(&place))??;
            Ok((link, found))
        });
        let (link, Found { version, name }) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let secrecy = if dialer.target.tls.was_used() { "encrypted" } else { "not encrypted" };
        tracing::info!("the store is the database at {place}: PostgreSQL {version}, {secrecy}");
        let news = {
            let _inside = handle.enter();
            News::start(dialer.clone(), name.clone())
        };
        Ok(Postgres {
            dialer,
            readers: Pool::new(READERS_MAX),
            writer: Scribe::new(name.clone()),
            readers_beside: Pool::new(READERS_BESIDE),
            writer_beside: Scribe::new(format!("{name}/beside")),
            clerk: Mutex::new(Some(link)),
            known,
            name,
            news,
            handle,
            runtime: Some(runtime),
        })
    }

    /// Waits on this thread.
    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle.block_on(work)
    }

    fn check_open(&self) -> Result<(), StoreError> {
        if self.dialer.closed.load(Ordering::Acquire) { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// Makes those of the tables that are not there yet.
    fn make_missing(&self, tables: impl Iterator<Item = &'static str>) -> Result<(), StoreError> {
        let missing = self.known.missing(tables);
        if missing.is_empty() {
            return Ok(());
        }
        self.ask_clerk(async |link| {
            for table in &missing {
                self.known.make(link, table).await?;
            }
            Ok(())
        })
    }

    /// Does something outside of any transaction; it must not matter if it is
    /// done twice.
    fn ask_clerk(
        &self,
        question: impl AsyncFn(&Link) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), StoreError> {
        const TRIES: usize = 3;
        let mut clerk = self.clerk.lock();
        self.run(async {
            let mut tries = 0;
            loop {
                tries += 1;
                let link = match clerk.take().filter(|link| self.dialer.is_current(link)) {
                    Some(link) => link,
                    None => self.dialer.dial().await?,
                };
                match within(question(&link)).await {
                    Ok(()) => {
                        *clerk = Some(link);
                        return Ok(());
                    }
                    Err(fault::Trouble::Lost(_)) if tries < TRIES => {}
                    Err(trouble) => return Err(trouble.into_error(&self.dialer.target.shown)),
                }
            }
        })
    }
}

impl Backend for Postgres {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.check_open()?;
        Ok(Box::new(Session::new(self, Source::Pool(&self.readers))))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        self.check_open()?;
        Ok(Box::new(Writing::begin(self, &self.writer)))
    }

    fn has_beside(&self) -> bool {
        true
    }

    fn snapshot_beside(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.check_open()?;
        Ok(Box::new(Session::new(self, Source::Pool(&self.readers_beside))))
    }

    fn begin_beside(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        self.check_open()?;
        Ok(Box::new(Writing::begin(self, &self.writer_beside)))
    }

    fn reads_wait(&self) -> bool {
        true
    }

    fn announce(&self, signals: &[Signal]) {
        self.news.announce(signals);
    }

    fn hear(&self, hear: Hear) {
        self.news.hear(hear);
    }

    fn announced(&self) -> (String, u64) {
        (self.name.clone(), self.news.announced())
    }

    fn expect(&self, now: Duration, others: &[(String, u64)]) {
        self.news.expect(now, others);
    }

    fn close(&self) {
        self.writer_beside.close(self);
        self.writer.close(self);
        self.dialer.closed.store(true, Ordering::Release);
        self.readers.close();
        self.readers_beside.close();
        self.run(self.news.close());
        self.clerk.lock().take();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits for nothing, so it may happen on any thread.
            runtime.shutdown_background();
        }
    }
}
