//! Sets the scenes: a temporary instance with all that its scenarios need, or
//! a server that runs.

use std::sync::Arc;

use super::{Session, Size};
use crate::base::Problem;
use crate::bench::client;
use crate::bench::fleet::Fleet;
use crate::bench::instance::Instance;
use crate::bench::order::{Order, Person, Ready};
use crate::bench::remote::Remote;
use crate::bench::scenario::browse::Browse;
use crate::bench::scenario::deliver::Deliver;
use crate::bench::scenario::inbox::{Inbox, Senders};
use crate::bench::scenario::login::Login;
use crate::bench::scenario::media::Media;
use crate::bench::scenario::mixed::Mixed;
use crate::bench::scenario::post::Post;
use crate::bench::scenario::stream::Stream;
use crate::bench::scenario::{Play, Scenario};
use crate::bench::stage::Stage;
use crate::bench::watch::Watched;
use crate::bench::words::time;

impl Session {
    /// Starts a temporary instance and sets the scenes in it.
    pub(super) async fn open_own(&mut self, size: Size) -> Result<(), Problem> {
        let senders = if self.plays(Scenario::Inbox) {
            Some(tokio::task::spawn_blocking(Senders::new).await.map_err(Problem::internal)??)
        } else {
            None
        };
        let fleet = if self.plays(Scenario::Deliver) {
            let fleet = Fleet::start(size.destinations, self.around.clock.clone(), self.slate.clone()).await;
            // The others can be played without it.
            let noted = |problem: Problem| self.unready.insert(Scenario::Deliver.name(), problem.to_string());
            fleet.map(Arc::new).map_err(noted).ok()
        } else {
            None
        };
        let order = Order {
            folder: self.around.folder.join("instance"),
            people: size.people,
            follows: size.follows,
            posts: size.posts,
            seed: self.options.seed,
            senders: senders.as_ref().map(|senders| senders.known.clone()).unwrap_or_default(),
            destinations: fleet.as_ref().map(|fleet| fleet.inboxes()).unwrap_or_default(),
        };
        self.around.view.say(&format!(
            "Starting a temporary instance with {} people and {} posts.",
            size.people, size.posts
        ));
        let program = self.around.program.clone();
        let started = tokio::task::spawn_blocking(move || Instance::start(&program, &order));
        let instance = self.shown("filling it", None, started).await.map_err(Problem::internal)??;
        let ready = &instance.ready;
        self.around.view.say(&format!(
            "It is there, filled in {:.1} s ({} follows). What is left takes about {}.",
            ready.seeded_s,
            ready.follows,
            time(self.measure_s())
        ));
        let stage = self.stage(&instance)?;
        self.watched = Watched::new(Some(instance.pid()), ready.admin, self.machine.usable());
        *self.instance.lock() = Some(instance);
        // One set of pictures for both scenarios that show some.
        let media = Arc::new(Media::new(stage.clone())?);
        for scenario in self.options.scenarios.clone() {
            let play: Arc<dyn Play> = match scenario {
                Scenario::Browse => Arc::new(Browse(stage.clone())),
                Scenario::Post => Arc::new(Post(stage.clone())),
                Scenario::Login => Arc::new(Login(stage.clone())),
                Scenario::Media => media.clone(),
                Scenario::Mixed => Arc::new(Mixed::new(stage.clone(), media.clone())),
                Scenario::Stream => Arc::new(Stream::new(stage.clone(), size.listeners)),
                Scenario::Inbox => {
                    let senders =
                        senders.clone().ok_or_else(|| Problem::internal("senders were not made"))?;
                    Arc::new(Inbox::new(stage.clone(), senders))
                }
                Scenario::Deliver => {
                    let Some(fleet) = fleet.clone() else { continue };
                    Arc::new(Deliver::new(stage.clone(), fleet))
                }
                Scenario::Store | Scenario::Proxy => continue,
            };
            self.plays.insert(scenario.name(), play);
        }
        Ok(())
    }

    fn stage(&self, instance: &Instance) -> Result<Stage, Problem> {
        let ready = &instance.ready;
        let authority = ready.origin.trim_start_matches("https://");
        let address = ready.address.ok_or_else(|| Problem::internal("the instance has no address"))?;
        let target = client::Target::tls(authority, address, Some(&ready.root_pem))?;
        Ok(Stage {
            client: client::Client::new(target),
            origin: ready.origin.clone(),
            people: authors(ready),
            announcer: ready.announcer.clone(),
            password: ready.password.clone(),
            statuses: ready.statuses.clone().into(),
            tools: self.tools(),
            slate: self.slate.clone(),
        })
    }

    /// Sets the scenes on a server that runs.
    pub(super) async fn open_running(&mut self, remote: &Remote) -> Result<(), Problem> {
        let stage = remote.stage(self.tools(), self.slate.clone()).await?;
        for scenario in self.options.scenarios.clone() {
            let play: Arc<dyn Play> = match scenario {
                Scenario::Browse => Arc::new(Browse(stage.clone())),
                Scenario::Post => Arc::new(Post(stage.clone())),
                Scenario::Media => Arc::new(Media::new(stage.clone())?),
                _ => continue,
            };
            self.plays.insert(scenario.name(), play);
        }
        Ok(())
    }
}

/// Those who ask and write. What the announcer writes goes to all the fake
/// servers, dead ones, too, and has a scenario of its own.
fn authors(ready: &Ready) -> Arc<[Person]> {
    let is_other = |one: &&Person| ready.announcer.as_ref().is_none_or(|announcer| announcer.id != one.id);
    let others: Vec<Person> = ready.people.iter().filter(is_other).cloned().collect();
    if others.is_empty() { ready.people.clone().into() } else { others.into() }
}
