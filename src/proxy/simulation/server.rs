//! One simulated server: slots, a queue, and what befalls it.

use std::collections::VecDeque;

use super::scenario::ServerPlan;
use crate::proxy::LoadReport;

/// Requests it works on at a time.
const SLOTS: usize = 8;
/// Requests that wait; the next is refused.
const QUEUE_MAX: usize = 64;
/// Slots that something else takes.
const BACKGROUND: usize = 5;
/// How much slower a cold one is at first, in addition.
const COLD: f64 = 9.0;
/// How long the warm ones have been running, in seconds.
const OLD_S: f64 = 100_000.0;

pub(super) struct Server {
    pub(super) plan: ServerPlan,
    queue: VecDeque<usize>,
    /// Tries that are worked on.
    pub(super) working: Vec<usize>,
    served: f64,
    /// It stands still until then, in microseconds.
    pub(super) stalled_until: u64,
}

impl Server {
    pub(super) fn new(plan: ServerPlan) -> Server {
        Server { plan, queue: VecDeque::new(), working: Vec::new(), served: 0.0, stalled_until: 0 }
    }

    fn background(&self, now: u64) -> usize {
        if self.plan.busy_elsewhere.iter().any(|span| span.has(now)) { BACKGROUND } else { 0 }
    }

    /// Requests there, and background work.
    pub(super) fn load(&self, now: u64) -> usize {
        self.queue.len() + self.working.len() + self.background(now)
    }

    /// Takes a try into its queue; `false` if that is full.
    pub(super) fn take(&mut self, attempt: usize) -> bool {
        let has_room = self.queue.len() < QUEUE_MAX;
        if has_room {
            self.queue.push_back(attempt);
        }
        has_room
    }

    /// The next try to be worked on, if there is a slot.
    pub(super) fn next(&mut self, now: u64) -> Option<usize> {
        let slots = SLOTS - self.background(now);
        if now < self.stalled_until || self.working.len() >= slots {
            return None;
        }
        self.queue.pop_front()
    }

    /// How much slower than a healthy one it is.
    pub(super) fn slowness(&self) -> f64 {
        let cold = match self.plan.cold_requests {
            0.0 => 0.0,
            requests => COLD * (-self.served / requests).exp(),
        };
        self.plan.slow * (1.0 + cold)
    }

    pub(super) fn finish(&mut self, attempt: usize) {
        self.working.retain(|working| *working != attempt);
        self.served += 1.0;
    }

    /// What it says of itself.
    pub(super) fn report(&self, now: u64) -> LoadReport {
        let load = self.load(now);
        let up_s = now as f64 / 1e6 - self.plan.lives.from_s;
        let is_old = self.plan.cold_requests == 0.0;
        LoadReport {
            utilisation: load as f32 / SLOTS as f32,
            cpu: 0.0,
            rif: Some(load as u16),
            limit: Some(SLOTS as u16),
            uptime_s: Some((up_s + if is_old { OLD_S } else { 0.0 }) as u32),
            is_draining: !self.plan.lives.has(now),
        }
    }
}
