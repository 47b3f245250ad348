//! Time-sorted 64-bit identifiers.
//!
//! Layout, from the high bit: 48 bits of milliseconds since 1970, 5 bits of
//! node number, 11 bits of sequence. The millisecond part sits where
//! Mastodon's snowflakes have it, so clients that turn a date into a
//! `max_id` (Mastodon.py does) get what they mean.

use std::fmt;
use std::str::FromStr;

use parking_lot::Mutex;

use super::Timestamp;

const LOW_BITS: u32 = 16;
const SEQUENCE_BITS: u32 = 11;
/// Highest node number that fits an id.
pub const NODE_MAX: u8 = 31;

/// A 64-bit id, shown to clients as a decimal string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Id(pub u64);

impl Id {
    /// The smallest id; no record has it.
    pub const ZERO: Id = Id(0);
    /// The largest id; no record has it.
    pub const MAX: Id = Id(u64::MAX);

    /// The first id of a millisecond, for range scans by date.
    pub fn first_at(at: Timestamp) -> Id {
        Id((at.as_millis().max(0) as u64) << LOW_BITS)
    }

    /// When the id was made (to the millisecond).
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millis((self.0 >> LOW_BITS) as i64)
    }

    /// The next larger id.
    pub fn next(self) -> Id {
        Id(self.0.saturating_add(1))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

/// The text is not a decimal 64-bit number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is a decimal number below 2^64")
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for Id {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Id, ParseIdError> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseIdError);
        }
        text.parse().map(Id).map_err(|_| ParseIdError)
    }
}

/// Ids kept back for the time in which no new range comes: one second of them.
const SPARE: u64 = 1000 << SEQUENCE_BITS;

/// Hands out ids; one per process.
///
/// With a store of its own a process may make ids for ever. One that shares
/// its store makes them within a [range](IdGenerator::assign) that is written
/// down as its own, so that no two ever make the same one, whatever their
/// clocks say and however long one of them stands still.
pub struct IdGenerator(Mutex<Range>);

/// Milliseconds and sequence, without the node.
struct Range {
    node: u64,
    /// The next free one.
    next: u64,
    /// The first one that is not ours.
    end: u64,
}

impl IdGenerator {
    /// A generator for node `node` (0 to [`NODE_MAX`]), without an end.
    pub fn new(node: u8) -> IdGenerator {
        IdGenerator(Mutex::new(Range { node: u64::from(node.min(NODE_MAX)), next: 0, end: u64::MAX }))
    }

    /// From now on makes ids of another node, none of them before `from` or
    /// after `until`.
    pub fn assign(&self, node: u8, from: Timestamp, until: Timestamp) {
        *self.0.lock() = Range { node: u64::from(node.min(NODE_MAX)), next: first(from), end: first(until) };
    }

    /// The range goes on until then.
    pub fn extend(&self, until: Timestamp) {
        let mut range = self.0.lock();
        range.end = range.end.max(first(until));
    }

    /// A time before which all its ids are.
    pub fn used_until(&self) -> Timestamp {
        Timestamp::from_millis((self.0.lock().next >> SEQUENCE_BITS) as i64 + 1)
    }

    /// Reserves `count` ids at `now`. When a millisecond is used up, or the
    /// clock went back, ids run ahead of the clock rather than repeat; when
    /// the clock is past the end of the range, they stay behind it. A range
    /// that is used up gives a run of none.
    pub fn reserve(&self, now: Timestamp, count: u16) -> Ids {
        let mut range = self.0.lock();
        let start = range.next.max(first(now).min(range.end.saturating_sub(SPARE)));
        let end = (start + u64::from(count)).min(range.end.max(start));
        range.next = end;
        Ids { node: range.node, next: start, end }
    }
}

/// The first place of a millisecond.
fn first(at: Timestamp) -> u64 {
    (at.as_millis().max(0) as u64) << SEQUENCE_BITS
}

/// A reserved run of ids. Cloning restarts it, so a transaction closure that
/// runs again hands out the same ids.
#[derive(Clone, Debug)]
pub struct Ids {
    node: u64,
    next: u64,
    end: u64,
}

impl Ids {
    /// The next id of the run.
    ///
    /// # Panics
    /// When the run is used up: reserve as many as the work can need.
    pub fn take(&mut self) -> Id {
        assert!(self.next < self.end, "more ids taken than were reserved");
        let at = self.next;
        self.next += 1;
        let millis = at >> SEQUENCE_BITS;
        let sequence = at & ((1 << SEQUENCE_BITS) - 1);
        Id((millis << LOW_BITS) | (self.node << SEQUENCE_BITS) | sequence)
    }

    /// How many ids are left.
    pub fn left(&self) -> usize {
        (self.end - self.next) as usize
    }
}

/// What a transaction may know of the outside: the time it happens at and
/// the ids it may give out. Pass a clone into each run of the closure.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The time of the change.
    pub now: Timestamp,
    /// Fresh ids.
    pub ids: Ids,
}

impl Moment {
    /// The next fresh id.
    pub fn id(&mut self) -> Id {
        self.ids.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn ids_grow_even_when_the_clock_goes_back() {
        let ids = IdGenerator::new(3);
        let first = ids.reserve(at(1_000_000), 1).take();
        let second = ids.reserve(at(900_000), 1).take();
        assert!(second > first);
        assert_eq!(first.timestamp(), at(1_000_000));
    }

    #[test]
    fn a_full_millisecond_borrows_from_the_next() {
        let ids = IdGenerator::new(0);
        let mut run = ids.reserve(at(5), 3000);
        let all: Vec<Id> = (0..3000).map(|_| run.take()).collect();
        assert!(all.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(all[2999].timestamp(), at(6));
    }

    #[test]
    fn a_range_is_not_left_whatever_the_clock_says() {
        let ids = IdGenerator::new(0);
        ids.assign(4, at(10_000), at(20_000));
        let early = ids.reserve(at(1), 1).take();
        assert_eq!(early.timestamp(), at(10_000));
        assert_eq!(ids.reserve(at(15_000), 1).take().timestamp(), at(15_000));
        // Asleep for an hour: still ids of its own, and more of them later.
        let late = ids.reserve(at(3_600_000), 2).take();
        assert_eq!(late.timestamp(), at(19_000));
        assert!(ids.reserve(at(3_600_000), 1).take() > late);
        ids.extend(at(3_700_000));
        assert_eq!(ids.reserve(at(3_600_000), 1).take().timestamp(), at(3_600_000));
        assert_eq!(ids.used_until(), at(3_600_001));
        ids.assign(5, at(0), at(1));
        assert_eq!(ids.reserve(at(3_600_000), 4096).left(), 2048);
        assert_eq!(ids.reserve(at(3_600_000), 1).left(), 0);
    }

    #[test]
    fn a_cloned_run_repeats() {
        let run = IdGenerator::new(1).reserve(at(5), 4);
        assert_eq!(run.clone().take(), run.clone().take());
    }

    #[test]
    fn ids_parse_as_decimal_only() {
        assert_eq!("42".parse(), Ok(Id(42)));
        for bad in ["", "+1", "-1", "0x1", "1 ", "99999999999999999999", "१"] {
            assert_eq!(bad.parse::<Id>(), Err(ParseIdError), "{bad}");
        }
    }
}
