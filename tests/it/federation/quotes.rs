//! Quotes from there and of posts there (FEP-044f).

use serde_json::{Value, json};
use waxwing::model::queue::tables::ACT;
use waxwing::model::queue::{Job, Outgoing};
use waxwing::store::Scan;

use super::peer::{PUBLIC, Peer, app, get, ours, post_at};
use crate::kit::{Person, TestApp};

async fn said(app: &TestApp) -> Vec<Outgoing> {
    let acts = app.state.store.read(|tx| tx.scan(ACT, Scan::all())).await.unwrap();
    let said = acts.into_iter().filter_map(|(_, act)| match act.job {
        Job::Say(said) => Some(said),
        _ => None,
    });
    said.collect()
}

async fn found(who: &Person<'_>, uri: &str) -> Value {
    who.get(&format!("/api/v2/search?resolve=true&q={uri}")).await.json(200)["statuses"][0].clone()
}

fn open(mut note: Value) -> Value {
    note["interactionPolicy"] = json!({ "canQuote": { "automaticApproval": [PUBLIC] } });
    note
}

fn quoting(peer: &Peer, author: &str, path: &str, quoted: &str) -> Value {
    let mut note = peer.note(author, path, "<p>look</p>");
    note["quote"] = json!(quoted);
    note
}

