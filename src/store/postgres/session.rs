//! One transaction on one connection, for reading or for writing.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;

use futures_util::future::{join, try_join_all};
use parking_lot::MutexGuard;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::fault::{Loss, Trouble};
use super::link::{Link, within};
use super::past::{Past, Question};
use super::pool::{Lent, Pool};
use super::{Postgres, tables};
use crate::store::StoreError;
use crate::store::backend::{RawRange, RawRow, Snapshot};
use crate::store::overlay::is_empty;

const BEGIN_READING: &str = "begin transaction isolation level repeatable read read only";
pub(super) const BEGIN_WRITING: &str = "begin transaction isolation level serializable";
/// How often a transaction that has not read anything yet starts anew on
/// another connection.
const BEGIN_TRIES: usize = 5;
/// How often one that has read goes on on another connection.
const RESUMES_MAX: usize = 3;

/// Where the connection comes from and goes to.
pub(super) enum Source<'a> {
    Pool(&'a Pool),
    /// A writer's connection; the guard makes us its only user.
    Lane(MutexGuard<'a, Option<Link>>),
}

enum Line<'a> {
    Lent(Lent<'a>),
    Own(Link),
}

impl Line<'_> {
    fn link(&self) -> &Link {
        match self {
            Line::Lent(lent) => &lent.link,
            Line::Own(link) => link,
        }
    }
}

/// A transaction; begun with the first question, in the same round trip.
pub(super) struct Session<'a> {
    pub(super) home: &'a Postgres,
    source: RefCell<Source<'a>>,
    is_writing: bool,
    /// `None` before the first question, and when it was lost.
    line: RefCell<Option<Line<'a>>>,
    /// The connection was lost after something had been read.
    is_lost: Cell<bool>,
    /// What it read, if it only reads: its closure cannot be run again.
    past: RefCell<Past>,
}

/// How an attempt to go on ended.
enum Resumed {
    Yes,
    /// That connection broke, too.
    LostAgain,
    /// Others have written meanwhile, or there is too much to ask again.
    No,
}

impl<'a> Session<'a> {
    pub(super) fn new(home: &'a Postgres, source: Source<'a>) -> Session<'a> {
        let is_writing = matches!(source, Source::Lane(_));
        Session {
            home,
            source: RefCell::new(source),
            is_writing,
            line: RefCell::default(),
            is_lost: Cell::new(false),
            past: RefCell::default(),
        }
    }

    /// Where readers borrow.
    fn pool(&self) -> Option<&'a Pool> {
        match &*self.source.borrow() {
            Source::Pool(pool) => Some(pool),
            Source::Lane(_) => None,
        }
    }

    async fn connect(&self) -> Result<Line<'a>, StoreError> {
        if let Some(pool) = self.pool() {
            return Ok(Line::Lent(pool.lend(&self.home.dialer).await?));
        }
        let kept = match &mut *self.source.borrow_mut() {
            Source::Lane(slot) => slot.take().filter(|link| self.home.dialer.is_current(link)),
            Source::Pool(_) => None,
        };
        Ok(Line::Own(match kept {
            Some(link) => link,
            None => self.home.dialer.dial().await?,
        }))
    }

    /// Asks something within the transaction.
    pub(super) fn ask<T>(&self, question: impl AsyncFn(&Link) -> Result<T, Error>) -> Result<T, StoreError> {
        if self.is_lost.get() {
            return Err(self.lost(Loss::Broken("it was lost before".into())));
        }
        self.home.run(self.ask_now(&question))?.map_err(|trouble| match trouble {
            Trouble::Lost(why) => {
                self.is_lost.set(true);
                self.line.take();
                self.lost(why)
            }
            other => other.into_error(&self.home.dialer.target.shown),
        })
    }

    async fn ask_now<T>(
        &self,
        question: &impl AsyncFn(&Link) -> Result<T, Error>,
    ) -> Result<Result<T, Trouble>, StoreError> {
        // Held by no cell while it waits; a panic meanwhile hangs up.
        if let Some(line) = self.line.take() {
            let answer = within(question(line.link())).await;
            self.line.replace(Some(line));
            return Ok(answer);
        }
        for _ in 1..BEGIN_TRIES {
            match self.begin(question).await? {
                // Most often one that the server closed while it was idle.
                Err(Trouble::Lost(_)) => {}
                other => return Ok(other),
            }
        }
        self.begin(question).await
    }

    /// Begins the transaction with its first question.
    async fn begin<T>(
        &self,
        question: &impl AsyncFn(&Link) -> Result<T, Error>,
    ) -> Result<Result<T, Trouble>, StoreError> {
        let line = self.connect().await?;
        let statement = if self.is_writing { BEGIN_WRITING } else { BEGIN_READING };
        let link = line.link();
        let (is_begun, is_standby) = (Cell::new(false), Cell::new(false));
        let both = async {
            let (begun, answer) = join(link.client.batch_execute(statement), question(link)).await;
            if let Err(error) = &begun {
                // What a primary that has become a standby says to SERIALIZABLE.
                is_standby.set(self.is_writing && error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED));
            }
            begun?;
            is_begun.set(true);
            answer
        };
        let mut answer = within(both).await;
        if is_standby.get() {
            answer = Err(Trouble::Lost(Loss::Standby));
        }
        // Where the BEGIN was refused, whatever came next would be stored
        // statement by statement: that connection is hung up.
        if is_begun.get() && !matches!(answer, Err(Trouble::Lost(_))) {
            self.line.replace(Some(line));
        }
        Ok(answer)
    }

    fn lost(&self, why: Loss) -> StoreError {
        // Nothing was written yet, so the lane can run its closures again.
        if self.is_writing {
            return StoreError::Conflict;
        }
        Trouble::Lost(why).into_error(&self.home.dialer.target.shown)
    }

    /// The connection with the begun transaction on it, to be ended and put
    /// back by the caller. `None` if it was lost.
    pub(super) fn take_link(&self) -> Option<Link> {
        match self.line.take() {
            Some(Line::Own(link)) => Some(link),
            _ => None,
        }
    }

    /// Puts a connection back where the next batch finds it.
    pub(super) fn keep(&self, link: Link) {
        if let Source::Lane(slot) = &mut *self.source.borrow_mut() {
            **slot = Some(link);
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        line.link().send("rollback");
        match line {
            Line::Lent(lent) => {
                if let Some(pool) = self.pool() {
                    pool.give_back(lent);
                }
            }
            Line::Own(link) => self.keep(link),
        }
    }
}

