//! Nodes in virtual time, over one store in memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::member::{About, Member, in_time};
use super::shards::{ShardSet, share};
use super::sight::{DEAD_AFTER, Life, Sight};
use super::{CHORES, Cluster, LEASE, register};
use crate::base::{Clock, FixedChance, Id, ManualClock, Timestamp};
use crate::model::tables::HOLDINGS;
use crate::model::{Holdings, Node, NodeState, SHARDS};
use crate::store::backend::{Backend, Batch, Changes, RawRange, RawRow, Snapshot};
use crate::store::{Memory, Store, StoreError};

const SECOND: Duration = Duration::from_secs(1);
const START: Timestamp = Timestamp::from_secs(1_764_000_000);

/// A process that lives while it is given rounds.
struct Node1 {
    member: Member,
    clock: ManualClock,
    cluster: Cluster,
}

impl Node1 {
    async fn join(store: &Store, seed: u64, wall: Timestamp) -> Node1 {
        let clock = ManualClock::at(wall);
        let about = About { address: format!("192.0.2.{seed}:7443"), version: "1".into(), peers: Vec::new() };
        let (time, chance) = (Arc::new(clock.clone()), Arc::new(FixedChance::new(seed)));
        let member = Member::join(store.clone(), time, chance, about).await.unwrap();
        let cluster = member.cluster();
        Node1 { member, clock, cluster }
    }

    /// A second passes, and everything that should be given back is.
    async fn second(&mut self) {
        self.clock.advance(SECOND);
        self.member.round().await;
        let leaving = self.cluster.duty().borrow().leaving;
        self.cluster.done_with(leaving);
        self.member.round().await;
    }

    fn mine(&self) -> ShardSet {
        self.cluster.duty().borrow().mine
    }

    fn peers(&self) -> Vec<String> {
        self.cluster.peers().borrow().iter().map(|peer| peer.address.clone()).collect()
    }

    fn id(&self) -> Id {
        self.member.ids().reserve(self.clock.now(), 1).take()
    }
}

async fn seconds(count: u64, nodes: &mut [&mut Node1]) {
    for _ in 0..count {
        for node in nodes.iter_mut() {
            node.second().await;
        }
    }
}

fn assert_shared(nodes: &[&Node1]) {
    let all: Vec<ShardSet> = nodes.iter().map(|node| node.mine()).collect();
    let together = all.iter().fold(ShardSet::NONE, |some, more| some.union(*more));
    assert_eq!(together, ShardSet::ALL);
    assert_eq!(all.iter().map(ShardSet::len).sum::<usize>(), usize::from(SHARDS), "nothing is held twice");
    let fair = usize::from(SHARDS) / nodes.len();
    assert!(all.iter().all(|mine| (fair..=fair + 1).contains(&mine.len())), "{all:?}");
}

#[tokio::test]
async fn nodes_share_the_shards_and_take_over_from_the_dead() {
    let store = Store::memory();
    // Clocks that are hours apart change nothing.
    let mut a = Node1::join(&store, 1, START).await;
    seconds(1, &mut [&mut a]).await;
    assert_eq!(a.mine(), ShardSet::ALL);
    let mut b = Node1::join(&store, 2, START.plus(3600 * SECOND)).await;
    let mut c = Node1::join(&store, 3, START.minus(7200 * SECOND)).await;
    seconds(2, &mut [&mut a, &mut b, &mut c]).await;
    for node in [&a, &b, &c] {
        assert_eq!(node.peers(), ["192.0.2.1:7443", "192.0.2.2:7443", "192.0.2.3:7443"]);
    }
    seconds(10, &mut [&mut a, &mut b, &mut c]).await;
    assert_shared(&[&a, &b, &c]);
    assert!(a.mine().has(CHORES));
    // The first one is killed.
    seconds(DEAD_AFTER.as_secs() - 1, &mut [&mut b, &mut c]).await;
    assert_eq!(b.mine().len() + c.mine().len() + a.mine().len(), 256, "not before it is surely dead");
    seconds(2, &mut [&mut b, &mut c]).await;
    assert_eq!(b.peers(), ["192.0.2.2:7443", "192.0.2.3:7443"]);
    assert_shared(&[&b, &c]);
}

