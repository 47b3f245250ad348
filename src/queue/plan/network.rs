//! Whether our own network works. When more than half of the servers that
//! answered lately cannot be reached all at once, it is not they who are
//! down: then nothing is sent, nothing is held against anybody, and one
//! attempt after another looks whether somebody can be reached again.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::super::destination::Group;
use super::super::outcome::{FailureKind, Outcome};
use super::{Output, Plan, Running, Ticket};
use crate::base::Timestamp;
use crate::model::queue::{DestinationId, Lane};

/// Servers tried within this time are looked at together.
const SPAN: Duration = Duration::from_secs(10);
/// Fewer than this say nothing about us.
const TRIED_MIN: usize = 5;
/// Pause between two looks.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// What was over sooner was no fault of ours.
const ALARM_MIN: Duration = Duration::from_secs(5);
/// After a false alarm everybody is taken at their word for this long.
const TRUST_FOR: Duration = Duration::from_secs(300);
/// How often old results are forgotten.
const PRUNE_EVERY: Duration = Duration::from_millis(500);

/// What an attempt says about the way to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contact {
    /// Somebody answered, whatever it was.
    Made,
    /// Nobody.
    None,
    /// It was not about that.
    Unknown,
}

fn contact(outcome: &Outcome) -> Contact {
    match outcome {
        Outcome::Failed { kind: FailureKind::Server | FailureKind::Tls, .. } => Contact::Made,
        // The resolver answered, which may be somewhere else, or ourselves.
        Outcome::Failed { kind: FailureKind::Unresolved, .. } => Contact::Unknown,
        Outcome::Failed { status: 0, .. } => Contact::None,
        Outcome::TryLater { .. } | Outcome::Broken { .. } | Outcome::Panicked | Outcome::Superseded => {
            Contact::Unknown
        }
        _ => Contact::Made,
    }
}

/// The way to the others.
#[derive(Debug, Default)]
pub(super) struct Network {
    /// The last result of each server that was tried lately.
    results: HashMap<DestinationId, (Timestamp, Contact)>,
    pruned_at: Timestamp,
    down: Option<Down>,
    trusted_until: Timestamp,
}

#[derive(Debug)]
struct Down {
    since: Timestamp,
    probe_at: Timestamp,
    probing: Option<Ticket>,
    /// Those that were tried last, to be tried in turn.
    candidates: VecDeque<DestinationId>,
}

impl Network {
    /// Since when it is down.
    pub(super) fn down_since(&self) -> Option<Timestamp> {
        self.down.as_ref().map(|down| down.since)
    }

    /// When the next look is due.
    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.down.as_ref().filter(|down| down.probing.is_none()).map(|down| down.probe_at)
    }

    /// Notes the result of a server that is known to work; `true` if this
    /// shows that our network is down.
    fn noted(&mut self, now: Timestamp, id: DestinationId, contact: Contact) -> bool {
        self.results.insert(id, (now, contact));
        if now.since(self.pruned_at) >= PRUNE_EVERY {
            self.pruned_at = now;
            self.results.retain(|_, (at, _)| now.since(*at) < SPAN);
        }
        if contact != Contact::None || now < self.trusted_until || self.results.len() < TRIED_MIN {
            return false;
        }
        let bad = self.results.values().filter(|(_, contact)| *contact == Contact::None).count();
        2 * bad > self.results.len()
    }

    fn goes_down(&mut self, now: Timestamp) {
        let candidates = self.results.drain().map(|(id, _)| id).collect();
        self.down = Some(Down { since: now, probe_at: now.plus(PROBE_EVERY), probing: None, candidates });
    }

    /// Since when everything failed for our fault; `None` after a false alarm.
    fn comes_up(&mut self, now: Timestamp) -> Option<Timestamp> {
        let down = self.down.take()?;
        self.results.clear();
        if now.since(down.since) < ALARM_MIN {
            self.trusted_until = now.plus(TRUST_FOR);
            return None;
        }
        Some(down.since.minus(SPAN))
    }
}

impl Plan {
    /// Looks at a result for what it says about us. `true`: it says nothing
    /// about the other side, and is not to be counted.
    pub(super) fn check_network(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        running: &Running,
        outcome: &Outcome,
    ) -> bool {
        let contact = contact(outcome);
        if let Some(down) = &mut self.network.down {
            down.probing = down.probing.filter(|probing| *probing != ticket);
        }
        if !running.is_remote || contact == Contact::Unknown {
            return false;
        }
        if self.network.down.is_some() {
            if contact == Contact::None {
                return true;
            }
            self.network_is_back(now);
        } else if running.group == Group::Proven && self.network.noted(now, running.key.destination, contact)
        {
            self.network.goes_down(now);
            self.out.push(Output::Network(false));
            return true;
        }
        false
    }

    fn network_is_back(&mut self, now: Timestamp) {
        if let Some(since) = self.network.comes_up(now) {
            for entry in self.entries.values_mut() {
                if let Some(health) = &mut entry.health {
                    entry.is_dirty |= health.forgive(since);
                }
            }
        }
        self.out.push(Output::Network(true));
        let all: Vec<DestinationId> = self.entries.keys().copied().collect();
        all.into_iter().for_each(|id| {
            self.consider(id, now);
        });
    }

    /// While our network is down: tries one server after another.
    pub(super) fn probe_network(&mut self, now: Timestamp) {
        let Some(down) = &mut self.network.down else { return };
        if down.probing.is_some() || now < down.probe_at || self.is_draining {
            return;
        }
        down.probe_at = now.plus(PROBE_EVERY);
        let candidates = down.candidates.len();
        let entries = &self.entries;
        let can_probe = |id: &DestinationId| {
            entries.get(id).is_some_and(|entry| {
                entry.rows() > 0
                    && entry.health.as_ref().is_some_and(|health| health.record.class.is_remote())
            })
        };
        let mut chosen = None;
        for _ in 0..candidates {
            down.candidates.rotate_left(1);
            chosen = down.candidates.back().copied().filter(can_probe);
            if chosen.is_some() {
                break;
            }
        }
        let Some(id) = chosen.or_else(|| entries.keys().copied().find(can_probe)) else { return };
        let picked = Lane::ALL.iter().find_map(|lane| self.entries.get_mut(&id)?.pick(*lane));
        let Some((key, row)) = picked else { return };
        if let Some(down) = &mut self.network.down {
            down.probing = Some(Ticket(self.next_ticket));
        }
        self.start(key, row, Group::Suspect, now);
    }
}
