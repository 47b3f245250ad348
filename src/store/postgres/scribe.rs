//! One who writes, one batch after the other: the connection, and the names
//! of the batches.

use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

use super::Postgres;
use super::link::{Link, within};
use super::tables::MARKS;

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

    /// A mark that no batch had before.
    pub(super) fn next_mark(&self) -> Mark {
        Mark { lane: self.lane.clone(), seq: self.seq.fetch_add(1, Ordering::Relaxed) }
    }

    /// Now and then, after a batch was stored, removes the marks of those
    /// before it. Not in the batch, where it would collide with those of other
    /// nodes; and over the writer's own connection, which surely is there: a
    /// sign of life must not wait for one that all share. If it fails, the next
    /// one removes them.
    pub(super) async fn tidy_up(&self, link: &Link, stored: &Mark) {
        if stored.seq % MARKS_EVERY == MARKS_EVERY - 1 {
            self.forget_marks(link, stored.seq).await;
        }
    }

    async fn forget_marks(&self, link: &Link, before: i64) {
        let sql = format!("delete from {MARKS} where lane = $1 and seq < $2 and seq <> all($3)");
        let doubts = self.doubts.lock().clone();
        let _ = within(link.execute(&sql, &[&self.lane, &before, &doubts])).await;
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
        if let Some(link) = link.filter(Link::is_usable) {
            home.run(self.forget_marks(&link, self.seq.load(Ordering::Relaxed) - 1));
        }
    }
}
