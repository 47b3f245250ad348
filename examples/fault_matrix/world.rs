//! A Waxwing as far as deliveries go: a store on disk, people with keys, the
//! worker, the outbound client; and the fleet that it sends to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use waxwing::app::system::{SystemChance, SystemClock};
use waxwing::base::{Clock, FixedChance, Id, IdGenerator, Moment};
use waxwing::cluster::Cluster;
use waxwing::domain::delivery::{self, Delivery, Overview, Targets};
use waxwing::model::Site;
use waxwing::model::queue::tables::{DEAD, DESTINATION, DESTINATION_BY_HOST, HISTORY};
use waxwing::model::queue::{ActivityKind, Body, Class, DeadRow, Destination, JobKind, OrderKey};
use waxwing::net::address::Allow;
use waxwing::net::client::{Client, ClientSettings, Resolver};
use waxwing::queue::{Deliver, Handler, Handlers, Worker, Workshop};
use waxwing::store::{Scan, Store, StoreError};

use crate::Failure;
use crate::fleet::Fleet;
use crate::ledger::Arrival;
use crate::people;
use crate::scale::Scale;
use crate::watch::Watch;

/// What a world is made of besides the fleet.
pub(crate) struct Setup {
    pub(crate) people: usize,
    /// Who joined before, in place of new ones.
    pub(crate) known: Option<Vec<Id>>,
    pub(crate) slots: usize,
    pub(crate) attempt_max: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    /// As one of several on the store: who does what, and ids of its own.
    pub(crate) node: Option<(Cluster, Arc<IdGenerator>)>,
    pub(crate) roots_pem: Vec<u8>,
    /// Put around the handler of deliveries.
    pub(crate) wrap: fn(Deliver) -> Box<dyn Handler>,
    /// Further handlers.
    pub(crate) more: fn(Handlers) -> Handlers,
}

impl Setup {
    pub(crate) fn of(scale: &Scale) -> Setup {
        Setup {
            people: scale.people,
            known: None,
            slots: scale.slots,
            attempt_max: scale.attempt_max,
            clock: Arc::new(SystemClock::start()),
            resolver: None,
            node: None,
            roots_pem: Vec::new(),
            wrap: |deliver| Box::new(deliver),
            more: |handlers| handlers,
        }
    }
}

/// A post for some peers.
pub(crate) struct Post<'a> {
    pub(crate) sender: usize,
    pub(crate) kind: ActivityKind,
    pub(crate) order: OrderKey,
    pub(crate) inboxes: &'a [String],
}

/// It all together.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) people: Vec<Id>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watch: Watch,
    pub(crate) chance: FixedChance,
    /// What was handed to the queue: peer and activity.
    pub(crate) sent: Mutex<Vec<(u32, u64)>>,
    ids: Arc<IdGenerator>,
    next: AtomicU64,
    worker: Worker,
    running: Mutex<Option<(CancellationToken, JoinHandle<()>)>>,
    /// Gone with the world.
    _folder: Option<tempfile::TempDir>,
}

impl World {
    /// With a store in a folder of its own, and the worker at work.
    pub(crate) async fn start(fleet: Arc<Fleet>, setup: Setup) -> Result<World, Failure> {
        let folder = tempfile::tempdir()?;
        let store = Store::open_redb(folder.path().join("waxwing.redb"))?;
        let world = World::over(store, fleet, setup).await?;
        world.work();
        Ok(World { _folder: Some(folder), ..world })
    }

    /// Over a store, with nobody at work yet.
    pub(crate) async fn over(store: Store, fleet: Arc<Fleet>, setup: Setup) -> Result<World, Failure> {
        let site = Site::new("https", "social.example");
        let alone = || (Cluster::alone(), Arc::new(IdGenerator::new(0)));
        let (cluster, ids) = setup.node.clone().unwrap_or_else(alone);
        let people = match setup.known.clone() {
            Some(known) => known,
            None => people::join(&store, &site, &*setup.clock, &ids, setup.people).await?,
        };
        people::introduce(&store, &site, &people, &fleet).await?;
        let workshop = Workshop { store: store.clone(), site, clock: setup.clock.clone(), ids: ids.clone() };
        let deliver = Deliver::new(&workshop, client(&setup)?, people::key_pair().await?, setup.attempt_max);
        let watch = Watch::default();
        let handlers = Handlers::new().on(JobKind::Deliver, watch.over((setup.wrap)(deliver)));
        let handlers = (setup.more)(handlers);
        let worker = Worker {
            slots: setup.slots,
            cluster,
            ids: ids.clone(),
            ..Worker::new(store.clone(), handlers, setup.clock.clone(), Arc::new(SystemChance))
        };
        Ok(World {
            store,
            fleet,
            people,
            clock: setup.clock,
            watch,
            chance: FixedChance::new(7),
            sent: Mutex::default(),
            ids,
            next: AtomicU64::new(1),
            worker,
            running: Mutex::new(None),
            _folder: None,
        })
    }

    /// A fleet and a world that fit the scale.
    pub(crate) async fn of(scale: &Scale) -> Result<World, Failure> {
        let fleet = Arc::new(Fleet::start(scale.peers, None).await?);
        World::start(fleet, Setup::of(scale)).await
    }

    /// The number of the next activity.
    pub(crate) fn number_from(&self, first: u64) {
        self.next.store(first, Ordering::Relaxed);
    }

