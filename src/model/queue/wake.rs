//! The news that a destination has new jobs.

use super::{DestinationId, Lane};
use crate::base::Timestamp;
use crate::store::{Key, Signal, WriteTx};

/// The signal topic of [`Wake`].
pub const WAKE_TOPIC: &str = "queue";
/// With more destinations than this the worker looks for itself.
const WAKE_MAX: usize = 4096;
/// Destinations in one signal: signals between nodes are small.
const WAKE_STEP: usize = 1000;

/// Destinations and lanes that got jobs; empty means "look everywhere".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wake {
    /// Where jobs arrived.
    pub lanes: Vec<(DestinationId, Lane)>,
}

impl Wake {
    /// Tells the worker once the transaction is committed.
    pub fn emit(&self, tx: &mut WriteTx<'_>) {
        if self.lanes.is_empty() || self.lanes.len() > WAKE_MAX {
            return tx.signal(WAKE_TOPIC, Vec::new());
        }
        for some in self.lanes.chunks(WAKE_STEP) {
            let mut payload = Vec::new();
            some.iter().for_each(|lane| lane.write(&mut payload));
            tx.signal(WAKE_TOPIC, payload);
        }
    }

    /// Reads a store signal; `None` if it is about something else.
    pub fn from_signal(signal: &Signal) -> Option<Wake> {
        if signal.topic != WAKE_TOPIC {
            return None;
        }
        let mut lanes = Vec::new();
        let mut rest = &signal.payload[..];
        while !rest.is_empty() {
            // What cannot be read is from another version: look everywhere.
            let Some(lane) = Key::read(&mut rest) else { return Some(Wake::default()) };
            lanes.push(lane);
        }
        Some(Wake { lanes })
    }
}

/// The signal topic of [`Due`].
pub const DUE_TOPIC: &str = "queue_due";

/// A job was put aside until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due(pub Timestamp);

impl Due {
    /// Tells the worker once the transaction is committed.
    pub fn emit(self, tx: &mut WriteTx<'_>) {
        tx.signal(DUE_TOPIC, self.0.bytes());
    }

    /// Reads a store signal; `None` if it is about something else.
    pub fn from_signal(signal: &Signal) -> Option<Due> {
        (signal.topic == DUE_TOPIC).then(|| Key::read(&mut &signal.payload[..]).map(Due)).flatten()
    }
}

/// The signal topic of [`Heard`].
pub const HEARD_TOPIC: &str = "queue_heard";

/// A host sent us something, so its inbox may be back, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard(pub DestinationId);

impl Heard {
    /// Tells the worker once the transaction is committed.
    pub fn emit(self, tx: &mut WriteTx<'_>) {
        tx.signal(HEARD_TOPIC, self.0.bytes());
    }

    /// Reads a store signal; `None` if it is about something else.
    pub fn from_signal(signal: &Signal) -> Option<Heard> {
        (signal.topic == HEARD_TOPIC).then(|| Key::read(&mut &signal.payload[..]).map(Heard)).flatten()
    }
}

/// The signal topic of [`Steer`].
pub const STEER_TOPIC: &str = "queue_steer";

/// The admin did something about destinations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Steer {
    /// [`super::Steering`] of this one changed.
    Changed(DestinationId),
    /// Look at once whether this one is back.
    Probe(DestinationId),
    /// Ready jobs of these were removed; empty means "of any".
    Purged(Vec<DestinationId>),
}

impl Steer {
    /// Tells the worker once the transaction is committed.
    pub fn emit(&self, tx: &mut WriteTx<'_>) {
        let (tag, ids) = match self {
            Steer::Changed(id) => (0u8, std::slice::from_ref(id)),
            Steer::Probe(id) => (1, std::slice::from_ref(id)),
            Steer::Purged(ids) if ids.len() > WAKE_MAX => (2, &[][..]),
            Steer::Purged(ids) => (2, &ids[..]),
        };
        let mut payload = vec![tag];
        ids.iter().for_each(|id| id.write(&mut payload));
        tx.signal(STEER_TOPIC, payload);
    }

    /// Reads a store signal; `None` if it is about something else.
    pub fn from_signal(signal: &Signal) -> Option<Steer> {
        if signal.topic != STEER_TOPIC {
            return None;
        }
        let (tag, mut rest) = signal.payload.split_first()?;
        let mut ids = Vec::new();
        while let Some(id) = Key::read(&mut rest) {
            ids.push(id);
        }
        match tag {
            0 => ids.first().copied().map(Steer::Changed),
            1 => ids.first().copied().map(Steer::Probe),
            2 => Some(Steer::Purged(ids)),
            _ => None,
        }
    }
}
