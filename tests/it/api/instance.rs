//! The server itself, preferences, and what is not built.

use serde_json::{Value, json};
use waxwing::model::Role;

use crate::kit::{Payload, TestApp, request};
use http::Method;

#[tokio::test]
async fn both_versions_tell_what_clients_need() {
    let app = TestApp::start().await;
    app.person_with("ana", Role::Owner, "read").await;
    let v1 = app.get("/api/v1/instance").await.json(200);
    assert_eq!(v1["uri"], "social.example");
    assert_eq!(v1["stats"]["user_count"], 1);
    assert_eq!(v1["urls"]["streaming_api"], "wss://social.example");
    let v2 = app.get("/api/v2/instance").await.json(200);
    assert_eq!(v2["domain"], "social.example");
    assert_eq!(v2["configuration"]["urls"]["streaming"], "wss://social.example");
    assert_eq!(v2["registrations"]["enabled"], true);
    for body in [&v1, &v2] {
        assert_eq!(body["configuration"]["statuses"]["max_characters"], 500);
        let version = body["version"].as_str().unwrap();
        assert!(version.starts_with("4.") && version.contains("(compatible; Waxwing "), "{version}");
        assert!(body["rules"].is_array());
    }
    let keys = "domain title version source_url description usage thumbnail icon languages configuration \
        registrations api_versions contact rules";
    for key in keys.split_whitespace() {
        assert!(v2.get(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn a_slash_at_the_end_does_not_matter() {
    let app = TestApp::start().await;
    app.get("/api/v2/instance/").await.json(200);
    app.get("/api/v1/instance/").await.json(200);
}

#[tokio::test]
async fn other_sites_may_call_the_api_without_cookies() {
    let app = TestApp::start().await;
    let mut preflight = request(Method::OPTIONS, "/api/v1/statuses", None, Payload::None);
    let headers = preflight.headers_mut();
    headers.insert("origin", "https://phanpy.example".parse().unwrap());
    headers.insert("access-control-request-method", "POST".parse().unwrap());
    headers.insert("access-control-request-headers", "authorization,idempotency-key".parse().unwrap());
    let answer = app.send(preflight).await;
    assert!(answer.status.is_success());
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("authorization,idempotency-key"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("DELETE"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);

    let missing = app.get("/api/v1/no/such/thing").await;
    missing.json(404);
    assert_eq!(missing.header("access-control-allow-origin"), Some("*"));
    assert!(missing.header("access-control-expose-headers").unwrap().contains("Link"));
    assert_eq!(app.get("/login").await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn what_is_not_built_is_empty() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for path in [
        "/api/v1/custom_emojis",
        "/api/v1/trends/tags",
        "/api/v1/trends/statuses",
        "/api/v1/trends/links",
        "/api/v1/directory",
        "/api/v1/instance/rules",
        "/api/v1/instance/peers",
    ] {
        assert_eq!(app.get(path).await.json(200), json!([]), "{path}");
    }
    for path in [
        "/api/v1/lists",
        "/api/v1/filters",
        "/api/v2/filters",
        "/api/v1/announcements",
        "/api/v2/suggestions",
        "/api/v1/followed_tags",
        "/api/v1/endorsements",
        "/api/v1/featured_tags",
        "/api/v1/scheduled_statuses",
        "/api/v1/domain_blocks",
        &format!("/api/v1/accounts/{}/lists", ana.id),
        &format!("/api/v1/accounts/{}/featured_tags", ana.id),
    ] {
        assert_eq!(ana.get(path).await.json(200), json!([]), "{path}");
    }
    app.get("/api/v1/lists").await.error(401, "The access token is invalid");
}

#[tokio::test]
async fn preferences_have_their_odd_keys() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let body = ana.get("/api/v1/preferences").await.json(200);
    assert_eq!(body["posting:default:visibility"], "public");
    assert_eq!(body["posting:default:sensitive"], false);
    assert_eq!(body["posting:default:language"], Value::Null);
    assert_eq!(body["reading:expand:media"], "default");
}
