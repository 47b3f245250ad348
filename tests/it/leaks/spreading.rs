//! Where posts go, and to whom they are addressed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use waxwing::model::Visibility;
use waxwing::model::queue::JobKind;
use waxwing::model::queue::tables::{ACT, INBOX, JOB};
use waxwing::queue::fan_out;
use waxwing::store::{Scan, StoreError};

use super::{SECRET, activity, as_actor, follows, found, path, secret};
use crate::api::{id, run_ready};
use crate::federation::peer::{PUBLIC, Peer, app, ours, post_at};
use crate::kit::TestApp;

/// Brings every post to its servers; gives each delivery's inbox and what is
/// delivered, which leaves the queue.
async fn delivered(app: &TestApp) -> Vec<(String, Value)> {
    let state = &app.state;
    let workshop = state.workshop();
    run_ready(app, &[(JobKind::FanOut, Box::new(fan_out::handler(workshop)))]).await;
    let rows = state.store.write(|tx| {
        let rows = tx.scan(JOB, Scan::all())?;
        let mut all = Vec::new();
        for (key, _) in rows.into_iter().filter(|(_, row)| row.kind == JobKind::Deliver) {
            let (act, inbox) = (tx.get(ACT, &key.act)?.unwrap(), tx.get(INBOX, &key.inbox)?.unwrap());
            tx.delete(JOB, &key);
            all.push((inbox.url, act.body.unpack().unwrap()));
        }
        Ok::<_, StoreError>(all)
    });
    let parsed = |body: &[u8]| serde_json::from_slice(body).unwrap_or(Value::Null);
    rows.await.unwrap().into_iter().map(|(inbox, body)| (inbox, parsed(&body))).collect()
}

/// Somebody elsewhere whose server has a shared inbox.
fn sharing(peer: &Peer, name: &str) -> String {
    peer.actor_with(name, |actor| actor["endpoints"] = json!({ "sharedInbox": peer.url("/inbox") }))
}

fn inboxes(all: &[(String, Value)]) -> BTreeSet<&str> {
    all.iter().map(|(inbox, _)| inbox.as_str()).collect()
}

#[tokio::test]
async fn case_90_ones_boost_of_a_private_post_goes_to_its_own_audience() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let (follower, stranger) = (sharing(&peer, "follower"), other.actor("stranger"));
    follows(&app, &peer, &follower, ana.id).await;
    found(&ana, &stranger).await;
    let post = id(&secret(&ana, "private").await);
    delivered(&app).await;
    let boost = ana
        .post(&format!("/api/v1/statuses/{post}/reblog"), json!({ "visibility": "public" }))
        .await
        .json(200);
    assert_eq!(boost["visibility"], "private");
    let sent = delivered(&app).await;
    assert_eq!(inboxes(&sent), BTreeSet::from([peer.url("/inbox").as_str()]));
    for (_, announce) in &sent {
        assert_eq!(announce["type"], "Announce");
        assert!(!announce.to_string().contains(PUBLIC), "{announce}");
    }
    eve.get(&format!("/api/v1/statuses/{}", id(&boost))).await.error(404, "Record not found");
    assert_eq!(as_actor(&app, &other, &stranger, &path(&boost["uri"])).await.status, 404);
    assert_eq!(as_actor(&app, &peer, &follower, &path(&boost["uri"])).await.status, 200);
    // Nobody else may boost it at all.
    eve.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.error(404, "Record not found");
}

#[tokio::test]
async fn case_90_a_boost_for_followers_is_known_to_them_alone() {
    let app = TestApp::start().await;
    let (ana, ben, eve) = (app.person("ana").await, app.person("ben").await, app.person("eve").await);
    let post = id(&crate::api::post(&ana, "hello").await);
    ben.post(&format!("/api/v1/statuses/{post}/reblog"), json!({ "visibility": "private" })).await.json(200);
    let who = format!("/api/v1/statuses/{post}/reblogged_by");
    assert_eq!(eve.get(&who).await.json(200), json!([]));
    assert_eq!(app.get(&who).await.json(200), json!([]));
    assert_eq!(id(&ben.get(&who).await.json(200)[0]), ben.id.to_string());
    eve.post(&format!("/api/v1/accounts/{}/follow", ben.id), json!({})).await.json(200);
    assert_eq!(id(&eve.get(&who).await.json(200)[0]), ben.id.to_string());
}

