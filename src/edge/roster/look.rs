//! What is known of each node, put together. Pure.

use std::time::Duration;

use super::entities::{NodeBalance, NodeStanding, NodeWork, Nodes};
use super::judge::{Candidate, Verdict, Why, judge};
use super::share::Sent;
use crate::base::Timestamp;
use crate::cluster::{CHORES, Life, Outlook, Peer, Seen};
use crate::edge::front::FrontView;
use crate::model::{NodeLoad, NodeState};
use crate::proxy::UpstreamView;

/// One that left is shown for so long.
const AWAY_SHOWN: Duration = Duration::from_secs(24 * 3600);
/// A sign of life is given every second; after so long something is odd.
const SILENT: Duration = Duration::from_secs(3);

/// Everything that is looked at.
pub(super) struct Scene<'a> {
    pub(super) outlook: &'a Outlook,
    /// Those whom requests are passed on to.
    pub(super) listed: &'a [Peer],
    pub(super) front: Option<&'a FrontView>,
    /// Requests sent to each lately.
    pub(super) sent: &'a [Sent],
    /// Nothing of the store outlives the process.
    pub(super) is_in_memory: bool,
    pub(super) me: Me,
    pub(super) wall: Timestamp,
    /// By the monotonic clock.
    pub(super) now: Duration,
}

/// What a process knows of itself.
pub(super) struct Me {
    pub(super) address: String,
    pub(super) load: NodeLoad,
    pub(super) age: Duration,
    pub(super) is_shared: bool,
    pub(super) number: u8,
}

/// All nodes.
pub(super) fn nodes(scene: &Scene<'_>) -> Nodes {
    let mut nodes = standings(scene);
    let mut warnings = outlook_warnings(scene, &nodes);
    if let Some(front) = scene.front {
        warnings.extend(balance(scene, front, &mut nodes));
    }
    Nodes {
        is_shared: scene.me.is_shared,
        answered_by: scene.me.number,
        words: words(scene, &nodes),
        warnings,
        policy: scene.front.map(|front| front.policy.name().to_owned()),
        extra_requests: scene.front.map(|front| front.extra_requests),
        budget_left: scene.front.map(|front| front.budget_left),
        nodes,
    }
}

fn standings(scene: &Scene<'_>) -> Vec<NodeStanding> {
    if !scene.me.is_shared {
        return vec![only(&scene.me)];
    }
    let rows = &scene.outlook.nodes;
    let is_back =
        |seen: &Seen| rows.iter().any(|other| other.is_there() && other.row.address == seen.row.address);
    let is_shown = |seen: &&Seen| {
        let left = seen.row.beat_at;
        seen.is_there() || (scene.wall.since(left) < AWAY_SHOWN && !is_back(seen))
    };
    let known = rows.iter().filter(is_shown).map(|seen| standing(scene, seen));
    let unknown = scene.listed.iter().filter(|peer| peer.node.is_none()).map(|peer| NodeStanding {
        number: None,
        address: peer.address.clone(),
        version: String::new(),
        state: "unknown".to_owned(),
        is_me: peer.is_me,
        age_s: None,
        last_beat_s: None,
        shards: 0,
        has_chores: false,
        load: None,
        balance: None,
    });
    known.chain(unknown).collect()
}

/// A process that has its store for itself.
fn only(me: &Me) -> NodeStanding {
    NodeStanding {
        number: Some(me.number),
        address: me.address.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        state: "live".to_owned(),
        is_me: true,
        age_s: Some(me.age.as_secs()),
        last_beat_s: Some(0.0),
        shards: u32::from(crate::model::SHARDS),
        has_chores: true,
        load: Some(work(&me.load)),
        balance: None,
    }
}

fn standing(scene: &Scene<'_>, seen: &Seen) -> NodeStanding {
    let row = &seen.row;
    let is_there = seen.is_there();
    let silent =
        if is_there { scene.now.saturating_sub(seen.changed) } else { scene.wall.since(row.beat_at) };
    let chores = scene.outlook.holder(CHORES);
    NodeStanding {
        number: Some(seen.number),
        address: row.address.clone(),
        version: row.version.clone(),
        state: state(seen).to_owned(),
        is_me: seen.is_me,
        age_s: is_there.then(|| row.uptime_s + silent.as_secs()),
        last_beat_s: Some(silent.as_secs_f64()),
        shards: scene.outlook.shards_of(row.boot) as u32,
        has_chores: chores.is_some_and(|holder| holder.number == seen.number),
        load: match (seen.is_me, is_there) {
            (true, _) => Some(work(&scene.me.load)),
            (false, true) => Some(work(&row.load)),
            (false, false) => None,
        },
        balance: None,
    }
}

fn state(seen: &Seen) -> &'static str {
    match (seen.row.state, seen.life) {
        _ if !seen.is_there() => "away",
        (NodeState::Draining, _) => "draining",
        (_, Life::Unsure) if !seen.is_me => "unsure",
        _ => "live",
    }
}

fn work(load: &NodeLoad) -> NodeWork {
    NodeWork {
        utilisation: f64::from(load.utilisation_milli) / 1000.0,
        in_flight: load.in_flight,
        deliveries: load.deliveries,
        delivery_slots: load.delivery_slots,
    }
}

