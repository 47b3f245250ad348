//! Metrics of nodes and of the balancer, in Prometheus' text format, made
//! when they are asked for: nodes come and go, and a gauge of one that left
//! would stay for ever.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::entities::{NodeBalance, NodeStanding, Nodes};
use super::{AppState, nodes};
use crate::proxy::Health;

const STATES: [&str; 5] = ["live", "draining", "unsure", "away", "unknown"];

/// The lines.
pub fn exposition(state: &AppState) -> String {
    let mut text = String::new();
    // Holders of shards change with each of these; one process has all of them.
    head(&mut text, "waxwing_delivery_lease_epoch", "gauge");
    let _ = writeln!(text, "waxwing_delivery_lease_epoch {}", state.cluster.outlook().held.epoch);
    lines(&mut text, &nodes(state));
    text
}

fn head(text: &mut String, name: &str, kind: &str) {
    let _ = writeln!(text, "# TYPE {name} {kind}");
}

fn lines(text: &mut String, now: &Nodes) {
    let mut states: BTreeMap<&str, usize> = STATES.map(|state| (state, 0)).into();
    for node in &now.nodes {
        *states.entry(node.state.as_str()).or_default() += 1;
    }
    head(text, "waxwing_nodes", "gauge");
    for (state, count) in states {
        let _ = writeln!(text, "waxwing_nodes{{state=\"{state}\"}} {count}");
    }
    each(text, now, "waxwing_node_uptime_seconds", |node| node.age_s.map(|age_s| age_s as f64));
    each(text, now, "waxwing_node_beat_age_seconds", |node| node.last_beat_s.filter(|_| node.load.is_some()));
    each(text, now, "waxwing_node_utilisation", |node| Some(node.load.as_ref()?.utilisation));
    each(text, now, "waxwing_node_in_flight", |node| Some(node.load.as_ref()?.in_flight.into()));
    each(text, now, "waxwing_node_deliveries_in_flight", |node| Some(node.load.as_ref()?.deliveries.into()));
    balancer(text, now);
}

/// One line for each node that has the value.
fn each(text: &mut String, now: &Nodes, name: &str, value: impl Fn(&NodeStanding) -> Option<f64>) {
    head(text, name, "gauge");
    for node in &now.nodes {
        if let (Some(number), Some(value)) = (node.number, value(node)) {
            let _ = writeln!(text, "{name}{{node=\"{number}\"}} {value}");
        }
    }
}

fn balancer(text: &mut String, now: &Nodes) {
    type Value = fn(&NodeBalance) -> Option<f64>;
    const GAUGES: [(&str, &str, Value); 14] = [
        ("score", "gauge", |one| Some(one.score)),
        ("in_flight", "gauge", |one| Some(one.in_flight.into())),
        ("streams", "gauge", |one| Some(one.streams.into())),
        ("latency_seconds", "gauge", |one| Some(one.latency_ms? / 1000.0)),
        ("error_share", "gauge", |one| Some(one.error_share)),
        ("utilisation", "gauge", |one| one.utilisation),
        ("reported_in_flight", "gauge", |one| one.reported_in_flight.map(f64::from)),
        ("warm_up", "gauge", |one| Some(one.warm_up)),
        ("ejected_seconds", "gauge", |one| Some(one.ejected_for_s.unwrap_or(0.0))),
        ("share", "gauge", |one| Some(one.share)),
        ("due_share", "gauge", |one| Some(one.due_share)),
        ("outlier", "gauge", |one| Some(f64::from(u8::from(one.is_outlier)))),
        ("requests_total", "counter", |one| Some(one.requests as f64)),
        ("failures_total", "counter", |one| Some(one.failures as f64)),
    ];
    let Some(extra) = now.extra_requests else { return };
    let balanced = || now.nodes.iter().filter_map(|node| Some((node.number?, node.balance.as_ref()?)));
    for (name, kind, value) in GAUGES {
        let name = format!("waxwing_balancer_{name}");
        head(text, &name, kind);
        for (number, balance) in balanced() {
            if let Some(value) = value(balance) {
                let _ = writeln!(text, "{name}{{node=\"{number}\"}} {value}");
            }
        }
    }
    head(text, "waxwing_balancer_health", "gauge");
    for (number, balance) in balanced() {
        for health in Health::ALL.map(Health::name) {
            let is_it = u8::from(balance.health == health);
            let _ =
                writeln!(text, "waxwing_balancer_health{{node=\"{number}\",health=\"{health}\"}} {is_it}");
        }
    }
    head(text, "waxwing_balancer_extra_requests_total", "counter");
    let _ = writeln!(text, "waxwing_balancer_extra_requests_total {extra}");
    head(text, "waxwing_balancer_budget_left", "gauge");
    let _ = writeln!(text, "waxwing_balancer_budget_left {}", now.budget_left.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line() {
        let balance = NodeBalance {
            health: "ejected".into(),
            score: 1.5,
            in_flight: 2,
            streams: 1,
            latency_ms: Some(20.0),
            error_share: 0.5,
            utilisation: None,
            reported_in_flight: None,
            warm_up: 1.0,
            ejected_for_s: Some(4.0),
            share: 0.25,
            due_share: 0.5,
            requests: 900,
            failures: 3,
            is_outlier: true,
            is_unreachable: false,
        };
        let node = NodeStanding {
            number: Some(3),
            address: "192.0.2.3:7443".into(),
            version: "1".into(),
            state: "live".into(),
            is_me: false,
            age_s: Some(60),
            last_beat_s: Some(0.5),
            shards: 85,
            has_chores: false,
            load: None,
            balance: Some(balance),
        };
        let now = Nodes {
            is_shared: true,
            answered_by: 1,
            words: String::new(),
            warnings: Vec::new(),
            policy: Some("p2c".into()),
            extra_requests: Some(4),
            budget_left: Some(10),
            nodes: vec![node],
        };
        let mut text = String::new();
        lines(&mut text, &now);
        for line in [
            "waxwing_nodes{state=\"live\"} 1",
            "waxwing_node_uptime_seconds{node=\"3\"} 60",
            "waxwing_balancer_latency_seconds{node=\"3\"} 0.02",
            "waxwing_balancer_health{node=\"3\",health=\"ejected\"} 1",
            "waxwing_balancer_health{node=\"3\",health=\"healthy\"} 0",
            "waxwing_balancer_outlier{node=\"3\"} 1",
            "waxwing_balancer_requests_total{node=\"3\"} 900",
            "waxwing_balancer_extra_requests_total 4",
            "waxwing_balancer_budget_left 10",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("waxwing_balancer_utilisation{"), "what is not known has no line");
        assert!(text.lines().all(|line| line.starts_with("# TYPE waxwing_") || line.starts_with("waxwing_")));
    }
}
