//! Asking upstreams that get no traffic how they are. Deciding only; the
//! forwarder sends `GET /healthz`.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::balance::Balancer;
use super::{Dice, LoadReport, Tick, Upstream};

/// Without a request for so long, an upstream is asked.
const SILENT_S: f32 = 10.0;
/// One that wanted nothing new gets requests again once it works and has not
/// said it for so long: its checks may answer without a report.
const DRAIN_FORGOTTEN_S: f32 = 30.0;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It answered, and not with a server error.
    Healthy,
    /// No connection, or a server error: counts as a failed request.
    Broken,
    /// It did not answer in time, which ejects nobody.
    Slow,
}

impl Balancer {
    /// The upstreams to be asked now (every two seconds is a good pace): the
    /// ejected, those that nothing was sent to for ten seconds, and those that
    /// want nothing new, for nobody else would hear when they do again.
    pub fn due_checks(&self, now: Tick) -> Vec<Arc<Upstream>> {
        let is_due = |upstream: &&Arc<Upstream>| {
            let last = Tick::from_micros(upstream.last_sent_us.load(Relaxed));
            upstream.is_ejected(now) || upstream.drain_heard(now).is_some() || now.secs_since(last) > SILENT_S
        };
        self.pool.load().upstreams.iter().filter(is_due).map(Arc::clone).collect()
    }

    /// Takes in what came of a check, and what the upstream said of itself. A
    /// healthy answer ends an ejection; the upstream is in probation then.
    pub fn checked(
        &self,
        now: Tick,
        upstream: &Upstream,
        result: Checked,
        report: Option<&LoadReport>,
        dice: &mut Dice,
    ) {
        if let Some(report) = report {
            upstream.hear(now, report);
        } else if result == Checked::Healthy
            && upstream.drain_heard(now).is_some_and(|ago_s| ago_s > DRAIN_FORGOTTEN_S)
        {
            upstream.set_draining(now, false);
        }
        match result {
            Checked::Healthy if upstream.is_ejected(now) => upstream.readmit(now),
            Checked::Broken if self.features.eject => {
                self.consider_ejecting(now, upstream, dice);
            }
            Checked::Healthy | Checked::Slow | Checked::Broken => {}
        }
        self.tend(now);
    }
}
