//! One of several nodes on a PostgreSQL database: the child that is one, and
//! the parent's place among them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use waxwing::app::system::{SystemChance, SystemClock};
use waxwing::base::{Id, IdGenerator};
use waxwing::cluster::{About, Cluster, Member};
use waxwing::store::{Postgres, Store};

use crate::Failure;
use crate::child::say;
use crate::fleet::Fleet;
use crate::scale::Scale;
use crate::world::{Setup, World};

/// How long a member may take to leave.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// A process among the nodes of a database.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) node: (Cluster, Arc<IdGenerator>),
    end: CancellationToken,
    member: Option<JoinHandle<()>>,
}

impl Place {
    /// Opens the database and takes a place; one that only watches takes no
    /// part in the work.
    pub(crate) async fn take(url: &str, only_watches: bool) -> Result<Place, Failure> {
        let clock = Arc::new(SystemClock::start());
        let store = Store::with_clock(Postgres::open(url)?, clock.clone());
        let about = About {
            address: format!("127.0.0.1:{}", std::process::id() % 60_000 + 1),
            version: "1".into(),
            peers: Vec::new(),
        };
        let member = Member::join(store.clone(), clock, Arc::new(SystemChance), about).await;
        let member = member.map_err(|problem| problem.to_string())?;
        let (node, end) = ((member.cluster(), member.ids()), CancellationToken::new());
        let stop = CancellationToken::new();
        if only_watches {
            stop.cancel();
        }
        let run = member.run(stop, end.clone());
        let member = Some(tokio::spawn(run));
        Ok(Place { store, node, end, member })
    }

    /// Gives the place up while the database is still there.
    pub(crate) async fn leave(mut self) {
        self.end.cancel();
        if let Some(member) = self.member.take() {
            let _ = tokio::time::timeout(LEAVE_MAX, member).await;
        }
        self.store.clone().close().await;
    }

    /// A world over the database.
    pub(crate) async fn world(
        &self,
        fleet: Arc<Fleet>,
        known: Option<Vec<Id>>,
        slots: usize,
    ) -> Result<World, Failure> {
        let setup =
            Setup { known, slots, people: 4, node: Some(self.node.clone()), ..Setup::of(&Scale::long()) };
        World::over(self.store.clone(), fleet, setup).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

/// A node that sends, and says what its duty is whenever that changes, until
/// it is killed.
pub(crate) async fn run(folder: &Path, arguments: &[String]) -> Result<(), Failure> {
    let slots: usize = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(32);
    let url = std::fs::read_to_string(folder.join("url"))?;
    let people = std::fs::read_to_string(folder.join("people"))?;
    let known: Vec<Id> = people.lines().filter_map(|line| line.parse().ok()).collect();
    let place = Place::take(url.trim(), false).await?;
    let world = place.world(Arc::new(Fleet::start(0, None).await?), Some(known), slots).await?;
    world.work();
    let mut duty = place.node.0.duty();
    loop {
        let now = *duty.borrow_and_update();
        say(&format!("duty {} {}", now.boot.unwrap_or(0), now.mine.len()));
        if tokio::time::timeout(Duration::from_secs(900), duty.changed()).await.is_err() {
            return Ok(());
        }
    }
}