#[tokio::test]
async fn who_slept_too_long_stops_and_begins_anew() {
    let store = Store::memory();
    let mut a = Node1::join(&store, 1, START).await;
    let mut b = Node1::join(&store, 2, START).await;
    seconds(8, &mut [&mut a, &mut b]).await;
    let old = a.cluster.duty().borrow().boot.unwrap();
    assert!(a.cluster.may_act());
    a.clock.advance(LEASE - SECOND / 10);
    assert!(a.cluster.may_act());
    a.clock.advance(SECOND / 10);
    assert!(!a.cluster.may_act(), "before the others may begin");
    a.clock.advance(60 * SECOND);
    seconds(DEAD_AFTER.as_secs() + 1, &mut [&mut b]).await;
    assert_eq!(b.mine(), ShardSet::ALL);
    // What it writes as the one it was is not stored.
    let stands = store.read(move |tx| register::stands(tx, old)).await;
    assert!(!stands.unwrap());
    assert!(!a.cluster.may_act());
    a.member.round().await;
    assert!(a.cluster.may_act());
    assert_ne!(a.cluster.duty().borrow().boot, Some(old));
    seconds(8, &mut [&mut a, &mut b]).await;
    assert_shared(&[&a, &b]);
}

#[tokio::test]
async fn after_a_pause_of_the_store_all_go_on_as_before() {
    let store = Store::memory();
    let mut a = Node1::join(&store, 1, START).await;
    let mut b = Node1::join(&store, 2, START).await;
    seconds(8, &mut [&mut a, &mut b]).await;
    let before = (a.mine(), b.mine());
    let boots = (*a.cluster.duty().borrow(), *b.cluster.duty().borrow());
    for node in [&mut a, &mut b] {
        node.clock.advance(60 * SECOND);
        assert!(!node.cluster.may_act());
    }
    // The first one to come back has seen nobody for a minute.
    a.member.round().await;
    assert!(a.cluster.may_act());
    seconds(5, &mut [&mut a]).await;
    seconds(5, &mut [&mut a, &mut b]).await;
    assert_eq!((a.mine(), b.mine()), before);
    assert_eq!((*a.cluster.duty().borrow(), *b.cluster.duty().borrow()), boots);
}

#[tokio::test]
async fn a_clean_stop_hands_over_at_once() {
    let store = Store::memory();
    let mut a = Node1::join(&store, 1, START).await;
    let mut b = Node1::join(&store, 2, START).await;
    seconds(8, &mut [&mut a, &mut b]).await;
    a.member.drain();
    seconds(1, &mut [&mut a, &mut b]).await;
    assert!(a.mine().is_empty());
    let draining: Vec<bool> = b.cluster.peers().borrow().iter().map(|peer| peer.is_draining).collect();
    assert_eq!(draining, [true, false]);
    assert_eq!(b.mine(), ShardSet::ALL);
    a.member.leave().await;
    seconds(1, &mut [&mut b]).await;
    assert_eq!(b.peers(), ["192.0.2.2:7443"]);
}

/// An engine that, while it is told to, does not store who holds what.
struct Refusing(Memory, Arc<AtomicBool>);

struct RefusingBatch<'a>(Box<dyn Batch + 'a>, &'a AtomicBool);

impl Backend for Refusing {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.0.snapshot()
    }

    fn begin(&self) -> Result<Box<dyn Batch + '_>, StoreError> {
        Ok(Box::new(RefusingBatch(self.0.begin()?, &self.1)))
    }

    fn reads_wait(&self) -> bool {
        self.0.reads_wait()
    }
}

