//! Polls from there voted in here, and the other way round.

use serde_json::{Value, json};
use waxwing::model::queue::tables::ACT;
use waxwing::model::queue::{Job, Outgoing};
use waxwing::store::Scan;

use super::peer::{PUBLIC, Peer, app, get, post_at, work};
use crate::kit::{Person, TestApp};

fn answer(name: &str, votes: u64) -> Value {
    json!({ "type": "Note", "name": name, "replies": { "type": "Collection", "totalItems": votes } })
}

fn question(peer: &Peer, author: &str, answers: &[Value]) -> Value {
    let mut note = peer.note(author, "/q/1", "<p>which?</p>");
    note["type"] = json!("Question");
    note["oneOf"] = json!(answers);
    note["endTime"] = json!("2025-11-25T16:00:00Z");
    note["votersCount"] = json!(3);
    note
}

fn update(author: &str, n: u32, object: &Value) -> Value {
    json!({ "id": format!("{author}#u{n}"), "type": "Update", "actor": author, "object": object, "to": [PUBLIC] })
}

fn vote(peer: &Peer, author: &str, n: u32, name: &str, question: &str, me: &str) -> Value {
    let note = json!({
        "id": peer.url(&format!("/votes/{n}")), "type": "Note", "name": name,
        "attributedTo": author, "to": me, "inReplyTo": question,
    });
    json!({ "id": peer.url(&format!("/votes/{n}/activity")), "type": "Create", "actor": author, "to": me, "object": note })
}

async fn found(who: &Person<'_>, uri: &str) -> Value {
    who.get(&format!("/api/v2/search?resolve=true&q={uri}")).await.json(200)["statuses"][0].clone()
}

async fn votes_out(app: &TestApp) -> Vec<String> {
    let acts = app.state.store.read(|tx| tx.scan(ACT, Scan::all())).await.unwrap();
    let chosen = acts.into_iter().filter_map(|(_, act)| match act.job {
        Job::Say(Outgoing::Vote { choice, .. }) => Some(choice),
        _ => None,
    });
    chosen.collect()
}

#[tokio::test]
async fn a_poll_of_another_server_is_shown_voted_in_and_kept_up_to_date() {
    let app = app().await;
    let peer = Peer::start().await;
    let bo = peer.actor("bo");
    let asked = peer.serve(question(&peer, &bo, &[answer("robin", 2), answer("<wren>", 1)]));
    let uri = asked["id"].as_str().unwrap();
    let ana = app.person("ana").await;
    let status = found(&ana, uri).await;
    assert_eq!(status["content"], "<p>which?</p>");
    let poll = &status["poll"];
    assert_eq!(
        poll["options"],
        json!([{"title": "robin", "votes_count": 2}, {"title": "<wren>", "votes_count": 1}])
    );
    assert_eq!((&poll["expires_at"], &poll["voted"]), (&json!("2025-11-25T16:00:00.000Z"), &json!(false)));

    let path = format!("/api/v1/polls/{}", poll["id"].as_str().unwrap());
    let voted = ana.post(&format!("{path}/votes"), json!({"choices": [1]})).await.json(200);
    assert_eq!((&voted["votes_count"], &voted["own_votes"]), (&json!(4), &json!([1])));
    assert_eq!(votes_out(&app).await, ["<wren>"]);

    let recounted = question(&peer, &bo, &[answer("robin", 5), answer("<wren>", 2)]);
    peer.deliver(&app, &bo, &update(&bo, 1, &recounted)).await;
    let now = ana.get(&path).await.json(200);
    assert_eq!((&now["votes_count"], &now["own_votes"]), (&json!(7), &json!([1])));
    assert!(post_at(&app, uri).await.unwrap().edited_at.is_none(), "new votes are no edit");

    let mut changed = question(&peer, &bo, &[answer("robin", 0), answer("owl", 0)]);
    changed["updated"] = json!("2025-11-24T16:05:00Z");
    peer.deliver(&app, &bo, &update(&bo, 2, &changed)).await;
    let now = ana.get(&path).await.json(200);
    assert_eq!((&now["options"][1]["title"], &now["voted"]), (&json!("owl"), &json!(false)));
    assert!(post_at(&app, uri).await.unwrap().edited_at.is_some());

    let mut closed = changed.clone();
    closed["closed"] = json!("2025-11-24T15:00:00Z");
    peer.deliver(&app, &bo, &update(&bo, 3, &closed)).await;
    let late = ana.post(&format!("{path}/votes"), json!({"choices": [0]})).await;
    late.error(422, "The poll has already ended");
}

#[tokio::test]
async fn votes_of_other_servers_count_once_and_are_no_posts() {
    let app = app().await;
    let peer = Peer::start().await;
    let (bo, cy) = (peer.actor("bo"), peer.actor("cy"));
    let ana = app.person("ana").await;
    let me = app.state.site.actor(ana.id);
    let body = json!({"status": "which?", "poll": {"options": ["robin", "wren"], "expires_in": 600}});
    let status = ana.post("/api/v1/statuses", body).await.json(200);
    let uri = status["uri"].as_str().unwrap();
    let path = format!("/api/v1/polls/{}", status["id"].as_str().unwrap());
    for (n, name) in ["wren", "wren", "robin", "owl"].into_iter().enumerate() {
        peer.deliver(&app, &bo, &vote(&peer, &bo, n as u32, name, uri, &me)).await;
    }
    // GoToSocial sends the votes of one ballot together.
    let mut together = vote(&peer, &cy, 9, "robin", uri, &me);
    together["object"] = json!([together["object"]]);
    peer.deliver(&app, &cy, &together).await;
    let poll = ana.get(&path).await.json(200);
    let counts: Vec<&Value> = poll["options"].as_array().unwrap().iter().map(|o| &o["votes_count"]).collect();
    assert_eq!(counts, [&json!(1), &json!(1)]);
    assert!(post_at(&app, &peer.url("/votes/0")).await.is_none());
    let thread =
        ana.get(&format!("/api/v1/statuses/{}/context", status["id"].as_str().unwrap())).await.json(200);
    assert_eq!(thread["descendants"], json!([]));

    let shown = get(&app, uri.trim_start_matches("https://social.example")).await.json(200);
    assert_eq!((&shown["type"], &shown["votersCount"]), (&json!("Question"), &json!(2)));
    assert_eq!(shown["oneOf"], json!([answer("robin", 1), answer("wren", 1)]));
    assert_eq!(work(&app).await, 0);
}

#[tokio::test]
async fn who_may_not_see_a_poll_may_not_vote_in_it() {
    let app = app().await;
    let peer = Peer::start().await;
    let bo = peer.actor("bo");
    let ana = app.person("ana").await;
    let me = app.state.site.actor(ana.id);
    let poll = json!({"options": ["robin", "wren"], "expires_in": 600});
    let body = json!({"status": "which?", "visibility": "private", "poll": poll});
    let status = ana.post("/api/v1/statuses", body).await.json(200);
    peer.deliver(&app, &bo, &vote(&peer, &bo, 1, "wren", status["uri"].as_str().unwrap(), &me)).await;
    let poll = ana.get(&format!("/api/v1/polls/{}", status["id"].as_str().unwrap())).await.json(200);
    assert_eq!(poll["votes_count"], 0);
}
