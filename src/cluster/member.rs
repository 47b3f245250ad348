//! This process as one of several: takes a number, gives signs of life, looks
//! at the others and sees to its share of the shards.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::register::{self, Sign};
use super::shards::{ShardSet, Share, share};
use super::sight::{DEAD_AFTER, Life, Sight};
use super::{BEAT, Cluster, Duty, KEY_BYTES, LEASE, NodeKey, Outlook, Peer, Seen, by_hand, millis};
use crate::base::{Chance, Clock, IdGenerator, Problem, ProblemKind, Timestamp};
use crate::model::tables::SHARED_SECRET;
use crate::model::{Holdings, Node, NodeState};
use crate::store::{Store, StoreError};

/// Name of the nodes' secret in the store.
const KEY_NAME: &str = "node_key";
/// A write that takes longer has failed as a sign of life.
const WRITE_MAX: Duration = Duration::from_secs(5);
/// Ids after the last one that was given out are left unused, in case a late
/// request takes some.
const ID_MARGIN: Duration = Duration::from_secs(1);
/// How long a start waits for a number to become free.
const CLAIM_MAX: Duration = Duration::from_secs(2 * DEAD_AFTER.as_secs());

/// What a process says of itself.
#[derive(Clone)]
pub struct About {
    /// Where other nodes reach it: address and port; empty if nowhere.
    pub address: String,
    /// Its program's version.
    pub version: String,
    /// Peers listed by hand; without any, nodes find each other.
    pub peers: Vec<String>,
}

/// This process as one of several.
pub struct Member {
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    ids: Arc<IdGenerator>,
    cluster: Cluster,
    about: About,
    started: (Timestamp, Duration),
    number: u8,
    boot: u64,
    sight: Sight,
    is_draining: bool,
    is_cut_off: bool,
}

/// What one look found.
struct View {
    rows: Vec<(u8, Node)>,
    held: Holdings,
}

impl Member {
    /// Takes a number. Ids are given out by [`Member::ids`] from now on, for
    /// as long as [`Member::run`] runs.
    ///
    /// # Errors
    /// When the store fails, or has as many nodes as it may have.
    pub async fn join(
        store: Store,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        about: About,
    ) -> Result<Member, Problem> {
        let key = shared_key(&store, &*chance).await?;
        let cluster = Cluster::shared(clock.clone(), key);
        let started = (clock.now(), clock.monotonic());
        let ids = Arc::new(IdGenerator::new(0));
        let mut member = Member {
            store,
            clock,
            chance,
            ids,
            cluster,
            about,
            started,
            number: 0,
            boot: 0,
            sight: Sight::default(),
            is_draining: false,
            is_cut_off: false,
        };
        let began = member.clock.monotonic();
        while !member.claim().await? {
            if member.clock.monotonic().saturating_sub(began) > CLAIM_MAX {
                let what =
                    format!("{} nodes share this database already, which is the most", register::NUMBERS);
                return Err(Problem::new(ProblemKind::Unavailable, what).hint("stop one of them first"));
            }
            tokio::time::sleep(BEAT).await;
            let view = member.look().await?;
            member.bury(&view).await?;
        }
        Ok(member)
    }

    /// What this process knows of the others.
    pub fn cluster(&self) -> Cluster {
        self.cluster.clone()
    }

    /// Ids that no other process gives out.
    pub fn ids(&self) -> Arc<IdGenerator> {
        self.ids.clone()
    }

    /// Gives signs of life. From `stop` on it says that it takes nothing new;
    /// at the `end` it goes.
    pub async fn run(mut self, stop: CancellationToken, end: CancellationToken) {
        let mut signals = self.store.subscribe();
        let cluster = self.cluster.clone();
        loop {
            if stop.is_cancelled() {
                self.drain();
            }
            self.round().await;
            let beat = tokio::time::sleep(BEAT);
            tokio::pin!(beat);
            loop {
                tokio::select! {
                    () = end.cancelled() => return self.leave().await,
                    () = stop.cancelled(), if !self.is_draining => break,
                    () = cluster.0.wake.notified() => {}
                    () = hear(&mut signals) => {}
                    () = &mut beat => break,
                }
                self.look_and_act().await;
            }
        }
    }

