//! Sets of shards, and who should hold which. Pure.

use crate::model::{Holdings, SHARDS};

/// The shard of our own background work; who holds it also does what is done
/// by one process for all.
pub const CHORES: u16 = 0;
/// Shards given back at one time, so that not all of them rest at once.
const LEAVE_STEP: usize = 32;

/// A set of shards.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct ShardSet([u64; 4]);

impl ShardSet {
    /// Of none.
    pub const NONE: ShardSet = ShardSet([0; 4]);
    /// Of all.
    pub const ALL: ShardSet = ShardSet([u64::MAX; 4]);

    /// The shard of a destination. Their numbers are given out one by one, so
    /// they spread evenly.
    pub const fn shard_of(destination: u32) -> u16 {
        (destination % SHARDS as u32) as u16
    }

    /// Whether the shard is in it.
    pub fn has(&self, shard: u16) -> bool {
        self.0[usize::from(shard / 64) % 4] & (1 << (shard % 64)) != 0
    }

    /// Puts a shard in.
    pub fn insert(&mut self, shard: u16) {
        self.0[usize::from(shard / 64) % 4] |= 1 << (shard % 64);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == ShardSet::NONE
    }

    /// What is in one of the two.
    #[must_use]
    pub fn union(self, other: ShardSet) -> ShardSet {
        self.zip(other, |a, b| a | b)
    }

    /// What is in both.
    #[must_use]
    pub fn both(self, other: ShardSet) -> ShardSet {
        self.zip(other, |a, b| a & b)
    }

    /// What is in this one only.
    #[must_use]
    pub fn without(self, other: ShardSet) -> ShardSet {
        self.zip(other, |a, b| a & !b)
    }

    /// The shards, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u16> + use<> {
        let all = *self;
        (0..SHARDS).filter(move |shard| all.has(*shard))
    }

    fn zip(self, other: ShardSet, f: impl Fn(u64, u64) -> u64) -> ShardSet {
        let mut words = self.0;
        words.iter_mut().zip(other.0).for_each(|(word, its)| *word = f(*word, its));
        ShardSet(words)
    }
}

impl FromIterator<u16> for ShardSet {
    fn from_iter<T: IntoIterator<Item = u16>>(shards: T) -> ShardSet {
        let mut set = ShardSet::NONE;
        shards.into_iter().for_each(|shard| set.insert(shard));
        set
    }
}

impl std::fmt::Debug for ShardSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a node should do about its shards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Share {
    /// To be taken, with the holder each had when it was looked.
    pub take: Vec<(u16, u64)>,
    /// To be brought to an end and given back.
    pub leave: ShardSet,
}

/// Everyone gets the same number of shards, give or take one. `able` are the
/// boots of the nodes that may hold shards, in the order of their numbers;
/// who is `gone` holds nothing any more.
pub fn share(me: u64, able: &[u64], gone: impl Fn(u64) -> bool, holdings: &Holdings) -> Share {
    let held: Vec<u16> = (0..SHARDS).filter(|shard| holdings.holder(*shard) == me).collect();
    let Some(rank) = able.iter().position(|boot| *boot == me) else {
        return Share { leave: held.into_iter().collect(), take: Vec::new() };
    };
    let (all, nodes) = (usize::from(SHARDS), able.len());
    let target = all / nodes + usize::from(rank < all % nodes);
    let surplus = held.len().saturating_sub(target).min(LEAVE_STEP);
    // The last ones, so that the chores stay where they are.
    let leave = held.iter().rev().take(surplus).copied().collect();
    // Each begins elsewhere, so that they do not go for the same ones.
    let from = SHARDS / nodes as u16 * rank as u16;
    let take = (0..SHARDS)
        .map(|step| (from + step) % SHARDS)
        .map(|shard| (shard, holdings.holder(shard)))
        .filter(|(_, holder)| *holder == 0 || gone(*holder))
        .take(target.saturating_sub(held.len()))
        .collect();
    Share { take, leave }
}
