//! Several processes on one store: who is there, and who does what.
//!
//! Each process takes a node number and writes its row again and again
//! ([`Member`]); that the row changes is the sign of life ([`Sight`]), judged
//! by each looker's own clock, since clocks of others may be wrong. Work that
//! only one may do is divided into shards, held until the holder gives them
//! back or is declared dead ([`share`]). Who is declared dead loses its
//! mandate in the same database in which it would write, so that it cannot
//! write as a holder any more even if it never hears of it ([`stands`]).
//!
//! Knows rows and time; must not know what a shard's work is, HTTP, or how
//! peers are talked to.

mod by_hand;
mod command;
mod member;
mod outlook;
mod register;
mod shards;
mod sight;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::base::Clock;
use crate::model::NodeLoad;

pub use command::command_ids;
pub use member::{About, Member};
pub use outlook::{Outlook, Seen};
pub use register::stands;
pub use shards::{CHORES, ShardSet, share};
pub use sight::{DEAD_AFTER, Life, Sight};

/// How often a node writes its row and reads those of others.
pub const BEAT: Duration = Duration::from_secs(1);
/// After the start of a write that succeeded, a node may act for so long:
/// shorter than [`DEAD_AFTER`], so that it stops before others begin.
pub const LEASE: Duration = Duration::from_secs(7);
/// Bytes of the secret that all nodes know.
pub const KEY_BYTES: usize = 32;

/// A node that can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its number; `None` of a peer listed by hand that has no row.
    pub node: Option<u8>,
    /// Changes whenever the process starts anew; 0 if unknown.
    pub boot: u64,
    /// Address and port for other nodes.
    pub address: String,
    /// For how long it has been up, at its last sign of life.
    pub age: Duration,
    /// It takes nothing new.
    pub is_draining: bool,
    /// Its program's version; empty if unknown.
    pub version: String,
    /// What it said it has to do.
    pub load: NodeLoad,
    /// It is this process.
    pub is_me: bool,
}

/// The secret by which nodes know each other; every node reads it from the store.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeKey(pub [u8; KEY_BYTES]);

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey(…)")
    }
}

/// What this process may do of what only one may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    /// Under this name; `None` where the store is ours alone.
    pub boot: Option<u64>,
    /// What it does.
    pub mine: ShardSet,
    /// What it holds and should bring to an end; see [`Cluster::done_with`].
    pub leaving: ShardSet,
}

impl Duty {
    /// Of a process that has its store for itself.
    pub const ALONE: Duty = Duty { boot: None, mine: ShardSet::ALL, leaving: ShardSet::NONE };
    /// Nothing yet.
    const IDLE: Duty = Duty { boot: None, mine: ShardSet::NONE, leaving: ShardSet::NONE };

    /// Whether it does what is done by one process for all.
    pub fn has_chores(&self) -> bool {
        self.mine.has(CHORES)
    }
}

/// A handle to what this process knows of the others; cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    /// `None` where the store is ours alone.
    clock: Option<Arc<dyn Clock>>,
    key: Option<NodeKey>,
    number: AtomicU8,
    /// The slot of our search index and 1; 0 before it is known.
    index_slot: AtomicU8,
    /// Milliseconds of the monotonic clock.
    lease_until: AtomicU64,
    peers: watch::Sender<Arc<[Peer]>>,
    outlook: Mutex<Outlook>,
    duty: watch::Sender<Duty>,
    done: Mutex<ShardSet>,
    load: Mutex<NodeLoad>,
    wake: Notify,
}

impl Cluster {
    /// Of a process that has its store for itself.
    pub fn alone() -> Cluster {
        Cluster::new(None, None, Duty::ALONE)
    }

    /// One of several that always may act, with this to do.
    #[cfg(test)]
    pub(crate) fn staged(duty: Duty) -> Cluster {
        let clock = crate::base::ManualClock::at(crate::base::Timestamp::from_secs(1));
        let cluster = Cluster::new(Some(Arc::new(clock)), None, duty);
        cluster.0.lease_until.store(u64::MAX, Ordering::Relaxed);
        cluster
    }

    /// Gives it something else to do.
    #[cfg(test)]
    pub(crate) fn turn_to(&self, duty: Duty) {
        self.0.duty.send_replace(duty);
    }

    /// What was said to be free for others.
    #[cfg(test)]
    pub(crate) fn given_back(&self) -> ShardSet {
        *self.0.done.lock()
    }

    fn shared(clock: Arc<dyn Clock>, key: NodeKey) -> Cluster {
        Cluster::new(Some(clock), Some(key), Duty::IDLE)
    }

    fn new(clock: Option<Arc<dyn Clock>>, key: Option<NodeKey>, duty: Duty) -> Cluster {
        Cluster(Arc::new(Inner {
            clock,
            key,
            number: AtomicU8::new(0),
            index_slot: AtomicU8::new(0),
            lease_until: AtomicU64::new(0),
            peers: watch::Sender::new(Arc::from([])),
            outlook: Mutex::default(),
            duty: watch::Sender::new(duty),
            done: Mutex::new(ShardSet::NONE),
            load: Mutex::default(),
            wake: Notify::new(),
        }))
    }

    /// Whether other processes may use the store, too.
    pub fn is_shared(&self) -> bool {
        self.0.clock.is_some()
    }

    /// The nodes that can be reached now, this one included, by number.
    pub fn peers(&self) -> watch::Receiver<Arc<[Peer]>> {
        self.0.peers.subscribe()
    }

    /// What was seen at the last look at all nodes; nothing where the store
    /// is ours alone.
    pub fn outlook(&self) -> Outlook {
        self.0.outlook.lock().clone()
    }

    /// The secret of all nodes; `None` where the store is ours alone.
    pub fn key(&self) -> Option<&NodeKey> {
        self.0.key.as_ref()
    }

    /// Our number; another one after we were taken for dead.
    pub fn number(&self) -> u8 {
        self.0.number.load(Ordering::Relaxed)
    }

    /// Tells the others what we have to do, with the next sign of life.
    pub fn set_load(&self, load: NodeLoad) {
        *self.0.load.lock() = load;
    }

    /// Tells the others which search index is ours.
    pub fn index_is(&self, slot: u8) {
        self.0.index_slot.store(slot + 1, Ordering::Relaxed);
    }

    /// What we have to do, as it changes.
    pub fn duty(&self) -> watch::Receiver<Duty> {
        self.0.duty.subscribe()
    }

    /// Whether we surely have not been taken for dead. To be asked before
    /// each thing done as a holder of something.
    pub fn may_act(&self) -> bool {
        let Some(clock) = &self.0.clock else { return true };
        millis(clock.monotonic()) < self.0.lease_until.load(Ordering::Relaxed)
    }

    /// Nothing is under way any more of these, so others may have them.
    pub fn done_with(&self, shards: ShardSet) {
        if !self.is_shared() || shards.is_empty() {
            return;
        }
        let mut done = self.0.done.lock();
        *done = done.union(shards);
        drop(done);
        self.0.wake.notify_one();
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
