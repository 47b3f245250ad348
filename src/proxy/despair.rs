//! When a request is given up before its time: its upstream will not answer
//! any more. One that may be repeated has a copy elsewhere long before; this is
//! for those that may not, which would else wait for the whole of the time
//! that an answer may take.

use std::time::Duration;

use super::balance::Balancer;
use super::{Pick, Tick};

/// Nothing is given up sooner, even if its upstream is known to be lost: who
/// was only taken for dead may be about to answer.
const LOST_WAIT: Duration = Duration::from_secs(5);
/// An upstream that is ejected and answers nobody is waited for so long.
const SILENT_WAIT: Duration = Duration::from_secs(10);
/// How often it is looked whether there is still hope.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Balancer {
    /// When to ask [`is_hopeless`](Self::is_hopeless) first of a request that
    /// was sent, or last got further, at this time.
    pub fn first_doubt(&self, since: Tick) -> Tick {
        since.plus(LOST_WAIT)
    }

    /// And when to ask again.
    pub fn next_doubt(&self, now: Tick) -> Tick {
        now.plus(LOOK_EVERY)
    }

    /// Whether no answer will come to what was sent, or last got further, at
    /// this time.
    pub fn is_hopeless(&self, now: Tick, pick: &Pick, since: Tick) -> bool {
        let upstream = pick.upstream();
        let waits_for = |span: Duration| now >= since.plus(span);
        (upstream.is_lost() && waits_for(LOST_WAIT))
            || (upstream.is_ejected(now) && upstream.is_silent_since(since) && waits_for(SILENT_WAIT))
    }

    /// Somebody else knows that the upstream of this name does not live any
    /// more, or that it does: what is under way there is given up soon, even
    /// if it is taken off the list.
    pub fn set_lost(&self, name: &str, is_lost: bool) {
        let pool = self.pool.load();
        if let Some(upstream) = pool.upstreams.iter().find(|upstream| upstream.name() == name) {
            upstream.set_lost(is_lost);
        }
    }
}
