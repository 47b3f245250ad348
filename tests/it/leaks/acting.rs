//! Case 87: doing anything with a post that one may not see.

use axum::http::Method;
use serde_json::{Value, json};
use waxwing::model::Role;
use waxwing::model::queue::Job;
use waxwing::model::queue::tables::ACT;
use waxwing::store::Scan;

use super::{MISSING, SECRET, activity, are_alike, call, secret, tells_nothing};
use crate::api::id;
use crate::federation::peer::{PUBLIC, Peer, app, work};
use crate::kit::{Person, TestApp};
use crate::web::browser::Browser;

/// Every operation of the API's description that names a post in its path.
async fn operations(app: &TestApp) -> Vec<(Method, String)> {
    let document = app.get("/api/openapi.json").await.json(200);
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(rest) = path.strip_prefix("/api/v1/statuses/") else { continue };
        let named: Vec<&str> =
            rest.split('/').map(|part| if part.starts_with('{') { "ID" } else { part }).collect();
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            all.push((
                method.to_uppercase().parse().unwrap(),
                format!("/api/v1/statuses/{}", named.join("/")),
            ));
        }
    }
    assert!(all.len() >= 25, "{all:?}");
    all
}

/// That nothing happened to a post: nobody likes, boosts, answers or quotes
/// it, and its author was told of nothing.
async fn untouched(author: &Person<'_>, post: &str) {
    let after = author.get(&format!("/api/v1/statuses/{post}")).await.json(200);
    for count in ["favourites_count", "reblogs_count", "replies_count", "quotes_count"] {
        assert_eq!(after[count], 0, "{count}");
    }
    assert_eq!(after["poll"]["votes_count"].as_u64().unwrap_or(0), 0);
    let told = author.get("/api/v1/notifications?include_filtered=true").await.json(200);
    assert_eq!(told, json!([]));
}

#[tokio::test]
async fn case_87_no_operation_of_the_api_tells_a_hidden_post_from_a_missing_one() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let operations = operations(&app).await;
    for visibility in ["private", "direct"] {
        let post = id(&secret(&ana, visibility).await);
        for (method, path) in &operations {
            let body = json!({ "status": "x", "quote_approval_policy": "public", "visibility": "public" });
            for token in [None, Some(&*eve.token)] {
                let hidden = call(&app, method, &path.replace("ID", &post), token, body.clone()).await;
                let missing = call(&app, method, &path.replace("ID", MISSING), token, body.clone()).await;
                are_alike(&hidden, &missing, &post, &format!("{visibility} {method} {path}"));
            }
        }
        untouched(&ana, &post).await;
    }
}

#[tokio::test]
async fn case_87_a_hidden_post_is_not_answered_quoted_filtered_or_voted_in() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let body = json!({
        "status": SECRET, "visibility": "private", "poll": { "options": ["treasure", "b"], "expires_in": 600 },
    });
    let post = ana.post("/api/v1/statuses", body).await.json(200);
    let (post, poll) = (id(&post), post["poll"]["id"].as_str().unwrap().to_owned());
    let filter = json!({ "title": "x", "context": ["home"] });
    let filter = id(&eve.post("/api/v2/filters", filter).await.json(200));
    let filter = format!("/api/v2/filters/{filter}/statuses");
    let cases: [(Method, &str, Value); 7] = [
        (Method::POST, "/api/v1/statuses", json!({ "status": "x", "in_reply_to_id": "ID" })),
        (Method::POST, "/api/v1/statuses", json!({ "status": "x", "quoted_status_id": "ID" })),
        (
            Method::POST,
            "/api/v1/statuses",
            json!({ "status": "x", "in_reply_to_id": "ID", "scheduled_at": "2025-11-25T17:00:00.000Z" }),
        ),
        (Method::POST, &filter, json!({ "status_id": "ID" })),
        (Method::POST, "/api/v1/polls/ID/votes", json!({ "choices": [0] })),
        (Method::GET, "/api/v1/polls/ID", json!({})),
        (Method::DELETE, &filter, json!({ "status_id": "ID" })),
    ];
    for (method, path, body) in cases {
        let with = |id: &str| {
            let body: Value = serde_json::from_str(&body.to_string().replace("ID", id)).unwrap();
            (path.replace("/ID", &format!("/{id}")), body)
        };
        let hidden_id = if path.contains("polls") { &poll } else { &post };
        let ((hidden, body), (missing, other)) = (with(hidden_id), with(MISSING));
        let hidden = call(&app, &method, &hidden, Some(&eve.token), body).await;
        let missing = call(&app, &method, &missing, Some(&eve.token), other).await;
        are_alike(&hidden, &missing, hidden_id, path);
    }
    untouched(&ana, &post).await;
}

