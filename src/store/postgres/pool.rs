//! Dialling, again and again while the database is away, and a small pool of
//! connections for reading.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
// The runtime's own clock, by which it also times out; only for the log.
use tokio::time::Instant;

use super::address::Target;
use super::fault::NoConnection;
use super::link::Link;
use crate::store::StoreError;

/// Connections for reading.
pub(super) const READERS_MAX: usize = 8;
/// And for those few who must not wait for all others.
pub(super) const READERS_BESIDE: usize = 1;
/// Reads that wait for one of them; more are refused as busy.
const WAITING_MAX: usize = 400;
/// How long a database that is away is waited for: longer than a failover
/// takes, of which Patroni, left as it is, spends 30 s to be sure that the
/// primary is dead. While it stays away after that, everything fails at once.
pub(super) const OUTAGE_WAIT: Duration = Duration::from_secs(45);
/// Pauses between attempts, doubling from the first to the second.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Dials one database.
pub(super) struct Dialer {
    pub(super) target: Target,
    /// Since when it has been tried in vain; said once.
    away: Mutex<Option<Instant>>,
    /// Which server answered last.
    server: Mutex<Option<String>>,
    /// It was waited for in vain.
    is_given_up: AtomicBool,
    pub(super) closed: AtomicBool,
}

impl Dialer {
    pub(super) fn new(target: Target) -> Dialer {
        Dialer {
            target,
            away: Mutex::default(),
            server: Mutex::default(),
            is_given_up: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// A new connection; waits for a database that is away, up to
    /// [`OUTAGE_WAIT`].
    pub(super) async fn dial(&self) -> Result<Link, StoreError> {
        let mut why = StoreError::Closed;
        let dialling = tokio::time::timeout(OUTAGE_WAIT, self.dial_again_and_again(&mut why));
        match dialling.await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.is_given_up.store(true, Ordering::Release);
                Err(why)
            }
        }
    }

    async fn dial_again_and_again(&self, why: &mut StoreError) -> Result<Link, StoreError> {
        let mut pause = PAUSE_MIN;
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(StoreError::Closed);
            }
            match Link::open(&self.target).await {
                Ok(link) => {
                    self.is_given_up.store(false, Ordering::Release);
                    self.note(&link);
                    return Ok(link);
                }
                Err(NoConnection { error, passes }) => {
                    if self.note_away() {
                        tracing::error!(%error, "the database is away: {error}");
                    }
                    *why = error;
                    if !passes || self.is_given_up.load(Ordering::Acquire) {
                        return Err(why.clone());
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Whether it was there before.
    fn note_away(&self) -> bool {
        let mut away = self.away.lock();
        let is_new = away.is_none();
        away.get_or_insert_with(Instant::now);
        is_new
    }

    /// Says once that the database is there again, or is another server now.
    pub(super) fn note(&self, link: &Link) {
        let away_s = self.away.lock().take().map(|since| since.elapsed().as_secs_f64());
        let before = match &link.server {
            Some(server) => self.server.lock().replace(server.clone()),
            None => None,
        };
        let place = &self.target.shown;
        match (before, &link.server, away_s) {
            (Some(before), Some(now), _) if before != *now => {
                let away_s = away_s.unwrap_or_default();
                tracing::warn!(
                    from = before,
                    to = now,
                    away_s,
                    "the database at {place} failed over from {before} to {now} and was away for {away_s:.1} s; \
                     how commits ended whose answer was lost is asked there"
                );
            }
            (_, _, Some(away_s)) => {
                tracing::warn!(away_s, "the database at {place} is there again after {away_s:.1} s");
            }
            _ => {}
        }
    }
}

/// Connections for reading, lent one by one.
pub(super) struct Pool {
    idle: Mutex<Vec<Link>>,
    free: Semaphore,
    waiting: AtomicUsize,
}

/// A borrowed connection.
pub(super) struct Lent<'a> {
    pub(super) link: Link,
    /// Its place in the pool.
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    /// With room for so many connections.
    pub(super) fn new(room: usize) -> Pool {
        Pool { idle: Mutex::default(), free: Semaphore::new(room), waiting: AtomicUsize::new(0) }
    }

    /// Borrows a connection, a new one if need be.
    pub(super) async fn lend(&self, dialer: &Dialer) -> Result<Lent<'_>, StoreError> {
        let permit = match self.free.try_acquire() {
            Ok(permit) => permit,
            Err(_) => self.wait().await?,
        };
        // One that broke while nobody used it is left out.
        while let Some(link) = self.pop() {
            if link.is_usable() {
                return Ok(Lent { link, _permit: permit });
            }
        }
        Ok(Lent { link: dialer.dial().await?, _permit: permit })
    }

    async fn wait(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Busy);
        }
        let permit = tokio::time::timeout(OUTAGE_WAIT, self.free.acquire()).await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        permit.map_err(|_| StoreError::Busy)?.map_err(|_| StoreError::Closed)
    }

    fn pop(&self) -> Option<Link> {
        self.idle.lock().pop()
    }

    /// Takes back a connection that is in order.
    pub(super) fn give_back(&self, lent: Lent<'_>) {
        if lent.link.is_usable() && !self.free.is_closed() {
            self.idle.lock().push(lent.link);
        }
    }

    /// Hangs up, and refuses from now on.
    pub(super) fn close(&self) {
        self.free.close();
        self.idle.lock().clear();
    }
}
