//! F24 to F26: several nodes on one PostgreSQL.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use waxwing::model::queue::ActivityKind;

use crate::Failure;
use crate::behaviour::{Behaviour, RoundTrip};
use crate::child::Process;
use crate::fleet::Fleet;
use crate::node::Place;
use crate::postgres::{self, Server};
use crate::scale::Scale;
use crate::table::Checks;
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(60);
/// Nodes of a case.
const NODES: usize = 3;
/// Outcomes that may wait to be written: two batches of the worker.
const UNWRITTEN: usize = 512;
const PEERS: u32 = 24;
/// The first of them are sent to one request at a time.
const LIMITED: u32 = 12;
/// And answer soon, so that what has gathered goes out even so.
const SOON: RoundTrip = RoundTrip { median: Duration::from_millis(50), sigma: 0.6 };
/// How long a limit is watched to be kept before it counts.
const QUIET: Duration = Duration::from_millis(600);
/// What the others may have at once.
const CAP_MAX: f64 = 16.0;

/// Whether there is a database server to be started.
fn is_installed() -> bool {
    std::path::Path::new("/usr/lib/postgresql").is_dir()
}

/// Nodes on a database of their own, and a parent that posts.
struct Nodes {
    children: Vec<Process>,
    world: World,
    place: Place,
    folder: tempfile::TempDir,
    /// One of its own, if it is to be stopped. Last, so that the database is
    /// there while the others go.
    server: Option<Server>,
}

impl Nodes {
    async fn start(scale: Scale, server: Option<Server>) -> Result<Nodes, Failure> {
        let begin = move || (server.as_ref().map_or_else(postgres::empty, Server::empty), server);
        let (url, server) = tokio::task::spawn_blocking(begin).await?;
        let folder = tempfile::tempdir()?;
        let place = Place::take(&url, true).await?;
        let fleet = Arc::new(Fleet::start(PEERS, None).await?);
        let world = place.world(fleet, None, scale.slots).await?;
        std::fs::write(folder.path().join("url"), &url)?;
        let people: Vec<String> = world.people.iter().map(ToString::to_string).collect();
        std::fs::write(folder.path().join("people"), people.join("\n"))?;
        let child = || Process::start("node", folder.path(), &[scale.slots.to_string()]);
        let children = (0..NODES).map(|_| child()).collect::<Result<Vec<_>, _>>()?;
        let nodes = Nodes { children, world, place, folder, server };
        let share = 256 / NODES;
        nodes
            .until("the nodes share the work", |nodes| {
                (0..NODES).all(|child| (share..=share + 1).contains(&nodes.duty(child).1))
            })
            .await?;
        Ok(nodes)
    }

    /// Under which name a child acts now, and how many shards it has.
    fn duty(&self, child: usize) -> (u64, usize) {
        let last = self.children[child].said("duty").pop().unwrap_or_default();
        let mut words = last.split(' ').map(|word| word.parse::<u64>().unwrap_or(0));
        (words.next().unwrap_or(0), words.next().unwrap_or(0) as usize)
    }

