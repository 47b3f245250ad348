//! What those who run several nodes see and do at one of them concerns all.

use std::time::{Duration, Instant};

use serde_json::Value;
use waxwing::base::{IdGenerator, NODE_MAX};
use waxwing::model::Role;
use waxwing::model::queue::DestinationId;
use waxwing::queue::Action;
use waxwing::store::{Postgres, Store};

use super::node::{Node, PATIENCE, Site};
use super::peer::Peers;
use super::{SOON, deliver, postgres};
use crate::kit::{TestApp, settings};

/// Asks until the answer is as it should be.
async fn until(node: &Node, path: &str, token: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let (status, answer) = node.get(path, token).await.expect("it answers");
        assert_eq!(status, 200, "{answer}");
        if is_right(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{path} stays {answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn sum(history: &Value) -> u64 {
    let stretches = history["stretches"].as_array().into_iter().flatten();
    stretches.filter_map(|stretch| stretch["delivered"].as_u64()).sum()
}

fn states(nodes: &Value) -> Vec<(u64, &str)> {
    let nodes = nodes["nodes"].as_array().into_iter().flatten();
    nodes.filter_map(|node| Some((node["number"].as_u64()?, node["state"].as_str()?))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_tells_of_all_and_steers_all() {
    let server = postgres::Server::start(&[]);
    let url = server.empty();
    let site = Site::new(url.clone());
    let first = Node::start(&site, "a").await;
    let store = Store::new(Postgres::open(&url).unwrap());
    let beside = site.folder.path().join("beside");
    let app = TestApp::configured(settings(&site.settings(&beside, 1)), store.clone()).await;
    let boss = app.person_with("boss", Role::Admin, "read write admin:read admin:write").await;
    let (actor, token) = (boss.id, boss.token.clone());
    let mut second = Node::start(&site, "b").await;

    // Each is asked at its own door, and tells of both.
    for (node, number) in [(&first, 0), (&second, 1)] {
        let is_known = |nodes: &Value| {
            states(nodes) == [(0, "live"), (1, "live")]
                && nodes["nodes"].as_array().into_iter().flatten().all(|node| node["balance"].is_object())
        };
        let nodes = until(node, "/api/waxwing/v1/nodes", &token, is_known).await;
        assert_eq!((&nodes["answered_by"], &nodes["policy"]), (&number.into(), &"p2c".into()), "{nodes}");
        for one in nodes["nodes"].as_array().unwrap() {
            assert_eq!(one["is_me"], one["number"] == number, "{one}");
            assert_eq!(one["balance"]["due_share"], 0.5, "{one}");
        }
    }

    // What the queues did is added up, whoever is asked.
    let peers = Peers::start(24).await;
    let command = IdGenerator::new(NODE_MAX);
    deliver(&store, &command, actor, &peers, "one").await;
    assert_eq!(peers.all_got("one", PATIENCE).await, 0, "{}", first.said());
    for node in [&first, &second] {
        until(node, "/api/waxwing/v1/deliveries/history?step=600", &token, |history| sum(history) == 24)
            .await;
        let both =
            |queue: &Value| queue["slots"] == 512 && queue["nodes"].as_array().map(Vec::len) == Some(2);
        until(node, "/api/waxwing/v1/deliveries", &token, both).await;
    }

    // Who steers need not be the one that sends: this process is no node at all.
    let listed =
        until(&second, "/api/waxwing/v1/deliveries/destinations?class=remote", &token, |_| true).await;
    let of = |inbox: &str| {
        let all = listed["destinations"].as_array().unwrap();
        let one = all.iter().find(|one| inbox.contains(one["host"].as_str().unwrap())).unwrap();
        assert!(one["node"].is_u64(), "{one}");
        DestinationId(one["id"].as_str().unwrap().parse().unwrap())
    };
    let held = of(&peers.inboxes()[3]);
    app.state.desk().act(held, Action::Pause).await.unwrap().unwrap();
    deliver(&store, &command, actor, &peers, "two").await;
    assert_eq!(peers.all_got("two", Duration::from_secs(8)).await, 1, "all but the one that is held");
    assert!(!peers.has(3, "two"));
    app.state.desk().act(held, Action::Resume).await.unwrap().unwrap();
    assert_eq!(peers.all_got("two", SOON).await, 0, "{}", first.said());

    // One that dies is seen to be away, and its destinations are another one's.
    second.kill();
    let is_away = |nodes: &Value| states(nodes) == [(0, "live"), (1, "away")];
    until(&first, "/api/waxwing/v1/nodes", &token, is_away).await;
    until(&first, "/api/waxwing/v1/deliveries", &token, |queue| queue["slots"] == 256).await;
    until(&first, "/api/waxwing/v1/deliveries/history?step=600", &token, |history| sum(history) == 48).await;
}
