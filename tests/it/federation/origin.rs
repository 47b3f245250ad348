//! Whose word counts: an object is what its own server says it is.

use serde_json::{Value, json};

use super::peer::{PUBLIC, Peer, account_at, app, ask_others, ours, post_at, work};
use crate::kit::{Person, TestApp};

pub async fn following<'a>(app: &'a TestApp, name: &str, actors: &[(&Peer, &str)]) -> Person<'a> {
    let ana = app.person(name).await;
    for (n, (peer, actor)) in actors.iter().enumerate() {
        let found = ana.get(&format!("/api/v2/search?resolve=true&q={actor}")).await.json(200);
        let id = found["accounts"][0]["id"].as_str().unwrap().to_owned();
        ana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.json(200);
        let accept = json!({
            "id": peer.url(&format!("/accept/{n}")), "type": "Accept", "actor": actor,
            "object": { "type": "Follow", "actor": ours(app, ana.id), "object": actor },
        });
        peer.deliver(app, actor, &accept).await;
    }
    ana
}

fn create(peer: &Peer, actor: &str, object: Value) -> Value {
    json!({ "id": peer.url("/c/1"), "type": "Create", "actor": actor, "to": [PUBLIC], "object": object })
}

#[tokio::test]
async fn embedded_objects_of_others_are_not_believed() {
    let (app, good, evil) = (app().await, Peer::start().await, Peer::start().await);
    let (victim, eve) = (good.actor("victim"), evil.actor("eve"));
    following(&app, "ana", &[(&good, &victim), (&evil, &eve)]).await;
    let foreign_id = good.note(&eve, "/n/1", "by eve, under a good id");
    let foreign_author = evil.note(&victim, "/n/2", "by the victim, says eve");
    for (n, object) in [foreign_id, foreign_author].into_iter().enumerate() {
        let uri = object["id"].as_str().unwrap().to_owned();
        let mut activity = create(&evil, &eve, object);
        activity["id"] = json!(evil.url(&format!("/c/{n}")));
        evil.deliver(&app, &eve, &activity).await;
        assert!(post_at(&app, &uri).await.is_none(), "{uri}");
    }
}

#[tokio::test]
async fn an_activity_with_an_id_of_another_host_is_refused() {
    let (app, good, evil) = (app().await, Peer::start().await, Peer::start().await);
    let eve = evil.actor("eve");
    following(&app, "ana", &[(&evil, &eve)]).await;
    let mut activity = create(&evil, &eve, evil.note(&eve, "/n/1", "x"));
    activity["id"] = json!(good.url("/c/1"));
    assert_eq!(evil.send(&app, &eve, &activity).await.status, 403);
    assert_eq!(work(&app).await, 0);
}

#[tokio::test]
async fn a_forwarded_post_is_read_from_its_own_server() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (bo, eve) = (peer.actor("bo"), other.actor("eve"));
    following(&app, "ana", &[(&peer, &bo)]).await;
    let real = peer.serve(peer.note(&bo, "/n/1", "what bo wrote"));
    let mut forged = real.clone();
    forged["content"] = json!("what eve says bo wrote");
    assert_eq!(other.send(&app, &eve, &create(&peer, &bo, forged)).await.status, 202);
    work(&app).await;
    assert_eq!(post_at(&app, &peer.url("/n/1")).await.unwrap().content_html, "what bo wrote");
    // What bo's server does not have does not exist.
    let invented = peer.note(&bo, "/n/2", "invented");
    let mut activity = create(&peer, &bo, invented);
    activity["id"] = json!(peer.url("/c/2"));
    assert_eq!(other.send(&app, &eve, &activity).await.status, 202);
    work(&app).await;
    assert!(post_at(&app, &peer.url("/n/2")).await.is_none());
}

#[tokio::test]
async fn a_forwarded_delete_counts_only_if_the_post_is_gone() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (bo, eve) = (peer.actor("bo"), other.actor("eve"));
    following(&app, "ana", &[(&peer, &bo)]).await;
    let note = peer.serve(peer.note(&bo, "/n/1", "hello"));
    peer.deliver(&app, &bo, &create(&peer, &bo, note)).await;
    let delete = |n: u8| json!({ "id": peer.url(&format!("/d/{n}")), "type": "Delete", "actor": bo, "object": peer.url("/n/1") });
    assert_eq!(other.send(&app, &eve, &delete(1)).await.status, 202);
    work(&app).await;
    assert!(post_at(&app, &peer.url("/n/1")).await.is_some());
    peer.remove(&peer.url("/n/1"));
    assert_eq!(other.send(&app, &eve, &delete(2)).await.status, 202);
    work(&app).await;
    assert!(post_at(&app, &peer.url("/n/1")).await.is_none());
}

