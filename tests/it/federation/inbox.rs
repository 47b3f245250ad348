//! What activities do, and what they may not.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use waxwing::model::Visibility;

use super::peer::{PUBLIC, Peer, account_at, app, ours, post_at, work};
use crate::kit::{Person, TestApp};

fn activity(peer: &Peer, path: &str, kind: &str, actor: &str, object: impl Into<Value>) -> Value {
    json!({
        "id": peer.url(path), "type": kind, "actor": actor, "object": object.into(),
        "to": [PUBLIC], "cc": [format!("{actor}/followers")],
    })
}

/// Ana, who follows bo, who is elsewhere.
async fn ana_follows<'a>(app: &'a TestApp, peer: &Peer, bo: &str) -> Person<'a> {
    let ana = app.person("ana").await;
    let found = ana.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    let id = found["accounts"][0]["id"].as_str().unwrap().to_owned();
    ana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.json(200);
    let accept = activity(
        peer,
        "/accepts/1",
        "Accept",
        bo,
        json!({
            "type": "Follow", "actor": ours(app, ana.id), "object": bo,
        }),
    );
    peer.deliver(app, bo, &accept).await;
    let relation = ana.get(&format!("/api/v1/accounts/relationships?id[]={id}")).await.json(200);
    assert_eq!(relation[0]["following"], true);
    ana
}

async fn post(ana: &Person<'_>, text: &str) -> (String, String) {
    let made = ana.post("/api/v1/statuses", json!({ "status": text })).await.json(200);
    (made["id"].as_str().unwrap().to_owned(), made["uri"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn requests_that_are_no_activities_get_the_right_status() {
    let app = TestApp::start().await;
    let check = async |content_type: &str, body: Vec<u8>, status: u16| {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/inbox")
            .header("host", "social.example")
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(app.send(request).await.status, status);
    };
    let json = "application/activity+json";
    check("text/plain", b"{}".to_vec(), 415).await;
    check("application/json", b"{}".to_vec(), 415).await;
    check(json, b"{}".to_vec(), 400).await;
    check(json, b"{".to_vec(), 400).await;
    check(json, vec![b'['; 100_000], 400).await;
    check(json, b"\"\xff\"".to_vec(), 400).await;
    check(json, vec![b' '; 1024 * 1024 + 1], 413).await;
    check(
        json,
        br#"{"type":"Like","actor":"https://x.example/u","object":"https://y.example/1"}"#.to_vec(),
        401,
    )
    .await;
    check(
        json,
        br#"{"type":"Delete","actor":"https://x.example/u","object":"https://x.example/u"}"#.to_vec(),
        202,
    )
    .await;
    let answer = app.send(Request::builder().uri("/inbox").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 405);
    let nobody =
        Request::builder().method(Method::POST).uri("/ap/users/1/inbox").body(Body::empty()).unwrap();
    assert_eq!(app.send(nobody).await.status, 404);
}

#[tokio::test]
async fn a_follow_is_accepted_once_and_taken_back() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let follow = activity(&peer, "/f/1", "Follow", &bo, ours(&app, ana.id));
    peer.deliver(&app, &bo, &follow).await;
    // The same again is known, and does nothing.
    assert_eq!(peer.send(&app, &bo, &follow).await.status, 202);
    assert_eq!(work(&app).await, 0);
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["followers_count"], 1);
    let told = ana.get("/api/v1/notifications").await.json(200);
    assert_eq!(told[0]["type"], "follow");
    peer.deliver(&app, &bo, &activity(&peer, "/u/1", "Undo", &bo, follow.clone())).await;
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["followers_count"], 0);
}

#[tokio::test]
async fn an_undo_before_its_follow_keeps_it_away() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let follow = activity(&peer, "/f/1", "Follow", &bo, ours(&app, ana.id));
    peer.deliver(&app, &bo, &activity(&peer, "/u/1", "Undo", &bo, follow.clone())).await;
    peer.deliver(&app, &bo, &follow).await;
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["followers_count"], 0);
}

