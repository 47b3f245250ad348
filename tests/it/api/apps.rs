//! Registering apps.

use serde_json::{Value, json};

use crate::kit::{Payload, TestApp, request};
use http::Method;

fn valid() -> Value {
    json!({ "client_name": "toot", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write" })
}

#[tokio::test]
async fn an_app_registers_and_learns_its_secret_once() {
    let app = TestApp::start().await;
    let made = app.post("/api/v1/apps", valid()).await.json(200);
    for key in ["id", "client_id", "client_secret", "name", "redirect_uri", "vapid_key"] {
        assert!(made[key].is_string(), "{key} in {made}");
    }
    assert_eq!(made["client_secret_expires_at"], 0);
    assert_eq!(made["website"], Value::Null);
    assert_eq!(made["scopes"], json!(["read", "write"]));
    assert_eq!(made["redirect_uris"], json!(["urn:ietf:wg:oauth:2.0:oob"]));

    let grant = json!({
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
    });
    let token = app.post("/oauth/token", grant).await.json(200);
    let bearer = token["access_token"].as_str().unwrap();
    let path = "/api/v1/apps/verify_credentials";
    let seen = app.send(request(Method::GET, path, Some(bearer), Payload::None)).await.json(200);
    assert_eq!(seen["name"], "toot");
    assert!(seen.get("client_secret").is_none());
    app.get(path).await.error(401, "The access token is invalid");
}

#[tokio::test]
async fn redirect_uris_come_as_text_or_list() {
    let app = TestApp::start().await;
    let mut body = valid();
    body["redirect_uris"] = json!(["app://back", "https://elk.example/api/x/https%3A%2F%2Fa/oauth"]);
    let listed = app.post("/api/v1/apps", body.clone()).await.json(200);
    assert_eq!(listed["redirect_uris"], body["redirect_uris"]);
    body["redirect_uris"] = json!("app://back\nhttps://b.example/");
    let lines = app.post("/api/v1/apps", body).await.json(200);
    assert_eq!(lines["redirect_uris"], json!(["app://back", "https://b.example/"]));
}

#[tokio::test]
async fn bad_registrations_are_refused_with_a_reason() {
    let app = TestApp::start().await;
    let cases = [
        ("client_name", json!(""), "Application name can't be blank"),
        ("client_name", json!("x".repeat(61)), "too long"),
        ("redirect_uris", json!(""), "Redirect URI can't be blank"),
        ("redirect_uris", json!("not a uri"), "Redirect URI must be an absolute URI"),
        ("redirect_uris", json!("javascript:alert(1)"), "Redirect URI must be an absolute URI"),
        ("redirect_uris", json!("data:text/html,x"), "Redirect URI must be an absolute URI"),
        ("redirect_uris", json!("https://a.example/#x"), "Redirect URI must be an absolute URI"),
        ("scopes", json!("everything"), "Scopes doesn't match"),
        ("website", json!("javascript:alert(1)"), "website"),
    ];
    for (key, value, words) in cases {
        let mut body = valid();
        body[key] = value;
        app.post("/api/v1/apps", body).await.error(422, words);
    }
}

#[tokio::test]
async fn registering_without_end_is_stopped() {
    let app = TestApp::with("rate_limit 1x").await;
    for _ in 0..5 {
        app.post("/api/v1/apps", valid()).await.json(200);
    }
    let refused = app.post("/api/v1/apps", valid()).await;
    refused.json(429);
    assert!(refused.header("retry-after").is_some());
}
