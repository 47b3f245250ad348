//! What scenarios play on: the server under measurement, who is on it, and
//! the tally of the run that is under way.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::client::Client;
use super::load::Tools;
use super::order::{Person, Post};
use super::tally::{Done, Flaw, Tally};

/// Events whose arrivals are being waited for.
const AWAITED_MAX: usize = 200_000;

/// The server and its people.
#[derive(Clone)]
pub struct Stage {
    /// Reaches it.
    pub client: Client,
    /// `https://localhost:PORT`
    pub origin: String,
    /// Those who ask.
    pub people: Arc<[Person]>,
    /// Whom the fake destinations follow.
    pub announcer: Option<Person>,
    /// Everybody's password.
    pub password: String,
    /// Some posts.
    pub statuses: Arc<[Post]>,
    /// Time and chance.
    pub tools: Tools,
    /// Where those who hear of something note it.
    pub slate: Slate,
}

/// The tally of the run that is under way, for those who are not asked but
/// hear of something: open streams, fake destinations.
#[derive(Clone, Default)]
pub struct Slate(Arc<Mutex<Option<Arc<Mutex<Tally>>>>>);

impl Slate {
    /// From now on this one.
    pub fn set(&self, tally: Option<Arc<Mutex<Tally>>>) {
        *self.0.lock() = tally;
    }

    /// Notes something, if a run is under way.
    pub fn note(&self, done: &Done) {
        let tally = self.0.lock().clone();
        if let Some(tally) = tally {
            tally.lock().note(done);
        }
    }
}

/// Events that many are to hear of, each told by a mark in its text.
#[derive(Default)]
pub struct Awaited {
    next: AtomicU64,
    events: Mutex<HashMap<u64, Event>>,
}

struct Event {
    due: Duration,
    wanted: u32,
    got: u32,
}

/// What stands before the number of an event, and after it.
const MARK: (&str, char) = ("wxb", 'z');

impl Awaited {
    /// A new event that so many are to hear of; gives its mark.
    pub fn begin(&self, due: Duration, wanted: u32) -> (u64, String) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut events = self.events.lock();
        if events.len() < AWAITED_MAX {
            events.insert(number, Event { due, wanted, got: 0 });
        }
        (number, format!("{}{number}{}", MARK.0, MARK.1))
    }

    /// It did not happen: nobody needs to hear of it.
    pub fn forget(&self, number: u64) {
        self.events.lock().remove(&number);
    }

    /// Somebody heard of it; gives when it was due.
    pub fn heard(&self, number: u64) -> Option<Duration> {
        let mut events = self.events.lock();
        let event = events.get_mut(&number)?;
        event.got += 1;
        Some(event.due)
    }

    /// When it was due, without counting who asks.
    pub fn due(&self, number: u64) -> Option<Duration> {
        self.events.lock().get(&number).map(|event| event.due)
    }

    /// Whether everybody has heard of everything.
    pub fn is_over(&self) -> bool {
        self.events.lock().values().all(|event| event.got >= event.wanted)
    }

    /// What nobody heard of in time, as failures; nothing is awaited any more.
    pub fn missed(&self, kind: usize, now: Duration) -> Vec<Done> {
        let events = std::mem::take(&mut *self.events.lock());
        let missing = |event: Event| {
            let done = Done { kind, due: event.due, sent: event.due, ended: now, outcome: Err(Flaw::Late) };
            std::iter::repeat_n(done, event.wanted.saturating_sub(event.got) as usize)
        };
        events.into_values().flat_map(missing).collect()
    }
}

/// The numbers of the marks in some bytes, each once.
pub fn marks(bytes: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(bytes);
    let number = |after: &str| {
        let end = after.find(|c: char| !c.is_ascii_digit())?;
        if after[end..].starts_with(MARK.1) { after[..end].parse().ok() } else { None }
    };
    let mut found: Vec<u64> =
        text.match_indices(MARK.0).filter_map(|(at, mark)| number(&text[at + mark.len()..])).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_once_and_whole() {
        assert_eq!(marks(b"data: {\"content\":\"<p>wxb12z</p>\",\"text\":\"wxb12z wxb7z\"}"), [7, 12]);
        for none in ["wxb12", "wxbz", "12z", "", "wxb1x2z"] {
            assert!(marks(none.as_bytes()).is_empty(), "{none}");
        }
    }

    #[test]
    fn what_nobody_heard_of_is_missed() {
        let awaited = Awaited::default();
        let (first, mark) = awaited.begin(Duration::from_secs(1), 2);
        let (second, _) = awaited.begin(Duration::from_secs(2), 1);
        let (third, _) = awaited.begin(Duration::from_secs(3), 5);
        assert_eq!(marks(mark.as_bytes()), [first]);
        assert_eq!(awaited.heard(first), Some(Duration::from_secs(1)));
        assert_eq!(awaited.heard(second), Some(Duration::from_secs(2)));
        assert_eq!(awaited.heard(99), None);
        awaited.forget(third);
        assert!(!awaited.is_over());
        assert_eq!(awaited.missed(0, Duration::from_secs(9)).len(), 1);
        assert!(awaited.is_over());
    }
}