/// Addresses of each audience of somebody's posts.
fn addressed(who: &str, visibility: &str, named: &str) -> (Value, Value) {
    let followers = format!("{who}/followers");
    match visibility {
        "public" => (json!([PUBLIC]), json!([followers, named])),
        "unlisted" => (json!([followers]), json!([PUBLIC, named])),
        "private" => (json!([followers]), json!([named])),
        _ => (json!([named]), json!([])),
    }
}

#[tokio::test]
async fn case_91_no_later_word_makes_an_audience_wider_or_narrower() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let (bo, me) = (peer.actor("bo"), ours(&app, ana.id));
    let kinds = ["public", "unlisted", "private", "direct"];
    for (n, kind) in kinds.into_iter().enumerate() {
        let mut note = peer.note(&bo, &format!("/n/{n}"), &format!("<p>first {n}</p>"));
        (note["to"], note["cc"]) = addressed(&bo, kind, &me);
        note["tag"] = json!([{ "type": "Mention", "href": me, "name": "@ana@social.example" }]);
        peer.deliver(&app, &bo, &activity(&peer, &format!("/c/{n}"), "Create", &bo, note.clone())).await;
        let before = post_at(&app, &peer.url(&format!("/n/{n}"))).await.unwrap();
        for (m, other) in kinds.into_iter().enumerate() {
            (note["to"], note["cc"]) = addressed(&bo, other, &me);
            note["content"] = json!(format!("<p>changed {m}</p>"));
            note["updated"] = json!(format!("2025-11-24T16:00:0{}Z", m + 1));
            let update = activity(&peer, &format!("/u/{n}-{m}"), "Update", &bo, note.clone());
            peer.deliver(&app, &bo, &update).await;
            let after = post_at(&app, &peer.url(&format!("/n/{n}"))).await.unwrap();
            assert_eq!(after.visibility, before.visibility, "{kind} to {other}");
            assert!(after.content_html.contains("changed"), "the rest is changed");
            let seen = eve.get(&format!("/api/v1/statuses/{}", after.id)).await.status;
            assert_eq!(seen == 200, before.visibility.is_open(), "{kind} to {other}");
        }
    }
    // Neither does an edit here.
    for kind in kinds {
        let post = id(&crate::api::post_to(&ana, "hello", kind).await);
        let edit =
            json!({ "status": "changed", "visibility": if kind == "public" { "direct" } else { "public" } });
        let edited = ana.put(&format!("/api/v1/statuses/{post}"), edit).await.json(200);
        assert_eq!(edited["visibility"], kind);
    }
}

#[tokio::test]
async fn case_95_a_direct_post_goes_to_those_it_names_and_to_nobody_elses_server() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let ana = app.person("ana").await;
    let (bo, far) = (sharing(&peer, "bo"), sharing(&other, "far"));
    for (server, actor) in [(&peer, &bo), (&other, &far)] {
        follows(&app, server, actor, ana.id).await;
        found(&ana, actor).await;
    }
    delivered(&app).await;
    let host = peer.origin.trim_start_matches("http://");
    let handle = found(&ana, &bo).await;
    let acct = ana.get(&format!("/api/v1/accounts/{handle}")).await.json(200)["acct"].clone();
    assert!(acct.as_str().unwrap().starts_with("bo@"), "{acct} of {host}");
    let text = format!("@{} {SECRET}", acct.as_str().unwrap());
    let post = crate::api::post_to(&ana, &text, "direct").await;
    assert_eq!(post["mentions"].as_array().unwrap().len(), 1, "{post}");
    let sent = delivered(&app).await;
    assert_eq!(inboxes(&sent), BTreeSet::from([format!("{bo}/inbox").as_str()]), "not the shared inbox");
    for (_, create) in &sent {
        for object in [create, &create["object"]] {
            assert_eq!(object["to"], json!([bo]));
            assert_eq!(object["cc"].as_array().map_or(0, Vec::len), 0);
            assert!(object.get("bto").is_none() && object.get("bcc").is_none());
        }
    }
    ana.delete(&format!("/api/v1/statuses/{}", id(&post))).await.json(200);
    let sent = delivered(&app).await;
    assert_eq!(inboxes(&sent), BTreeSet::from([format!("{bo}/inbox").as_str()]), "its end goes the same way");
}

