//! Addresses that are shut out, and the figures of the place.

use http::Method;
use serde_json::{Value, json};
use waxwing::model::Role;

use super::id;
use crate::kit::{Answer, Payload, TestApp, request};

const ADMIN: &str = "read write admin:read admin:write";

async fn join(app: &TestApp, token: &str, name: &str, email: &str) -> Answer {
    let form = json!({ "username": name, "email": email, "password": "cedar and juniper",
        "agreement": true, "locale": "en" });
    app.send(request(Method::POST, "/api/v1/accounts", Some(token), Payload::Json(form))).await
}

#[tokio::test]
async fn nobody_joins_with_a_mail_address_that_is_shut_out() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let token = app.token(None, "read write").await;
    let domains = "/api/v1/admin/email_domain_blocks";
    let rule = ada.post(domains, json!({ "domain": "Spam.example" })).await.json(200);
    assert_eq!((&rule["domain"], &rule["history"]), (&json!("spam.example"), &json!([])));
    let again = ada.post(domains, json!({ "domain": "spam.example" })).await.json(200);
    assert_eq!(again["id"], rule["id"]);
    let refused = join(&app, &token, "eve", "eve@mx.spam.example").await.json(422);
    assert_eq!(refused["details"]["email"][0]["error"], "ERR_BLOCKED");
    join(&app, &token, "nospam", "eve@notspam.example").await.json(200);
    ada.delete(&format!("{domains}/{}", id(&rule))).await.json(200);
    ada.get(&format!("{domains}/{}", id(&rule))).await.error(404, "not found");
    join(&app, &token, "eve", "eve@mx.spam.example").await.json(200);

    let canonical = "/api/v1/admin/canonical_email_blocks";
    let rule = ada.post(canonical, json!({ "email": "b.e.n+x@b.example" })).await.json(200);
    assert_eq!(rule["canonical_email_hash"].as_str().unwrap().len(), 64);
    assert_eq!(join(&app, &token, "ben", "Ben@b.example").await.status, 422);
    let test = format!("{canonical}/test");
    let found = ada.post(&test, json!({ "email": "ben@b.example" })).await.json(200);
    assert_eq!(found, json!([rule]));
    assert_eq!(ada.post(&test, json!({ "email": "ana@b.example" })).await.json(200), json!([]));
    ada.post(canonical, json!({})).await.error(422, "blank");
    // One kind is not found as the other.
    ada.delete(&format!("{domains}/{}", id(&rule))).await.error(404, "not found");
    assert_eq!(ada.get(domains).await.json(200), json!([]));
}

#[tokio::test]
async fn an_address_is_kept_from_joining_or_from_everything() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    let token = app.token(None, "read write").await;
    let at = "/api/v1/admin/ip_blocks";
    // Tests come from 127.0.0.1.
    let block = json!({ "ip": "127.0.0.9/8", "severity": "sign_up_block", "comment": "flood" });
    let made = ada.post(at, block).await.json(200);
    assert_eq!((&made["ip"], &made["severity"]), (&json!("127.0.0.0/8"), &json!("sign_up_block")));
    join(&app, &token, "eve", "eve@e.example").await.error(403, "not allowed");
    let one = format!("{at}/{}", id(&made));
    ada.put(&one, json!({ "severity": "sign_up_requires_approval" })).await.json(200);
    assert_eq!(join(&app, &token, "eve", "eve@e.example").await.status, 422, "a reason is needed");
    ada.post(at, json!({ "ip": "nonsense", "severity": "no_access" })).await.error(422, "Ip");
    ada.patch(&one, json!({ "severity": "no_access", "expires_in": 60 })).await.json(200);
    app.get("/api/v2/instance").await.error(403, "shut out");
}

#[tokio::test]
async fn figures_count_what_happened() {
    let app = TestApp::start().await;
    let mo = app.person_with("mo", Role::Moderator, ADMIN).await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    ana.post("/api/v1/reports", json!({ "account_id": ben.id.to_string() })).await.json(200);
    let today = app.now().date();
    let span = json!({ "keys": ["new_users", "opened_reports", "active_users", "odd"],
        "start_at": today, "end_at": today });
    let found = mo.post("/api/v1/admin/measures", span).await.json(200);
    let total = |key: &str| {
        let all = found.as_array().unwrap();
        all.iter().find(|m| m["key"] == key).map(|m| m["total"].clone()).unwrap_or(Value::Null)
    };
    assert_eq!((total("new_users"), total("opened_reports")), (json!("3"), json!("1")));
    assert_eq!((total("active_users"), total("odd")), (json!("2"), Value::Null));
    let span = json!({ "start_at": today, "end_at": today, "frequency": "day" });
    let cohorts = mo.post("/api/v1/admin/retention", span).await.json(200);
    assert_eq!(cohorts[0]["data"][0]["value"], "2");
    let span = json!({ "keys": ["software_versions", "languages"], "start_at": today, "end_at": today });
    let found = mo.post("/api/v1/admin/dimensions", span).await.json(200);
    assert_eq!(found[0]["data"][0]["key"], "waxwing");
    assert_eq!(found[1]["data"][0]["value"], "3");
    let bad = json!({ "keys": ["new_users"], "start_at": "noon", "end_at": today });
    mo.post("/api/v1/admin/measures", bad).await.error(422, "start_at");
    assert_eq!(mo.get("/api/v1/admin/trends/tags").await.json(200), json!([]));
}