#[tokio::test]
async fn documents_that_lie_about_their_id_are_not_kept() {
    let (app, good, evil) = (app().await, Peer::start().await, Peer::start().await);
    let victim = good.actor("victim");
    let ana = app.person("ana").await;
    // An actor and a note on evil that call themselves good's.
    let mut actor = super::peer::actor_document(&victim, "victim", &super::peer::key(1));
    evil.serve_at("/users/victim", &actor);
    let search = async |q: String| ana.get(&format!("/api/v2/search?resolve=true&q={q}")).await.json(200);
    let found = search(evil.url("/users/victim")).await;
    let kept = account_at(&app, &victim).await;
    let real_pem = good.key.public_pem().unwrap();
    assert!(kept.as_ref().is_none_or(|account| account.public_key_pem == real_pem), "{found}");
    evil.serve_at("/n/1", &good.note(&victim, "/n/1", "x"));
    search(evil.url("/n/1")).await;
    assert!(post_at(&app, &good.url("/n/1")).await.is_none());
    // A note on evil by somebody on good.
    let note = evil.serve(evil.note(&victim, "/n/2", "x"));
    search(note["id"].as_str().unwrap().to_owned()).await;
    assert!(post_at(&app, &evil.url("/n/2")).await.is_none());
    // Something that is not served as ActivityPub, such as an upload.
    actor["id"] = json!(evil.url("/upload.json"));
    evil.serve_as("/upload.json", "application/json", &actor);
    search(evil.url("/upload.json")).await;
    assert!(account_at(&app, &evil.url("/upload.json")).await.is_none());
}

#[tokio::test]
async fn an_inbox_on_another_host_is_refused() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor_with("bo", |actor| actor["inbox"] = json!("https://victim.example/inbox"));
    let ana = app.person("ana").await;
    ana.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    assert!(account_at(&app, &bo).await.is_none());
}

#[tokio::test]
async fn a_boosted_strangers_post_is_fetched_with_what_it_answers() {
    let (app, peer, other) = (app().await, Peer::start().await, Peer::start().await);
    let (bo, cy) = (peer.actor("bo"), other.actor("cy"));
    let ana = following(&app, "ana", &[(&peer, &bo)]).await;
    other.serve(other.note(&cy, "/n/1", "a question"));
    let mut answer = other.note(&cy, "/n/2", "an answer");
    answer["inReplyTo"] = json!(other.url("/n/1"));
    other.serve(answer);
    let boost = json!({ "id": peer.url("/b/1"), "type": "Announce", "actor": bo, "to": [PUBLIC], "object": other.url("/n/2") });
    peer.deliver(&app, &bo, &boost).await;
    let kept = post_at(&app, &other.url("/n/2")).await.unwrap();
    let parent = post_at(&app, &other.url("/n/1")).await.unwrap();
    assert_eq!(kept.in_reply_to, Some(parent.id));
    assert_eq!(post_at(&app, &peer.url("/b/1")).await.unwrap().reblog_of, Some(kept.id));
    let thread = ana.get(&format!("/api/v1/statuses/{}/context", kept.id)).await.json(200);
    assert_eq!(thread["ancestors"][0]["uri"], other.url("/n/1"));
}

#[tokio::test]
async fn an_endless_chain_of_answers_ends() {
    let (app, peer) = (app().await, Peer::start().await);
    let bo = peer.actor("bo");
    let ana = app.person("ana").await;
    for n in 0..200 {
        let mut note = peer.note(&bo, &format!("/n/{n}"), "on and on");
        note["inReplyTo"] = json!(peer.url(&format!("/n/{}", n + 1)));
        peer.serve(note);
    }
    peer.asked();
    ana.get(&format!("/api/v2/search?resolve=true&q={}", peer.url("/n/0"))).await.json(200);
    ask_others(&app).await;
    let asked = peer.asked().len();
    assert!((60..=70).contains(&asked), "{asked}");
    // Two that answer each other.
    for (a, b) in [("/l/1", "/l/2"), ("/l/2", "/l/1")] {
        let mut note = peer.note(&bo, a, "round");
        note["inReplyTo"] = json!(peer.url(b));
        peer.serve(note);
    }
    ana.get(&format!("/api/v2/search?resolve=true&q={}", peer.url("/l/1"))).await.json(200);
    ask_others(&app).await;
    assert!(post_at(&app, &peer.url("/l/1")).await.is_some());
}
