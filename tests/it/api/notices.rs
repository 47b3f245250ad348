//! What people are told when moderation touches them.

use serde_json::{Value, json};
use waxwing::model::Role;

use super::id;
use crate::kit::{Person, TestApp};
use crate::web::browser::Browser;

const STAFF: &str = "read write admin:read admin:write";

async fn act(by: &Person<'_>, on: &Person<'_>, body: Value) {
    by.post(&format!("/api/v1/admin/accounts/{}/action", on.id), body).await.json(200);
}

#[tokio::test]
async fn a_warning_is_told_in_every_view_and_not_who_gave_it() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let moe = app.person_with("moe", Role::Moderator, STAFF).await;
    let post = id(&super::post(&ana, "something rude").await);
    let report = json!({ "account_id": ana.id.to_string(), "status_ids": [post] });
    let report = id(&eve.post("/api/v1/reports", report).await.json(200));
    act(&moe, &ana, json!({ "type": "sensitive", "text": "please be kind", "report_id": report })).await;

    let told = ana.get("/api/v1/notifications").await.json(200);
    assert_eq!(told.as_array().unwrap().len(), 1);
    assert_eq!(
        (&told[0]["type"], &told[0]["account"]["username"]),
        (&json!("moderation_warning"), &json!("ana"))
    );
    let warning = &told[0]["moderation_warning"];
    assert_eq!((&warning["action"], &warning["text"]), (&json!("sensitive"), &json!("please be kind")));
    assert_eq!((&warning["status_ids"], &warning["appeal"]), (&json!([post]), &Value::Null));
    assert_eq!(warning["target_account"]["id"], ana.id.to_string());
    assert!(warning["created_at"].is_string() && warning["id"].is_string());
    for absent in ["status", "report", "event"] {
        assert!(told[0].get(absent).is_none(), "{absent}");
    }
    assert!(!told.to_string().contains("moe"), "{told}");
    let one = ana.get(&format!("/api/v1/notifications/{}", id(&told[0]))).await.json(200);
    assert_eq!(one, told[0]);

    let grouped = ana.get("/api/v2/notifications").await.json(200);
    let group = &grouped["notification_groups"][0];
    assert_eq!((&group["type"], &group["moderation_warning"]), (&json!("moderation_warning"), warning));
    assert_eq!(group["sample_account_ids"], json!([ana.id.to_string()]));
    let page = Browser::of(&app, "ana").await.get("/notifications").await.text();
    for words in ["A moderator has warned you", "please be kind", "hidden behind a warning"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("moe"));
    assert_eq!(eve.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn a_warning_can_be_kept_without_being_told() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let moe = app.person_with("moe", Role::Moderator, STAFF).await;
    act(&moe, &ana, json!({ "type": "none", "text": "first", "send_email_notification": false })).await;
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
    act(&moe, &ana, json!({ "type": "none", "text": "second" })).await;
    let told = ana.get("/api/v1/notifications?types[]=moderation_warning").await.json(200);
    assert_eq!(told[0]["moderation_warning"]["action"], "none");
    let who = ana.id;
    let kept = app
        .state
        .store
        .read(move |tx| waxwing::domain::moderation::warnings(tx, who))
        .await
        .unwrap_or_else(|error: waxwing::store::StoreError| panic!("{error}"));
    let texts: Vec<&str> = kept.iter().map(|warning| warning.text.as_str()).collect();
    assert_eq!(texts, ["second", "first"]);
}
