//! What the admin decides about a destination, and what happened there.

use minicbor::{Decode, Encode};

use super::Breaker;
use crate::base::Timestamp;
use crate::store::Record;

/// What the admin decided. Apart from [`super::Destination`], which the queue
/// writes as it goes, so that neither overwrites the other.
#[derive(Debug, Clone, Copy, PartialEq, Encode, Decode, Default)]
pub struct Steering {
    /// Since when nothing is sent there.
    #[n(0)]
    pub stopped_at: Option<Timestamp>,
    /// Requests a second at most, in place of what the queue would allow.
    #[n(1)]
    pub rate_max: Option<f32>,
    /// Requests under way at most, in place of what the queue would allow.
    #[n(2)]
    pub cap_max: Option<u32>,
}

impl Steering {
    /// Whether nothing is decided.
    pub fn is_default(&self) -> bool {
        *self == Steering::default()
    }
}

impl Record for Steering {}

/// A turn of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Turn {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// Before.
    #[n(1)]
    pub from: Breaker,
    /// After.
    #[n(2)]
    pub to: Breaker,
    /// Why, in a few words; empty where it got well.
    #[n(3)]
    pub cause: String,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mishap {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// In a few words, without private text.
    #[n(1)]
    pub words: String,
    /// The HTTP status, 0 if there was none.
    #[n(2)]
    pub http_status: u16,
}

/// What happened at a destination lately, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct History {
    /// Turns of the breaker, at most [`History::TURNS_MAX`].
    #[n(0)]
    pub turns: Vec<Turn>,
    /// Errors, at most [`History::MISHAPS_MAX`].
    #[n(1)]
    pub mishaps: Vec<Mishap>,
}

impl History {
    /// Turns that are kept.
    pub const TURNS_MAX: usize = 20;
    /// Errors that are kept.
    pub const MISHAPS_MAX: usize = 5;

    /// With what happened since; the oldest fall out.
    pub fn extend(&mut self, later: History) {
        self.turns.extend(later.turns);
        self.mishaps.extend(later.mishaps);
        self.turns.drain(..self.turns.len().saturating_sub(History::TURNS_MAX));
        self.mishaps.drain(..self.mishaps.len().saturating_sub(History::MISHAPS_MAX));
    }
}

impl Record for History {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden::check;

    #[test]
    fn records_keep_their_bytes() {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let steering = Steering { stopped_at: Some(at), rate_max: Some(2.5), cap_max: Some(4) };
        check("queue-steering", &steering).unwrap();
        let turn = Turn { at, from: Breaker::Closed, to: Breaker::Open, cause: "timeout".into() };
        let mishap = Mishap { at, words: "answered 500".into(), http_status: 500 };
        check("queue-history", &History { turns: vec![turn], mishaps: vec![mishap] }).unwrap();
    }

    #[test]
    fn a_history_keeps_the_newest() {
        let turn = |second| Turn {
            at: Timestamp::from_secs(second),
            from: Breaker::Closed,
            to: Breaker::Open,
            cause: String::new(),
        };
        let mut history = History::default();
        for second in 0..30 {
            history.extend(History { turns: vec![turn(second)], mishaps: Vec::new() });
        }
        assert_eq!(history.turns.len(), History::TURNS_MAX);
        assert_eq!(history.turns[0], turn(10));
    }
}
