use std::sync::Arc;

use super::*;
use crate::edge::front::PeerView;
use crate::model::{Holdings, Node};
use crate::proxy::{Health, Policy};

const WALL: Timestamp = Timestamp::from_secs(1_764_000_000);
const NOW: Duration = Duration::from_secs(500);

fn seen(number: u8, life: Life, state: NodeState) -> Seen {
    let load = NodeLoad { utilisation_milli: 250, in_flight: 7, ..NodeLoad::default() };
    let row = Node {
        boot: u64::from(number) + 1,
        state,
        address: format!("192.0.2.{number}:7443"),
        version: "1".into(),
        uptime_s: 60,
        load,
        beat_at: WALL.minus(Duration::from_secs(90)),
        ..Node::default()
    };
    Seen { number, row, life, changed: NOW - Duration::from_secs(1), is_me: number == 0 }
}

fn outlook(nodes: Vec<Seen>) -> Outlook {
    let mut held = Holdings::default();
    (0..256).for_each(|shard| held.give(shard, u64::from(shard % 2) + 1));
    Outlook { looked: Some(NOW), nodes: nodes.into(), held: Arc::new(held) }
}

fn upstream(number: u8, health: Health, latency_us: f32) -> UpstreamView {
    UpstreamView {
        name: format!("192.0.2.{number}:7443").into(),
        health,
        score: 1.5,
        in_flight: 2,
        streams: 1,
        uploads: 0,
        latency_us: Some(latency_us),
        error_share: 0.0,
        utilisation: Some(0.4),
        reported_in_flight: Some(9),
        age_s: 60.0,
        picks: 10_000,
        failures: 3,
        warm_up: 1.0,
        ejected_for_s: None,
    }
}

fn peer(node: Option<u8>, number: u8) -> Peer {
    Peer {
        node,
        boot: 0,
        address: format!("192.0.2.{number}:7443"),
        age: Duration::ZERO,
        is_draining: false,
        version: String::new(),
        load: NodeLoad::default(),
        is_me: number == 0,
    }
}

fn look(outlook: &Outlook, front: Option<&FrontView>, sent: &[Sent], is_shared: bool) -> Nodes {
    nodes(&Scene {
        outlook,
        listed: &[],
        front,
        sent,
        is_in_memory: false,
        me: Me {
            address: "waxwing.example".into(),
            load: NodeLoad { in_flight: 3, ..NodeLoad::default() },
            age: Duration::from_secs(61),
            is_shared,
            number: 0,
        },
        wall: WALL,
        now: NOW,
    })
}

#[test]
fn who_is_alone_is_told_which_line_to_add() {
    let alone = look(&Outlook::default(), None, &[], false);
    assert!(
        alone.words.contains("only node") && alone.words.contains("`store postgres://"),
        "{}",
        alone.words
    );
    assert_eq!((alone.nodes.len(), alone.warnings.len()), (1, 0));
    let me = &alone.nodes[0];
    assert_eq!((me.state.as_str(), me.age_s, me.shards), ("live", Some(61), 256));
    assert_eq!(me.load.as_ref().map(|load| load.in_flight), Some(3));
    let first = look(&outlook(vec![seen(0, Life::Alive, NodeState::Running)]), None, &[], true);
    assert!(first.words.contains("another machine"), "{}", first.words);
}

#[test]
fn each_node_has_its_state() {
    let mut old = seen(4, Life::Gone, NodeState::Gone);
    old.row.beat_at = WALL.minus(Duration::from_secs(25 * 3600));
    let mut moved = seen(5, Life::Gone, NodeState::Gone);
    moved.row.address = "192.0.2.1:7443".into();
    let nodes = vec![
        seen(0, Life::Unsure, NodeState::Running),
        seen(1, Life::Alive, NodeState::Running),
        seen(2, Life::Alive, NodeState::Draining),
        seen(3, Life::Gone, NodeState::Gone),
        old,
        moved,
        seen(6, Life::Unsure, NodeState::Running),
        seen(7, Life::Dead, NodeState::Running),
    ];
    let found = look(&outlook(nodes), None, &[], true);
    let states: Vec<_> = found.nodes.iter().map(|node| (node.number.unwrap(), node.state.as_str())).collect();
    assert_eq!(
        states,
        [(0, "live"), (1, "live"), (2, "draining"), (3, "away"), (6, "unsure"), (7, "away")],
        "who left long ago, or is back at the same address, is not shown"
    );
    let one = |number: u8| found.nodes.iter().find(|node| node.number == Some(number)).unwrap();
    assert_eq!((one(1).age_s, one(1).last_beat_s, one(1).shards), (Some(61), Some(1.0), 128));
    assert_eq!((one(3).age_s, one(3).last_beat_s, one(3).load.is_none()), (None, Some(90.0), true));
    assert!(one(0).has_chores && !one(1).has_chores);
    assert_eq!(one(1).load.as_ref().map(|load| (load.utilisation, load.in_flight)), Some((0.25, 7)));
}