    /// From the next sign of life on, this node takes nothing new.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
    }

    /// One sign of life, and one look at the others.
    pub(super) async fn round(&mut self) {
        let begun = self.clock.monotonic();
        match self.beat().await {
            Ok(Some(ids_until)) => {
                self.ids.extend(ids_until);
                self.cluster.0.lease_until.store(millis(begun + LEASE), Ordering::Relaxed);
                if std::mem::take(&mut self.is_cut_off) {
                    info!(node = self.number, "the database answers again");
                }
            }
            Ok(None) => self.begin_anew().await,
            Err(error) => return self.cut_off(&error),
        }
        self.look_and_act().await;
    }

    async fn beat(&self) -> Result<Option<Timestamp>, StoreError> {
        let (number, boot) = (self.number, self.boot);
        let sign = Sign {
            now: self.clock.now(),
            is_draining: self.is_draining,
            uptime: self.clock.monotonic().saturating_sub(self.started.1),
            load: *self.cluster.0.load.lock(),
            news_sent: self.store.announced().1,
            index_slot: self.cluster.0.index_slot.load(Ordering::Relaxed).checked_sub(1),
        };
        let written = self.store.write_beside(move |tx| register::beat(tx, number, boot, &sign));
        in_time(WRITE_MAX, written).await
    }

    fn cut_off(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.is_cut_off, true) && !matches!(error, StoreError::Closed) {
            warn!(
                node = self.number,
                "no sign of life could be written: {error}. Without one for {} s this node does nothing that \
                 only one node may do; it goes on by itself once the database answers",
                LEASE.as_secs()
            );
        }
    }

    /// We were taken for dead: what we held is not ours any more.
    async fn begin_anew(&mut self) {
        let before = self.number;
        self.cluster.0.lease_until.store(0, Ordering::Relaxed);
        match self.claim().await {
            Ok(true) => warn!(
                node = self.number,
                "node {before} gave no sign of life for {} s and was taken for dead; it goes on as node {}",
                DEAD_AFTER.as_secs(),
                self.number
            ),
            Ok(false) => warn!("no node number is free"),
            Err(error) => self.cut_off(&error),
        }
    }

    /// Takes a number under a new name; `false` if none is free.
    async fn claim(&mut self) -> Result<bool, StoreError> {
        let boot = self.chance.u64().max(1);
        let now = self.clock.now();
        let node = Node {
            boot,
            address: self.about.address.clone(),
            version: self.about.version.clone(),
            started_at: self.started.0,
            news_name: self.store.announced().0,
            ..Node::default()
        };
        let begun = self.clock.monotonic();
        let claimed = self.store.write_beside(move |tx| register::claim(tx, now, &node)).await?;
        let Some(claimed) = claimed else { return Ok(false) };
        (self.number, self.boot) = (claimed.number, boot);
        self.ids.assign(claimed.number, claimed.ids_from, claimed.ids_until);
        let inner = &self.cluster.0;
        inner.number.store(claimed.number, Ordering::Relaxed);
        *inner.done.lock() = ShardSet::NONE;
        inner.duty.send_replace(Duty { boot: Some(boot), mine: ShardSet::NONE, leaving: ShardSet::NONE });
        inner.lease_until.store(millis(begun + LEASE), Ordering::Relaxed);
        Ok(true)
    }

    async fn look_and_act(&mut self) {
        if let Err(error) = in_time(WRITE_MAX, self.try_look_and_act()).await {
            self.cut_off(&error);
        }
    }

    async fn try_look_and_act(&mut self) -> Result<(), StoreError> {
        let view = self.look().await?;
        self.tell_peers(&view);
        self.note_outlook(&view);
        self.bury(&view).await?;
        self.see_to_shards(view).await
    }

    async fn look(&mut self) -> Result<View, StoreError> {
        let read = |tx: &crate::store::ReadTx<'_>| {
            Ok::<_, StoreError>(View { rows: register::rows(tx)?, held: register::holdings(tx)? })
        };
        let view = self.store.read_beside(read).await?;
        self.sight.look(self.clock.monotonic(), &view.rows);
        let others =
            view.rows.iter().filter(|(_, row)| row.boot != self.boot && row.state != NodeState::Gone);
        let sent: Vec<_> = others.map(|(_, row)| (row.news_name.clone(), row.news_sent)).collect();
        self.store.expect(self.clock.monotonic(), &sent);
        Ok(view)
    }

    /// Declares dead who gives no sign of life.
    async fn bury(&mut self, view: &View) -> Result<(), StoreError> {
        for (number, row) in &view.rows {
            if self.sight.life(*number) != Life::Dead || row.boot == self.boot {
                continue;
            }
            let (number, seen) = (*number, row.clone());
            let address = row.address.clone();
            if self.store.write_beside(move |tx| register::depose(tx, number, &seen)).await? {
                let silent_s = DEAD_AFTER.as_secs();
                warn!(
                    node = number,
                    address, "node {number} gave no sign of life for {silent_s} s; its work is taken over"
                );
            }
        }
        Ok(())
    }

    fn tell_peers(&self, view: &View) {
        let found: Vec<Peer> = view
            .rows
            .iter()
            .filter(|(number, row)| {
                (row.boot == self.boot || self.sight.life(*number) == Life::Alive) && !row.address.is_empty()
            })
            .map(|(number, row)| Peer {
                node: Some(*number),
                boot: row.boot,
                address: row.address.clone(),
                age: Duration::from_secs(row.uptime_s),
                is_draining: row.state == NodeState::Draining,
                version: row.version.clone(),
                load: row.load,
                is_me: row.boot == self.boot,
            })
            .collect();
        let peers = match &self.about.peers[..] {
            [] => found,
            listed => by_hand::listed(listed, &self.about.address, &found),
        };
        self.cluster.0.peers.send_if_modified(|known| {
            let is_news = **known != peers[..];
            *known = peers.into();
            is_news
        });
    }

    /// Keeps what was seen for those who ask.
    fn note_outlook(&self, view: &View) {
        let looked = self.clock.monotonic();
        let seen = view.rows.iter().map(|(number, row)| Seen {
            number: *number,
            row: row.clone(),
            life: self.sight.life(*number),
            changed: self.sight.changed(*number).unwrap_or(looked),
            is_me: row.boot == self.boot,
        });
        let outlook =
            Outlook { looked: Some(looked), nodes: seen.collect(), held: Arc::new(view.held.clone()) };
        *self.cluster.0.outlook.lock() = outlook;
    }

    async fn see_to_shards(&mut self, view: View) -> Result<(), StoreError> {
        let boot = self.boot;
        let mut held = view.held;
        let finished = self.finished(&held);
        if !finished.is_empty() {
            held = self.store.write_beside(move |tx| register::release(tx, boot, finished)).await?;
            let mut done = self.cluster.0.done.lock();
            *done = done.without(finished);
        }
        let works = |row: &Node| row.state == NodeState::Running;
        let able: Vec<u64> = view
            .rows
            .iter()
            .filter(|(number, row)| {
                works(row)
                    && (row.boot == boot || matches!(self.sight.life(*number), Life::Alive | Life::Unsure))
            })
            .map(|(_, row)| row.boot)
            .collect();
        let gone =
            |boot: u64| !view.rows.iter().any(|(_, row)| row.boot == boot && row.state != NodeState::Gone);
        let Share { take, leave } = share(boot, &able, gone, &held);
        if !take.is_empty() {
            held = self.store.write_beside(move |tx| register::take(tx, boot, &take)).await?;
        }
        self.put_on_duty(&held, leave);
        Ok(())
    }

    /// What should go and has nothing under way any more. It is said once, so it
    /// is kept until it is given back: a release may fail, or take too long.
    fn finished(&self, held: &Holdings) -> ShardSet {
        let leaving = self.cluster.0.duty.borrow().leaving;
        let mut done = self.cluster.0.done.lock();
        *done = done.both(leaving).both(of(held, self.boot));
        *done
    }

    fn put_on_duty(&self, held: &Holdings, leave: ShardSet) {
        let ours = of(held, self.boot);
        let before = *self.cluster.0.duty.borrow();
        // What is on its way out is brought to its end.
        let leaving = before.leaving.union(leave).both(ours);
        let duty = Duty { boot: Some(self.boot), mine: ours.without(leaving), leaving };
        if duty == before {
            return;
        }
        if duty.has_chores() != before.has_chores() {
            let node = self.number;
            info!(
                node,
                "node {node} {} what one node does for all",
                if duty.has_chores() { "does" } else { "hands over" }
            );
        }
        metrics::gauge!("waxwing_node_shards").set(duty.mine.len() as f64);
        self.cluster.0.duty.send_replace(duty);
    }

    /// Gives everything back.
    pub(super) async fn leave(self) {
        self.cluster.0.lease_until.store(0, Ordering::Relaxed);
        let (number, boot) = (self.number, self.boot);
        let ids_until = self.ids.used_until().plus(ID_MARGIN);
        // Behind all that this process still writes.
        let left = self.store.write(move |tx| register::leave(tx, number, boot, ids_until));
        match tokio::time::timeout(WRITE_MAX, left).await {
            Ok(Ok(())) => {}
            _ => warn!("the other nodes could not be told that this one is gone; they notice by themselves"),
        }
    }
}

