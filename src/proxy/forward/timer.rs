//! A deadline that moves with every request. Arming a timer for each costs
//! more than a request; so the timer stays armed for the earliest deadline it
//! was given, and looks again when it rings too soon.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::proxy::Tick;

#[derive(Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// When the sleep ends.
    armed: Tick,
    wanted: Tick,
}

impl Timer {
    /// Rings at this time from now on.
    pub(super) fn set(&mut self, at: Tick) {
        self.wanted = at;
    }

    /// Ready once the time has come.
    pub(super) fn poll(&mut self, now: impl Fn() -> Tick, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let is_early = self.armed <= self.wanted;
            if let Some(sleep) = self.sleep.as_mut().filter(|_| is_early) {
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.sleep = None;
            }
            let now = now();
            if now >= self.wanted {
                return Poll::Ready(());
            }
            self.armed = self.wanted;
            // A little later, so that it never rings just before.
            let span = Duration::from_micros(self.wanted.micros_since(now) + 500);
            match &mut self.sleep {
                Some(old) => old.set(sleep(span)),
                none => *none = Some(Box::pin(sleep(span))),
            }
        }
    }
}
