//! The nodes as their page shows them, from what the API would answer.

use std::time::Duration;

use super::chart::seconds;
use super::{StateView, short_count, span};
use crate::edge::roster::entities::{NodeBalance, NodeStanding, Nodes};

/// All nodes.
#[derive(Debug, Clone)]
pub struct NodesView {
    /// What there is, in pieces: text, and what is to be typed.
    pub words: Vec<(bool, String)>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
    /// Nodes that are there, and those that are not.
    pub there: usize,
    /// Nodes that are not.
    pub missing: usize,
    /// Requests under way, on all nodes.
    pub in_flight: u64,
    /// Deliveries under way, on all nodes.
    pub deliveries: u64,
    /// Deliveries at once, at most, on all nodes.
    pub delivery_slots: u64,
    /// Retries and second copies, and how many more are allowed; nothing
    /// where no requests are passed on.
    pub extra: Option<(String, u32)>,
    /// How requests are shared out.
    pub policy: Option<String>,
    /// By number.
    pub nodes: Vec<NodeView>,
}

/// One node.
#[derive(Debug, Clone)]
pub struct NodeView {
    /// `Node 3`, or what is known of it in place of a number.
    pub name: String,
    /// Where others reach it.
    pub address: String,
    /// Its program's version.
    pub version: String,
    /// How it stands.
    pub state: StateView,
    /// It is the one that answers.
    pub is_me: bool,
    /// It does what one does for all.
    pub has_chores: bool,
    /// For how long it has been up.
    pub age: Option<String>,
    /// When its last sign of life was seen.
    pub last_beat: String,
    /// Its part of the background work, of 256.
    pub shards: u32,
    /// How full it says it is, of 100, and the same for a bar.
    pub full: Option<(u64, u64)>,
    /// Requests and deliveries under way there.
    pub work: Option<(u32, u32)>,
    /// What the balancer knows of it.
    pub balance: Option<BalanceView>,
}

/// What the balancer knows of a node.
#[derive(Debug, Clone)]
pub struct BalanceView {
    /// How it stands.
    pub health: StateView,
    /// What that is about just now, such as `for 4 s more`; may be empty.
    pub detail: String,
    /// Lower is picked.
    pub score: String,
    /// Requests under way from here, and open streams.
    pub in_flight: (u32, u32),
    /// How long it takes to answer.
    pub latency: String,
    /// Failures of 100 requests.
    pub errors: String,
    /// How full it said it is, of 100.
    pub utilisation: String,
    /// Its share lately, of 100, and where it should be.
    pub share: (u64, u64),
    /// Requests sent there so far.
    pub requests: String,
    /// It gets little, and something is wrong.
    pub is_outlier: bool,
}

impl NodesView {
    /// Of all nodes.
    pub fn new(now: &Nodes) -> NodesView {
        let works = now.nodes.iter().filter_map(|node| node.load.as_ref());
        let (deliveries, delivery_slots) = works.clone().fold((0, 0), |(busy, slots), load| {
            (busy + u64::from(load.deliveries), slots + u64::from(load.delivery_slots))
        });
        let there = works.clone().count();
        NodesView {
            words: pieces(&now.words),
            warnings: now.warnings.clone(),
            there,
            missing: now.nodes.len() - there,
            in_flight: works.map(|load| u64::from(load.in_flight)).sum(),
            deliveries,
            delivery_slots,
            extra: now.extra_requests.map(|extra| (short_count(extra), now.budget_left.unwrap_or_default())),
            policy: now.policy.clone(),
            nodes: now.nodes.iter().map(NodeView::new).collect(),
        }
    }
}

/// Text with what stands between backticks apart.
fn pieces(words: &str) -> Vec<(bool, String)> {
    let pieces = words.split('`').zip([false, true].into_iter().cycle());
    pieces.filter(|(text, _)| !text.is_empty()).map(|(text, is_code)| (is_code, text.to_owned())).collect()
}

impl NodeView {
    fn new(node: &NodeStanding) -> NodeView {
        NodeView {
            name: node.number.map_or_else(|| "Not there".to_owned(), |number| format!("Node {number}")),
            address: node.address.clone(),
            version: node.version.clone(),
            state: state(&node.state),
            is_me: node.is_me,
            has_chores: node.has_chores,
            age: node.age_s.map(|age_s| span(Duration::from_secs(age_s))),
            last_beat: beat(node),
            shards: node.shards,
            full: node
                .load
                .as_ref()
                .map(|load| (percent(load.utilisation), percent(load.utilisation).min(100))),
            work: node.load.as_ref().map(|load| (load.in_flight, load.deliveries)),
            balance: node.balance.as_ref().map(BalanceView::new),
        }
    }
}