/// The answer, or that there was none in time.
pub(super) async fn in_time<T>(
    most: Duration,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let late =
        |_| Err(StoreError::Database(format!("the database did not answer within {} s", most.as_secs_f32())));
    tokio::time::timeout(most, answer).await.unwrap_or_else(late)
}

fn of(held: &Holdings, boot: u64) -> ShardSet {
    ShardSet::ALL.iter().filter(|shard| held.holder(*shard) == boot).collect()
}

/// The nodes' secret; made by the first one.
async fn shared_key(store: &Store, chance: &dyn Chance) -> Result<NodeKey, StoreError> {
    let mut fresh = [0; KEY_BYTES];
    chance.fill(&mut fresh);
    store
        .write(move |tx| {
            let name = KEY_NAME.to_owned();
            if let Some(key) = tx.get(SHARED_SECRET, &name)?.and_then(|key| key.try_into().ok()) {
                return Ok(NodeKey(key));
            }
            tx.put(SHARED_SECRET, &name, &fresh.to_vec());
            Ok(NodeKey(fresh))
        })
        .await
}

/// Until a node tells that it came, drains or went.
async fn hear(signals: &mut broadcast::Receiver<Arc<crate::store::Signal>>) {
    loop {
        match signals.recv().await {
            Ok(signal) if signal.topic != register::TOPIC => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            // The store is closed; the beat goes on and says so.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
