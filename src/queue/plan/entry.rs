//! One destination inside the scheduler: its window of ready jobs, and which
//! of them may go next.

use std::collections::{HashMap, VecDeque};

use super::super::destination::Health;
use super::Window;
use crate::base::{Id, Timestamp};
use crate::domain::delivery::FRESH_FOR;
use crate::model::queue::{InboxId, JobKey, JobRow, Lane, OrderKey};

/// Senders share a destination's turn by this many buckets.
const SENDER_BUCKETS: u64 = 64;
/// A window with fewer rows than this is filled up again.
/// No more than the smallest window, or filling it would never end.
const WINDOW_LOW: usize = super::WINDOW_ROWS_MIN;

/// What the scheduler knows of a destination.
#[derive(Default)]
pub(super) struct Entry {
    /// `None` until it was loaded.
    pub(super) health: Option<Health>,
    windows: [VecDeque<(JobKey, JobRow)>; 3],
    /// Whether the store holds more than the window.
    more: [bool; 3],
    /// The store may hold rows that the windows do not show.
    pub(super) is_stale: bool,
    pub(super) is_loading: bool,
    /// What the admin decided has changed.
    pub(super) wants_steering: bool,
    /// Counts commits, so that a snapshot from before one is not believed.
    pub(super) epoch: u32,
    /// Started or settled, and still in the store: never to be started again.
    busy: HashMap<(Id, InboxId), Busy>,
    pub(super) in_ring: [bool; 3],
    pub(super) deficit: [i64; 3],
    pub(super) timer: Option<Timestamp>,
    pub(super) waits_for_slot: bool,
    last_bucket: u64,
    /// Changed since it was last written down.
    pub(super) is_dirty: bool,
}

#[derive(Clone, Copy)]
struct Busy {
    order: OrderKey,
    was_held: bool,
    is_deferred: bool,
}

impl Entry {
    /// Whether the store should be asked for rows.
    pub(super) fn wants_load(&self) -> bool {
        let is_low = Lane::ALL
            .iter()
            .any(|lane| self.more[lane.index()] && self.windows[lane.index()].len() < WINDOW_LOW);
        !self.is_loading && (self.is_stale || is_low)
    }

    /// News of rows in a lane; they matter only if the window ends before them.
    pub(super) fn woken(&mut self, lane: Lane) {
        if !self.more[lane.index()] {
            self.is_stale = true;
        }
    }

    /// Jobs that a load must look past.
    pub(super) fn busy_rows(&self) -> usize {
        self.busy.len()
    }

    /// Shows what the store holds.
    pub(super) fn fill(&mut self, window: Window) {
        for lane in Lane::ALL {
            let index = lane.index();
            self.more[index] = window.more[index];
            self.windows[index].clear();
        }
        for (key, row) in window.rows {
            if !self.busy.contains_key(&(key.act, key.inbox)) {
                self.windows[key.lane.index()].push_back((key, row));
            }
        }
    }

    /// Forgets the windows of a destination that waits long.
    pub(super) fn shed(&mut self) {
        if self.rows() > 0 || self.more.contains(&true) {
            self.is_stale = true;
        }
        self.windows.iter_mut().for_each(|window| *window = VecDeque::new());
        self.more = [false; 3];
    }