#[tokio::test]
async fn nobody_takes_back_or_answers_for_another() {
    let (app, peer) = (app().await, Peer::start().await);
    let (bo, eve) = (peer.actor("bo"), peer.actor("eve"));
    let ana = app.person("ana").await;
    let follow = activity(&peer, "/f/1", "Follow", &bo, ours(&app, ana.id));
    peer.deliver(&app, &bo, &follow).await;
    peer.deliver(&app, &eve, &activity(&peer, "/u/1", "Undo", &eve, follow.clone())).await;
    peer.deliver(&app, &eve, &activity(&peer, "/u/2", "Undo", &eve, peer.url("/f/1"))).await;
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["followers_count"], 1);
    // A follow of bo is not eve's to accept.
    let found = ana.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    let id = found["accounts"][0]["id"].as_str().unwrap().to_owned();
    ana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.json(200);
    let theirs = json!({ "type": "Follow", "actor": ours(&app, ana.id), "object": bo });
    peer.deliver(&app, &eve, &activity(&peer, "/a/1", "Accept", &eve, theirs)).await;
    let relation = ana.get(&format!("/api/v1/accounts/relationships?id[]={id}")).await.json(200);
    assert_eq!((&relation[0]["following"], &relation[0]["requested"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_post_of_somebody_followed_is_shown_clean_changed_and_deleted() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let ana = ana_follows(&app, &peer, &bo).await;
    let mut note = peer.note(&bo, "/n/1", "<p>hi <b>you</b><script>x</script></p>");
    note["tag"] = json!([{ "type": "Hashtag", "name": "#Birds" }]);
    peer.deliver(&app, &bo, &activity(&peer, "/c/1", "Create", &bo, note.clone())).await;
    let kept = post_at(&app, &peer.url("/n/1")).await.unwrap();
    assert_eq!(kept.content_html, "<p>hi <b>you</b></p>");
    assert_eq!((kept.visibility, kept.tags.clone()), (Visibility::Public, vec!["Birds".to_owned()]));
    note["content"] = json!("<p>changed</p>");
    note["updated"] = json!("2025-11-24T16:00:05Z");
    note["to"] = json!([bo]);
    peer.deliver(&app, &bo, &activity(&peer, "/up/1", "Update", &bo, note.clone())).await;
    let shown = ana.get(&format!("/api/v1/statuses/{}", kept.id)).await.json(200);
    assert_eq!((&shown["content"], &shown["visibility"]), (&json!("<p>changed</p>"), &json!("public")));
    assert!(shown["edited_at"].is_string());
    // Others on the same host may neither change nor delete it.
    let eve = peer.actor("eve");
    note["content"] = json!("<p>forged</p>");
    peer.deliver(&app, &eve, &activity(&peer, "/up/2", "Update", &eve, note.clone())).await;
    peer.deliver(&app, &eve, &activity(&peer, "/d/1", "Delete", &eve, peer.url("/n/1"))).await;
    assert_eq!(post_at(&app, &peer.url("/n/1")).await.unwrap().content_html, "<p>changed</p>");
    peer.deliver(&app, &bo, &activity(&peer, "/d/2", "Delete", &bo, peer.url("/n/1"))).await;
    assert_eq!(ana.get(&format!("/api/v1/statuses/{}", kept.id)).await.status, 404);
    // A late copy stays away.
    peer.deliver(&app, &bo, &activity(&peer, "/c/2", "Create", &bo, note)).await;
    assert!(post_at(&app, &peer.url("/n/1")).await.is_none());
}

#[tokio::test]
async fn posts_that_concern_nobody_here_are_dropped() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let _ana = app.person("ana").await;
    let note = peer.note(&bo, "/n/1", "hello");
    peer.deliver(&app, &bo, &activity(&peer, "/c/1", "Create", &bo, note)).await;
    assert!(post_at(&app, &peer.url("/n/1")).await.is_none());
}

#[tokio::test]
async fn a_mention_is_told_and_a_private_one_stays_private() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let (ana, cleo) = (app.person("ana").await, app.person("cleo").await);
    let mut note = peer.note(&bo, "/n/1", "psst");
    note["to"] = json!([ours(&app, ana.id)]);
    note["cc"] = json!([]);
    note["tag"] = json!([{ "type": "Mention", "href": ours(&app, ana.id), "name": "@ana@social.example" }]);
    peer.deliver(&app, &bo, &activity(&peer, "/c/1", "Create", &bo, note)).await;
    // What strangers say in private waits with the requests.
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
    let told = ana.get("/api/v1/notifications?include_filtered=true").await.json(200);
    assert_eq!((&told[0]["type"], &told[0]["status"]["visibility"]), (&json!("mention"), &json!("direct")));
    let id = told[0]["status"]["id"].as_str().unwrap();
    assert_eq!(cleo.get(&format!("/api/v1/statuses/{id}")).await.status, 404);
}

#[tokio::test]
async fn answers_likes_and_boosts_of_our_posts_count_once() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let (id, uri) = post(&ana, "hello").await;
    let mut answer = peer.note(&bo, "/n/1", "an answer");
    answer["inReplyTo"] = json!(uri);
    let like = activity(&peer, "/l/1", "Like", &bo, uri.clone());
    let boost = activity(&peer, "/b/1", "Announce", &bo, uri.clone());
    for (n, one) in
        [activity(&peer, "/c/1", "Create", &bo, answer), like.clone(), boost.clone()].iter().enumerate()
    {
        peer.deliver(&app, &bo, one).await;
        let mut again = one.clone();
        again["id"] = json!(peer.url(&format!("/again/{n}")));
        peer.deliver(&app, &bo, &again).await;
    }
    let shown = ana.get(&format!("/api/v1/statuses/{id}")).await.json(200);
    let counts = [&shown["replies_count"], &shown["favourites_count"], &shown["reblogs_count"]];
    assert_eq!(counts, [&json!(1), &json!(1), &json!(1)]);
    peer.deliver(&app, &bo, &activity(&peer, "/u/1", "Undo", &bo, like)).await;
    peer.deliver(&app, &bo, &activity(&peer, "/u/2", "Undo", &bo, boost)).await;
    let shown = ana.get(&format!("/api/v1/statuses/{id}")).await.json(200);
    assert_eq!([&shown["favourites_count"], &shown["reblogs_count"]], [&json!(0), &json!(0)]);
}

