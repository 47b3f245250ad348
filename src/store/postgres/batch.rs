//! The one write batch: serializable, sent in one go, and never in doubt.
//!
//! All statements and the COMMIT travel together. If the connection breaks
//! before the answer, nobody knows whether the batch is stored. So each batch
//! leaves a mark with a name of its own, in the same transaction. Afterwards
//! the same mark is inserted by itself, as one that says "not stored". If the
//! batch's own mark is there already, the batch was stored; if not, the batch
//! can never be stored any more, wherever it still hangs, since its own insert
//! of the mark would fail. An insert waits for a transaction that is still
//! under way, which a look would not. The two marks differ, because the answer
//! to the second insert may get lost as well.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::{MaybeDone, maybe_done};
use tokio_postgres::Error;

use super::Postgres;
use super::fault::Trouble;
use super::link::{Link, within};
use super::pool::OUTAGE_WAIT;
use super::scribe::{Mark, Scribe};
use super::session::{Session, Source};
use super::tables::{self, MARKS, Values};
use crate::store::StoreError;
use crate::store::backend::{Batch, Change, Changes, RawRange, RawRow, Snapshot};

/// Pause before the end of a batch in doubt is asked for again.
const DOUBT_PAUSE: Duration = Duration::from_millis(50);

/// A batch under way.
pub(super) struct Writing<'a> {
    session: Session<'a>,
    scribe: &'a Scribe,
}

impl<'a> Writing<'a> {
    pub(super) fn begin(home: &'a Postgres, scribe: &'a Scribe) -> Writing<'a> {
        Writing { session: Session::new(home, Source::Lane(scribe.link.lock())), scribe }
    }
}

impl Snapshot for Writing<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.session.get_batch(wanted)
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.session.scan(table, range)
    }
}

impl Batch for Writing<'_> {
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError> {
        let Writing { session, scribe } = *self;
        let home = session.home;
        home.make_missing(changes.keys().copied())?;
        // Awaited before anything is written: statements after a BEGIN that
        // failed would each be stored alone.
        session.ask(async |_| Ok(()))?;
        let Some(link) = session.take_link() else { return Err(StoreError::Conflict) };
        let mark = scribe.next_mark();
        let (link, outcome) = home.run(async {
            let outcome = write(&link, changes, &mark).await;
            match outcome {
                Outcome::Known(result) => {
                    if result.is_ok() {
                        scribe.tidy_up(&link, &mark).await;
                    }
                    (Some(link), result)
                }
                Outcome::NotSent => (None, Err(StoreError::Conflict)),
                Outcome::InDoubt(why) => {
                    drop(link);
                    (None, settle(home, scribe, &mark, why).await)
                }
            }
        });
        if let Some(link) = link {
            session.keep(link);
        }
        outcome
    }
}

enum Outcome {
    Known(Result<(), StoreError>),
    /// The connection broke, or a statement could not be sent, before the
    /// COMMIT was.
    NotSent,
    /// The connection broke after that: why.
    InDoubt(String),
}

/// A change of one table as its statement takes it.
struct Part<'c> {
    sql: String,
    keys: Vec<&'c [u8]>,
    values: Vec<&'c [u8]>,
    sums: Vec<i64>,
}

impl<'c> Part<'c> {
    fn new(sql: String) -> Part<'c> {
        Part { sql, keys: Vec::new(), values: Vec::new(), sums: Vec::new() }
    }

    fn parameters(&self) -> Values<'_> {
        let mut all: Values<'_> = vec![&self.keys];
        if !self.values.is_empty() {
            all.push(&self.values);
        }
        if !self.sums.is_empty() {
            all.push(&self.sums);
        }
        all
    }
}

/// The statements of a batch, tables and keys in order, so that two nodes
/// take their locks in the same order.
fn parts(changes: &Changes) -> Vec<Part<'_>> {
    let mut tables: Vec<_> = changes.iter().collect();
    tables.sort_unstable_by_key(|(table, _)| **table);
    let mut parts = Vec::new();
    for (table, rows) in tables {
        let mut puts = Part::new(tables::put(table));
        let mut deletes = Part::new(tables::delete(table));
        let mut adds = Part::new(tables::add(table));
        for (key, change) in rows {
            match change {
                Change::Put(value) => {
                    puts.keys.push(key);
                    puts.values.push(value);
                }
                Change::Delete => deletes.keys.push(key),
                Change::Add(more) => {
                    adds.keys.push(key);
                    adds.sums.push(*more);
                }
            }
        }
        parts.extend([puts, deletes, adds].into_iter().filter(|part| !part.keys.is_empty()));
    }
    parts
}