#[test]
fn a_machine_that_cannot_be_reached_is_told_of_at_once() {
    let peers = [0, 10].into_iter().zip(0..).map(|(missed, number)| PeerView {
        peer: peer(Some(number), number),
        upstream: Some(upstream(number, Health::Probation, 20_000.0)),
        missed,
    });
    let peers = peers.collect();
    let front = FrontView { policy: Policy::P2c, requests: 5, extra_requests: 0, budget_left: 10, peers };
    let both = vec![seen(0, Life::Alive, NodeState::Running), seen(1, Life::Alive, NodeState::Running)];
    let found = look(&outlook(both), Some(&front), &[], true);
    let [warning] = found.warnings.as_slice() else { panic!("{:?}", found.warnings) };
    assert!(warning.starts_with("Node 1 cannot be reached at 192.0.2.1:7443"), "{warning}");
    assert!(found.nodes[1].balance.as_ref().unwrap().is_unreachable);
}

#[test]
fn a_slow_machine_that_gets_little_is_told_of() {
    let peers = [20_000.0, 90_000.0].into_iter().zip(0..).map(|(latency_us, number)| PeerView {
        peer: peer(Some(number), number),
        upstream: Some(upstream(number, Health::Healthy, latency_us)),
        missed: 0,
    });
    let peers = peers.collect();
    let front = FrontView { policy: Policy::P2c, requests: 1000, extra_requests: 4, budget_left: 10, peers };
    let sent = [("192.0.2.0:7443".into(), 950), ("192.0.2.1:7443".into(), 50)];
    let both = vec![seen(0, Life::Alive, NodeState::Running), seen(1, Life::Alive, NodeState::Running)];
    let found = look(&outlook(both), Some(&front), &sent, true);
    let [warning] = found.warnings.as_slice() else { panic!("{:?}", found.warnings) };
    assert!(
        warning
            .starts_with("Node 1 gets 5 of 100 requests in place of 50, because it answers 4.5 times slower")
    );
    let balance = found.nodes[1].balance.as_ref().unwrap();
    assert_eq!((balance.share, balance.due_share, balance.is_outlier), (0.05, 0.5, true));
    assert_eq!((balance.latency_ms, balance.health.as_str()), (Some(90.0), "healthy"));
    assert_eq!((found.policy.as_deref(), found.extra_requests), (Some("p2c"), Some(4)));
}

#[test]
fn silence_and_mixed_versions_are_told_of() {
    let mut silent = seen(1, Life::Alive, NodeState::Running);
    silent.changed = NOW - Duration::from_secs(5);
    silent.row.version = "2".into();
    let mut both = outlook(vec![seen(0, Life::Alive, NodeState::Running), silent]);
    let found = look(&both, None, &[], true);
    assert_eq!(
        found.warnings,
        ["Node 1 has given no sign of life for 5 s.", "The nodes are of different versions: 1, 2."]
    );
    both.looked = Some(NOW - Duration::from_secs(30));
    let found = look(&both, None, &[], true);
    assert_eq!(found.warnings[0], "The database has not answered for 30 s; this is how the nodes were then.");
}

#[test]
fn peers_listed_by_hand_are_shown_before_they_come() {
    let both = outlook(vec![seen(0, Life::Alive, NodeState::Running)]);
    let mut scene = Scene {
        outlook: &both,
        listed: &[],
        front: None,
        sent: &[],
        is_in_memory: false,
        me: Me {
            address: String::new(),
            load: NodeLoad::default(),
            age: Duration::ZERO,
            is_shared: true,
            number: 0,
        },
        wall: WALL,
        now: NOW,
    };
    let listed = [peer(None, 9)];
    scene.listed = &listed;
    let found = nodes(&scene);
    assert_eq!((found.nodes[1].number, found.nodes[1].state.as_str()), (None, "unknown"));
}
