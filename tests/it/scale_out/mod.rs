//! Several processes on one PostgreSQL: they share the work, tell each other
//! what happens, and take over from one that is gone.

mod node;
mod peer;
mod sight;

use std::collections::BTreeSet;
use std::time::Duration;

use waxwing::base::{Id, IdGenerator, Moment, NODE_MAX};
use waxwing::domain::delivery::{self, Delivery, Targets};
use waxwing::model::queue::{ActivityKind, Body, OrderKey};
use waxwing::store::{Postgres, Store, StoreError};

use crate::kit::place::postgres_server as postgres;
use crate::kit::{TestApp, settings};
use node::{Node, PATIENCE, Site};
use peer::Peers;

/// A post is heard of on other nodes within this, unless a node has just died.
const SOON: Duration = Duration::from_secs(10);
/// And then within this.
const AFTER_DEATH: Duration = Duration::from_secs(25);

/// Somebody with a token, made beside the nodes.
async fn person(app: &TestApp, name: &str) -> (Id, String) {
    let person = app.person(name).await;
    (person.id, person.token.clone())
}

/// Hands deliveries to the queue, one for each peer.
async fn deliver(store: &Store, ids: &IdGenerator, actor: Id, peers: &Peers, text: &str) {
    let now = waxwing::app::system::SystemClock::start();
    let now = waxwing::base::Clock::now(&now);
    let mut targets = Targets::new();
    peers.inboxes().iter().for_each(|inbox| targets.add(inbox, None));
    let body = Body::new(format!("{{\"type\":\"Create\",\"id\":\"{text}\"}}").into_bytes()).unwrap();
    let (kind, order) = (ActivityKind::Create, OrderKey::NONE);
    let delivery = Delivery { actor, kind, order, lane: None, body };
    let moment = Moment { now, ids: ids.reserve(now, 4) };
    let sent = store.write(move |tx| delivery::deliver(tx, &mut moment.clone(), &delivery, &targets));
    sent.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_the_work_and_take_over_from_one_another() {
    let server = postgres::Server::start(&[]);
    let url = server.empty();
    let site = Site::new(url.clone());
    let mut first = Node::start(&site, "a").await;
    // The store's tables are there now. This process only hands things over.
    let store = Store::new(Postgres::open(&url).unwrap());
    let beside = site.folder.path().join("beside");
    let app = TestApp::configured(settings(&site.settings(&beside, 1)), store.clone()).await;
    let (ana, token) = person(&app, "ana").await;
    let (second, third) = tokio::join!(Node::start(&site, "b"), Node::start(&site, "c"));

    // What is posted on one node is heard of on the others.
    let mut heard = second.listen(&token).await;
    let mut heard_too = third.listen(&token).await;
    first.post(&token, "seen everywhere").await;
    assert!(heard.hears("seen everywhere", SOON).await, "{}", second.said());
    assert!(heard_too.hears("seen everywhere", SOON).await, "{}", third.said());

    // However many post at once, no two get the same id.
    let mut ids = BTreeSet::new();
    for round in 0..5 {
        let text = format!("round {round}");
        let posted = tokio::join!(
            first.post(&token, &text),
            second.post(&token, &text),
            third.post(&token, &text),
            second.post(&token, &text),
        );
        for id in [posted.0, posted.1, posted.2, posted.3] {
            assert!(ids.insert(id), "twice");
        }
    }
    let path = format!("/api/v1/accounts/{ana}/statuses?limit=40");
    let (_, listed) = third.get(&path, &token).await.unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 21);

    // Deliveries go on when a node dies, each exactly once but for what it had under way.
    let peers = Peers::start(24).await;
    let command = IdGenerator::new(NODE_MAX);
    deliver(&store, &command, ana, &peers, "all-live").await;
    assert_eq!(peers.all_got("all-live", PATIENCE).await, 0, "{}", first.said());
    first.kill();
    deliver(&store, &command, ana, &peers, "one-dead").await;
    assert_eq!(peers.all_got("one-dead", AFTER_DEATH).await, 0, "{}", second.said());
    // A stream ends where a node died with news that it had not yet told;
    // clients connect again, and read what they missed.
    let mut heard_too = third.listen(&token).await;
    second.post(&token, "after a death").await;
    assert!(heard_too.hears("after a death", AFTER_DEATH).await, "{}", third.said());

    // A clean stop hands over at once, and the last one does it all.
    let took = second.stop().await;
    assert!(took < Duration::from_secs(15), "{took:?}");
    deliver(&store, &command, ana, &peers, "one-left").await;
    assert_eq!(peers.all_got("one-left", SOON).await, 0, "{}", third.said());
    let mut heard_too = third.listen(&token).await;
    third.post(&token, "the last one").await;
    assert!(heard_too.hears("the last one", SOON).await, "{}", third.said());
    assert!(peers.surplus() <= 24, "{} deliveries came twice", peers.surplus());
}