impl Session<'_> {
    /// Asks; if the connection breaks in the middle of a transaction that only
    /// reads, that goes on in a new one which was told the same.
    fn remembering<T: Hash>(
        &self,
        question: impl FnOnce() -> Question,
        ask: impl Fn() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut answer = ask();
        if self.is_writing {
            return answer;
        }
        for _ in 0..RESUMES_MAX {
            if answer.is_ok() || !self.is_lost.get() {
                break;
            }
            match self.resume() {
                Resumed::Yes => answer = ask(),
                Resumed::LostAgain => {}
                Resumed::No => break,
            }
        }
        if let Ok(answer) = &answer {
            self.past.borrow_mut().note(question(), answer);
        }
        answer
    }

    /// Begins anew, and asks everything again.
    fn resume(&self) -> Resumed {
        let past = self.past.borrow();
        let Some(asked) = past.asked() else { return Resumed::No };
        self.is_lost.set(false);
        for (question, digest) in asked {
            let again = match question {
                Question::Keys(wanted) => self.look_up(wanted).map(|answer| past.digest(&answer)),
                Question::Range(table, range) => self.walk(table, range).map(|answer| past.digest(&answer)),
            };
            if again.as_ref().ok() != Some(digest) {
                let is_lost_again = self.is_lost.replace(true);
                return if is_lost_again { Resumed::LostAgain } else { Resumed::No };
            }
        }
        tracing::debug!("a reading transaction whose connection broke goes on on another one");
        Resumed::Yes
    }

    fn look_up(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut keys: HashMap<&'static str, Vec<&[u8]>> = HashMap::new();
        for (table, key) in wanted {
            keys.entry(table).or_default().push(key);
        }
        self.home.make_missing(keys.keys().copied())?;
        let found: Vec<Vec<Found>> = self.ask(async |link: &Link| {
            try_join_all(keys.iter().map(|(table, keys)| get(link, table, keys))).await
        })?;
        let found: HashMap<_, _> = found.into_iter().flatten().collect();
        Ok(wanted.iter().map(|wanted| found.get(wanted).cloned()).collect())
    }

    fn walk(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        if is_empty(range) || range.limit == 0 {
            return Ok(Vec::new());
        }
        self.home.make_missing([table].into_iter())?;
        let (sql, keys) = tables::scan(table, range);
        let limit = i64::try_from(range.limit).unwrap_or(i64::MAX);
        self.ask(async |link| {
            let mut values: tables::Values<'_> = Vec::with_capacity(3);
            for key in &keys {
                values.push(*key);
            }
            values.push(&limit);
            let rows = link.query(&sql, &values).await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, tables::value(row)?))).collect()
        })
    }
}

impl Snapshot for Session<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.remembering(|| Question::Keys(wanted.to_vec()), || self.look_up(wanted))
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.remembering(|| Question::Range(table, range.clone()), || self.walk(table, range))
    }

    fn tables(&self) -> Result<Vec<String>, StoreError> {
        // For backups, which read too much to be remembered.
        self.past.borrow_mut().forget();
        self.ask(async |link: &Link| tables::list(link).await)
    }
}

type Found = ((&'static str, Vec<u8>), Vec<u8>);

/// The rows of one table at these keys, in any order.
async fn get(link: &Link, table: &'static str, keys: &[&[u8]]) -> Result<Vec<Found>, Error> {
    let rows = link.query(&tables::get(table), &[&keys]).await?;
    rows.iter().map(|row| Ok(((table, row.try_get(0)?), tables::value(row)?))).collect()
}
