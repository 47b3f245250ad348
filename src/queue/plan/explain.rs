//! What the scheduler can tell about itself: its state, and which rule keeps
//! a job from starting.

use super::super::destination::{Group, Hurdle};
use super::{Plan, UNSETTLED_MAX, limit};
use crate::base::{Id, Timestamp};
use crate::model::queue::{Destination, DestinationId, JobKey};

/// Destinations told of in one view, at most.
const VIEW_MAX: usize = 10_000;

/// The scheduler as it is now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Live {
    /// Attempts at once, at most.
    pub slots: usize,
    /// Attempts under way: proven, unproven, suspect.
    pub inflight: [usize; 3],
    /// Since when our own network is down.
    pub network_down_since: Option<Timestamp>,
    /// Destinations in memory.
    pub destinations_in_memory: usize,
    /// Destinations that are busy or not as they are in the store.
    pub destinations: Vec<LiveDestination>,
}

/// A destination as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveDestination {
    /// Which.
    pub id: DestinationId,
    /// Its state, newer than in the store.
    pub record: Destination,
    /// Requests under way.
    pub inflight: u32,
    /// Which share of all slots it may take.
    pub group: Group,
}

/// Which rule keeps a job from starting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Why {
    /// None: it is being sent.
    Running {
        /// Since.
        since: Timestamp,
    },
    /// None: it was sent, and the outcome is being written down.
    Settling,
    /// The server is stopping.
    Stopping,
    /// The scheduler has not looked at it yet.
    Unseen,
    /// Nobody can be reached: our own network is down.
    Network {
        /// Since.
        since: Timestamp,
    },
    /// Its destination keeps it waiting.
    Destination(Hurdle),
    /// All slots for destinations like this are taken.
    Group {
        /// Like this.
        group: Group,
        /// So many are taken.
        taken: usize,
        /// Of so many.
        of: usize,
    },
    /// An earlier one of the same conversation or pair must be through first.
    Order {
        /// That one.
        act: Id,
    },
    /// Others of this destination go first.
    Behind,
    /// All slots are taken.
    Slots {
        /// So many.
        of: usize,
    },
    /// Too many outcomes wait to be written down.
    Writing,
    /// Nothing; it starts when its turn comes.
    Turn,
    /// It waits for its retry.
    Deferred {
        /// When that is.
        due: Timestamp,
    },
    /// There is no such job: it is done, given up, or never was.
    Nowhere,
}

impl Why {
    /// The rule's name, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Why::Running { .. } => "running",
            Why::Settling => "settling",
            Why::Stopping => "stopping",
            Why::Unseen => "unseen",
            Why::Network { .. } => "network",
            Why::Destination(Hurdle::Stopped) => "paused",
            Why::Destination(Hurdle::Breaker { .. }) => "breaker",
            Why::Destination(Hurdle::Quiet { .. }) => "quiet",
            Why::Destination(Hurdle::Cap { .. }) => "cap",
            Why::Destination(Hurdle::Rate { .. }) => "rate",
            Why::Group { .. } => "group",
            Why::Order { .. } => "order",
            Why::Behind => "behind",
            Why::Slots { .. } => "slots",
            Why::Writing => "writing",
            Why::Turn => "turn",
            Why::Deferred { .. } => "deferred",
            Why::Nowhere => "nowhere",
        }
    }

    /// In words, for the admin.
    pub fn words(&self) -> String {
        let until = |until: &Timestamp| format!("until {}", until.rfc3339());
        match self {
            Why::Running { since } => format!("it is being sent since {}", since.rfc3339()),
            Why::Settling => "it was sent; the outcome is being written down".into(),
            Why::Stopping => "the server is stopping".into(),
            Why::Unseen => "the queue has not looked at it yet".into(),
            Why::Network { since } => {
                format!("nobody can be reached since {}: our own network is down", since.rfc3339())
            }
            Why::Destination(Hurdle::Stopped) => "an admin paused the destination".into(),
            Why::Destination(Hurdle::Breaker { until: at }) => {
                format!("the destination failed and is left alone {}", until(at))
            }
            Why::Destination(Hurdle::Quiet { until: at }) => {
                format!("the destination asked for quiet {}", until(at))
            }
            Why::Destination(Hurdle::Cap { cap }) => {
                format!("{cap} requests are under way there, and no more may be")
            }
            Why::Destination(Hurdle::Rate { until: at }) => {
                format!("its requests a second are used up {}", until(at))
            }
            Why::Group { group, taken, of } => {
                format!("{taken} of {of} slots for {} destinations are taken", group.name())
            }
            Why::Order { act } => format!("{act}, which must come before it, is not through"),
            Why::Behind => "others for the same destination go first".into(),
            Why::Slots { of } => format!("all {of} slots are taken"),
            Why::Writing => "too many outcomes wait to be written down".into(),
            Why::Turn => "nothing: it starts when its turn comes".into(),
            Why::Deferred { due } => format!("it is tried again at {}", due.rfc3339()),
            Why::Nowhere => "there is no such job: it is done, given up, or never was".into(),
        }
    }
}

impl Plan {
    /// The scheduler as it is now.
    pub fn live(&self, now: Timestamp) -> Live {
        let told = self.entries.iter().filter_map(|(id, entry)| {
            let health = entry.health.as_ref()?;
            let is_news = entry.is_dirty || health.inflight() > 0 || !health.is_well();
            is_news.then(|| LiveDestination {
                id: *id,
                record: health.record.clone(),
                inflight: health.inflight(),
                group: health.group(now),
            })
        });
        Live {
            slots: self.slots,
            inflight: self.inflight,
            network_down_since: self.network.down_since(),
            destinations_in_memory: self.entries.len(),
            destinations: told.take(VIEW_MAX).collect(),
        }
    }

    /// Which rule keeps a ready job from starting.
    pub fn explain(&self, key: &JobKey, now: Timestamp) -> Why {
        if let Some(running) = self.running.values().find(|running| running.key == *key) {
            return Why::Running { since: running.started };
        }
        if self.is_draining {
            return Why::Stopping;
        }
        let Some(entry) = self.entries.get(&key.destination) else { return Why::Unseen };
        if entry.is_busy(key) {
            return Why::Settling;
        }
        let Some(health) = &entry.health else { return Why::Unseen };
        if let Some(since) = self.network.down_since().filter(|_| health.record.class.is_remote()) {
            return Why::Network { since };
        }
        if let Some(hurdle) = health.hurdle(now) {
            return Why::Destination(hurdle);
        }
        let group = health.group(now);
        let (taken, of) = (self.inflight[group as usize], limit(self.slots, group));
        if group != Group::Proven && (entry.waits_for_slot || taken >= of) {
            return Why::Group { group, taken, of };
        }
        match entry.shown(key) {
            None => Why::Behind,
            Some(Some(act)) => Why::Order { act },
            Some(None) if self.running.len() >= self.slots => Why::Slots { of: self.slots },
            Some(None) if self.unsettled >= UNSETTLED_MAX => Why::Writing,
            Some(None) => Why::Turn,
        }
    }
}
