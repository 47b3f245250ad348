//! What a process saw when it last looked at all nodes, for those who run
//! them.

use std::sync::Arc;
use std::time::Duration;

use super::{Life, ShardSet};
use crate::model::{Holdings, Node, NodeLoad};

/// What was seen at the last look.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    /// When that was, by our monotonic clock; `None` before the first look.
    pub looked: Option<Duration>,
    /// All that ever had a row, those that are gone too, by number.
    pub nodes: Arc<[Seen]>,
    /// Who holds what.
    pub held: Arc<Holdings>,
}

/// A node's row, and what we make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub number: u8,
    /// Its row.
    pub row: Node,
    /// Whether it lives.
    pub life: Life,
    /// When its row last changed, by our monotonic clock.
    pub changed: Duration,
    /// It is this process.
    pub is_me: bool,
}

impl Seen {
    /// Whether it is there.
    pub fn is_there(&self) -> bool {
        self.is_me || matches!(self.life, Life::Alive | Life::Unsure)
    }
}

impl Outlook {
    /// Who sees to a shard; `None` while nobody does.
    pub fn holder(&self, shard: u16) -> Option<&Seen> {
        let boot = Some(self.held.holder(shard)).filter(|boot| *boot != 0)?;
        self.nodes.iter().find(|seen| seen.row.boot == boot && seen.is_there())
    }

    /// Who sends to a destination; `None` while nobody does.
    pub fn sender(&self, destination: u32) -> Option<&Seen> {
        self.holder(ShardSet::shard_of(destination))
    }

    /// How many shards a process holds.
    pub fn shards_of(&self, boot: u64) -> usize {
        self.held.holders.iter().filter(|holder| **holder == boot).count()
    }

    /// What the other nodes that are there said they have to do.
    pub fn others(&self) -> impl Iterator<Item = (u8, NodeLoad)> + '_ {
        let others = self.nodes.iter().filter(|seen| !seen.is_me && seen.is_there());
        others.map(|seen| (seen.number, seen.row.load))
    }
}