fn percent(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

fn beat(node: &NodeStanding) -> String {
    match node.last_beat_s {
        None => "never".to_owned(),
        Some(ago_s) if ago_s < 2.0 => "now".to_owned(),
        Some(ago_s) => format!("{} ago", span(Duration::from_secs_f64(ago_s.max(0.0)))),
    }
}

impl BalanceView {
    fn new(balance: &NodeBalance) -> BalanceView {
        let detail = match (balance.health.as_str(), balance.ejected_for_s) {
            ("ejected", Some(left_s)) => format!("for {left_s:.0} s more"),
            ("warming", _) => format!("at {} %", percent(balance.warm_up)),
            _ => String::new(),
        };
        BalanceView {
            health: health(&balance.health),
            detail,
            score: score(balance.score),
            in_flight: (balance.in_flight, balance.streams),
            latency: balance.latency_ms.map_or_else(|| "–".to_owned(), |ms| seconds(ms / 1000.0)),
            errors: format!("{} %", percent(balance.error_share)),
            utilisation: balance.utilisation.map_or_else(|| "–".to_owned(), |u| format!("{} %", percent(u))),
            share: (percent(balance.share), percent(balance.due_share)),
            requests: short_count(balance.requests),
            is_outlier: balance.is_outlier,
        }
    }
}

/// Scores are compared, so a few digits do.
fn score(score: f64) -> String {
    match score {
        score if score >= 10_000.0 => short_count(score as u64),
        score if score >= 100.0 => format!("{score:.0}"),
        score => format!("{score:.1}"),
    }
}

fn state(state: &str) -> StateView {
    let (look, label, meaning) = match state {
        "live" => ("well", "Live", "It works and gives signs of life."),
        "draining" => ("trying", "Draining", "It finishes what it has and takes nothing new."),
        "unsure" => ("trying", "Unsure", "Its row is there; whether it lives is known in a few seconds."),
        "unknown" => ("dormant", "Unknown", "It is listed by hand, and was never seen on this database."),
        _ => ("dead", "Away", "It stopped, or gives no signs of life; its work went to others."),
    };
    StateView { look, label, meaning }
}

fn health(health: &str) -> StateView {
    let (look, label, meaning) = match health {
        "healthy" => ("well", "Well", "It takes its part."),
        "warming" => ("trying", "Warming up", "It is young and gets less for half a minute."),
        "probation" => ("trying", "On probation", "It gets one request until it has answered."),
        "filtered" => ("open", "Left out", "It fails, or has too much to do, and others are asked."),
        "ejected" => ("open", "Ejected", "It failed again and again, and is not asked for a while."),
        _ => ("trying", "Draining", "It wants no new requests."),
    };
    StateView { look, label, meaning }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::roster::entities::NodeWork;

    #[test]
    fn what_is_to_be_typed_stands_apart() {
        let found = pieces("Put `store x` into it.");
        assert_eq!(found, [(false, "Put ".into()), (true, "store x".into()), (false, " into it.".into())]);
        assert_eq!(pieces("plain"), [(false, "plain".into())]);
    }

    #[test]
    fn a_node_is_shown_in_words() {
        let node = NodeStanding {
            number: Some(3),
            address: "192.0.2.3:7443".into(),
            version: "1".into(),
            state: "draining".into(),
            is_me: false,
            age_s: Some(7300),
            last_beat_s: Some(5.2),
            shards: 85,
            has_chores: true,
            load: Some(NodeWork { utilisation: 1.25, in_flight: 4, deliveries: 2, delivery_slots: 256 }),
            balance: None,
        };
        let view = NodeView::new(&node);
        assert_eq!((view.name.as_str(), view.state.label), ("Node 3", "Draining"));
        assert_eq!((view.age.as_deref(), view.last_beat.as_str()), (Some("2 hours"), "5 seconds ago"));
        assert_eq!((view.full, view.work), (Some((125, 100)), Some((4, 2))));
    }

    #[test]
    fn every_health_has_words_of_its_own() {
        let all = ["healthy", "warming", "probation", "filtered", "ejected", "draining"];
        let mut labels: Vec<&str> = all.iter().map(|word| health(word).label).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), all.len());
        for (value, text) in [(1.55, "1.6"), (150.4, "150"), (54_321.0, "54K")] {
            assert_eq!(score(value), text);
        }
    }
}
