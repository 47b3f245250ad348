//! What is above and below a post that came in, each from its own server.

use serde_json::{Value, json};
use waxwing::model::queue::Class;
use waxwing::model::queue::tables::{ACT, DESTINATION, JOB};
use waxwing::store::{Scan, StoreError};

use super::peer::{PUBLIC, Peer, act, app, ask_others, ours, post_at};
use crate::kit::{Person, TestApp};

fn naming(app: &TestApp, ana: &Person<'_>, mut note: Value) -> Value {
    note["tag"] = json!([{ "type": "Mention", "href": ours(app, ana.id), "name": "@ana" }]);
    note["cc"] = json!([ours(app, ana.id)]);
    note
}

fn answering(mut note: Value, parent: &str) -> Value {
    note["inReplyTo"] = json!(parent);
    note
}

fn create(peer: &Peer, actor: &str, object: Value) -> Value {
    json!({ "id": peer.url("/c/1"), "type": "Create", "actor": actor, "to": [PUBLIC], "object": object })
}

/// The hosts in whose lanes jobs of this name wait.
async fn lanes(app: &TestApp, kind: &'static str) -> Vec<(Class, String)> {
    let found = app.state.store.read(move |tx| {
        let mut lanes = Vec::new();
        for (key, row) in tx.scan(JOB, Scan::all())? {
            if row.kind.name() == kind
                && let Some(destination) = tx.get(DESTINATION, &key.destination)?
            {
                lanes.push((destination.class, destination.authority));
            }
        }
        Ok::<_, StoreError>(lanes)
    });
    found.await.unwrap()
}

fn authority(peer: &Peer) -> String {
    peer.origin.trim_start_matches("http://").to_owned()
}

async fn context(who: &Person<'_>, uri: &str) -> (Vec<String>, Vec<String>) {
    let found = who.get(&format!("/api/v2/search?q={uri}&resolve=true")).await.json(200);
    let id = found["statuses"][0]["id"].as_str().unwrap().to_owned();
    let context = who.get(&format!("/api/v1/statuses/{id}/context")).await.json(200);
    let uris = |posts: &Value| -> Vec<String> {
        posts.as_array().unwrap().iter().map(|post| post["uri"].as_str().unwrap().to_owned()).collect()
    };
    (uris(&context["ancestors"]), uris(&context["descendants"]))
}

#[tokio::test]
async fn no_other_server_is_asked_before_a_post_is_shown() {
    let app = app().await;
    let (here, above, quoted) = (Peer::start().await, Peer::start().await, Peer::start().await);
    let (bo, ana) = (here.actor("bo"), app.person("ana").await);
    let mut note = naming(&app, &ana, here.note(&bo, "/n/1", "<p>yes</p>"));
    note["quote"] = json!(quoted.url("/n/9"));
    let note = answering(note, &above.url("/n/8"));
    here.send(&app, &bo, &create(&here, &bo, note)).await;
    act(&app).await;
    let boost = json!({ "id": here.url("/b/1"), "type": "Announce", "actor": bo, "to": [PUBLIC], "object": above.url("/n/7") });
    let follow = ana.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    let id = follow["accounts"][0]["id"].as_str().unwrap();
    ana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.json(200);
    let accept = json!({
        "id": here.url("/a/1"), "type": "Accept", "actor": bo,
        "object": { "type": "Follow", "actor": ours(&app, ana.id), "object": bo },
    });
    for activity in [accept, boost] {
        here.send(&app, &bo, &activity).await;
        act(&app).await;
    }
    assert!(post_at(&app, &here.url("/n/1")).await.is_some());
    assert_eq!(ana.get("/api/v1/notifications").await.json(200)[0]["type"], "mention");
    assert_eq!([above.asked(), quoted.asked()], [Vec::<String>::new(), Vec::new()]);
    let there = |peer: &Peer| vec![(Class::Remote, authority(peer))];
    assert_eq!(lanes(&app, "fetch_thread").await, there(&above));
    assert_eq!(lanes(&app, "settle_quote").await, there(&quoted));
    assert_eq!(lanes(&app, "ingest_there").await, there(&above));
}

#[tokio::test]
async fn an_answer_comes_home_once_it_is_known_what_it_answers() {
    let app = app().await;
    let peer = Peer::start().await;
    let bo = peer.actor("bo");
    let ana = super::origin::following(&app, "ana", &[(&peer, &bo)]).await;
    let first = peer.serve(peer.note(&bo, "/n/1", "<p>first</p>"));
    let second = answering(peer.note(&bo, "/n/2", "<p>second</p>"), first["id"].as_str().unwrap());
    peer.send(&app, &bo, &create(&peer, &bo, second)).await;
    act(&app).await;
    crate::api::settle(&app).await;
    assert_eq!(ana.get("/api/v1/timelines/home").await.json(200), json!([]), "an answer to a stranger?");
    ask_others(&app).await;
    crate::api::settle(&app).await;
    let home = ana.get("/api/v1/timelines/home").await.json(200);
    assert_eq!(home.as_array().unwrap().len(), 1, "the older one is filled in only");
    assert_eq!(home[0]["uri"], peer.url("/n/2"));
}