/// Gives each node what the balancer knows of it; says who gets too little.
fn balance(scene: &Scene<'_>, front: &FrontView, nodes: &mut [NodeStanding]) -> Vec<String> {
    let sent =
        |name: &str| scene.sent.iter().find(|(known, _)| &**known == name).map_or(0, |(_, sent)| *sent);
    let candidate = |(upstream, missed): (&UpstreamView, u32)| Candidate {
        sent: sent(&upstream.name),
        health: upstream.health,
        latency_ms: upstream.latency_us.map(|us| f64::from(us) / 1000.0),
        error_share: f64::from(upstream.error_share),
        missed,
    };
    let upstreams =
        || front.peers.iter().filter_map(|peer| peer.upstream.as_ref().map(|known| (known, peer.missed)));
    let verdicts = judge(&upstreams().map(candidate).collect::<Vec<_>>());
    let mut warnings = Vec::new();
    for ((upstream, _), verdict) in upstreams().zip(verdicts) {
        let holds = |node: &&mut NodeStanding| node.address == *upstream.name && node.state != "away";
        let Some(node) = nodes.iter_mut().find(holds) else { continue };
        node.balance = Some(balanced(upstream, &verdict));
        match verdict.why {
            None => {}
            Some(Why::Unreachable) => warnings.push(format!(
                "{} cannot be reached at {}: is the port open between the machines, and is its `node_address` \
                 right? The others do its work.",
                called(node),
                node.address
            )),
            Some(why) => warnings.push(format!(
                "{} gets {:.0} of 100 requests in place of {:.0}, because it {}. The others make up for it; \
                 something is wrong with that machine.",
                called(node),
                verdict.share * 100.0,
                verdict.due * 100.0,
                why.words()
            )),
        }
    }
    warnings
}

fn balanced(upstream: &UpstreamView, verdict: &Verdict) -> NodeBalance {
    NodeBalance {
        health: upstream.health.name().to_owned(),
        score: f64::from(upstream.score),
        in_flight: upstream.in_flight,
        streams: upstream.streams,
        latency_ms: upstream.latency_us.map(|us| f64::from(us) / 1000.0),
        error_share: f64::from(upstream.error_share),
        utilisation: upstream.utilisation.map(f64::from),
        reported_in_flight: upstream.reported_in_flight,
        warm_up: f64::from(upstream.warm_up),
        ejected_for_s: upstream.ejected_for_s.map(f64::from),
        share: verdict.share,
        due_share: verdict.due,
        requests: upstream.picks,
        failures: upstream.failures,
        is_outlier: verdict.why.is_some(),
        is_unreachable: verdict.why == Some(Why::Unreachable),
    }
}

fn called(node: &NodeStanding) -> String {
    node.number.map_or_else(|| node.address.clone(), |number| format!("Node {number}"))
}

/// What is odd beside the balancer.
fn outlook_warnings(scene: &Scene<'_>, nodes: &[NodeStanding]) -> Vec<String> {
    let mut warnings = Vec::new();
    let looked = scene.outlook.looked.map(|looked| scene.now.saturating_sub(looked));
    match looked.filter(|_| scene.me.is_shared) {
        Some(ago) if ago >= SILENT => warnings.push(format!(
            "The database has not answered for {} s; this is how the nodes were then.",
            ago.as_secs()
        )),
        _ => {
            let is_silent = |node: &&NodeStanding| {
                node.state == "live" && node.last_beat_s.is_some_and(|s| s >= SILENT.as_secs_f64())
            };
            let silent = nodes.iter().filter(is_silent);
            warnings.extend(silent.map(|node| {
                format!(
                    "{} has given no sign of life for {:.0} s.",
                    called(node),
                    node.last_beat_s.unwrap_or(0.0)
                )
            }));
        }
    }
    let mut versions: Vec<&str> =
        nodes.iter().filter(|node| node.load.is_some()).map(|node| node.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    if versions.len() > 1 {
        warnings.push(format!("The nodes are of different versions: {}.", versions.join(", ")));
    }
    warnings
}

/// What there is, and how to have more.
fn words(scene: &Scene<'_>, nodes: &[NodeStanding]) -> String {
    if !scene.me.is_shared {
        let place = if scene.is_in_memory { "in its memory" } else { "in a file of its own" };
        return format!(
            "This is the only node: it keeps its records {place}. To have more, move them into a PostgreSQL \
             database (`waxwing backup`, then `waxwing restore`) and put the line `store \
             postgres://USER:PASSWORD@HOST/NAME` into the configuration of each."
        );
    }
    let there = nodes.iter().filter(|node| node.load.is_some()).count();
    if there < 2 {
        return "This is the only node on its database. To have more, start the same program with the same \
                `store postgres://…` line on another machine; it joins by itself within two seconds."
            .to_owned();
    }
    let me = scene.me.number;
    match scene.front {
        Some(front) => format!(
            "{there} nodes share the work. Requests that come to node {me} are shared out by `{}`; scores, shares \
             and health are as node {me} sees them.",
            front.policy
        ),
        None => format!("{there} nodes share the work; this is how node {me} sees them."),
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
