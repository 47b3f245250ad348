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

/// Everyone gets the same number of shards, give or take one, and spread:
/// destinations are numbered one by one, so where there are few of them, a
/// node with neighbouring shards would send nearly all. No more shards move
/// than the numbers ask for. `able` are the boots of the nodes that may hold
/// shards, in the order of their numbers; who is `gone` holds nothing any more.
pub fn share(me: u64, able: &[u64], gone: impl Fn(u64) -> bool, holdings: &Holdings) -> Share {
    let held = |boot: u64| (0..SHARDS).filter(move |shard| holdings.holder(*shard) == boot);
    let Some(rank) = able.iter().position(|boot| *boot == me) else {
        return Share { leave: held(me).collect(), take: Vec::new() };
    };
    let (all, nodes) = (usize::from(SHARDS), able.len());
    let due = |rank: usize| all / nodes + usize::from(rank < all % nodes);
    let mine: ShardSet = held(me).collect();
    let leave = crowded(mine, mine.len().saturating_sub(due(rank)).min(LEAVE_STEP));
    let free: Vec<(u16, u64)> = (0..SHARDS)
        .map(|shard| (shard, holdings.holder(shard)))
        .filter(|(_, holder)| *holder == 0 || gone(*holder))
        .collect();
    let lacks = able.iter().enumerate().map(|(rank, boot)| due(rank).saturating_sub(held(*boot).count()));
    let dealt = deal(free.len(), &lacks.collect::<Vec<_>>());
    let take = free.iter().zip(dealt).filter(|(_, to)| *to == Some(rank)).map(|(shard, _)| *shard);
    Share { take: take.collect(), leave }
}

/// So many of a node's shards, one after the other that whose neighbours of
/// the same node are nearest; never the chores. Taken in steps, it is the
/// same in the end.
fn crowded(mine: ShardSet, count: usize) -> ShardSet {
    let mut left = mine;
    let mut chosen = ShardSet::NONE;
    for _ in 0..count {
        let rest: Vec<u16> = left.iter().collect();
        // From the last before it to the first behind it, all around.
        let room = |at: usize| {
            let before = rest[(at + rest.len() - 1) % rest.len()];
            let behind = rest[(at + 1) % rest.len()];
            (behind + SHARDS - before - 1) % SHARDS
        };
        // Of those that have the same room, far ones come one after the other.
        let scattered = |shard: u16| shard.reverse_bits();
        let places = (0..rest.len()).filter(|at| rest[*at] != CHORES);
        let Some(at) = places.min_by_key(|at| (room(*at), scattered(rest[*at]))) else { break };
        let shard = ShardSet::from_iter([rest[at]]);
        (left, chosen) = (left.without(shard), chosen.union(shard));
    }
    chosen
}

/// Who gets each of so many shards: by turns, as often as each lacks one.
/// All nodes come to the same, so that no two go for the same shards.
fn deal(shards: usize, lacks: &[usize]) -> impl Iterator<Item = Option<usize>> + use<> {
    let total: usize = lacks.iter().sum();
    let lacks: Vec<isize> = lacks.iter().map(|lack| *lack as isize).collect();
    let mut credit = vec![0; lacks.len()];
    (0..shards).map(move |at| {
        if at >= total {
            return None;
        }
        credit.iter_mut().zip(&lacks).for_each(|(credit, lack)| *credit += lack);
        // The first of those who have waited longest.
        let to = (0..credit.len()).rev().max_by_key(|to| credit[*to])?;
        credit[to] -= total as isize;
        Some(to)
    })
}