#[tokio::test]
async fn a_thread_over_many_servers_is_put_together_in_their_own_lanes() {
    let app = app().await;
    let peers = [Peer::start().await, Peer::start().await];
    let actors = [peers[0].actor("bo"), peers[1].actor("cy")];
    let ana = app.person("ana").await;
    let note = |n: usize| peers[n % 2].note(&actors[n % 2], &format!("/n/{n}"), "<p>on</p>");
    let uri = |n: usize| peers[n % 2].url(&format!("/n/{n}"));
    peers[0].serve(note(0));
    for n in 1..5 {
        peers[n % 2].serve(answering(note(n), &uri(n - 1)));
    }
    let last = naming(&app, &ana, answering(note(5), &uri(4)));
    peers[1].send(&app, &actors[1], &create(&peers[1], &actors[1], last)).await;
    act(&app).await;
    // Each round asks one server.
    for n in (0..5).rev() {
        assert_eq!(lanes(&app, "fetch_thread").await, [(Class::Remote, authority(&peers[n % 2]))]);
        super::peer::ask_once(&app).await;
    }
    let (ancestors, _) = context(&ana, &uri(5)).await;
    assert_eq!(ancestors, (0..5).map(uri).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_endless_thread_over_two_servers_ends() {
    let app = app().await;
    let peers = [Peer::start().await, Peer::start().await];
    let actors = [peers[0].actor("bo"), peers[1].actor("cy")];
    let ana = app.person("ana").await;
    for n in 0..100 {
        let note = peers[n % 2].note(&actors[n % 2], &format!("/n/{n}"), "<p>on</p>");
        peers[n % 2].serve(answering(note, &peers[(n + 1) % 2].url(&format!("/n/{}", n + 1))));
    }
    ana.get(&format!("/api/v2/search?q={}&resolve=true", peers[0].url("/n/0"))).await.json(200);
    ask_others(&app).await;
    let asked = peers[0].asked().len() + peers[1].asked().len();
    assert!((60..=80).contains(&asked), "{asked}");
}

#[tokio::test]
async fn opening_a_thread_brings_the_answers_that_nobody_sent() {
    let app = app().await;
    let (here, there, evil) = (Peer::start().await, Peer::start().await, Peer::start().await);
    let (bo, cy, eve) = (here.actor("bo"), there.actor("cy"), evil.actor("eve"));
    let ana = app.person("ana").await;
    let root = here.url("/n/1");
    let mut question = here.note(&bo, "/n/1", "<p>who?</p>");
    question["replies"] = json!({
        "type": "Collection",
        "first": { "type": "CollectionPage", "items": [here.url("/n/2")], "next": here.url("/n/1/replies?page=2") },
    });
    here.serve(question);
    here.serve(answering(here.note(&bo, "/n/2", "<p>me</p>"), &root));
    let page = json!({
        "id": here.url("/n/1/replies?page=2"), "type": "CollectionPage",
        "items": [there.url("/n/3"), evil.url("/n/6"), evil.url("/n/7"), evil.url("/n/8"), ours(&app, ana.id)],
        "next": evil.url("/more"),
    });
    here.serve(page);
    let mut answer = answering(there.note(&cy, "/n/3", "<p>or me</p>"), &root);
    answer["replies"] = json!(there.url("/n/3/replies"));
    there.serve(answer);
    there
        .serve(json!({ "id": there.url("/n/3/replies"), "type": "Collection", "items": [here.url("/n/4")] }));
    here.serve(answering(here.note(&bo, "/n/4", "<p>you</p>"), &there.url("/n/3")));
    // Not an answer, one by somebody else, and a private one.
    evil.serve(evil.note(&eve, "/n/6", "<p>buy</p>"));
    evil.serve(answering(evil.note(&cy, "/n/7", "<p>says cy</p>"), &root));
    let mut private = answering(evil.note(&eve, "/n/8", "<p>psst</p>"), &root);
    private["to"] = json!([format!("{eve}/followers")]);
    evil.serve(private);
    evil.serve(json!({ "id": evil.url("/more"), "type": "CollectionPage", "items": [there.url("/n/5")] }));
    there.serve(answering(there.note(&cy, "/n/5", "<p>five</p>"), &root));

    assert_eq!(context(&ana, &root).await.1, Vec::<String>::new());
    ask_others(&app).await;
    let expected = [here.url("/n/2"), there.url("/n/3"), here.url("/n/4")];
    let mut below = context(&ana, &root).await.1;
    below.sort();
    let mut sorted = expected.to_vec();
    sorted.sort();
    assert_eq!(below, sorted);
    assert!(!evil.asked().contains(&"/more".to_owned()), "pages are of the post's own server");
    for lost in [evil.url("/n/6"), evil.url("/n/7"), evil.url("/n/8"), there.url("/n/5")] {
        assert!(post_at(&app, &lost).await.is_none(), "{lost}");
    }
    // Not again so soon, and not for everybody who passes by.
    here.asked();
    let id = post_at(&app, &root).await.unwrap().id;
    ana.get(&format!("/api/v1/statuses/{id}/context")).await.json(200);
    let other = post_at(&app, &there.url("/n/3")).await.unwrap().id;
    app.get(&format!("/api/v1/statuses/{other}/context")).await.json(200);
    ask_others(&app).await;
    assert_eq!(here.asked(), Vec::<String>::new());
    let acts = app.state.store.read(|tx| tx.scan(ACT, Scan::all())).await.unwrap();
    assert!(acts.iter().all(|(_, act)| act.job.kind().name() != "fetch_replies"));
}
