//! What every handler can reach: the store, the names, time and chance.

use std::ops::Deref;
use std::sync::Arc;

use super::federation;
use super::front::Front;
use super::gates::Gates;
use super::load::Load;
use super::media::Fetches;
use super::roster::Roster;
use super::sandbox::{SamplePeople, SamplePerson};
use super::trends::Trends;
use crate::base::{Chance, Clock, Id, IdGenerator, Moment, Timestamp};
use crate::cluster::Cluster;
use crate::config::Config;
use crate::domain::census;
use crate::model::{KeyPair, Site};
use crate::net::client::Client;
use crate::net::files::Files;
use crate::net::hub::Hub;
use crate::net::mail::Mailer;
use crate::proxy::Policy;
use crate::queue::{Desk, Workshop};
use crate::search::Search;
use crate::store::{Store, StoreError};

/// Ids that one request's transaction may use, unless it asks for more.
const IDS_PER_REQUEST: u16 = 16;

/// The parts a running server is made of.
pub struct Parts {
    /// The effective settings.
    pub config: Config,
    /// Our public names.
    pub site: Site,
    /// The records.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// The other processes on the same store.
    pub cluster: Cluster,
    /// Fresh ids.
    pub ids: Arc<IdGenerator>,
    /// For everything that is fetched and sent.
    pub client: Client,
    /// For mails; `None` where none are sent.
    pub mailer: Option<Mailer>,
    /// Uploaded and cached files.
    pub files: Files,
    /// Live news of what was committed.
    pub hub: Hub,
    /// The full-text index.
    pub search: Search,
    /// The key of the actor that stands for the server itself.
    pub instance_key: KeyPair,
}

/// A cheap handle to [`Parts`], the state of every route.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    parts: Parts,
    gates: Gates,
    fetches: Fetches,
    federation: federation::Shared,
    sample_people: SamplePeople,
    trends: Trends,
    desk: Desk,
    load: Load,
    front: Option<Front>,
    roster: Roster,
}

impl AppState {
    /// Wraps the parts.
    pub fn new(parts: Parts) -> AppState {
        let (load, policy) = (Load::new(parts.clock.clone()), policy_of(&parts.config));
        AppState(Arc::new(Inner {
            gates: Gates::new(&parts.config.rate_limits),
            front: Front::new(&parts.cluster, policy, &load, &parts.clock, &parts.chance),
            load,
            desk: Desk::new(parts.store.clone(), parts.clock.clone()),
            parts,
            fetches: Fetches::default(),
            federation: federation::Shared::default(),
            sample_people: SamplePeople::new(),
            trends: Trends::default(),
            roster: Roster::default(),
        }))
    }

    /// Where the delivery queue is asked.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// The door over all nodes; `None` where the store is ours alone.
    pub fn front(&self) -> Option<&Front> {
        self.0.front.as_ref()
    }

    /// How full this server is.
    pub(crate) fn load(&self) -> &Load {
        &self.0.load
    }

    /// What is remembered of how requests were shared out.
    pub(super) fn roster(&self) -> &Roster {
        &self.0.roster
    }

    /// What jobs of the queue work with.
    pub fn workshop(&self) -> Workshop {
        let Parts { store, site, clock, ids, .. } = &self.0.parts;
        Workshop { store: store.clone(), site: site.clone(), clock: clock.clone(), ids: ids.clone() }
    }

    /// What holds floods back.
    pub(crate) fn gates(&self) -> &Gates {
        &self.0.gates
    }

    /// What is remembered of files of other servers.
    pub(crate) fn fetches(&self) -> &Fetches {
        &self.0.fetches
    }

    /// What is remembered of other servers.
    pub(crate) fn federation(&self) -> &federation::Shared {
        &self.0.federation
    }

    /// What trends.
    pub(crate) fn trends(&self) -> &Trends {
        &self.0.trends
    }

    /// Who was put into a sandbox to begin with.
    pub fn sample_people(&self) -> &[SamplePerson] {
        self.0.sample_people.get().map_or(&[], Vec::as_slice)
    }

    /// Says who was put into a sandbox; once.
    pub fn set_sample_people(&self, people: Vec<SamplePerson>) {
        // A second call would be a slip of ours; the first people stay.
        let _ = self.0.sample_people.set(people);
    }

    /// Notes that somebody of this server is here, once in a while. Only a
    /// note: where it cannot be written now, it is not.
    pub(crate) async fn note_visit(&self, account: Id) {
        if self.gates().visits.entry(account).or_insert(()).is_fresh() {
            let now = self.now();
            let noted = self.store.write(move |tx| census::was_here(tx, now, account)).await;
            if let Err(error) = noted {
                let error: StoreError = error;
                tracing::debug!(%error, "a visit could not be noted");
            }
        }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time and a few ids, for one transaction.
    pub fn moment(&self) -> Moment {
        self.moment_with(IDS_PER_REQUEST)
    }

    /// The time and this many ids, for a transaction that needs more.
    pub fn moment_with(&self, ids: u16) -> Moment {
        let now = self.clock.now();
        Moment { now, ids: self.ids.reserve(now, ids) }
    }
}

/// The names are those of the balancer; a test of `front` holds them together.
fn policy_of(config: &Config) -> Policy {
    config.node.balance.parse().unwrap_or_default()
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}
