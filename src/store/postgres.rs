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
mod session;
mod tables;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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
use pool::{Dialer, Pool};
use session::{Session, Source};
use tables::{Found, Known, MARKS};

/// After so many batches the marks of the earlier ones are removed.
const MARKS_EVERY: i64 = 256;
/// Marks of batches whose end had to be asked for, kept until the next start
/// that is a day later; beyond so many the oldest go.
const DOUBTS_MAX: usize = 1000;

/// A store in a PostgreSQL database.
pub struct Postgres {
    dialer: Arc<Dialer>,
    readers: Pool,
    /// The connection for writing.
    writer: Mutex<Option<Link>>,
    /// The connection for what must not be part of a transaction.
    clerk: Mutex<Option<Link>>,
    known: Known,
    /// The name of this process among the marks.
    lane: String,
    seq: AtomicI64,
    /// Batches that may still hang somewhere, and which only their marks keep
    /// from being stored late.
    doubts: Mutex<Vec<i64>>,
    news: News,
    handle: Handle,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

/// What tells one batch of one process from all others.
pub(super) struct Mark {
    lane: String,
    seq: i64,
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
    /// # Errors
    /// [`StoreError::Database`] with what is wrong and what to do about it;
    /// [`StoreError::Newer`].
    pub fn open(url: &str) -> Result<Postgres, StoreError> {
        let dialer = Arc::new(Dialer::new(Target::parse(url)?));
        // The caller may be a task, which must not wait on its own thread.
        let opening = || std::thread::Builder::new().name("store-opening".into());
        std::thread::scope(|scope| {
            let thread = opening().spawn_scoped(scope, || Postgres::connect(dialer));
            thread.map(|thread| thread.join())
        })
        .map_err(|error| StoreError::Engine(error.to_string()))?
        .unwrap_or(Err(StoreError::Panicked))
    }

    fn connect(dialer: Arc<Dialer>) -> Result<Postgres, StoreError> {
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
            // Once only: at the start somebody reads what is wrong.
            let link = Link::open(&dialer.target).await.map_err(|refusal| refusal.error)?;
            dialer.note(&link);
            let found = within(tables::open(&link, &known, &place)).await;
            let found = found.map_err(|trouble| trouble.into_error(&place))??;
            Ok((link, found))
        });
        let (link, Found { version, lane }) = match opened {
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
            News::start(dialer.clone(), lane.clone())
        };
        Ok(Postgres {
            dialer,
            readers: Pool::new(),
            writer: Mutex::new(None),
            clerk: Mutex::new(Some(link)),
            known,
            lane,
            seq: AtomicI64::new(0),
            doubts: Mutex::default(),
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
                let link = match clerk.take().filter(Link::is_usable) {
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

    /// A mark that no batch had before. Now and then the old ones go.
    fn next_mark(&self) -> Mark {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        if seq % MARKS_EVERY == MARKS_EVERY - 1 {
            // Not in the batch, where it would collide with those of other
            // nodes. If it fails, the next one removes them.
            let _ = self.forget_marks(seq);
        }
        Mark { lane: self.lane.clone(), seq }
    }

    fn forget_marks(&self, before: i64) -> Result<(), StoreError> {
        let sql = format!("delete from {MARKS} where lane = $1 and seq < $2 and seq <> all($3)");
        let doubts = self.doubts.lock().clone();
        self.ask_clerk(async |link| link.execute(&sql, &[&self.lane, &before, &doubts]).await.map(drop))
    }

    /// Keeps a mark for good.
    fn doubt(&self, mark: &Mark) {
        let mut doubts = self.doubts.lock();
        if doubts.len() >= DOUBTS_MAX {
            doubts.remove(0);
        }
        doubts.push(mark.seq);
    }
}

impl Backend for Postgres {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.check_open()?;
        Ok(Box::new(Session::new(self, Source::Pool)))
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        self.check_open()?;
        Ok(Box::new(Writing(Session::new(self, Source::Lane(self.writer.lock())))))
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
        (self.lane.clone(), self.news.announced())
    }

    fn expect(&self, now: Duration, others: &[(String, u64)]) {
        self.news.expect(now, others);
    }

    fn close(&self) {
        // The last batch's own mark stays a while, in case its end is still asked for.
        let writer = self.writer.lock().take();
        if writer.is_some_and(|link| link.is_usable()) {
            let _ = self.forget_marks(self.seq.load(Ordering::Relaxed) - 1);
        }
        self.dialer.closed.store(true, Ordering::Release);
        self.readers.close();
        self.news.close();
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