#[tokio::test]
async fn what_one_may_not_see_one_cannot_like_or_boost() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let made =
        ana.post("/api/v1/statuses", json!({ "status": "quiet", "visibility": "private" })).await.json(200);
    let (id, uri) = (made["id"].as_str().unwrap(), made["uri"].as_str().unwrap());
    peer.deliver(&app, &bo, &activity(&peer, "/l/1", "Like", &bo, uri)).await;
    peer.deliver(&app, &bo, &activity(&peer, "/b/1", "Announce", &bo, uri)).await;
    let shown = ana.get(&format!("/api/v1/statuses/{id}")).await.json(200);
    assert_eq!([&shown["favourites_count"], &shown["reblogs_count"]], [&json!(0), &json!(0)]);
}

#[tokio::test]
async fn a_block_ends_follows_both_ways() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let ana = ana_follows(&app, &peer, &bo).await;
    peer.deliver(&app, &bo, &activity(&peer, "/f/1", "Follow", &bo, ours(&app, ana.id))).await;
    peer.deliver(&app, &bo, &activity(&peer, "/bl/1", "Block", &bo, ours(&app, ana.id))).await;
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!([&me["followers_count"], &me["following_count"]], [&json!(0), &json!(0)]);
}

#[tokio::test]
async fn a_deleted_account_takes_everything_with_it() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let ana = ana_follows(&app, &peer, &bo).await;
    for n in 0..3 {
        let note = peer.note(&bo, &format!("/n/{n}"), "hello");
        peer.deliver(&app, &bo, &activity(&peer, &format!("/c/{n}"), "Create", &bo, note)).await;
    }
    // Its own host does not have it any more; what we know verifies it.
    peer.remove(&bo);
    peer.deliver(&app, &bo, &activity(&peer, "/d/1", "Delete", &bo, bo.clone())).await;
    assert!(account_at(&app, &bo).await.unwrap().deleted_at.is_some());
    assert!(post_at(&app, &peer.url("/n/1")).await.is_none());
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["following_count"], 0);
}

#[tokio::test]
async fn an_update_of_an_actor_is_read_from_its_own_server() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    ana_follows(&app, &peer, &bo).await;
    peer.actor_with("bo", |actor| actor["name"] = json!("Bo the Second"));
    let lie = json!({ "id": bo, "type": "Person", "name": "what the message says", "inbox": peer.url("/x") });
    peer.deliver(&app, &bo, &activity(&peer, "/up/1", "Update", &bo, lie)).await;
    assert_eq!(account_at(&app, &bo).await.unwrap().display_name, "Bo the Second");
}

#[tokio::test]
async fn activities_of_unknown_kinds_are_taken_without_effect() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let ana = app.person("ana").await;
    for (n, kind) in ["Move", "Flag", "Add", "View", "Sing"].into_iter().enumerate() {
        peer.deliver(&app, &bo, &activity(&peer, &format!("/x/{n}"), kind, &bo, ours(&app, ana.id))).await;
    }
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn nobody_digs_graves_for_others() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (bo, eve, far) = (peer.actor("bo"), peer.actor("eve"), other.actor("far"));
    let ana = ana_follows(&app, &peer, &bo).await;
    let (_, ours) = post(&ana, "hello").await;
    // What does not exist yet, or is somebody else's, is not theirs to undo or delete.
    for (n, target) in [ours.clone(), peer.url("/n/1"), peer.url("/n/2")].into_iter().enumerate() {
        let undo = activity(&other, &format!("/u/{n}"), "Undo", &far, target.clone());
        other.deliver(&app, &far, &undo).await;
        let undo = activity(&peer, &format!("/u/{n}"), "Undo", &eve, target.clone());
        peer.deliver(&app, &eve, &undo).await;
        peer.deliver(&app, &eve, &activity(&peer, &format!("/d/{n}"), "Delete", &eve, target)).await;
    }
    let path = ours.trim_start_matches("https://social.example");
    assert_eq!(super::peer::get(&app, path).await.status, 200);
    for n in 1..3 {
        let note = peer.note(&bo, &format!("/n/{n}"), "still here");
        peer.deliver(&app, &bo, &activity(&peer, &format!("/c/{n}"), "Create", &bo, note)).await;
        assert!(post_at(&app, &peer.url(&format!("/n/{n}"))).await.is_some());
    }
}
