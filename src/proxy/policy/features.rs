//! What the balancer does beside the bare choice. The configuration does
//! not have these: each policy has its own. The simulation turns them off
//! one by one to see what each is worth.

use crate::proxy::Tick;
use crate::proxy::upstream::{Upstream, left_of};

/// The ramp begins at this share.
const RAMP_FROM: f32 = 0.1;
/// An open stream is this much of a request.
const STREAM_WEIGHT: f32 = 0.05;

/// What is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// Servers' reports of their load count.
    pub utilisation: bool,
    /// The latency of answers counts.
    pub latency: bool,
    /// The age of requests under way counts.
    pub in_flight_age: bool,
    /// A new or returning upstream gets one request until it answered.
    pub probation: bool,
    /// Seconds of warm-up of a young server; 0 is none.
    pub ramp_s: f32,
    /// Statistics are forgotten over 30 s.
    pub decay: bool,
    /// The overloaded and the failing are left out before comparing.
    pub filter: bool,
    /// The broken are taken out for a while.
    pub eject: bool,
    /// Only connection-related errors count, as at Netflix; not all.
    pub connection_errors_only: bool,
    /// Failed requests are sent elsewhere, under the budget.
    pub retry: bool,
    /// Requests to a silent upstream are sent elsewhere as well, under the
    /// budget.
    pub hedge: bool,
    /// Hedges do not wait for signs of silence.
    pub hedge_always: bool,
}

impl Features {
    /// Everything: the default policy.
    pub const ALL: Features = Features {
        utilisation: true,
        latency: true,
        in_flight_age: true,
        probation: true,
        ramp_s: 30.0,
        decay: true,
        filter: true,
        eject: true,
        connection_errors_only: false,
        retry: true,
        hedge: true,
        hedge_always: false,
    };

    /// What Netflix published, with its 90 s of warm-up.
    pub const NETFLIX: Features = Features {
        latency: false,
        in_flight_age: false,
        ramp_s: 90.0,
        eject: false,
        connection_errors_only: true,
        retry: false,
        hedge: false,
        ..Features::ALL
    };

    /// Around the classic policies: the broken are taken out and failed
    /// requests go elsewhere; the choice itself stays what its name says.
    pub const CLASSIC: Features = Features { eject: true, retry: true, ..Features::NONE };

    /// Nothing but the choice.
    pub const NONE: Features = Features {
        utilisation: true,
        latency: true,
        in_flight_age: true,
        probation: false,
        ramp_s: 0.0,
        decay: true,
        filter: false,
        eject: false,
        connection_errors_only: false,
        retry: false,
        hedge: false,
        hedge_always: false,
    };

    /// The share of its traffic that a server of this age may have, 0.1 to 1.
    pub(in crate::proxy) fn ramp_of(&self, age_s: f32) -> f32 {
        if self.ramp_s <= 0.0 {
            return 1.0;
        }
        (RAMP_FROM + (1.0 - RAMP_FROM) * age_s / self.ramp_s).min(1.0)
    }

    /// Requests that wait or are worked on there: what it reported with what
    /// was sent since, faded; at least what is under way from here. Both fade:
    /// one that stops reporting would otherwise look fuller with every
    /// request.
    pub(in crate::proxy) fn queue_of(&self, upstream: &Upstream, now: Tick) -> f32 {
        let own = upstream.in_flight() as f32;
        let streams = upstream.streams() as f32 * STREAM_WEIGHT;
        let report = upstream.report(now).filter(|_| self.utilisation);
        let reported = report.and_then(|report| Some((report.rif?, report.age_s)));
        let reported = reported.map_or(0.0, |(rif, age_s)| {
            (rif + upstream.sent_since_report()) * if self.decay { left_of(age_s) } else { 1.0 }
        });
        own.max(reported) + streams
    }

    /// The share of requests that fail there, as this policy counts it.
    pub(in crate::proxy) fn error_share_of(&self, upstream: &Upstream, now: Tick) -> f32 {
        if self.connection_errors_only {
            upstream.connection_error_share(now, self.decay)
        } else {
            upstream.error_share(now, self.decay)
        }
    }

    /// How full it says it is, faded; 0 if it says nothing.
    pub(in crate::proxy) fn utilisation_of(&self, upstream: &Upstream, now: Tick) -> f32 {
        match upstream.report(now) {
            Some(report) if self.utilisation => {
                report.utilisation * if self.decay { left_of(report.age_s) } else { 1.0 }
            }
            _ => 0.0,
        }
    }

    /// The expected latency in microseconds: what was seen, drawn to the
    /// pool's mean while nothing is seen, and at least as bad as the age of
    /// what is under way, which shows a stalled server before any answer.
    pub(in crate::proxy) fn latency_of(&self, upstream: &Upstream, now: Tick, mean_us: f32) -> f32 {
        /// Nothing is compared below this.
        const LATENCY_MIN_US: f32 = 1000.0;
        /// The age counts doubly: on average a request is seen at half its
        /// life. Measured.
        const AGE_WEIGHT: f32 = 2.0;
        let seen = match upstream.latency.read(now) {
            Some((latency, age_s)) if self.latency => {
                if self.decay && latency > mean_us {
                    mean_us + (latency - mean_us) * left_of(age_s)
                } else {
                    latency
                }
            }
            _ => mean_us,
        };
        let under_way = if self.in_flight_age { upstream.flight.read(now).1 } else { 0.0 };
        seen.max(LATENCY_MIN_US).max(AGE_WEIGHT * under_way)
    }
}