    /// Starts the worker, unless it is at work.
    pub(crate) fn work(&self) {
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.worker.clone().run(stop.clone()));
        self.running.lock().replace((stop, task));
    }

    /// Lets the worker end its attempts, and ends it.
    pub(crate) async fn rest(&self) {
        let running = self.running.lock().take();
        if let Some((stop, task)) = running {
            stop.cancel();
            let _ = tokio::time::timeout(Duration::from_secs(20), task).await;
        }
    }

    /// Ends everything.
    pub(crate) async fn stop(self) {
        self.rest().await;
        self.store.clone().close().await;
    }

    /// Hands a post to the queue; gives its number and how long that took.
    pub(crate) async fn post(&self, post: &Post<'_>) -> Result<(u64, Duration), Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let body = Body::new(crate::parcel::write(number, post.sender, post.kind))?;
        let mut targets = Targets::new();
        post.inboxes.iter().for_each(|inbox| targets.add(inbox, None));
        let actor = self.people[post.sender % self.people.len()];
        let delivery = Delivery { actor, kind: post.kind, order: post.order, lane: None, body };
        let moment = self.moment();
        self.store.write(move |tx| delivery::deliver(tx, &mut moment.clone(), &delivery, &targets)).await?;
        Ok((number, begun.elapsed()))
    }

    /// The time and a few ids.
    pub(crate) fn moment(&self) -> Moment {
        let now = self.clock.now();
        Moment { now, ids: self.ids.reserve(now, 8) }
    }

    /// A post of somebody to some peers, as [`World::post`]; from now on it is missed until it arrives.
    pub(crate) async fn tell(
        &self,
        sender: usize,
        kind: ActivityKind,
        peers: &[u32],
    ) -> Result<Duration, Failure> {
        let inboxes: Vec<String> = peers.iter().map(|peer| self.fleet.inbox(*peer)).collect();
        let post = Post { sender, kind, order: OrderKey::NONE, inboxes: &inboxes };
        let (number, took) = self.post(&post).await?;
        self.sent.lock().extend(peers.iter().map(|peer| (*peer, number)));
        Ok(took)
    }

    /// How many of what was sent to such peers have not arrived.
    pub(crate) fn missing(&self, counts: impl Fn(u32) -> bool) -> usize {
        let wanted: Vec<_> = self.sent.lock().iter().filter(|(peer, _)| counts(*peer)).copied().collect();
        self.fleet.ledger().missing(&wanted)
    }

    /// Waits until all of it is there, but no longer than this; gives how many are missing then.
    pub(crate) async fn wait_for(&self, within: Duration, counts: impl Fn(u32) -> bool) -> usize {
        let end = Instant::now() + within;
        loop {
            let missing = self.missing(&counts);
            if missing == 0 || Instant::now() >= end {
                return missing;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the store keeps of a peer.
    pub(crate) async fn destination(&self, peer: u32) -> Result<Destination, Failure> {
        let host = delivery::authority_of(&self.fleet.inbox(peer)).ok_or("no host")?;
        self.destination_of(host).await
    }

    /// What the store keeps of a host.
    pub(crate) async fn destination_of(&self, host: String) -> Result<Destination, Failure> {
        let found =
            self.store.read(move |tx| match tx.get(DESTINATION_BY_HOST, &(Class::Remote as u8, host))? {
                Some(id) => tx.get(DESTINATION, &id),
                None => Ok::<_, StoreError>(None),
            });
        Ok(found.await?.unwrap_or_default())
    }

    /// Lets a peer have no more than so many requests at once.
    pub(crate) async fn limit(&self, peer: u32, cap: u32) -> Result<(), Failure> {
        let host = delivery::authority_of(&self.fleet.inbox(peer)).ok_or("no host")?;
        let limited = self.store.write(move |tx| {
            match tx.get(DESTINATION_BY_HOST, &(Class::Remote as u8, host.clone()))? {
                Some(id) => delivery::admin::set_limits(tx, id, None, Some(cap)),
                None => Ok::<_, StoreError>(false),
            }
        });
        if limited.await? { Ok(()) } else { Err("a peer that nothing was sent to".into()) }
    }

    /// Everything that was given up.
    pub(crate) async fn dead(&self) -> Result<Vec<DeadRow>, Failure> {
        let rows: Result<Vec<_>, StoreError> =
            self.store.read(|tx| tx.scan(DEAD, Scan::all().limit(100_000))).await;
        Ok(rows?.into_iter().map(|(_, row)| row).collect())
    }

    /// What went wrong where, in words, each once.
    pub(crate) async fn mishaps(&self) -> Result<Vec<String>, Failure> {
        let rows: Result<Vec<_>, StoreError> =
            self.store.read(|tx| tx.scan(HISTORY, Scan::all().limit(1000))).await;
        let mishaps = rows?.into_iter().flat_map(|(_, history)| history.mishaps);
        let mut words: Vec<String> = mishaps.map(|mishap| mishap.words).collect();
        words.sort();
        words.dedup();
        Ok(words)
    }

    /// How many rows there are.
    pub(crate) async fn overview(&self) -> Result<Overview, Failure> {
        let rows: Result<Overview, StoreError> = self.store.read(delivery::overview).await;
        Ok(rows?)
    }

    /// How long deliveries took that were handed over from then on, to such peers.
    pub(crate) fn waits(&self, from_us: u64, suits: impl Fn(&Arrival) -> bool) -> crate::ledger::Waits {
        self.fleet.ledger().waits(from_us, suits)
    }
}

fn client(setup: &Setup) -> Result<Client, Failure> {
    let mut settings = ClientSettings::new("social.example");
    settings.allow = Allow::parse(["127.0.0.0/8"]).map_err(|error| error.to_string())?;
    settings.extra_roots_pem = setup.roots_pem.clone();
    if let Some(resolver) = &setup.resolver {
        settings.resolver = resolver.clone();
    }
    Client::new(settings).map_err(|problem| problem.to_string().into())
}
