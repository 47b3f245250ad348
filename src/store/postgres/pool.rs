//! Dialling, again and again while the database is away, and a small pool of
//! connections for reading.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
// The runtime's own clock, by which it also times out.
use tokio::time::Instant;

use super::address::{Place, Target};
use super::fault::{Hope, NoConnection};
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
/// How long a server may take to be usable, at most. At first each gets what
/// the address says, so that one that is silent does not hide the others for
/// long; where none could be used, all get twice as long the next time.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Dials one database.
pub(super) struct Dialer {
    pub(super) target: Target,
    /// Since when it has been tried in vain; said once.
    away: Mutex<Option<Instant>>,
    /// Which server answered last.
    last: Mutex<Last>,
    /// It was waited for in vain.
    is_given_up: AtomicBool,
    pub(super) closed: AtomicBool,
}

#[derive(Default)]
struct Last {
    place: Option<Place>,
    /// As it says itself.
    server: Option<String>,
}

/// How long the next attempts are, and the pause before them.
struct Pace {
    wait: Duration,
    pause: Duration,
}

impl Pace {
    fn new(target: &Target) -> Pace {
        Pace { wait: target.wait, pause: PAUSE_MIN }
    }

    async fn pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        self.wait = (self.wait * 2).min(WAIT_MAX.max(self.wait));
    }
}

impl Dialer {
    pub(super) fn new(target: Target) -> Dialer {
        Dialer {
            target,
            away: Mutex::default(),
            last: Mutex::default(),
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
        let mut pace = Pace::new(&self.target);
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(StoreError::Closed);
            }
            match Link::open(&self.target, self.place(), pace.wait).await {
                Ok(link) => {
                    self.is_given_up.store(false, Ordering::Release);
                    self.note(&link);
                    return Ok(link);
                }
                Err(NoConnection { error, hope }) => {
                    if self.note_away() {
                        tracing::error!(%error, "the database is away: {error}");
                    }
                    *why = error;
                    if hope == Hope::None || self.is_given_up.load(Ordering::Acquire) {
                        return Err(why.clone());
                    }
                }
            }
            pace.pause().await;
        }
    }

    /// The first connection of all. One that is away is waited for, up to
    /// `patience`; what somebody has to mend is said at once.
    pub(super) async fn dial_first(&self, patience: Duration) -> Result<Link, StoreError> {
        let (begun, mut pace) = (Instant::now(), Pace::new(&self.target));
        loop {
            let NoConnection { error, hope } = match Link::open(&self.target, None, pace.wait).await {
                Ok(link) => {
                    self.note(&link);
                    return Ok(link);
                }
                Err(refusal) => refusal,
            };
            // A standby whose primary nobody names is a mistake.
            let can_come = match hope {
                Hope::None => false,
                Hope::Elsewhere => self.target.hosts.len() > 1,
                Hope::Soon => true,
            };
            if !can_come || begun.elapsed() >= patience {
                return Err(error);
            }
            if self.note_away() {
                let patience_s = patience.as_secs();
                tracing::warn!(%error, "{error} It is waited for, up to {patience_s} s");
            }
            pace.pause().await;
        }
    }

    /// Where the last connection leads.
    pub(super) fn place(&self) -> Option<Place> {
        self.last.lock().place
    }

    /// Whether a connection can be used, and leads to the server that was
    /// dialled last: another one may be frozen, or not be the primary any more.
    pub(super) fn is_current(&self, link: &Link) -> bool {
        link.is_usable() && self.place() == Some(link.place)
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
        // At once, so that of several connections one says all.
        let (before, away) = {
            let mut last = self.last.lock();
            last.place = Some(link.place);
            let before = link.server.as_ref().and_then(|server| last.server.replace(server.clone()));
            (before, self.away.lock().take())
        };
        let away_s = away.map(|since| since.elapsed().as_secs_f64());
        let place = &self.target.shown;
        match (before, &link.server, away_s) {
            (Some(before), Some(now), _) if before != *now => {
                // A server that fell silent was not found away: the next one was there at once.
                let away = away_s.map_or(String::new(), |away_s| format!(" and was away for {away_s:.1} s"));
                tracing::warn!(
                    from = before,
                    to = now,
                    away_s,
                    "the database at {place} failed over from {before} to {now}{away}; \
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
            if dialer.is_current(&link) {
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
