//! Attempts that take much longer than is usual are ended early while others
//! wait for their slots. Without this, a few hundred servers that stop
//! answering at the same moment hold every slot for a whole timeout.

use std::time::Duration;

use super::super::destination::{Group, Health};
use super::{Output, Plan, Running, Ticket};
use crate::base::Timestamp;

/// No attempt is ended earlier than this.
const SLOW_MIN: Duration = Duration::from_secs(1);
/// Nor earlier than so many times what its server usually takes, or, of one
/// that is not known, what servers usually take.
const SLOW_TIMES: f32 = 6.0;
/// How often it is looked for slow ones.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Share of a new answer in what is usual.
const USUAL_SHARE: f32 = 0.05;

/// What answers usually take.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usual {
    /// Milliseconds; 0 before the first one.
    ms: f32,
    look_at: Timestamp,
}

impl Usual {
    pub(super) fn answered(&mut self, span: Duration) {
        let ms = span.as_millis() as f32;
        self.ms = if self.ms <= 0.0 { ms } else { self.ms + USUAL_SHARE * (ms - self.ms) };
    }

    /// After which time an attempt is slow; `None`: it is left its time.
    pub(super) fn slow_after(&self, health: &Health) -> Option<Duration> {
        let known_ms = health.usual_ms().unwrap_or(0.0).max(self.ms);
        let is_known = health.record.class.is_remote() && self.ms > 0.0;
        is_known.then(|| Duration::from_secs_f32(SLOW_TIMES * known_ms / 1000.0).max(SLOW_MIN))
    }
}

impl Plan {
    /// When slow attempts are looked for; `None` while nobody waits for a slot.
    pub(super) fn hasten_at(&self) -> Option<Timestamp> {
        self.is_pressed().then_some(self.usual.look_at)
    }

    fn is_pressed(&self) -> bool {
        // Nobody could have the slots.
        !self.is_held && (!self.waiting[0].is_empty() || self.is_full())
    }

    fn is_full(&self) -> bool {
        self.running.len() >= self.slots && self.rings.iter().any(|ring| !ring.is_empty())
    }

    /// Ends the slowest attempts, as many as others wait for their slots.
    pub(super) fn hasten(&mut self, now: Timestamp) {
        if now < self.usual.look_at || !self.is_pressed() {
            return;
        }
        self.usual.look_at = now.plus(LOOK_EVERY);
        if self.is_full() {
            let wanted = self.rings.iter().map(std::collections::VecDeque::len).sum();
            self.end_slow(now, wanted, |_| true);
        }
        self.end_slow(now, self.waiting[0].len(), |group| group == Group::Unproven);
    }

    fn end_slow(&mut self, now: Timestamp, wanted: usize, is_of: impl Fn(Group) -> bool) {
        let ending =
            self.running.values().filter(|running| running.is_ending && is_of(running.group)).count();
        // The oldest first: tickets are given out in order.
        let is_slow = |running: &Running| {
            !running.is_ending
                && is_of(running.group)
                && running.slow_after.is_some_and(|after| now.since(running.started) >= after)
        };
        let slow: Vec<Ticket> = self
            .running
            .iter()
            .filter(|(_, running)| is_slow(running))
            .map(|(ticket, _)| *ticket)
            .take(wanted.saturating_sub(ending))
            .collect();
        for ticket in slow {
            if let Some(running) = self.running.get_mut(&ticket) {
                running.is_ending = true;
            }
            self.out.push(Output::Abort(ticket));
        }
    }
}
