//! Federation with those alone who are welcome.

use serde_json::json;
use waxwing::model::Role;

use super::media::fetching;
use super::peer::{Peer, get, ours, post_at, signed_get, work};
use crate::kit::{Person, TestApp};

const ADMIN: &str = "read write follow admin:read admin:write";

async fn app() -> TestApp {
    TestApp::with("outbound_allow 127.0.0.0/8\nfederation allowlist").await
}

async fn welcome(admin: &Person<'_>, peer: &Peer) -> String {
    let host = peer.origin.trim_start_matches("http://");
    let made = admin.post("/api/v1/admin/domain_allows", json!({ "domain": host })).await.json(200);
    made["id"].as_str().unwrap().to_owned()
}

async fn found(who: &Person<'_>, uri: &str) -> usize {
    let found = who.get(&format!("/api/v2/search?resolve=true&q={uri}")).await.json(200);
    found["accounts"].as_array().unwrap().len() + found["statuses"].as_array().unwrap().len()
}

#[tokio::test]
async fn only_the_welcome_get_in_and_are_asked() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (ana, root) = (app.person("ana").await, app.person_with("root", Role::Admin, ADMIN).await);
    let instance = app.get("/api/v2/instance").await.json(200);
    assert_eq!(instance["configuration"]["limited_federation"], true);
    let (bo, eve) = (peer.actor("bo"), other.actor("eve"));
    // Nobody is welcome yet: nothing comes in, nothing is asked for.
    let follow = |peer: &Peer, actor: &str, n: u32| json!({ "id": peer.url(&format!("/f/{n}")), "type": "Follow", "actor": actor, "object": ours(&app, ana.id) });
    assert_eq!(peer.send(&app, &bo, &follow(&peer, &bo, 1)).await.status, 403);
    let note = peer.serve(peer.note(&bo, "/n/1", "<p>hello</p>"));
    for uri in [bo.as_str(), note["id"].as_str().unwrap()] {
        assert_eq!(found(&ana, uri).await, 0, "{uri}");
    }
    assert_eq!(peer.asked(), Vec::<String>::new(), "not even the key");

    let id = welcome(&root, &peer).await;
    assert_eq!(found(&ana, &bo).await, 1);
    assert_eq!(found(&ana, note["id"].as_str().unwrap()).await, 1);
    peer.deliver(&app, &bo, &follow(&peer, &bo, 2)).await;
    let me = ana.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(me["followers_count"], 1);
    // That one is welcome says nothing of others.
    assert_eq!(other.send(&app, &eve, &follow(&other, &eve, 1)).await.status, 403);
    assert_eq!(found(&ana, &eve).await, 0);
    assert_eq!(other.asked(), Vec::<String>::new());

    // What was welcome once is shut out again.
    root.delete(&format!("/api/v1/admin/domain_allows/{id}")).await.json(200);
    peer.asked();
    let hello = json!({ "id": peer.url("/c/9"), "type": "Create", "actor": bo, "object": peer.note(&bo, "/n/9", "x") });
    assert_eq!(peer.send(&app, &bo, &hello).await.status, 403);
    assert_eq!(work(&app).await, 0);
    assert!(post_at(&app, &peer.url("/n/9")).await.is_none());
    peer.serve(peer.note(&bo, "/n/8", "<p>new</p>"));
    assert_eq!(found(&ana, &peer.url("/n/8")).await, 0);
    assert_eq!(peer.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn documents_are_for_the_welcome_alone() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (ana, root) = (app.person("ana").await, app.person_with("root", Role::Admin, ADMIN).await);
    welcome(&root, &peer).await;
    let post = ana.post("/api/v1/statuses", json!({ "status": "hello" })).await.json(200);
    let path = post["uri"].as_str().unwrap().trim_start_matches("https://social.example").to_owned();
    let (bo, eve) = (peer.actor("bo"), other.actor("eve"));
    assert_eq!(get(&app, &path).await.status, 401, "unsigned");
    let asked = signed_get(&app, &format!("{bo}#main-key"), &peer.key, &path);
    assert_eq!(app.send(asked).await.status, 200);
    let asked = signed_get(&app, &format!("{eve}#main-key"), &other.key, &path);
    assert_eq!(app.send(asked).await.status, 403);
}

#[tokio::test]
async fn files_of_those_who_are_not_welcome_are_not_passed_on() {
    let (app, peer) = (app().await, Peer::start().await);
    let _fetching = fetching(&app);
    let root = app.person_with("root", Role::Admin, ADMIN).await;
    let icon = peer.url("/icon.png");
    peer.serve_file("/icon.png", "image/png", b"\x89PNG\r\n\x1a\n and the rest".to_vec());
    let bo = peer.actor_with("bo", |actor| actor["icon"] = json!({ "type": "Image", "url": icon }));
    let id = welcome(&root, &peer).await;
    let found = root.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    let avatar = found["accounts"][0]["avatar"].as_str().unwrap().to_owned();
    let avatar = avatar.trim_start_matches("https://social.example");
    assert_eq!(app.get(avatar).await.status, 200);
    root.delete(&format!("/api/v1/admin/domain_allows/{id}")).await.json(200);
    assert_eq!(app.get(avatar).await.status, 404);
}
