use std::time::Duration;

use http::header;
use serde_json::{Value, json};
use waxwing::domain::scheduled;
use waxwing::model::Scheduled;

use super::{id, ids, post, run_due, walk};
use crate::kit::{Payload, Person, TestApp, request};

const ALL: &str = "/api/v1/scheduled_statuses";

/// The clock stands at 16:00:00 on 24 November 2025.
async fn later(person: &Person<'_>, text: &str, at: &str) -> Value {
    person.post("/api/v1/statuses", json!({ "status": text, "scheduled_at": at })).await.json(200)
}

#[tokio::test]
async fn a_post_waits_for_its_time_and_is_published_once() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let parent = post(&ben, "hello").await;
    let body = json!({
        "status": "later @ben", "scheduled_at": "2025-11-24T17:00:00.000Z", "visibility": "unlisted", "language": "de",
        "spoiler_text": "cw", "in_reply_to_id": parent["id"],
        "poll": {"options": ["a", "b"], "expires_in": 600, "multiple": true},
    });
    let waiting = ana.post("/api/v1/statuses", body).await.json(200);
    assert_eq!(waiting["scheduled_at"], "2025-11-24T17:00:00.000Z");
    let params = &waiting["params"];
    assert_eq!((&params["text"], &params["visibility"]), (&json!("later @ben"), &json!("unlisted")));
    let poll = json!({"options": ["a", "b"], "expires_in": 600, "multiple": true, "hide_totals": false});
    assert_eq!((&params["poll"], &params["sensitive"]), (&poll, &Value::Null));
    assert_eq!(params["in_reply_to_id"].to_string(), id(&parent));
    let path = format!("{ALL}/{}", id(&waiting));
    assert_eq!(ana.get(&path).await.json(200), waiting);
    let mine = format!("/api/v1/accounts/{}/statuses", ana.id);
    run_due(&app).await;
    assert_eq!(ana.get(&mine).await.json(200), json!([]));

    app.clock.advance(Duration::from_secs(3600));
    run_due(&app).await;
    run_due(&app).await;
    let published = ana.get(&mine).await.json(200);
    assert_eq!(published.as_array().unwrap().len(), 1);
    let status = &published[0];
    assert_eq!((&status["visibility"], &status["spoiler_text"]), (&json!("unlisted"), &json!("cw")));
    assert_eq!((&status["in_reply_to_id"], &status["language"]), (&parent["id"], &json!("de")));
    assert_eq!(status["created_at"], "2025-11-24T17:00:00.000Z");
    assert_eq!(status["poll"]["expires_at"], "2025-11-24T17:10:00.000Z");
    assert_eq!(status["mentions"][0]["username"], "ben");
    assert_eq!(ana.get(ALL).await.json(200), json!([]));
    ana.get(&path).await.error(404, "");
}

#[tokio::test]
async fn times_are_checked_with_mastodons_words() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let send =
        async |at: &str| ana.post("/api/v1/statuses", json!({"status": "x", "scheduled_at": at})).await;
    send("soon").await.error(422, "Record invalid");
    let words = "Validation failed: Scheduled at The scheduled date must be in the future";
    send("2025-11-24T16:05:00Z").await.error(422, words);
    assert_eq!(
        send("2025-11-24T15:00:00Z").await.json(200)["content"],
        "<p>x</p>",
        "the past counts for nothing"
    );
    assert_eq!(send("2025-11-26").await.json(200)["scheduled_at"], "2025-11-26T00:00:00.000Z");
    let bad = [
        (json!({"status": "", "scheduled_at": "2026-01-01T00:00:00Z"}), 422, "Text can't be blank"),
        (json!({"status": "x", "scheduled_at": "2026-01-01T00:00:00Z", "in_reply_to_id": "17"}), 404, ""),
        (json!({"status": "x".repeat(501), "scheduled_at": "2026-01-01T00:00:00Z"}), 422, "character limit"),
        (
            json!({"status": "x", "scheduled_at": "2026-01-01T00:00:00Z", "poll": {"options": ["a"], "expires_in": 600}}),
            422,
            "Choices",
        ),
        (
            json!({"status": "x", "scheduled_at": "2026-01-01T00:00:00Z", "media_ids": ["17"]}),
            422,
            "Media not found",
        ),
    ];
    for (body, status, words) in bad {
        ana.post("/api/v1/statuses", body).await.error(status, words);
    }
}