#[tokio::test]
async fn case_95_blind_addressees_are_not_told_to_others() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let bo = peer.actor("bo");
    let mut note = peer.note(&bo, "/n/1", "<p>psst</p>");
    note["to"] = json!([ours(&app, ana.id)]);
    note["cc"] = json!([]);
    note["bto"] = json!([ours(&app, ben.id)]);
    note["bcc"] = json!([peer.url("/users/hidden")]);
    note["tag"] = json!([{ "type": "Mention", "href": ours(&app, ana.id), "name": "@ana" }]);
    peer.deliver(&app, &bo, &activity(&peer, "/c/1", "Create", &bo, note)).await;
    let post = post_at(&app, &peer.url("/n/1")).await.unwrap();
    assert_eq!(post.visibility, Visibility::Direct);
    let shown = ana.get(&format!("/api/v1/statuses/{}", post.id)).await.text();
    assert!(!shown.contains("ben") && !shown.contains("users/hidden"), "{shown}");
}

/// An edit goes to those who have a copy, if they may still read it.
#[tokio::test]
async fn case_95_an_edit_does_not_follow_those_who_read_no_more() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let ana = app.person("ana").await;
    let (bo, far) = (peer.actor("bo"), other.actor("far"));
    follows(&app, &peer, &bo, ana.id).await;
    follows(&app, &other, &far, ana.id).await;
    let post = secret(&ana, "private").await;
    let uri = post["uri"].clone();
    peer.deliver(&app, &bo, &activity(&peer, "/l/1", "Like", &bo, uri.clone())).await;
    other.deliver(&app, &far, &activity(&other, "/l/1", "Like", &far, uri)).await;
    delivered(&app).await;
    let gone = found(&ana, &bo).await;
    ana.post(&format!("/api/v1/accounts/{gone}/remove_from_followers"), json!({})).await.json(200);
    delivered(&app).await;
    ana.put(&format!("/api/v1/statuses/{}", id(&post)), json!({ "status": "moved to the oak" }))
        .await
        .json(200);
    let sent = delivered(&app).await;
    let updates: Vec<_> = sent.iter().filter(|(_, said)| said["type"] == "Update").cloned().collect();
    assert_eq!(inboxes(&updates), BTreeSet::from([format!("{far}/inbox").as_str()]));
}

#[tokio::test]
async fn case_97_a_server_learns_of_its_own_followers_only() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let (bo, far) = (peer.actor("bo"), other.actor("far"));
    follows(&app, &peer, &bo, ana.id).await;
    follows(&app, &other, &far, ana.id).await;
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let collection = format!("{}?page=true", path(&json!(format!("{}/followers", ours(&app, ana.id)))));
    for (server, actor) in [(&peer, &bo), (&other, &far)] {
        let page = as_actor(&app, server, actor, &collection).await.json(200);
        assert_eq!(page["orderedItems"], json!([actor]));
    }
    let eve = peer.actor("eve");
    let page = as_actor(&app, &peer, &eve, &collection).await.json(200);
    assert_eq!(page["orderedItems"], json!([bo]), "anybody of that server asks for it");
}
