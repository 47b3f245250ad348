//! Our documents, and who is given them.

use serde_json::json;

use super::peer::{PUBLIC, Peer, app, get, ours, signed_get};
use crate::kit::TestApp;

fn path(uri: &str) -> String {
    uri.trim_start_matches("https://social.example").to_owned()
}

#[tokio::test]
async fn an_actor_is_served_at_its_id_and_behind_its_page() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let id = ours(&app, ana.id);
    for address in [path(&id), "/@ana".into()] {
        let answer = get(&app, &address).await;
        assert_eq!(answer.header("content-type"), Some("application/activity+json"), "{address}");
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("Accept")));
        let document = answer.json(200);
        assert_eq!((&document["id"], &document["preferredUsername"]), (&json!(id), &json!("ana")));
        assert!(document["publicKey"]["publicKeyPem"].as_str().unwrap().contains("BEGIN PUBLIC KEY"));
        for name in ["inbox", "outbox", "followers", "following"] {
            assert!(document[name].as_str().unwrap().starts_with(&id), "{name}: {document}");
        }
    }
    let instance = get(&app, "/actor").await.json(200);
    assert_eq!(instance["type"], "Application");
    assert_eq!(get(&app, "/ap/users/12345").await.status, 404);
    assert_eq!(get(&app, "/ap/users/x").await.status, 404);
    assert_eq!(get(&app, "/@nobody").await.status, 404);
}

#[tokio::test]
async fn posts_are_served_to_those_who_may_see_them() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let key_id = format!("{bo}#main-key");
    let publish = async |visibility: &str| {
        let made = ana
            .post("/api/v1/statuses", json!({ "status": "hello #tag", "visibility": visibility }))
            .await
            .json(200);
        path(made["uri"].as_str().unwrap())
    };
    let open = publish("public").await;
    let note = get(&app, &open).await.json(200);
    assert_eq!((&note["type"], &note["to"]), (&json!("Note"), &json!([PUBLIC])));
    assert_eq!(get(&app, &format!("{open}/activity")).await.json(200)["type"], "Create");
    let missing = get(&app, &format!("{}1", &open[..open.len() - 1])).await;
    for visibility in ["private", "direct"] {
        let closed = publish(visibility).await;
        for suffix in ["", "/activity"] {
            let answer = get(&app, &format!("{closed}{suffix}")).await;
            assert_eq!(answer.status, 404, "{visibility}{suffix}");
            assert_eq!(answer.text().len(), missing.text().len());
            let stranger = app.send(signed_get(&app, &key_id, &peer.key, &format!("{closed}{suffix}"))).await;
            assert_eq!(stranger.status, 404, "{visibility}{suffix} for a stranger");
        }
        let outbox = get(&app, &format!("/ap/users/{}/outbox?page=true", ana.id)).await.json(200);
        assert!(!outbox.to_string().contains(&closed), "{outbox}");
    }
    // A follower may see what is for followers.
    let follow =
        json!({ "id": peer.url("/f/1"), "type": "Follow", "actor": bo, "object": ours(&app, ana.id) });
    peer.deliver(&app, &bo, &follow).await;
    let closed = publish("private").await;
    let answer = app.send(signed_get(&app, &key_id, &peer.key, &closed)).await;
    assert_eq!(answer.json(200)["type"], "Note");
}

#[tokio::test]
async fn a_deleted_post_is_gone() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let made = ana.post("/api/v1/statuses", json!({ "status": "soon gone" })).await.json(200);
    let address = path(made["uri"].as_str().unwrap());
    ana.delete(&format!("/api/v1/statuses/{}", made["id"].as_str().unwrap())).await.json(200);
    let grave = get(&app, &address).await.json(410);
    assert_eq!((&grave["type"], &grave["id"]), (&json!("Tombstone"), &made["uri"]));
    // Of a private one nobody learns that it was there.
    let made =
        ana.post("/api/v1/statuses", json!({ "status": "psst", "visibility": "private" })).await.json(200);
    ana.delete(&format!("/api/v1/statuses/{}", made["id"].as_str().unwrap())).await.json(200);
    assert_eq!(get(&app, &path(made["uri"].as_str().unwrap())).await.status, 404);
}

#[tokio::test]
async fn who_follows_whom_is_for_signed_requests() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, bo) = (app.person("ana").await, peer.actor("bo"));
    let follow =
        json!({ "id": peer.url("/f/1"), "type": "Follow", "actor": bo, "object": ours(&app, ana.id) });
    peer.deliver(&app, &bo, &follow).await;
    let address = format!("/ap/users/{}/followers", ana.id);
    assert_eq!(get(&app, &address).await.json(200)["totalItems"], 1);
    assert_eq!(get(&app, &format!("{address}?page=true")).await.status, 401);
    let request = signed_get(&app, &format!("{bo}#main-key"), &peer.key, &format!("{address}?page=true"));
    let page = app.send(request).await.json(200);
    assert_eq!(page["orderedItems"], json!([bo]));

    // Hidden, they are counted, and nobody's server hears of other servers' people.
    ana.patch("/api/v1/accounts/update_credentials", json!({ "hide_collections": true })).await.json(200);
    let ask = |address: &str| {
        signed_get(&app, &format!("{bo}#main-key"), &peer.key, &format!("{address}?page=true"))
    };
    let whole = get(&app, &address).await.json(200);
    assert_eq!((&whole["totalItems"], whole.get("first")), (&json!(1), None));
    assert_eq!(app.send(ask(&address)).await.json(200)["orderedItems"], json!([bo]), "its own it knows");
    assert_eq!(app.send(ask(&format!("/ap/users/{}/following", ana.id))).await.status, 404);
}

#[tokio::test]
async fn a_strict_server_tells_strangers_only_the_key() {
    let app = TestApp::with("authorized_fetch strict").await;
    let ana = app.person("ana").await;
    let made = ana.post("/api/v1/statuses", json!({ "status": "hello" })).await.json(200);
    let actor = get(&app, &format!("/ap/users/{}", ana.id)).await.json(200);
    assert!(actor["publicKey"]["publicKeyPem"].is_string() && actor.get("summary").is_none());
    assert_eq!(get(&app, &path(made["uri"].as_str().unwrap())).await.status, 401);
    assert_eq!(get(&app, &format!("/ap/users/{}/outbox", ana.id)).await.status, 401);
    assert_eq!(get(&app, "/actor").await.status, 200);
}
