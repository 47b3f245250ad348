//! The queue's metrics.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::super::Hour;
use super::super::destination::{Group, Transition};
use super::super::outcome::Outcome;
use super::super::plan::Gauges;
use crate::domain::delivery::{Fate, Overview};
use crate::model::queue::{Breaker, DeadReason, Lane};

/// Names what is counted before the first of it happens, so that an alarm on
/// it can be written.
pub(super) fn begin() {
    let outcomes = [
        "done",
        "superseded",
        "refused",
        "gone",
        "unauthorized",
        "too_many",
        "unavailable",
        "timeout",
        "connection",
        "unresolved",
        "resolver",
        "tls",
        "server_error",
        "try_later",
        "broken",
        "panicked",
    ];
    for outcome in outcomes {
        counter!("waxwing_delivery_attempts_total", "outcome" => outcome).increment(0);
    }
    for reason in DeadReason::ALL {
        counter!("waxwing_delivery_dead_total", "reason" => reason.name()).increment(0);
    }
    for state in [Breaker::Closed, Breaker::Open, Breaker::HalfOpen, Breaker::Dormant, Breaker::Dead] {
        counter!("waxwing_delivery_breaker_transitions_total", "to" => state.name()).increment(0);
    }
}

/// `hour` is that of the page: it shows what goes to others, not our own work.
pub(super) fn attempt(outcome: &Outcome, lane: Lane, rtt: Duration, age: Duration, hour: Option<&Hour>) {
    counter!("waxwing_delivery_attempts_total", "outcome" => outcome.name()).increment(1);
    histogram!("waxwing_delivery_rtt_seconds").record(rtt.as_secs_f64());
    if *outcome == Outcome::Done {
        histogram!("waxwing_delivery_latency_seconds", "lane" => lane.name()).record(age.as_secs_f64());
    }
    match (hour, outcome) {
        (None, _) | (_, Outcome::Superseded | Outcome::TryLater { .. }) => {}
        (Some(hour), Outcome::Done) => hour.delivered(age),
        (Some(hour), _) => hour.failed(),
    }
}

pub(super) fn fate(fate: &Fate) {
    if let Fate::Dead { reason, .. } = fate {
        counter!("waxwing_delivery_dead_total", "reason" => reason.name()).increment(1);
    }
}

pub(super) fn turned(turned: Transition) {
    counter!("waxwing_delivery_breaker_transitions_total", "to" => turned.to.name()).increment(1);
}

pub(super) fn network(is_up: bool) {
    gauge!("waxwing_delivery_network_down").set(if is_up { 0.0 } else { 1.0 });
}

pub(super) fn gauges(gauges: &Gauges) {
    for (group, inflight) in [Group::Proven, Group::Unproven, Group::Suspect].iter().zip(gauges.inflight) {
        gauge!("waxwing_delivery_inflight", "class" => group.name()).set(inflight as f64);
    }
    for lane in Lane::ALL {
        gauge!("waxwing_delivery_oldest_seconds", "lane" => lane.name()).set(gauges.oldest_s[lane.index()]);
    }
    gauge!("waxwing_delivery_window_headers").set(gauges.window_rows as f64);
    gauge!("waxwing_delivery_tokens_paused").set(gauges.paused as f64);
    gauge!("waxwing_delivery_unwell").set(gauges.unwell as f64);
}

pub(super) fn rows(rows: &Overview) {
    for lane in Lane::ALL {
        gauge!("waxwing_delivery_queued", "lane" => lane.name()).set(rows.ready[lane.index()] as f64);
    }
    gauge!("waxwing_delivery_deferred").set(rows.deferred as f64);
    gauge!("waxwing_delivery_dead").set(rows.dead as f64);
}
