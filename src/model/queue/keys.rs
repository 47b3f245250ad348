//! Ids and key shapes of the queue's tables.

use minicbor::{Decode, Encode};

use crate::base::{Id, Timestamp};
use crate::store::{Key, Value, ValueError};

/// A place that jobs go to: a remote host, or one of our own lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct DestinationId(#[n(0)] pub u32);

impl DestinationId {
    /// Our own background work, such as the fan-out of a post.
    pub const LOCAL: DestinationId = DestinationId(0);
}

/// One inbox URL of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct InboxId(#[n(0)] pub u32);

impl InboxId {
    /// Of jobs that have no inbox.
    pub const NONE: InboxId = InboxId(0);
}

/// Jobs with the same order key go to a destination one after another, in
/// the order they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct OrderKey(#[n(0)] pub u64);

impl OrderKey {
    /// Order does not matter.
    pub const NONE: OrderKey = OrderKey(0);

    /// For everything about one object: its Create, Updates and Delete.
    pub fn of(object: Id) -> OrderKey {
        OrderKey(mix(object.0))
    }

    /// For everything one account does to another: Follow, Undo, Block.
    pub fn of_pair(actor: Id, target: Id) -> OrderKey {
        OrderKey(mix(mix(actor.0) ^ target.0))
    }
}

/// The finalizer of SplitMix64, so that ids that lie close spread out. Never 0.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).max(1)
}

/// How urgent a job is. Each lane gets its share, so the slowest one moves too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Lane {
    /// Somebody waits for it: follows, replies to people, blocks.
    #[n(0)]
    Interactive,
    /// News younger than ten minutes.
    #[n(1)]
    Fresh,
    /// Everything that may take its time.
    #[n(2)]
    Bulk,
}

impl Lane {
    /// All lanes, most urgent first.
    pub const ALL: [Lane; 3] = [Lane::Interactive, Lane::Fresh, Lane::Bulk];

    /// Its place in [`Lane::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Lane::Interactive => "interactive",
            Lane::Fresh => "fresh",
            Lane::Bulk => "bulk",
        }
    }
}

/// Key of a job that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobKey {
    /// Where to.
    pub destination: DestinationId,
    /// How urgent.
    pub lane: Lane,
    /// What.
    pub act: Id,
    /// Into which inbox.
    pub inbox: InboxId,
}

/// Key of a job that waits for its retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeferKey {
    /// When it is due.
    pub due: Timestamp,
    /// Where to.
    pub destination: DestinationId,
    /// What.
    pub act: Id,
    /// Into which inbox.
    pub inbox: InboxId,
}

/// Key of a job that was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadKey {
    /// Where it should have gone.
    pub destination: DestinationId,
    /// When it was given up.
    pub died: Timestamp,
    /// What.
    pub act: Id,
    /// Into which inbox.
    pub inbox: InboxId,
}

impl Key for DestinationId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        u32::read(input).map(DestinationId)
    }
}

impl Value for DestinationId {
    fn to_bytes(&self) -> Vec<u8> {
        self.bytes()
    }

    fn from_bytes(mut bytes: &[u8]) -> Result<Self, ValueError> {
        DestinationId::read(&mut bytes).ok_or_else(|| ValueError::Damaged("a destination has 4 bytes".into()))
    }
}

impl Key for InboxId {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        u32::read(input).map(InboxId)
    }
}

impl Key for OrderKey {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        u64::read(input).map(OrderKey)
    }
}

impl Key for Lane {
    fn write(&self, out: &mut Vec<u8>) {
        (*self as u8).write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        Lane::ALL.get(usize::from(u8::read(input)?)).copied()
    }
}

impl Key for JobKey {
    fn write(&self, out: &mut Vec<u8>) {
        (self.destination, self.lane, self.act, self.inbox).write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let (destination, lane, act, inbox) = Key::read(input)?;
        Some(JobKey { destination, lane, act, inbox })
    }
}

impl Key for DeferKey {
    fn write(&self, out: &mut Vec<u8>) {
        (self.due, self.destination, self.act, self.inbox).write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let (due, destination, act, inbox) = Key::read(input)?;
        Some(DeferKey { due, destination, act, inbox })
    }
}

impl Key for DeadKey {
    fn write(&self, out: &mut Vec<u8>) {
        (self.destination, self.died, self.act, self.inbox).write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let (destination, died, act, inbox) = Key::read(input)?;
        Some(DeadKey { destination, died, act, inbox })
    }
}
