//! What belongs to somebody: lists, filters, files, and what an unapproved
//! login may read.

use axum::http::Method;
use serde_json::{Value, json};
use waxwing::model::Role;

use super::{MISSING, are_alike, call};
use crate::api::{id, post_to};
use crate::kit::place::empty_store;
use crate::kit::{Payload, Person, TestApp, request, settings};

/// What ana owns: a name, and paths with the id of it.
async fn owned(
    ana: &Person<'_>,
    ben: &Person<'_>,
) -> Vec<(&'static str, String, Vec<(Method, &'static str)>)> {
    let made = async |path: &str, body: Value| id(&ana.post(path, body).await.json(200));
    let filter = json!({ "title": "x", "context": ["home"], "keywords_attributes": [{ "keyword": "k" }] });
    let filter = ana.post("/api/v2/filters", filter).await.json(200);
    let scheduled = json!({ "status": "later", "scheduled_at": "2025-11-25T17:00:00.000Z" });
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    post_to(ben, "@ana psst", "direct").await;
    let notification = id(&ana.get("/api/v1/notifications?types[]=follow").await.json(200)[0]);
    let conversation = id(&ana.get("/api/v1/conversations").await.json(200)[0]);
    let (get, put, delete, post) = (Method::GET, Method::PUT, Method::DELETE, Method::POST);
    vec![
        (
            "list",
            made("/api/v1/lists", json!({ "title": "circle" })).await,
            vec![
                (get.clone(), "/api/v1/lists/ID"),
                (get.clone(), "/api/v1/lists/ID/accounts"),
                (get.clone(), "/api/v1/timelines/list/ID"),
                (get.clone(), "/api/v1/streaming/list?list=ID"),
                (put.clone(), "/api/v1/lists/ID"),
                (post.clone(), "/api/v1/lists/ID/accounts"),
                (delete.clone(), "/api/v1/lists/ID/accounts"),
                (delete.clone(), "/api/v1/lists/ID"),
            ],
        ),
        (
            "filter",
            id(&filter),
            vec![
                (get.clone(), "/api/v2/filters/ID"),
                (get.clone(), "/api/v2/filters/ID/keywords"),
                (get.clone(), "/api/v2/filters/ID/statuses"),
                (put.clone(), "/api/v2/filters/ID"),
                (post.clone(), "/api/v2/filters/ID/keywords"),
                (delete.clone(), "/api/v2/filters/ID"),
            ],
        ),
        (
            "keyword",
            id(&filter["keywords"][0]),
            vec![
                (get.clone(), "/api/v2/filters/keywords/ID"),
                (get.clone(), "/api/v1/filters/ID"),
                (put.clone(), "/api/v2/filters/keywords/ID"),
                (delete.clone(), "/api/v2/filters/keywords/ID"),
            ],
        ),
        (
            "scheduled post",
            made("/api/v1/statuses", scheduled).await,
            vec![
                (get.clone(), "/api/v1/scheduled_statuses/ID"),
                (put.clone(), "/api/v1/scheduled_statuses/ID"),
                (delete.clone(), "/api/v1/scheduled_statuses/ID"),
            ],
        ),
        (
            "notification",
            notification,
            vec![
                (get.clone(), "/api/v1/notifications/ID"),
                (get.clone(), "/api/v2/notifications/ungrouped-ID"),
                (post.clone(), "/api/v1/notifications/ID/dismiss"),
            ],
        ),
        (
            "conversation",
            conversation,
            vec![
                (post.clone(), "/api/v1/conversations/ID/read"),
                (post, "/api/v1/conversations/ID/unread"),
                (delete, "/api/v1/conversations/ID"),
            ],
        ),
    ]
}

