//! The processes that share a store, and who of them does what.

use minicbor::{Decode, Encode};

use crate::base::Timestamp;
use crate::store::Record;

/// Parts that work is divided into.
pub const SHARDS: u16 = 256;

/// One process at one node number. Its row is written again and again; that
/// it changes is the sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Node {
    /// Drawn anew whenever a number is taken; never 0.
    #[n(0)]
    pub boot: u64,
    /// Counts the writes of this row.
    #[n(1)]
    pub beat: u64,
    /// How it stands.
    #[n(2)]
    pub state: NodeState,
    /// Where other nodes reach it: address and port; empty if nowhere.
    #[n(3)]
    pub address: String,
    /// Its program's version.
    #[n(4)]
    pub version: String,
    /// When the process started, by its own clock.
    #[n(5)]
    pub started_at: Timestamp,
    /// Seconds since then.
    #[n(6)]
    pub uptime_s: u64,
    /// Ids of this number before this time are, or may be, given out.
    #[n(7)]
    pub ids_until: Timestamp,
    /// What it has to do.
    #[n(8)]
    pub load: NodeLoad,
    /// Its name as a sender of signals, and how many packets it sent.
    #[n(9)]
    pub news_name: String,
    /// See above.
    #[n(10)]
    pub news_sent: u64,
    /// Which search index is its own; see [`super::feed::Mark`].
    #[n(11)]
    pub index_slot: Option<u8>,
    /// When the row was written last, by its own clock; the epoch in rows of
    /// older versions.
    #[n(12)]
    #[cbor(default)]
    pub beat_at: Timestamp,
}

impl Record for Node {}

/// What a node has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct NodeLoad {
    /// Thousandths of what it can do.
    #[n(0)]
    pub utilisation_milli: u32,
    /// Requests under way.
    #[n(1)]
    pub in_flight: u32,
    /// Deliveries under way.
    #[n(2)]
    #[cbor(default)]
    pub deliveries: u32,
    /// Deliveries at once, at most; 0 while its queue does not run.
    #[n(3)]
    #[cbor(default)]
    pub delivery_slots: u32,
    /// Since when it can reach nobody, by its own clock.
    #[n(4)]
    #[cbor(default)]
    pub network_down_since: Option<Timestamp>,
}

/// How a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum NodeState {
    /// It is gone; its number is free.
    #[default]
    #[n(0)]
    Gone,
    /// It works.
    #[n(1)]
    Running,
    /// It finishes what it has.
    #[n(2)]
    Draining,
}

/// That a process may act for what it holds. Whoever writes what only a
/// holder may write reads this row in the same transaction; who thinks that
/// the process is dead removes it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Mandate {
    /// Its node number.
    #[n(0)]
    pub node: u8,
}

impl Record for Mandate {}

/// Who holds which shard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Holdings {
    /// Counts the changes.
    #[n(0)]
    pub epoch: u64,
    /// By shard, the boot of its holder; 0 for nobody.
    #[n(1)]
    pub holders: Vec<u64>,
}

impl Record for Holdings {}

impl Holdings {
    /// The holder of a shard; 0 for nobody.
    pub fn holder(&self, shard: u16) -> u64 {
        self.holders.get(usize::from(shard)).copied().unwrap_or(0)
    }

    /// Gives a shard to a holder.
    pub fn give(&mut self, shard: u16, boot: u64) {
        self.holders.resize(usize::from(SHARDS), 0);
        if let Some(holder) = self.holders.get_mut(usize::from(shard)) {
            *holder = boot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::golden::check;

    #[test]
    fn rows_of_nodes_read_for_ever() {
        let node = Node {
            boot: 7,
            beat: 8,
            state: NodeState::Draining,
            address: "192.0.2.1:7443".into(),
            version: "1".into(),
            started_at: Timestamp::from_secs(9),
            uptime_s: 10,
            ids_until: Timestamp::from_secs(11),
            load: NodeLoad { utilisation_milli: 12, in_flight: 13, ..NodeLoad::default() },
            news_name: "a".into(),
            news_sent: 14,
            index_slot: Some(15),
            beat_at: Timestamp::default(),
        };
        check("node", &node).unwrap();
        let load = NodeLoad {
            deliveries: 16,
            delivery_slots: 17,
            network_down_since: Some(Timestamp::from_secs(18)),
            ..node.load
        };
        check("node-loaded", &Node { load, beat_at: Timestamp::from_secs(19), ..node }).unwrap();
        check("node-mandate", &Mandate { node: 3 }).unwrap();
        let mut holdings = Holdings { epoch: 2, holders: vec![5, 6] };
        check("node-holdings", &holdings).unwrap();
        holdings.give(255, 9);
        assert_eq!((holdings.holder(0), holdings.holder(2), holdings.holder(255)), (5, 0, 9));
    }
}
