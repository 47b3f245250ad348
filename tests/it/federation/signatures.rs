//! Who may post to an inbox: signatures, keys, and their owners.

use axum::http::Method;
use serde_json::{Value, json};
use waxwing::wire::http_signature::Kind;

use super::peer::{Peer, account_at, actor_document, app, key, ours, signed_get, signed_post, work};
use crate::kit::TestApp;

fn follow(peer: &Peer, actor: &str, object: &str) -> Value {
    json!({ "id": peer.url("/follows/1"), "type": "Follow", "actor": actor, "object": object })
}

#[tokio::test]
async fn both_kinds_of_signature_are_accepted() {
    let (app, peer) = (app().await, Peer::start().await);
    let ana = app.person("ana").await;
    let bo = peer.actor("bo");
    for (n, kind) in [Kind::Cavage, Kind::Rfc9421].into_iter().enumerate() {
        let mut activity = follow(&peer, &bo, &ours(&app, ana.id));
        activity["id"] = json!(peer.url(&format!("/follows/{n}")));
        let request = signed_post(&app, kind, (&format!("{bo}#main-key"), &peer.key), "/inbox", &activity);
        assert_eq!(app.send(request).await.status, 202, "{kind:?}");
    }
    assert_eq!(work(&app).await, 2);
    assert_eq!(account_at(&app, &bo).await.unwrap().username, "bo");
}

#[tokio::test]
async fn what_is_not_signed_right_is_401_and_changes_nothing() {
    let (app, peer) = (app().await, Peer::start().await);
    let ana = app.person("ana").await;
    let (bo, eve) = (peer.actor("bo"), peer.actor("eve"));
    let activity = follow(&peer, &bo, &ours(&app, ana.id));
    let key_id = format!("{bo}#main-key");
    type Change = fn(&mut axum::extract::Request);
    let cases: [(&str, Change); 8] = [
        ("no signature", |r| drop(r.headers_mut().remove("signature"))),
        ("another host", |r| drop(r.headers_mut().insert("host", "other.example".parse().unwrap()))),
        ("another path", |r| *r.uri_mut() = "/actor/inbox".parse().unwrap()),
        ("another digest", |r| drop(r.headers_mut().insert("digest", "SHA-256=AAAA".parse().unwrap()))),
        ("an old date", |r| {
            drop(r.headers_mut().insert("date", "Sun, 05 Jan 2014 21:31:40 GMT".parse().unwrap()))
        }),
        ("a date that was not signed", |r| {
            drop(r.headers_mut().insert("date", "Mon, 24 Nov 2025 16:00:01 GMT".parse().unwrap()))
        }),
        ("an empty RFC 9421 input beside it", |r| {
            drop(r.headers_mut().insert("signature-input", "sig1=()".parse().unwrap()))
        }),
        ("garbage", |r| drop(r.headers_mut().insert("signature", "keyId=\"x\"".parse().unwrap()))),
    ];
    for (name, change) in cases {
        let mut request = signed_post(&app, Kind::Cavage, (&key_id, &peer.key), "/inbox", &activity);
        change(&mut request);
        let answer = app.send(request).await;
        assert_eq!(answer.status, 401, "{name}: {}", answer.text());
    }
    // The body of another signed request (a replay).
    let mut replayed = signed_post(&app, Kind::Cavage, (&key_id, &peer.key), "/inbox", &activity);
    *replayed.body_mut() =
        axum::body::Body::from(follow(&peer, &bo, "https://social.example/other").to_string());
    assert_eq!(app.send(replayed).await.status, 401);
    // Signed by another key than the one it names, and by another person.
    let forged = signed_post(&app, Kind::Cavage, (&key_id, &key(1)), "/inbox", &activity);
    assert_eq!(app.send(forged).await.status, 401, "a foreign key");
    let answer = peer.send(&app, &eve, &activity).await;
    assert_eq!(answer.status, 401, "another actor's activity: {}", answer.text());
    assert_eq!(work(&app).await, 0);
}

#[tokio::test]
async fn a_key_is_good_only_if_its_owner_lists_it() {
    let (app, good, evil) = (app().await, Peer::start().await, Peer::start().await);
    let ana = app.person("ana").await;
    let victim = good.actor("victim");
    let key_id = evil.url("/key");
    let stolen = json!({
        "id": key_id, "type": "Key", "owner": victim, "publicKeyPem": key(1).public_pem().unwrap(),
    });
    evil.serve_at(&key_id, &stolen);
    let activity = follow(&good, &victim, &ours(&app, ana.id));
    let request = signed_post(&app, Kind::Cavage, (&key_id, &key(1)), "/inbox", &activity);
    assert_eq!(app.send(request).await.status, 401);
    // On the same host, but not in the owner's document.
    let key_id = good.url("/loose-key");
    let mut loose = stolen.clone();
    loose["id"] = json!(key_id);
    good.serve_at(&key_id, &loose);
    let request = signed_post(&app, Kind::Cavage, (&key_id, &key(1)), "/inbox", &activity);
    assert_eq!(app.send(request).await.status, 401);
    assert_eq!(work(&app).await, 0);
}