#[tokio::test]
async fn case_93_what_belongs_to_another_is_not_there() {
    let app = TestApp::start().await;
    let (ana, ben, eve) = (app.person("ana").await, app.person("ben").await, app.person("eve").await);
    for (what, theirs, paths) in owned(&ana, &ben).await {
        for (method, path) in paths {
            let body = json!({ "title": "mine", "keyword": "k", "context": ["home"],
                "account_ids": [], "scheduled_at": "2025-11-25T18:00:00.000Z" });
            let named = |id: &str| path.replace("ID", id);
            let hidden = call(&app, &method, &named(&theirs), Some(&eve.token), body.clone()).await;
            let missing = call(&app, &method, &named(MISSING), Some(&eve.token), body).await;
            let is_harmless =
                method != Method::GET && hidden.status == 200 && hidden.text() == missing.text();
            if !is_harmless {
                are_alike(&hidden, &missing, &theirs, &format!("{what}: {method} {path}"));
            }
        }
    }
    // All of it is still there.
    for list in ["lists", "scheduled_statuses", "conversations"] {
        assert_ne!(ana.get(&format!("/api/v1/{list}")).await.json(200), json!([]), "{list}");
    }
    let filters = ana.get("/api/v2/filters").await.json(200);
    assert_eq!((&filters[0]["title"], &filters[0]["keywords"][0]["keyword"]), (&json!("x"), &json!("k")));
    assert_eq!(ana.get("/api/v1/notifications?types[]=follow").await.json(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn case_93_a_push_subscription_is_of_one_token() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let keys = json!({
        "p256dh": "BEpPCn0cfs3P0E0fY-gyOuahx5dW5N8quUowlrPyfXlMa6tABLqqcSpOpMnC1-o_UB_s4R8NQsqMLbASjnqSbqw=",
        "auth": "T5bhIIyre5TDC5LyX4mFAQ==",
    });
    let subscription = json!({ "subscription": { "endpoint": "https://push.example/secret", "keys": keys } });
    let made = ana.post("/api/v1/push/subscription", subscription).await;
    assert_eq!(made.status, 200, "{}", made.text());
    for method in [Method::GET, Method::PUT] {
        let answer = call(&app, &method, "/api/v1/push/subscription", Some(&eve.token), json!({})).await;
        assert_eq!(answer.status, 404, "{method}");
    }
    eve.delete("/api/v1/push/subscription").await;
    assert_eq!(
        ana.get("/api/v1/push/subscription").await.json(200)["endpoint"],
        "https://push.example/secret"
    );
    // Not even another of one's own apps has it.
    let other = app.token(Some(ana.id), "read write push").await;
    let asked = request(Method::GET, "/api/v1/push/subscription", Some(&other), Payload::None);
    assert_eq!(app.send(asked).await.status, 404);
}

#[tokio::test]
async fn case_94_an_unapproved_login_reads_nothing_of_the_servers_blocks() {
    let text = "https://social.example\ntls internal\nstore memory\nadmin off\nregistration approval\n";
    let app = TestApp::configured(settings(text), empty_store()).await;
    let admin = app.person_with("root", Role::Admin, "read write admin:read admin:write").await;
    let block = json!({ "domain": "bad.example", "severity": "silence", "obfuscate": true,
        "public_comment": "spam", "private_comment": "tip from a friend" });
    admin.post("/api/v1/admin/domain_blocks", block).await.json(200);
    let registrar = app.token(None, "read write admin:read").await;
    let new = json!({ "username": "wim", "email": "wim@mail.example", "password": "long enough words",
        "agreement": true, "locale": "en", "reason": "birds" });
    let asked = request(Method::POST, "/api/v1/accounts", Some(&registrar), Payload::Json(new));
    let pending = app.send(asked).await.json(200)["access_token"].as_str().unwrap().to_owned();
    for path in ["/api/v1/admin/domain_blocks", "/api/v1/admin/domain_allows", "/api/v1/domain_blocks"] {
        let answer = call(&app, &Method::GET, path, Some(&pending), json!({})).await;
        assert!(matches!(answer.status.as_u16(), 401 | 403), "{path}: {}", answer.status);
        assert!(!answer.text().contains("bad.example"), "{path}");
    }
    // The public list is the same for everybody: no private word, no name in full.
    let path = "/api/v1/instance/domain_blocks";
    let public = app.get(path).await;
    assert_eq!(call(&app, &Method::GET, path, Some(&pending), json!({})).await.text(), public.text());
    assert!(public.text().contains("spam"), "{}", public.text());
    for word in ["friend", "bad.example"] {
        assert!(!public.text().contains(word), "{}", public.text());
    }
}

#[tokio::test]
async fn case_99_files_have_names_that_nobody_guesses_and_no_list() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut names = Vec::new();
    for _ in 0..2 {
        let media = crate::api::media::uploaded(&app, &ana).await;
        let url = media["url"].as_str().unwrap().to_owned();
        let (_, name) = url.rsplit_once('/').unwrap();
        let (stem, _) = name.split_once('.').unwrap();
        assert!(stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_hexdigit()), "128 bits: {url}");
        assert_ne!(stem, media["id"].as_str().unwrap());
        names.push(url);
    }
    assert_ne!(names[0], names[1]);
    for path in
        ["/media", "/media/", "/media/incoming/", "/media/cache/", "/media/../", "/media/%2e%2e/store"]
    {
        let answer = app.get(path).await;
        assert!(
            answer.status.is_client_error() || answer.status.is_redirection(),
            "{path}: {}",
            answer.status
        );
        assert!(!answer.text().contains(".jpg") && !answer.text().contains(".png"), "{path}");
    }
}
