//! When a request is sent to a second upstream while the first is silent.
//! Sending every slow request twice doubles the load where all are slow;
//! silence is the sign that this one upstream has stopped.

use super::balance::{Balancer, Pick};
use super::{Ask, Outcome, Tick};

/// Never sooner than this, in microseconds.
const HEDGE_MIN_US: u64 = 20_000;
/// Past so many times the pool's mean latency, an upstream that answers
/// others is hedged as well.
const PATIENCE: f32 = 4.0;

/// The other copy of a request has at least so long after one has failed, in
/// microseconds.
const RACE_WAIT_MIN_US: u64 = 2_000_000;

/// What to do about a request that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hedge {
    /// Send it to another upstream, too; a token was taken for that. The
    /// first good answer wins, the other try ends as
    /// [`Outcome::Cancelled`].
    Send,
    /// Ask again at this time.
    LookAgain(Tick),
    /// Do not ask again.
    Never,
}

impl Balancer {
    /// When to ask [`hedge`](Self::hedge) first; `None` for requests that
    /// are never hedged.
    pub fn first_look(&self, pick: &Pick, ask: &Ask) -> Option<Tick> {
        let may = self.features.hedge && ask.is_idempotent && ask.is_replayable && !ask.is_streaming;
        if !may || ask.tried.len() > 1 {
            return None;
        }
        let wait_us = u64::from(self.recent.p95_us()).max(HEDGE_MIN_US);
        let at = pick.sent().plus_micros(wait_us);
        (at < ask.deadline).then_some(at)
    }

    /// Whether a request that still waits is to be sent to another upstream
    /// as well, which [`pick`](Self::pick) then chooses.
    pub fn hedge(&self, now: Tick, pick: &Pick, ask: &Ask) -> Hedge {
        if ask.tried.len() > 1 || now >= ask.deadline || !self.has_another(now, ask) {
            return Hedge::Never;
        }
        let age_us = now.micros_since(pick.sent());
        let is_silent = pick.upstream().is_silent_since(pick.sent());
        let is_late = age_us as f32 > PATIENCE * self.pool.load().latency_us();
        if (is_silent || is_late || self.features.hedge_always) && self.budget.take(now) {
            return Hedge::Send;
        }
        let again = now.plus_micros((age_us / 2).max(1000));
        if again < ask.deadline { Hedge::LookAgain(again) } else { Hedge::Never }
    }

    /// How long the other try of a race is waited for, where the first has
    /// failed with an answer that could be given.
    pub fn end_of_race(&self, now: Tick) -> Tick {
        let late_us = (PATIENCE * self.pool.load().latency_us()) as u64;
        now.plus_micros(late_us.max(RACE_WAIT_MIN_US))
    }

    /// Whether an answer is good enough to end a race of two tries; a
    /// failure waits for the other.
    pub const fn wins_race(outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Answered)
    }
}