impl Snapshot for RefusingBatch<'_> {
    fn get_batch(&self, wanted: &[(&'static str, Vec<u8>)]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.0.get_batch(wanted)
    }

    fn scan(&self, table: &'static str, range: &RawRange) -> Result<Vec<RawRow>, StoreError> {
        self.0.scan(table, range)
    }
}

impl Batch for RefusingBatch<'_> {
    fn commit(self: Box<Self>, changes: &Changes) -> Result<(), StoreError> {
        if self.1.load(Ordering::SeqCst) && changes.contains_key(HOLDINGS.name()) {
            return Err(StoreError::Database("on purpose".into()));
        }
        self.0.commit(changes)
    }
}

#[tokio::test]
async fn what_could_not_be_given_back_is_given_back_later() {
    let refuses = Arc::new(AtomicBool::new(false));
    let store = Store::new(Refusing(Memory::default(), refuses.clone()));
    let mut a = Node1::join(&store, 1, START).await;
    seconds(1, &mut [&mut a]).await;
    let _b = Node1::join(&store, 2, START).await;
    a.member.round().await;
    let leaving = a.cluster.duty().borrow().leaving;
    assert!(!leaving.is_empty());
    // Said once, as the queue does, at a bad moment.
    refuses.store(true, Ordering::SeqCst);
    a.cluster.done_with(leaving);
    a.member.round().await;
    let held = store.read(register::holdings).await.unwrap();
    assert!(leaving.iter().all(|shard| held.holder(shard) != 0), "nothing was given back");
    refuses.store(false, Ordering::SeqCst);
    a.member.round().await;
    let held = store.read(register::holdings).await.unwrap();
    assert!(leaving.iter().all(|shard| held.holder(shard) == 0), "it was forgotten");
    // And it is not given back again when it comes back to us.
    assert_eq!(a.cluster.given_back(), ShardSet::NONE);
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_called_too_many_writes() {
    let said = in_time(Duration::from_millis(1), std::future::pending::<Result<(), StoreError>>()).await;
    let said = said.expect_err("nothing answers").to_string();
    assert!(said.contains("did not answer within"), "{said}");
}

#[tokio::test]
async fn no_two_processes_ever_give_out_the_same_id() {
    let store = Store::memory();
    let mut seen = BTreeSet::new();
    let mut take = |node: &Node1| {
        for _ in 0..50 {
            assert!(seen.insert(node.id()), "twice");
        }
    };
    // Each comes with a clock behind the one before, which still has its
    // number or has just left it.
    let mut sleeper = Node1::join(&store, 99, START.plus(9000 * SECOND)).await;
    for seed in 0..80 {
        let mut node = Node1::join(&store, 100 + seed, START.minus(seed as u32 * SECOND)).await;
        take(&node);
        seconds(1, &mut [&mut node]).await;
        take(&node);
        take(&sleeper);
        if seed == 40 {
            // Taken for dead, and its number given to others, it goes on.
            seconds(DEAD_AFTER.as_secs() + 2, &mut [&mut node]).await;
        }
        sleeper.clock.advance(SECOND);
        node.member.leave().await;
    }
    sleeper.member.round().await;
    take(&sleeper);
}

#[tokio::test]
async fn concurrent_claims_get_different_numbers() {
    let store = Store::memory();
    let joining = (0..register::NUMBERS).map(|seed| {
        let store = store.clone();
        async move { Node1::join(&store, u64::from(seed) + 1, START).await }
    });
    let nodes = futures_util::future::join_all(joining).await;
    let numbers: BTreeSet<u8> = nodes.iter().map(|node| node.cluster.number()).collect();
    assert_eq!(numbers.len(), usize::from(register::NUMBERS));
    let keys = nodes.windows(2).all(|pair| pair[0].cluster.key() == pair[1].cluster.key());
    assert!(keys, "all know the same secret");
    let full = store.write(|tx| register::claim(tx, START, &Node { boot: 1, ..Node::default() })).await;
    assert_eq!(full.unwrap_or_else(|error: StoreError| panic!("{error}")), None);
}

#[tokio::test]
async fn only_a_living_holder_takes_shards_and_only_free_ones() {
    let store = Store::memory();
    let held = store
        .write(|tx| {
            for boot in [1, 2] {
                register::claim(tx, START, &Node { boot, ..Node::default() })?;
            }
            register::take(tx, 1, &[(0, 0), (1, 0)])?;
            register::take(tx, 2, &[(1, 0), (2, 0)])?;
            register::take(tx, 2, &[(0, 1)])?;
            register::take(tx, 3, &[(9, 0)])
        })
        .await;
    let held: Holdings = held.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let holders: Vec<u64> = [0, 1, 2, 9].map(|shard| held.holder(shard)).to_vec();
    assert_eq!((holders, held.epoch), (vec![1, 1, 2, 0], 2));
    let seen = store.read(register::rows).await.unwrap();
    let held = store
        .write(move |tx| {
            let (number, first) = seen[0].clone();
            let late = Node { beat: 7, ..first.clone() };
            assert!(!register::depose(tx, number, &late)?, "it has given a sign since");
            assert!(register::depose(tx, number, &first)?);
            assert!(!register::depose(tx, number, &first)?);
            register::take(tx, 2, &[(0, 1), (1, 2)])
        })
        .await;
    let held: Holdings = held.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!((held.holder(0), held.holder(1)), (2, 1), "what it was seen to hold, and that only");
}

fn row(boot: u64, beat: u64) -> Node {
    Node { boot, beat, state: NodeState::Running, ..Node::default() }
}

#[test]
fn life_is_judged_by_change_on_our_own_clock() {
    let mut sight = Sight::default();
    let mut look = |second: u32, boot, beat| {
        sight.look(second * SECOND, &[(3, row(boot, beat))]);
        sight.life(3)
    };
    assert_eq!(look(100, 1, 5), Life::Unsure, "it may be dead since long");
    assert_eq!(look(102, 1, 6), Life::Alive);
    assert_eq!(look(104, 1, 6), Life::Alive);
    for second in [106, 108, 110] {
        assert_eq!(look(second, 1, 6), Life::Alive);
    }
    assert_eq!(look(111, 1, 6), Life::Dead);
    assert_eq!(look(112, 1, 7), Life::Alive, "it only slept");
    assert_eq!(look(113, 2, 1), Life::Alive, "a new process is there at once");
    assert_eq!(look(180, 2, 1), Life::Alive, "nobody looked, so nobody knows");
    assert_eq!(sight.life(4), Life::Gone);
}

/// When one whose row does not change any more is found dead, if a look comes
/// each so many milliseconds.
fn found_dead_after(every_ms: u64) -> Duration {
    let mut sight = Sight::default();
    let every = Duration::from_millis(every_ms);
    sight.look(100 * SECOND, &[(3, row(1, 5))]);
    sight.look(100 * SECOND + every, &[(3, row(1, 6))]);
    let dead = (1..100).find(|look| {
        sight.look(100 * SECOND + every * (look + 1), &[(3, row(1, 6))]);
        sight.life(3) == Life::Dead
    });
    every * dead.expect("nobody is found dead")
}

#[test]
fn a_slow_database_does_not_keep_the_dead_alive() {
    assert_eq!(found_dead_after(1000), DEAD_AFTER);
    // Each look counts for three seconds, however late it comes.
    for (every_ms, expected_ms) in [(2900, 11_600), (3400, 10_200), (5000, 15_000), (12_000, 36_000)] {
        assert_eq!(found_dead_after(every_ms), Duration::from_millis(expected_ms), "{every_ms} ms");
    }
}

#[test]
fn one_long_pause_makes_nobody_dead() {
    let mut sight = Sight::default();
    let mut look = |second: u32, beat| {
        sight.look(second * SECOND, &[(3, row(1, beat))]);
        sight.life(3)
    };
    look(100, 1);
    look(101, 2);
    assert_eq!(look(106, 2), Life::Alive, "three seconds of the five count");
    assert_eq!(look(121, 2), Life::Alive, "six of twenty");
    assert_eq!(look(124, 2), Life::Dead);
    assert_eq!(look(125, 3), Life::Alive);
    assert_eq!(look(725, 3), Life::Alive, "nobody looked for long: all begin anew");
    assert_eq!(look(728, 3), Life::Alive);
    assert_eq!(look(731, 3), Life::Alive);
    assert_eq!(look(734, 3), Life::Dead);
}

#[test]
fn shards_are_shared_evenly_whatever_was_before() {
    for nodes in 1..=7u64 {
        let able: Vec<u64> = (1..=nodes).collect();
        let mut held = Holdings::default();
        // All belonged to one that is gone, or to the first one.
        (0..SHARDS).for_each(|shard| held.give(shard, if shard % 2 == 0 { 99 } else { 1 }));
        for _ in 0..20 {
            for me in &able {
                let share = share(*me, &able, |boot| boot == 99, &held);
                share.leave.iter().for_each(|shard| held.give(shard, 0));
                share.take.iter().for_each(|(shard, _)| held.give(*shard, *me));
            }
        }
        let counts: Vec<usize> =
            able.iter().map(|me| held.holders.iter().filter(|holder| *holder == me).count()).collect();
        let fair = 256 / able.len();
        assert!(counts.iter().all(|count| (fair..=fair + 1).contains(count)), "{counts:?}");
        assert_eq!(counts.iter().sum::<usize>(), 256);
    }
}

/// Nodes that come and go, each with what it holds.
#[derive(Default)]
struct Table {
    able: Vec<u64>,
    held: Holdings,
    moved: usize,
}

impl Table {
    /// All do what they should until nothing moves any more.
    fn settle(&mut self) {
        for _ in 0..20 {
            let able = self.able.clone();
            let before = self.held.clone();
            // All look at the same moment, and none goes for what another takes.
            let shares: Vec<_> =
                able.iter().map(|me| share(*me, &able, |boot| !able.contains(&boot), &before)).collect();
            let mut taken = BTreeSet::new();
            for (me, share) in able.iter().zip(&shares) {
                share.leave.iter().for_each(|shard| self.held.give(shard, 0));
                for (shard, holder) in &share.take {
                    assert!(taken.insert(*shard), "two go for {shard}");
                    assert_eq!(before.holder(*shard), *holder);
                    self.held.give(*shard, *me);
                    self.moved += 1;
                }
            }
            if self.held == before {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn comes(&mut self, boot: u64) -> usize {
        self.able.push(boot);
        self.moved = 0;
        self.settle();
        self.moved
    }

    fn goes(&mut self, boot: u64) -> usize {
        self.able.retain(|other| *other != boot);
        self.moved = 0;
        self.settle();
        self.moved
    }

    /// How many of the first destinations each sends to.
    fn sends(&self, destinations: u32) -> Vec<usize> {
        let holder = |destination| self.held.holder(ShardSet::shard_of(destination));
        let count = |me: &u64| (1..=destinations).filter(|one| holder(*one) == *me).count();
        self.able.iter().map(count).collect()
    }

    fn assert_near_even(&self, context: &str) {
        for destinations in [6, 12, 24, 48, 100, 256, 1000] {
            let sends = self.sends(destinations);
            let fair = destinations as f64 / self.able.len() as f64;
            let slack = 2.0 + fair * 0.25;
            let is_even = sends.iter().all(|count| (*count as f64 - fair).abs() <= slack);
            assert!(is_even, "{context}: {destinations} destinations are sent to by {sends:?}");
        }
    }
}

#[test]
fn few_destinations_are_spread_over_all_nodes_whoever_comes_and_goes() {
    // One after the other, and then one of them dies and another one comes.
    let mut table = Table::default();
    for (boot, most) in [(11, 256), (22, 128), (33, 86), (44, 64), (55, 52)] {
        let moved = table.comes(boot);
        assert!(moved <= most, "{moved} moved");
        table.assert_near_even(&format!("{:?} one after the other", table.able));
        assert_eq!(table.held.holder(CHORES), 11, "the chores stay where they are");
    }
    for (boot, most) in [(22, 52), (11, 64), (55, 86)] {
        let moved = table.goes(boot);
        assert!(moved <= most, "{moved} moved");
        table.assert_near_even(&format!("{:?} without {boot}", table.able));
    }
    for boot in [66, 77] {
        table.comes(boot);
        table.assert_near_even(&format!("{:?} with {boot}", table.able));
    }
    // All at once.
    for nodes in 1..=8u64 {
        let mut table = Table { able: (1..=nodes).collect(), ..Table::default() };
        table.settle();
        assert_eq!(table.moved, 256);
        table.assert_near_even(&format!("{nodes} at once"));
    }
}

#[test]
fn a_node_that_goes_again_and_again_spreads_its_share_again_and_again() {
    let mut table = Table::default();
    for boot in 1..=3 {
        table.comes(boot);
    }
    for round in 0..30u64 {
        let gone = table.able[(round % 3) as usize];
        table.goes(gone);
        table.assert_near_even(&format!("round {round}, two are left"));
        table.comes(100 + round);
        table.assert_near_even(&format!("round {round}"));
    }
}

#[test]
fn sets_of_shards_behave_like_sets() {
    let few: ShardSet = [0, 63, 64, 255].into_iter().collect();
    assert_eq!(few.iter().collect::<Vec<_>>(), [0, 63, 64, 255]);
    assert_eq!((few.len(), ShardSet::ALL.len(), ShardSet::NONE.len()), (4, 256, 0));
    assert!(few.has(64) && !few.has(65));
    assert_eq!(ShardSet::ALL.without(few).len(), 252);
    assert_eq!(few.both(ShardSet::ALL), few);
    assert_eq!(ShardSet::shard_of(256 + 7), 7);
}

#[tokio::test]
async fn everybody_sees_everybody_and_who_holds_what() {
    let store = Store::memory();
    let mut a = Node1::join(&store, 1, START).await;
    let mut b = Node1::join(&store, 2, START).await;
    seconds(8, &mut [&mut a, &mut b]).await;
    let outlook = a.cluster.outlook();
    let seen: Vec<_> = outlook.nodes.iter().map(|seen| (seen.number, seen.life, seen.is_me)).collect();
    assert_eq!(seen, [(0, Life::Alive, true), (1, Life::Alive, false)]);
    assert_eq!(outlook.looked, Some(a.clock.monotonic()));
    assert_eq!(outlook.holder(CHORES).map(|seen| seen.number), Some(0));
    for seen in outlook.nodes.iter() {
        assert_eq!(outlook.shards_of(seen.row.boot), 128);
    }
    // One is killed: it is seen to be gone, with the time it was last there.
    let last = b.clock.now();
    seconds(DEAD_AFTER.as_secs() + 2, &mut [&mut a]).await;
    let outlook = a.cluster.outlook();
    assert_eq!((outlook.nodes[1].life, outlook.nodes[1].is_there()), (Life::Gone, false));
    assert_eq!(outlook.nodes[1].row.beat_at, last);
    assert!(SHARDS == 256 && (0..SHARDS).all(|shard| outlook.holder(shard).is_some_and(|seen| seen.is_me)));
    assert_eq!(outlook.others().count(), 0);
}

#[tokio::test]
async fn commands_that_run_at_once_share_no_ids() {
    let store = Store::memory();
    let clock = ManualClock::at(START);
    let mut node = Node1::join(&store, 1, START).await;
    let mut all = BTreeSet::new();
    for round in 0..3 {
        let (one, other) =
            tokio::join!(super::command_ids(&store, &clock), super::command_ids(&store, &clock));
        for ids in [one.unwrap(), other.unwrap()] {
            // A slow command's clock goes on while it works.
            for wait_s in [0, 0, 40] {
                let mut run = ids.reserve(clock.now().plus(wait_s * SECOND), 16);
                (0..16).for_each(|_| assert!(all.insert(run.take()), "twice, in round {round}"));
            }
        }
    }
    assert_eq!(all.len(), 3 * 2 * 3 * 16);
    // A command is no node: nobody sees it, and nobody takes its number.
    seconds(2, &mut [&mut node]).await;
    assert_eq!(node.cluster.outlook().nodes.len(), 1);
    assert_eq!(node.mine(), ShardSet::ALL);
}