    /// It is somebody else's: nothing of it is shown or asked for.
    pub(super) fn let_go(&mut self) {
        self.shed();
        (self.is_stale, self.wants_steering, self.waits_for_slot) = (false, false, false);
        // A window that is on its way is not believed.
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Whether something is under way, or not yet in the store.
    pub(super) fn is_busy_at_all(&self) -> bool {
        !self.busy.is_empty() || self.is_loading
    }

    /// Rows may be gone from the store: neither the windows nor a snapshot
    /// under way are believed.
    pub(super) fn distrust(&mut self) {
        self.shed();
        self.is_stale = true;
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Whether so much waits in the lane of fresh news that new ones would
    /// wait behind old ones.
    pub(super) fn has_old_news(&self, now: Timestamp) -> bool {
        let fresh = Lane::Fresh;
        let is_old = |at: Timestamp| now.since(at) > FRESH_FOR;
        !self.is_loading && self.more[fresh.index()] && self.oldest(fresh).is_some_and(is_old)
    }

    /// Shows nothing until the store was tidied; gives the jobs under way.
    pub(super) fn begin_demoting(&mut self) -> Vec<(Id, InboxId)> {
        self.distrust();
        self.is_loading = true;
        self.busy.keys().copied().collect()
    }

    /// Whether a job was started or settled, and is still in the store.
    pub(super) fn is_busy(&self, key: &JobKey) -> bool {
        self.busy.contains_key(&(key.act, key.inbox))
    }

    /// The row of a job, if it is shown, and the earlier act it waits for.
    pub(super) fn shown(&self, key: &JobKey) -> Option<Option<Id>> {
        let (_, row) = self.windows[key.lane.index()].iter().find(|(shown, _)| shown == key)?;
        Some(self.blocker(key, row))
    }

    /// Rows in the windows.
    pub(super) fn rows(&self) -> usize {
        self.windows.iter().map(VecDeque::len).sum()
    }

    /// Whether a lane shows rows.
    pub(super) fn has_rows(&self, lane: Lane) -> bool {
        !self.windows[lane.index()].is_empty()
    }

    /// When the oldest row shown in a lane was enqueued.
    pub(super) fn oldest(&self, lane: Lane) -> Option<Timestamp> {
        self.windows[lane.index()].front().map(|(_, row)| row.created_at)
    }

    /// Takes the next job of a lane: the first one of the sender whose turn
    /// it is, unless an earlier one of its order key is unfinished.
    pub(super) fn pick(&mut self, lane: Lane) -> Option<(JobKey, JobRow)> {
        let window = &self.windows[lane.index()];
        let (index, bucket) = window
            .iter()
            .enumerate()
            .filter(|(_, (key, row))| !self.is_blocked(key, row))
            .map(|(index, (_, row))| (index, bucket_of(row.sender)))
            .min_by_key(|(_, bucket)| bucket.wrapping_sub(self.last_bucket + 1) % SENDER_BUCKETS)?;
        self.last_bucket = bucket;
        let (key, row) = self.windows[lane.index()].remove(index)?;
        self.busy.insert(
            (key.act, key.inbox),
            Busy { order: row.order, was_held: row.attempts > 0, is_deferred: false },
        );
        Some((key, row))
    }

    fn is_blocked(&self, key: &JobKey, row: &JobRow) -> bool {
        self.blocker(key, row).is_some()
    }

    /// The act that must be through before this job may start.
    fn blocker(&self, key: &JobKey, row: &JobRow) -> Option<Id> {
        if row.order == OrderKey::NONE {
            return None;
        }
        let is_chained = |order: OrderKey| order == row.order;
        let under_way = self.busy.iter().find(|((act, _), busy)| is_chained(busy.order) && *act != key.act);
        under_way.map(|((act, _), _)| *act).or_else(|| {
            let shown = self.windows.iter().flatten();
            shown
                .map(|(other, its)| (other.act, its.order))
                .find(|(act, order)| is_chained(*order) && *act < key.act)
                .map(|(act, _)| act)
        })
    }

    /// The job stays ready as it is.
    pub(super) fn put_back(&mut self, key: JobKey, row: JobRow) {
        self.busy.remove(&(key.act, key.inbox));
        self.windows[key.lane.index()].push_front((key, row));
    }

    /// The job is put off; later ones of its order key wait until it is through.
    pub(super) fn deferred(&mut self, key: &JobKey) {
        if let Some(busy) = self.busy.get_mut(&(key.act, key.inbox)) {
            busy.is_deferred = true;
        }
    }

    /// What became of a job is in the store.
    pub(super) fn committed(&mut self, key: &JobKey) {
        self.epoch = self.epoch.wrapping_add(1);
        let Some(busy) = self.busy.remove(&(key.act, key.inbox)) else { return };
        if busy.order == OrderKey::NONE {
            return;
        }
        if busy.is_deferred {
            // From now on the store itself tells which ones wait.
            self.windows.iter_mut().for_each(|window| window.retain(|(_, row)| row.order != busy.order));
        } else {
            // Those that waited for it can be seen now.
            self.is_stale |= busy.was_held;
        }
    }

    /// Whether nothing is known that the store does not know.
    pub(super) fn is_idle(&self) -> bool {
        self.rows() == 0
            && self.busy.is_empty()
            && !self.is_stale
            && !self.is_loading
            && !self.wants_steering
            && !self.waits_for_slot
            && !self.more.contains(&true)
            && self.health.as_ref().is_none_or(|health| health.inflight() == 0)
    }
}

fn bucket_of(sender: Id) -> u64 {
    OrderKey::of(sender).0 % SENDER_BUCKETS
}