fn path(status: &Value) -> String {
    format!("/api/v1/statuses/{}", status["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_request_is_answered_by_the_policy_with_a_stamp_that_can_be_looked_at() {
    let app = app().await;
    let peer = Peer::start().await;
    let bo = peer.actor("bo");
    let ana = app.person("ana").await;
    let status = ana.post("/api/v1/statuses", json!({"status": "hello"})).await.json(200);
    let uri = status["uri"].as_str().unwrap();
    let shown = get(&app, uri.trim_start_matches("https://social.example")).await.json(200);
    assert_eq!(shown["interactionPolicy"]["canQuote"]["automaticApproval"], json!([PUBLIC]));

    let note = peer.serve(quoting(&peer, &bo, "/n/1", uri));
    let request = |n: u32| json!({ "id": peer.url(&format!("/r/{n}")), "type": "QuoteRequest", "actor": bo, "object": uri, "instrument": note["id"] });
    peer.deliver(&app, &bo, &request(1)).await;
    let stamp = match said(&app).await.pop().unwrap() {
        Outgoing::AcceptQuote { result, request, to, .. } => {
            assert_eq!((request, to), (peer.url("/r/1"), bo.clone()));
            result
        }
        other => panic!("{other:?}"),
    };
    let document = get(&app, stamp.trim_start_matches("https://social.example")).await.json(200);
    assert_eq!((&document["type"], &document["id"]), (&json!("QuoteAuthorization"), &json!(stamp)));
    assert_eq!((&document["interactingObject"], &document["interactionTarget"]), (&note["id"], &json!(uri)));
    let told = ana.get("/api/v1/notifications?types[]=quote").await.json(200);
    assert_eq!(told[0]["status"]["quote"]["state"], "accepted");
    assert_eq!(ana.get(&path(&status)).await.json(200)["quotes_count"], 1);

    let revoke = format!("{}/quotes/{}/revoke", path(&status), told[0]["status"]["id"].as_str().unwrap());
    assert_eq!(ana.post(&revoke, json!({})).await.json(200)["quote"]["state"], "revoked");
    assert!(
        matches!(said(&app).await.last(), Some(Outgoing::DeleteStamp { stamp: gone, .. }) if *gone == stamp)
    );
    assert_eq!(get(&app, stamp.trim_start_matches("https://social.example")).await.status, 404);
    peer.deliver(&app, &bo, &request(2)).await;
    assert!(matches!(said(&app).await.last(), Some(Outgoing::RejectQuote { .. })), "it was taken back");

    let closed = ana
        .post("/api/v1/statuses", json!({"status": "x", "quote_approval_policy": "nobody"}))
        .await
        .json(200);
    let uri = closed["uri"].as_str().unwrap();
    let note = peer.serve(quoting(&peer, &bo, "/n/2", uri));
    let request = json!({ "id": peer.url("/r/3"), "type": "QuoteRequest", "actor": bo, "object": uri, "instrument": note["id"] });
    peer.deliver(&app, &bo, &request).await;
    assert!(matches!(said(&app).await.last(), Some(Outgoing::RejectQuote { .. })));
    let shown = post_at(&app, note["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(shown.quote.unwrap().state.word(), "pending");
}

#[tokio::test]
async fn our_quote_waits_for_the_authors_leave() {
    let app = app().await;
    let peer = Peer::start().await;
    let bo = peer.actor("bo");
    let ana = app.person("ana").await;
    let original = peer.serve(open(peer.note(&bo, "/n/1", "<p>hello</p>")));
    let target = found(&ana, original["id"].as_str().unwrap()).await;
    assert_eq!(target["quote_approval"]["current_user"], "automatic");
    let quote = async || {
        let body = json!({"status": "look", "quoted_status_id": target["id"]});
        ana.post("/api/v1/statuses", body).await.json(200)
    };
    let first = quote().await;
    assert_eq!(first["quote"], json!({"state": "pending", "quoted_status": null}));
    let asked = match said(&app).await.pop().unwrap() {
        Outgoing::QuoteRequest { id, object, instrument, .. } => {
            assert_eq!((json!(object), json!(instrument)), (original["id"].clone(), first["uri"].clone()));
            id
        }
        other => panic!("{other:?}"),
    };
    let answer = |n: u32, kind: &str, request: &str, result: &str| json!({ "id": peer.url(&format!("/a/{n}")), "type": kind, "actor": bo, "object": request, "result": result });
    let stranger = peer.actor("cy");
    let mut forged = answer(1, "Accept", &asked, &peer.url("/stamps/1"));
    forged["actor"] = json!(stranger);
    peer.deliver(&app, &stranger, &forged).await;
    peer.deliver(&app, &bo, &answer(2, "Accept", &asked, "https://elsewhere.example/stamps/1")).await;
    assert_eq!(ana.get(&path(&first)).await.json(200)["quote"]["state"], "pending", "not theirs to allow");
    peer.deliver(&app, &bo, &answer(3, "Accept", &asked, &peer.url("/stamps/1"))).await;
    let shown = ana.get(&path(&first)).await.json(200);
    assert_eq!(
        (&shown["quote"]["state"], &shown["quote"]["quoted_status"]["id"]),
        (&json!("accepted"), &target["id"])
    );
    let document = get(&app, first["uri"].as_str().unwrap().trim_start_matches("https://social.example"))
        .await
        .json(200);
    assert_eq!(
        (&document["quote"], &document["quoteAuthorization"]),
        (&original["id"], &json!(peer.url("/stamps/1")))
    );

    let gone = json!({ "id": peer.url("/d/1"), "type": "Delete", "actor": bo, "object": peer.url("/stamps/1"), "to": [PUBLIC] });
    peer.deliver(&app, &bo, &gone).await;
    assert_eq!(ana.get(&path(&first)).await.json(200)["quote"]["state"], "revoked");

    let second = quote().await;
    let refusal = json!({
        "id": peer.url("/a/4"), "type": "Reject", "actor": bo,
        "object": { "id": format!("{}#quote-request", second["uri"].as_str().unwrap()), "type": "QuoteRequest" },
    });
    peer.deliver(&app, &bo, &refusal).await;
    assert_eq!(ana.get(&path(&second)).await.json(200)["quote"]["state"], "rejected");
}

#[tokio::test]
async fn a_quote_between_others_is_shown_where_its_stamp_holds() {
    let app = app().await;
    let (here, there) = (Peer::start().await, Peer::start().await);
    let (bo, cy) = (here.actor("bo"), there.actor("cy"));
    let ana = app.person("ana").await;
    let found_bo = ana.get(&format!("/api/v2/search?resolve=true&q={bo}")).await.json(200);
    let id = found_bo["accounts"][0]["id"].as_str().unwrap().to_owned();
    ana.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.json(200);
    let accept = json!({
        "id": here.url("/f/1"), "type": "Accept", "actor": bo,
        "object": { "type": "Follow", "actor": app.state.site.actor(ana.id), "object": bo },
    });
    here.deliver(&app, &bo, &accept).await;
    let original = there.serve(there.note(&cy, "/n/1", "<p>hello</p>"));
    let stamp = |n: u32, quoting: &Value| {
        there.serve(json!({
            "id": there.url(&format!("/s/{n}")), "type": "QuoteAuthorization", "attributedTo": cy,
            "interactingObject": quoting, "interactionTarget": original["id"],
        }));
        json!(there.url(&format!("/s/{n}")))
    };
    let mut states = Vec::new();
    for n in 1..=4 {
        let mut note = quoting(&here, &bo, &format!("/n/{n}"), original["id"].as_str().unwrap());
        let own_stamp = note["id"].clone();
        note["quoteAuthorization"] = match n {
            1 => stamp(1, &own_stamp),
            2 => stamp(2, &json!(here.url("/n/1"))),
            3 => json!(here.url("/n/1")),
            _ => Value::Null,
        };
        let create = json!({ "id": here.url(&format!("/c/{n}")), "type": "Create", "actor": bo, "object": note, "to": [PUBLIC] });
        here.deliver(&app, &bo, &create).await;
        let kept = post_at(&app, note["id"].as_str().unwrap()).await.unwrap();
        states.push(kept.quote.unwrap().state.word());
    }
    assert_eq!(states, ["accepted", "pending", "pending", "pending"]);
    let shown = found(&ana, &here.url("/n/1")).await;
    assert_eq!(shown["quote"]["quoted_status"]["content"], "<p>hello</p>");
    let own = quoting(&here, &bo, "/n/9", &here.url("/n/1"));
    let create =
        json!({ "id": here.url("/c/9"), "type": "Create", "actor": bo, "object": own, "to": [PUBLIC] });
    here.deliver(&app, &bo, &create).await;
    let kept = post_at(&app, &here.url("/n/9")).await.unwrap();
    assert_eq!(kept.quote.unwrap().state.word(), "accepted", "everybody may quote themselves");
}

#[tokio::test]
async fn a_quote_that_a_search_brings_is_shown_where_its_stamp_holds() {
    let app = app().await;
    let (here, there) = (Peer::start().await, Peer::start().await);
    let (bo, cy) = (here.actor("bo"), there.actor("cy"));
    let ana = app.person("ana").await;
    let original = there.serve(there.note(&cy, "/n/1", "<p>hello</p>"));
    let quoted = original["id"].as_str().unwrap();
    let stamp = |quoting: &str| {
        json!({
            "id": there.url("/s/1"), "type": "QuoteAuthorization", "attributedTo": cy,
            "interactingObject": quoting, "interactionTarget": quoted,
        })
    };
    let mut note = quoting(&here, &bo, "/n/1", quoted);
    note["quoteAuthorization"] = json!(there.url("/s/1"));
    here.serve(note);
    let mut other = quoting(&here, &bo, "/n/2", quoted);
    other["quoteAuthorization"] = json!(there.url("/s/1"));
    here.serve(other);
    // Without the stamp it waits; a later search finds it.
    assert_eq!(found(&ana, &here.url("/n/1")).await["quote"]["state"], "pending");
    there.serve(stamp(&here.url("/n/1")));
    let shown = found(&ana, &here.url("/n/1")).await;
    assert_eq!(shown["quote"]["state"], "accepted", "{shown}");
    assert_eq!(shown["quote"]["quoted_status"]["content"], "<p>hello</p>");
    assert_eq!(found(&ana, &here.url("/n/2")).await["quote"]["state"], "pending", "it is of another post");
}

#[tokio::test]
async fn a_quote_that_comes_with_a_thread_does_not_stay_pending() {
    let app = app().await;
    let (here, there) = (Peer::start().await, Peer::start().await);
    let (bo, cy) = (here.actor("bo"), there.actor("cy"));
    let ana = app.person("ana").await;
    let original = there.serve(there.note(&cy, "/n/1", "<p>hello</p>"));
    let quoted = original["id"].as_str().unwrap();
    there.serve(json!({
        "id": there.url("/s/1"), "type": "QuoteAuthorization", "attributedTo": cy,
        "interactingObject": here.url("/n/1"), "interactionTarget": quoted,
    }));
    let mut above = quoting(&here, &bo, "/n/1", quoted);
    above["quoteAuthorization"] = json!(there.url("/s/1"));
    here.serve(above);
    let mut answer = here.note(&bo, "/n/2", "<p>see above</p>");
    answer["inReplyTo"] = json!(here.url("/n/1"));
    answer["tag"] = json!([{ "type": "Mention", "href": ours(&app, ana.id), "name": "@ana" }]);
    answer["cc"] = json!([ours(&app, ana.id)]);
    let create = json!({ "id": here.url("/c/2"), "type": "Create", "actor": bo, "object": answer });
    here.deliver(&app, &bo, &create).await;
    let above = post_at(&app, &here.url("/n/1")).await.unwrap();
    assert_eq!(above.quote.unwrap().state.word(), "accepted");
}