#[tokio::test]
async fn a_key_of_its_own_document_is_found_through_its_owner() {
    let (app, peer) = (app().await, Peer::start().await);
    let ana = app.person("ana").await;
    // As GoToSocial has it: the key's address serves a small actor.
    let key_id = peer.url("/users/bo/main-key");
    let bo = peer.actor_with("bo", |actor| actor["publicKey"]["id"] = json!(key_id));
    peer.serve_at(
        &key_id,
        &json!({
            "id": bo, "type": "Person", "preferredUsername": "bo",
            "publicKey": { "id": key_id, "owner": bo, "publicKeyPem": peer.key.public_pem().unwrap() },
        }),
    );
    let activity = follow(&peer, &bo, &ours(&app, ana.id));
    let answer = peer.send_signed(&app, &key_id, &activity).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    // PeerTube names the actor itself.
    let mut again = follow(&peer, &bo, &ours(&app, ana.id));
    again["id"] = json!(peer.url("/follows/2"));
    assert_eq!(peer.send_signed(&app, &bo, &again).await.status, 202);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_in_five_minutes() {
    let (app, peer) = (app().await, Peer::start().await);
    let ana = app.person("ana").await;
    let bo = peer.actor("bo");
    peer.deliver(&app, &bo, &follow(&peer, &bo, &ours(&app, ana.id))).await;
    let key_id = format!("{bo}#main-key");
    peer.asked();
    // A forger makes us look once, and not again.
    for n in 0..3 {
        let mut forged = follow(&peer, &bo, &ours(&app, ana.id));
        forged["id"] = json!(peer.url(&format!("/forged/{n}")));
        let request = signed_post(&app, Kind::Cavage, (&key_id, &key(1)), "/inbox", &forged);
        assert_eq!(app.send(request).await.status, 401);
    }
    let looks = peer.asked().into_iter().filter(|path| path == "/users/bo").count();
    assert!(looks <= 1, "{looks} looks");
}

#[tokio::test]
async fn a_rotated_key_is_found() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    // Known by another way than its key.
    let document = actor_document(&bo, "bo", &peer.key);
    peer.serve_at(&bo, &document);
    let ana = app.person("ana").await;
    let found = ana.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    assert_eq!(found["accounts"][0]["username"], "bo");
    peer.serve_at(&bo, &actor_document(&bo, "bo", &key(1)));
    let activity = follow(&peer, &bo, &ours(&app, ana.id));
    let request = signed_post(&app, Kind::Cavage, (&format!("{bo}#main-key"), &key(1)), "/inbox", &activity);
    assert_eq!(app.send(request).await.status, 202);
    // What was signed with the old key before arrives late.
    let mut late = activity.clone();
    late["id"] = json!(peer.url("/follows/late"));
    let request = signed_post(&app, Kind::Cavage, (&format!("{bo}#main-key"), &peer.key), "/inbox", &late);
    assert_eq!(app.send(request).await.status, 202);
}

#[tokio::test]
async fn a_key_server_that_is_down_is_503_with_retry_after() {
    let (app, peer) = (app().await, Peer::start().await);
    let ana = app.person("ana").await;
    let nobody = "http://127.0.0.1:1/users/x";
    let mut activity = follow(&peer, nobody, &ours(&app, ana.id));
    activity["id"] = json!("http://127.0.0.1:1/follows/1");
    let answer = peer.send(&app, nobody, &activity).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn keys_on_addresses_that_may_not_be_asked_are_401_without_a_connection() {
    let (app, peer) = (TestApp::start().await, Peer::start().await);
    let bo = peer.actor("bo");
    let ana = app.person("ana").await;
    for key_id in [
        format!("{bo}#main-key"),
        "https://social.example/actor#main-key".into(),
        "acct:bo@x".into(),
        "https://a@b.example/k".into(),
    ] {
        let activity = follow(&peer, &bo, &ours(&app, ana.id));
        assert_eq!(peer.send_signed(&app, &key_id, &activity).await.status, 401, "{key_id}");
    }
    assert!(peer.asked().is_empty());
}

#[tokio::test]
async fn a_get_signature_does_not_carry_a_post() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let mut request = signed_get(&app, &format!("{bo}#main-key"), &peer.key, "/inbox");
    *request.method_mut() = Method::POST;
    request.headers_mut().insert("content-type", "application/activity+json".parse().unwrap());
    *request.body_mut() = axum::body::Body::from(follow(&peer, &bo, "https://social.example/x").to_string());
    assert_eq!(app.send(request).await.status, 401);
}