#[tokio::test]
async fn case_87_a_report_does_not_carry_what_its_author_may_not_see() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let moe = app.person_with("moe", Role::Moderator, "read write admin:read").await;
    let post = id(&secret(&ana, "private").await);
    let report =
        json!({ "account_id": ana.id.to_string(), "status_ids": [post, MISSING], "comment": "look" });
    let made = eve.post("/api/v1/reports", report).await.json(200);
    assert_eq!(made["status_ids"], Value::Null);
    let seen = moe.get("/api/v1/admin/reports").await;
    assert_eq!(seen.json(200)[0]["statuses"], json!([]));
    tells_nothing(&seen, "the report");
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn case_87_the_pages_forms_do_nothing_with_a_hidden_post() {
    let app = TestApp::start().await;
    let (ana, _eve) = (app.person("ana").await, app.person("eve").await);
    let post = id(&secret(&ana, "private").await);
    let mut browser = Browser::of(&app, "eve").await;
    for page in ["/@ana/ID", "/posts/ID/delete", "/compose?reply_to=ID", "/compose?in_reply_to=ID"] {
        let hidden = browser.get(&page.replace("ID", &post)).await;
        let missing = browser.get(&page.replace("ID", MISSING)).await;
        assert_eq!(hidden.status, missing.status, "{page}");
        tells_nothing(&hidden, page);
    }
    let forms: [(&str, &[(&str, &str)]); 9] = [
        ("/posts/ID/like", &[]),
        ("/posts/ID/unlike", &[]),
        ("/posts/ID/boost", &[]),
        ("/posts/ID/unboost", &[]),
        ("/posts/ID/bookmark", &[]),
        ("/posts/ID/unbookmark", &[]),
        ("/posts/ID/vote", &[("choices", "0")]),
        ("/posts/ID/delete", &[]),
        ("/compose", &[("text", "answer"), ("reply_to", "ID")]),
    ];
    for (form, fields) in forms {
        let send = async |browser: &mut Browser<'_>, id: &str| {
            let named: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (*name, if *value == "ID" { id } else { value })).collect();
            browser.submit(&form.replace("ID", id), &named).await
        };
        let (hidden, missing) = (send(&mut browser, &post).await, send(&mut browser, MISSING).await);
        assert_eq!(hidden.status, missing.status, "{form}: {}", hidden.text());
        tells_nothing(&hidden, form);
    }
    untouched(&ana, &post).await;
}

/// Everything that waits to go out.
async fn outgoing(app: &TestApp) -> Vec<Job> {
    let acts = app.state.store.read(|tx| tx.scan(ACT, Scan::all())).await.unwrap();
    acts.into_iter().map(|(_, act)| act.job).filter(|job| matches!(job, Job::Say(_) | Job::Deliver)).collect()
}

/// What another server may send about a post.
fn acts(peer: &Peer, eve: &str, target: &str) -> Vec<Value> {
    let about = |n: u32, kind: &str| activity(peer, &format!("/acts/{n}"), kind, eve, json!(target));
    let note = |n: u32| peer.note(eve, &format!("/notes/{n}"), "<p>look</p>");
    let mut answer = note(1);
    answer["inReplyTo"] = json!(target);
    let mut quote = note(2);
    quote["quote"] = json!(target);
    let vote = json!({
        "id": peer.url("/votes/1"), "type": "Note", "name": "treasure", "attributedTo": eve, "inReplyTo": target,
    });
    let (mut boost, mut react) = (about(2, "Announce"), about(3, "EmojiReact"));
    boost["to"] = json!([PUBLIC]);
    react["content"] = json!("👍");
    let mut request = about(4, "QuoteRequest");
    request["instrument"] = peer.serve(quote.clone());
    let mut pin = about(5, "Add");
    pin["target"] = json!(format!("{eve}/featured"));
    vec![
        about(1, "Like"),
        boost,
        react,
        request,
        pin,
        activity(peer, "/acts/6", "Create", eve, answer),
        activity(peer, "/acts/7", "Create", eve, quote),
        activity(peer, "/acts/8", "Create", eve, vote),
        about(9, "Flag"),
        about(10, "Delete"),
        activity(
            peer,
            "/acts/11",
            "Update",
            eve,
            json!({ "id": target, "type": "Note", "attributedTo": eve }),
        ),
        activity(peer, "/acts/12", "Undo", eve, about(1, "Like")),
    ]
}

#[tokio::test]
async fn case_87_other_servers_do_nothing_with_a_hidden_post_and_hear_nothing_of_it() {
    let (app, peer) = (app().await, Peer::start().await);
    let (ana, eve) = (app.person("ana").await, peer.actor("eve"));
    let moe = app.person_with("moe", Role::Moderator, "read write admin:read").await;
    let poll = json!({ "options": ["treasure", "b"], "expires_in": 600 });
    let body = json!({ "status": SECRET, "visibility": "private", "poll": poll });
    let post = ana.post("/api/v1/statuses", body).await.json(200);
    let hidden = post["uri"].as_str().unwrap().to_owned();
    let before = outgoing(&app).await.len();
    for act in acts(&peer, &eve, &hidden) {
        let kind = &act["type"];
        let answer = peer.send(&app, &eve, &act).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (202, String::new()), "{kind}");
        work(&app).await;
        // Also a refusal would say that there is something to refuse.
        assert_eq!(outgoing(&app).await.len(), before, "{kind} is answered");
        untouched(&ana, &id(&post)).await;
    }
    let reports = moe.get("/api/v1/admin/reports").await;
    tells_nothing(&reports, "reports");
    let context = ana.get(&format!("/api/v1/statuses/{}/context", id(&post))).await.json(200);
    assert_eq!(context["descendants"], json!([]), "nothing hangs under it");
}
