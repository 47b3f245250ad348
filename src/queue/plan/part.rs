//! The part of all destinations that is ours, where several nodes share them.

use super::{Output, Plan};
use crate::base::Timestamp;
use crate::cluster::ShardSet;
use crate::model::queue::DestinationId;

/// The shard of a destination.
fn shard(id: DestinationId) -> u16 {
    ShardSet::shard_of(id.0)
}

impl Plan {
    /// Nothing is started while it is held.
    pub fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    /// Shards of which something is under way, or not yet in the store.
    pub fn busy_shards(&self) -> ShardSet {
        self.entries.iter().filter(|(_, entry)| entry.is_busy_at_all()).map(|(id, _)| shard(*id)).collect()
    }

    pub(super) fn is_mine(&self, id: DestinationId) -> bool {
        self.mine.has(shard(id))
    }

    /// What is not ours any more is written down and let go; what is ours
    /// anew is read from the store.
    pub(super) fn turned(&mut self, mine: ShardSet, now: Timestamp) {
        let gained = mine.without(self.mine);
        self.mine = mine;
        self.entries.retain(|id, entry| !gained.has(shard(*id)) || entry.is_busy_at_all());
        let others: Vec<DestinationId> =
            self.entries.keys().filter(|id| !mine.has(shard(**id))).copied().collect();
        for id in others {
            if let Some(entry) = self.entries.get_mut(&id)
                && std::mem::take(&mut entry.is_dirty)
                && let Some(health) = &entry.health
                && health.record.class.is_remote()
            {
                self.out.push(Output::Save(id, Box::new(health.record.clone())));
            }
            self.consider(id, now);
        }
    }

    /// Reads everything again.
    pub(super) fn missed(&mut self, now: Timestamp) {
        let all: Vec<DestinationId> = self.entries.keys().copied().collect();
        for id in all {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.distrust();
                entry.wants_steering = true;
            }
            self.consider(id, now);
        }
    }
}
