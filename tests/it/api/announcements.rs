//! Announcements and how people react to them.

use serde_json::{Value, json};
use waxwing::model::Role;

use super::id;
use crate::kit::TestApp;

const ADMIN: &str = "read write admin:read admin:write";

#[tokio::test]
async fn an_announcement_is_read_and_reacted_to() {
    let app = TestApp::start().await;
    let (ada, ana) = (app.person_with("ada", Role::Admin, ADMIN).await, app.person("ana").await);
    let text = json!({ "text": "Down on Sunday. #maintenance https://status.example" });
    let made = ada.post("/api/v1/admin/announcements", text).await.json(200);
    let all = ana.get("/api/v1/announcements").await.json(200);
    assert_eq!(all[0]["id"], made["id"]);
    assert_eq!((&all[0]["read"], &all[0]["all_day"]), (&json!(false), &json!(false)));
    assert_eq!(all[0]["tags"][0]["name"], "maintenance");
    assert!(all[0]["content"].as_str().unwrap().contains("<a href=\"https://status.example"));

    let at = format!("/api/v1/announcements/{}", id(&made));
    ana.post(&format!("{at}/dismiss"), json!({})).await.json(200);
    let seen = async || ana.get("/api/v1/announcements").await.json(200)[0].clone();
    assert_eq!(seen().await["read"], true);
    assert_eq!(ada.get("/api/v1/announcements").await.json(200)[0]["read"], false);

    ana.put(&format!("{at}/reactions/%F0%9F%90%A6"), json!({})).await.json(200);
    ana.put(&format!("{at}/reactions/%F0%9F%90%A6"), json!({})).await.json(200);
    ada.put(&format!("{at}/reactions/%F0%9F%90%A6"), json!({})).await.json(200);
    assert_eq!(seen().await["reactions"], json!([{ "name": "🐦", "count": 2, "me": true }]));
    ana.delete(&format!("{at}/reactions/%F0%9F%90%A6")).await.json(200);
    assert_eq!(seen().await["reactions"], json!([{ "name": "🐦", "count": 1, "me": false }]));
    ana.put(&format!("{at}/reactions/bird"), json!({})).await.error(422, "emoji");
    ana.put("/api/v1/announcements/9/reactions/%F0%9F%90%A6", json!({})).await.error(404, "not found");
    ana.post("/api/v1/announcements/9/dismiss", json!({})).await.error(404, "not found");
    app.get("/api/v1/announcements").await.error(401, "access token");

    let change = json!({ "text": "Up again.", "ends_at": "2020-01-01T00:00:00Z", "starts_at": "2020-01-02T00:00:00Z" });
    ada.put(&format!("/api/v1/admin/announcements/{}", id(&made)), change).await.error(422, "after");
    let change = json!({ "text": "Up again." });
    ada.patch(&format!("/api/v1/admin/announcements/{}", id(&made)), change).await.json(200);
    assert_eq!(seen().await["content"], "<p>Up again.</p>");
    ada.delete(&format!("/api/v1/admin/announcements/{}", id(&made))).await.json(200);
    assert_eq!(ana.get("/api/v1/announcements").await.json(200), json!([]));
}

#[tokio::test]
async fn eight_ways_to_react_are_enough() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let made = ada.post("/api/v1/admin/announcements", json!({ "text": "hi" })).await.json(200);
    for n in 0..9 {
        let path = format!("/api/v1/announcements/{}/reactions/%F0%9F%90%8{}", id(&made), n);
        let answer = ada.put(&path, json!({})).await;
        assert_eq!(answer.status.as_u16(), if n < 8 { 200 } else { 422 }, "{n}");
    }
}

#[tokio::test]
async fn what_is_over_is_not_shown() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let soon = app.now().plus(std::time::Duration::from_secs(60)).rfc3339();
    ada.post("/api/v1/admin/announcements", json!({ "text": "today", "ends_at": soon })).await.json(200);
    let count = async || ada.get("/api/v1/announcements").await.json(200).as_array().map(Vec::len);
    assert_eq!(count().await, Some(1));
    app.clock.advance(std::time::Duration::from_secs(61));
    assert_eq!(count().await, Some(0));
    let blank: Value = json!({ "text": "  " });
    ada.post("/api/v1/admin/announcements", blank).await.error(422, "blank");
    ada.post("/api/v1/admin/announcements", json!({ "text": "x", "ends_at": "noon" }))
        .await
        .error(422, "ends_at");
}
