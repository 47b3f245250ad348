//! Which of the others live. Pure: what was read and when, by our own clock.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{Node, NodeState};

/// A row that does not change for so long is that of a dead process.
pub const DEAD_AFTER: Duration = Duration::from_secs(9);
/// Two looks are usually not further apart. Where they are, what goes beyond
/// this says nothing: we were slow, and perhaps the others with us.
const GAP: Duration = Duration::from_secs(3);
/// Further apart than looks at a slow database ever are: we stood still, or the
/// database was away, and whoever waited for it has yet to come back.
const PAUSE: Duration = Duration::from_secs(15);

/// Whether a process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Its row changed lately.
    Alive,
    /// Its row was there when it was first looked and has not changed yet.
    Unsure,
    /// Its row did not change for long.
    Dead,
    /// It said that it is gone, or others found it dead.
    Gone,
}

/// What was seen of all rows.
#[derive(Debug, Default)]
pub struct Sight {
    seen: BTreeMap<u8, Seen>,
    looked: Option<Duration>,
}

#[derive(Debug)]
struct Seen {
    boot: u64,
    beat: u64,
    changed: Duration,
    is_sure: bool,
    life: Life,
}

impl Sight {
    /// Takes what was read at `now`, any monotonic time.
    pub fn look(&mut self, now: Duration, rows: &[(u8, Node)]) {
        let is_first = self.looked.is_none();
        let gap = self.looked.map_or(Duration::ZERO, |looked| now.saturating_sub(looked));
        // Not all of each gap: a slow database makes every look late, and who is
        // dead would live for ever.
        let unseen = if gap > PAUSE { now } else { gap.saturating_sub(GAP) };
        self.looked = Some(now);
        self.seen.retain(|number, _| rows.iter().any(|(other, _)| other == number));
        for (number, row) in rows {
            let news =
                Seen { boot: row.boot, beat: row.beat, changed: now, is_sure: !is_first, life: Life::Unsure };
            let seen = self.seen.entry(*number).or_insert(news);
            if seen.boot != row.boot || seen.beat != row.beat {
                (seen.boot, seen.beat, seen.changed, seen.is_sure) = (row.boot, row.beat, now, true);
            } else {
                seen.changed = (seen.changed + unseen).min(now);
            }
            let is_silent = now.saturating_sub(seen.changed) >= DEAD_AFTER;
            seen.life = match (row.state, is_silent, seen.is_sure) {
                (NodeState::Gone, ..) => Life::Gone,
                (_, true, _) => Life::Dead,
                (_, false, true) => Life::Alive,
                (_, false, false) => Life::Unsure,
            };
        }
    }

    /// How a node stood when it was last looked.
    pub fn life(&self, number: u8) -> Life {
        self.seen.get(&number).map_or(Life::Gone, |seen| seen.life)
    }

    /// When its row last changed, by the time given to [`Sight::look`].
    pub fn changed(&self, number: u8) -> Option<Duration> {
        self.seen.get(&number).map(|seen| seen.changed)
    }
}