/// Sends everything and waits for all answers.
async fn write(link: &Link, changes: &Changes, mark: &Mark) -> Outcome {
    let parts = parts(changes);
    // A statement that must first be prepared would come after the COMMIT.
    let prepare = async {
        for part in &parts {
            link.prepared(&part.sql).await?;
        }
        link.prepared(&mark_sql()).await.map(drop)
    };
    match within(prepare).await {
        Ok(()) => {}
        Err(Trouble::Lost(_)) => return Outcome::NotSent,
        Err(Trouble::Conflict) => return undone(link, StoreError::Conflict),
        Err(Trouble::Refused(error)) => return undone(link, error),
    }
    match within(send_all(link, &parts, mark)).await {
        Ok(true) => Outcome::Known(Ok(())),
        Ok(false) => Outcome::NotSent,
        Err(Trouble::Lost(why)) => Outcome::InDoubt(why.to_string()),
        Err(Trouble::Conflict) => Outcome::Known(Err(StoreError::Conflict)),
        Err(Trouble::Refused(error)) => Outcome::Known(Err(error)),
    }
}

fn undone(link: &Link, error: StoreError) -> Outcome {
    link.send("rollback");
    Outcome::Known(Err(error))
}

fn mark_sql() -> String {
    format!("insert into {MARKS} (lane, seq) values ($1, $2)")
}

type Sent<'a> = Pin<Box<MaybeDone<Pin<Box<dyn Future<Output = Result<u64, Error>> + 'a>>>>>;

/// Polls a statement once, which sends it.
async fn start<'a>(statement: impl Future<Output = Result<u64, Error>> + 'a) -> Sent<'a> {
    let mut sent: Sent<'a> = Box::pin(maybe_done(Box::pin(statement)));
    poll_fn(|context| {
        let _ = sent.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
    sent
}

/// Whether something failed before the server could have heard of it.
fn is_unsent(statement: &mut Sent<'_>) -> bool {
    matches!(statement.as_mut().output_mut(), Some(Err(_)))
}

/// `false`: it could not be sent as a whole, so the COMMIT was not either.
async fn send_all(link: &Link, parts: &[Part<'_>], mark: &Mark) -> Result<bool, Error> {
    let mut sent = Vec::with_capacity(parts.len() + 2);
    for part in parts {
        sent.push(start(async { link.execute(&part.sql, &part.parameters()).await }).await);
    }
    sent.push(start(async { link.execute(&mark_sql(), &[&mark.lane, &mark.seq]).await }).await);
    // The driver refuses what is too long for a message; a COMMIT would then
    // store the rest.
    if sent.iter_mut().any(is_unsent) {
        return Ok(false);
    }
    sent.push(start(async { link.client.batch_execute("commit").await.map(|()| 1) }).await);
    // In order: a COMMIT after a refused statement only undoes, and says
    // nothing of it, so the statement's own answer is what counts.
    let mut outcome = Ok(true);
    for mut statement in sent {
        statement.as_mut().await;
        let answer = statement.as_mut().take_output().unwrap_or(Ok(0));
        outcome = outcome.and(answer.map(|_| true));
    }
    outcome
}

/// Finds out how a batch ended.
async fn settle(home: &Postgres, scribe: &Scribe, mark: &Mark, why: String) -> Result<(), StoreError> {
    scribe.doubt(mark);
    metrics::counter!("waxwing_store_doubts_total").increment(1);
    let place = &home.dialer.target.shown;
    tracing::warn!(
        "the connection to the database at {place} broke during a commit ({why}); asking how it ended"
    );
    match tokio::time::timeout(OUTAGE_WAIT, is_stored(home, mark)).await {
        Ok(Ok(true)) => Ok(()),
        // The lane runs the batch again.
        Ok(Ok(false)) => Err(StoreError::Conflict),
        Ok(Err(error)) => Err(unsettled(place, &error.to_string())),
        Err(_) => Err(unsettled(place, &why)),
    }
}

fn unsettled(place: &str, why: &str) -> StoreError {
    StoreError::Database(format!(
        "the connection to the database at {place} broke during a commit, and how it ended could not be asked \
         ({why}); the change may or may not be there"
    ))
}

async fn is_stored(home: &Postgres, mark: &Mark) -> Result<bool, StoreError> {
    loop {
        let link = home.dialer.dial().await?;
        match within(look_up(&link, mark)).await {
            Ok(Some(stored)) => return Ok(stored),
            Err(Trouble::Refused(StoreError::DiskFull(what))) => return Err(StoreError::DiskFull(what)),
            // The batch may still be under way, or the database away again.
            Ok(None) | Err(_) => tokio::time::sleep(DOUBT_PAUSE).await,
        }
    }
}

/// What the mark says, after this has made sure that there is one.
async fn look_up(link: &Link, mark: &Mark) -> Result<Option<bool>, Error> {
    let note = format!(
        "insert into {MARKS} (lane, seq, stored) values ($1, $2, false) on conflict (lane, seq) do nothing"
    );
    link.execute(&note, &[&mark.lane, &mark.seq]).await?;
    let sql = format!("select stored from {MARKS} where lane = $1 and seq = $2");
    let found = link.query(&sql, &[&mark.lane, &mark.seq]).await?;
    found.first().map(|row| row.try_get(0)).transpose()
}