    async fn until(&self, what: &str, holds: impl Fn(&Nodes) -> bool) -> Result<Duration, Failure> {
        let begun = Instant::now();
        while !holds(self) {
            if begun.elapsed() > PATIENCE {
                return Err(format!("never: {what}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(begun.elapsed())
    }

    /// Posts to everybody for a while; what the database refuses is not counted.
    async fn post_for(&self, span: Duration) -> usize {
        let (end, all): (_, Vec<u32>) = (Instant::now() + span, (0..PEERS).collect());
        let mut refused = 0;
        while Instant::now() < end {
            refused += usize::from(self.world.tell(0, ActivityKind::Create, &all).await.is_err());
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        refused
    }

    /// Limits some peers to one request at a time, and waits until all nodes
    /// have heard of it.
    async fn limit(&self) -> Result<(), Failure> {
        self.world.fleet.turn(0..LIMITED, &Behaviour::Well(SOON));
        for peer in 0..LIMITED {
            self.world.limit(peer, 1).await?;
        }
        let begun = Instant::now();
        let fleet = &self.world.fleet;
        fleet.most_at_once(0..PEERS);
        loop {
            self.post_for(QUIET).await;
            if fleet.most_at_once(0..LIMITED) == 1 {
                fleet.most_at_once(LIMITED..PEERS);
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err("never: the limits hold".into());
            }
        }
    }

    /// No destination may ever have more than its cap, whoever sends.
    fn check_caps(&self, checks: &mut Checks) {
        let fleet = &self.world.fleet;
        checks.is("at once to one limited to 1", fleet.most_at_once(0..LIMITED), 1);
        checks.at_most("at once to any other", fleet.most_at_once(LIMITED..PEERS) as f64, CAP_MAX, "");
    }

    /// Ends all of it, the database last.
    async fn end(self) -> Result<(), Failure> {
        let Nodes { children, world, place, folder, server } = self;
        tokio::task::spawn_blocking(move || drop(children)).await?;
        world.rest().await;
        place.leave().await;
        drop(world);
        Ok(tokio::task::spawn_blocking(move || drop((server, folder))).await?)
    }

    /// What must hold in the end.
    async fn settle(&self, checks: &mut Checks, slots: usize) {
        let lost = self.world.wait_for(PATIENCE, |_| true).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        checks.is("lost", lost, 0);
        let bound = (slots + UNWRITTEN) as f64;
        checks.at_most("duplicates", self.world.fleet.ledger().duplicates() as f64, bound, "");
        checks.note(format!("{} deliveries", self.world.fleet.ledger().count()));
    }
}

/// F24: a killed node's shards resume within 20 s, nothing is lost, and
/// duplicates are at most what it had under way. Neither then nor while a new
/// node takes its share from the others is a destination sent to by two.
pub(crate) async fn killed_node(scale: Scale) -> Result<Checks, Failure> {
    if !is_installed() {
        return Ok(Checks::waiting("PostgreSQL to be installed"));
    }
    let (mut nodes, mut checks) = (Nodes::start(scale, None).await?, Checks::new());
    nodes.post_for(Duration::from_secs(3)).await;
    nodes.limit().await?;
    nodes.children[0].kill();
    let took = nodes.until("the others have it all", |nodes| nodes.duty(1).1 + nodes.duty(2).1 == 256);
    let posting = nodes.post_for(Duration::from_secs(14));
    let (took, refused) = tokio::join!(took, posting);
    checks.at_most("its shards taken over after", took?.as_secs_f64(), 20.0, " s");
    checks.is("posts refused", refused, 0);
    nodes.children[0] = Process::start("node", nodes.folder.path(), &[scale.slots.to_string()])?;
    let shared = nodes.until("a new one has its share", |nodes| nodes.duty(0).1 >= 256 / NODES);
    let (shared, refused) = tokio::join!(shared, nodes.post_for(Duration::from_secs(6)));
    shared?;
    checks.is("posts refused while shards move", refused, 0);
    nodes.check_caps(&mut checks);
    nodes.settle(&mut checks, scale.slots).await;
    let slowest = nodes.world.waits(0, |_| true).max;
    checks.at_most("longest wait", slowest, 20.0, " s");
    nodes.end().await?;
    Ok(checks)
}

/// F25: what a node that slept writes as the one it was is refused, and it
/// stops sending as that one within a second of waking.
pub(crate) async fn stale_owner(scale: Scale) -> Result<Checks, Failure> {
    if !is_installed() {
        return Ok(Checks::waiting("PostgreSQL to be installed"));
    }
    let (nodes, mut checks) = (Nodes::start(scale, None).await?, Checks::new());
    nodes.post_for(Duration::from_secs(3)).await;
    nodes.limit().await?;
    let before = nodes.duty(0).0;
    nodes.children[0].signal(Signal::STOP);
    nodes.post_for(scale.pick(Duration::from_secs(30), Duration::from_secs(14))).await;
    let lost = nodes.world.wait_for(PATIENCE, |_| true).await;
    checks.is("lost while it slept", lost, 0);
    nodes.children[0].signal(Signal::CONT);
    let woke = nodes.until("it knows that it is another one", |nodes| nodes.duty(0).0 != before).await?;
    checks.at_most("its old self ends after waking", woke.as_secs_f64(), 1.0, " s");
    nodes.post_for(Duration::from_secs(3)).await;
    let share = 256 / NODES;
    nodes.until("it has its share again", |nodes| nodes.duty(0).1 >= share).await?;
    nodes.check_caps(&mut checks);
    nodes.settle(&mut checks, scale.slots).await;
    nodes.end().await?;
    Ok(checks)
}

/// F26: without a database nodes stop sending before anybody else could
/// begin, keep what they know, and go on where they were.
pub(crate) async fn store_down(scale: Scale) -> Result<Checks, Failure> {
    if !is_installed() {
        return Ok(Checks::waiting("PostgreSQL to be installed"));
    }
    let server = tokio::task::spawn_blocking(|| Server::start(&[])).await?;
    let (mut nodes, mut checks) = (Nodes::start(scale, Some(server)).await?, Checks::new());
    nodes.post_for(Duration::from_secs(3)).await;
    let before: Vec<(u64, usize)> = (0..NODES).map(|child| nodes.duty(child)).collect();
    tokio::task::block_in_place(|| nodes.server.iter_mut().for_each(Server::stop));
    tokio::time::sleep(scale.pick(Duration::from_secs(60), Duration::from_secs(12))).await;
    let late = Instant::now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    checks.is("requests without a database", nodes.world.fleet.asked(0..PEERS, late), 0);
    tokio::task::block_in_place(|| nodes.server.iter_mut().for_each(Server::begin));
    let back = Instant::now();
    while nodes.world.tell(0, ActivityKind::Create, &[0]).await.is_err() && back.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    nodes.post_for(Duration::from_secs(3)).await;
    nodes.settle(&mut checks, scale.slots * NODES).await;
    checks.note(nodes.world.mishaps().await?.join("; "));
    // What was ended while the database went is tried again after 30 s, a
    // quarter more at most.
    checks.at_most("all there after", back.elapsed().as_secs_f64(), 45.0, " s");
    let after: Vec<(u64, usize)> = (0..NODES).map(|child| nodes.duty(child)).collect();
    checks.holds("nobody is taken for dead", &format!("{after:?}"), after == before);
    nodes.end().await?;
    Ok(checks)
}
