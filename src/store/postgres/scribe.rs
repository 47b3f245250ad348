//! One who writes, one batch after the other: the connection, and the names
//! of the batches.

use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::Postgres;
use super::link::Link;
use super::tables::MARKS;
use crate::store::StoreError;

/// After so many batches the marks of the earlier ones are removed.
const MARKS_EVERY: i64 = 256;
/// Marks of batches whose end had to be asked for, kept until the next start
/// that is a day later; beyond so many the oldest go.
const DOUBTS_MAX: usize = 1000;

/// What tells one batch of one writer from all others.
pub(super) struct Mark {
    pub(super) lane: String,
    pub(super) seq: i64,
}

/// One of this process's writers.
pub(super) struct Scribe {
    pub(super) link: Mutex<Option<Link>>,
    /// Its name among the marks.
    lane: String,
    seq: AtomicI64,
    /// Batches that may still hang somewhere, and which only their marks keep
    /// from being stored late.
    doubts: Mutex<Vec<i64>>,
}

impl Scribe {
    pub(super) fn new(lane: String) -> Scribe {
        Scribe { link: Mutex::default(), lane, seq: AtomicI64::new(0), doubts: Mutex::default() }
    }

    /// A mark that no batch had before. Now and then the old ones go.
    pub(super) fn next_mark(&self, home: &Postgres) -> Mark {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        if seq % MARKS_EVERY == MARKS_EVERY - 1 {
            // Not in the batch, where it would collide with those of other
            // nodes. If it fails, the next one removes them.
            let _ = self.forget_marks(home, seq);
        }
        Mark { lane: self.lane.clone(), seq }
    }

    fn forget_marks(&self, home: &Postgres, before: i64) -> Result<(), StoreError> {
        let sql = format!("delete from {MARKS} where lane = $1 and seq < $2 and seq <> all($3)");
        let doubts = self.doubts.lock().clone();
        home.ask_clerk(async |link| link.execute(&sql, &[&self.lane, &before, &doubts]).await.map(drop))
    }

    /// Keeps a mark for good.
    pub(super) fn doubt(&self, mark: &Mark) {
        let mut doubts = self.doubts.lock();
        if doubts.len() >= DOUBTS_MAX {
            doubts.remove(0);
        }
        doubts.push(mark.seq);
    }

    /// Hangs up and tidies up.
    pub(super) fn close(&self, home: &Postgres) {
        // The last batch's own mark stays a while, in case its end is still asked for.
        let link = self.link.lock().take();
        if link.is_some_and(|link| link.is_usable()) {
            let _ = self.forget_marks(home, self.seq.load(Ordering::Relaxed) - 1);
        }
    }
}