#[tokio::test]
async fn a_waiting_post_is_its_authors_to_move_and_to_give_up() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let waiting = later(&ana, "x", "2025-11-24T17:00:00Z").await;
    let path = format!("{ALL}/{}", id(&waiting));
    for answer in [
        ben.get(&path).await,
        ben.put(&path, json!({"scheduled_at": "2026-01-01"})).await,
        ben.delete(&path).await,
    ] {
        answer.error(404, "Record not found");
    }
    ana.put(&path, json!({"scheduled_at": "2025-11-24T16:01:00Z"})).await.error(422, "must be in the future");
    let moved = ana.put(&path, json!({"scheduled_at": "2025-11-24T18:00:00Z"})).await.json(200);
    assert_eq!((&moved["id"], &moved["scheduled_at"]), (&waiting["id"], &json!("2025-11-24T18:00:00.000Z")));
    let mine = format!("/api/v1/accounts/{}/statuses", ana.id);
    app.clock.advance(Duration::from_secs(3600));
    run_due(&app).await;
    assert_eq!(ana.get(&mine).await.json(200), json!([]), "the first time counts no more");
    app.clock.advance(Duration::from_secs(3600));
    run_due(&app).await;
    assert_eq!(ana.get(&mine).await.json(200).as_array().unwrap().len(), 1);

    let waiting = later(&ana, "y", "2025-11-25T17:00:00Z").await;
    let path = format!("{ALL}/{}", id(&waiting));
    assert_eq!(ana.delete(&path).await.json(200), json!({}));
    ana.delete(&path).await.error(404, "");
    app.clock.advance(Duration::from_secs(48 * 3600));
    run_due(&app).await;
    assert_eq!(ana.get(&mine).await.json(200).as_array().unwrap().len(), 1);
    app.get(ALL).await.error(401, "");
}

#[tokio::test]
async fn a_post_that_became_impossible_is_dropped() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let parent = post(&ben, "hello").await;
    let body = json!({"status": "x", "scheduled_at": "2025-11-24T17:00:00Z", "in_reply_to_id": parent["id"]});
    ana.post("/api/v1/statuses", body).await.json(200);
    ben.delete(&format!("/api/v1/statuses/{}", id(&parent))).await.json(200);
    app.clock.advance(Duration::from_secs(3600));
    run_due(&app).await;
    assert_eq!(ana.get(ALL).await.json(200), json!([]));
}

/// The job reads the post first and publishes it in another transaction.
#[tokio::test]
async fn what_is_given_up_or_put_off_at_the_last_moment_is_not_published() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let due = async |row: Scheduled| {
        let now = app.now();
        app.state.store.write(move |tx| scheduled::take(tx, now, &row)).await.unwrap()
    };
    for (year, (change, expected)) in (2026..).zip([("delete", false), ("move", false), ("keep", true)]) {
        let path = format!("{ALL}/{}", id(&later(&ana, "x", &format!("{year}-02-01T17:00:00Z")).await));
        let (me, row) = (ana.id, path.rsplit('/').next().unwrap().parse().unwrap());
        let row = app.state.store.read(move |tx| scheduled::get(tx, me, row)).await;
        let row = row.unwrap_or_else(|error| panic!("{error:?}"));
        match change {
            "delete" => drop(ana.delete(&path).await.json(200)),
            "move" => drop(ana.put(&path, json!({"scheduled_at": "2029-11-30T17:00:00Z"})).await.json(200)),
            _ => {}
        }
        app.clock.advance(Duration::from_secs(380 * 86_400));
        assert_eq!(due(row).await, expected, "{change}");
    }
}

#[tokio::test]
async fn a_day_holds_25_and_pages_show_each_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for n in 0..25 {
        later(&ana, &n.to_string(), "2025-12-01T12:00:00Z").await;
    }
    let full =
        ana.post("/api/v1/statuses", json!({"status": "x", "scheduled_at": "2025-12-01T13:00:00Z"})).await;
    full.error(422, "You have exceeded the limit of 25 scheduled posts for today");
    later(&ana, "x", "2025-12-02T13:00:00Z").await;
    let all = walk(&ana, &format!("{ALL}?limit=10")).await;
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!((all.len(), once.len()), (26, 26));
    assert_eq!(ids(&ana.get(&format!("{ALL}?limit=40")).await.json(200)), all);
}

#[tokio::test]
async fn an_idempotency_key_schedules_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let send = async |key: &str, body: Value| {
        let mut request =
            request(http::Method::POST, "/api/v1/statuses", Some(&ana.token), Payload::Json(body));
        let key = header::HeaderValue::from_bytes(key.as_bytes()).unwrap();
        request.headers_mut().insert(header::HeaderName::from_static("idempotency-key"), key);
        id(&app.send(request).await.json(200))
    };
    let body = json!({"status": "once", "scheduled_at": "2025-11-24T17:00:00Z"});
    for (key, posts) in [("k", 1), ("clé", 2)] {
        assert_eq!(send(key, body.clone()).await, send(key, body.clone()).await);
        assert_eq!(ids(&ana.get(ALL).await.json(200)).len(), posts);
    }
}
