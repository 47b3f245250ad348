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

#[tokio::test]
async fn the_place_tells_its_rules_and_texts() {
    let app = TestApp::with(
        "rules \"Be kind.\" \"No spam.\"\nprivacy_policy \"We keep little.\"\n\
         terms_of_service 2025-01-01 \"Be a guest.\"\nextended_description \"Birds <3\"",
    )
    .await;
    let rules = app.get("/api/v1/instance/rules").await.json(200);
    assert_eq!((&rules[0]["id"], &rules[1]["text"]), (&json!("1"), &json!("No spam.")));
    assert_eq!(app.get("/api/v2/instance").await.json(200)["rules"], rules);
    let more = app.get("/api/v1/instance/extended_description").await.json(200);
    assert_eq!(more["content"], "<p>Birds &lt;3</p>");
    assert_eq!(
        app.get("/api/v1/instance/privacy_policy").await.json(200)["content"],
        "<p>We keep little.</p>"
    );
    let terms = app.get("/api/v1/instance/terms_of_service").await.json(200);
    assert_eq!((&terms["effective_date"], &terms["effective"]), (&json!("2025-01-01"), &json!(true)));
    assert_eq!(app.get("/api/v1/instance/terms_of_service/2025-01-01").await.json(200), terms);
    app.get("/api/v1/instance/terms_of_service/2024-01-01").await.error(404, "not found");
    let urls = app.get("/api/v2/instance").await.json(200)["configuration"]["urls"].clone();
    assert_eq!(urls["privacy_policy"], "https://social.example/about#privacy-policy");
    assert!(app.get("/about").await.text().contains("We keep little."));

    let bare = TestApp::start().await;
    bare.get("/api/v1/instance/privacy_policy").await.error(404, "not found");
    bare.get("/api/v1/instance/terms_of_service").await.error(404, "not found");
}

#[tokio::test]
async fn weeks_are_counted_as_they_pass() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    super::post(&ana, "one").await;
    super::post(&ana, "two").await;
    let weeks = app.get("/api/v1/instance/activity").await.json(200);
    assert_eq!(weeks.as_array().unwrap().len(), 12);
    assert_eq!((&weeks[0]["statuses"], &weeks[0]["logins"]), (&json!("2"), &json!("1")));
    assert_eq!((&weeks[0]["registrations"], &weeks[1]["statuses"]), (&json!("1"), &json!("0")));
    let usage = app.get("/api/v2/instance").await.json(200)["usage"].clone();
    assert_eq!(usage["users"]["active_month"], 1);
}

#[tokio::test]
async fn a_public_post_can_be_quoted_on_other_pages() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (open, hidden) = (super::post(&ana, "<b>hi</b>").await, super::post_to(&ana, "no", "private").await);
    let found = app.get(&format!("/api/oembed?url={}", open["url"].as_str().unwrap())).await.json(200);
    assert_eq!((&found["type"], &found["version"]), (&json!("rich"), &json!("1.0")));
    assert!(found["html"].as_str().unwrap().contains("&lt;b&gt;hi"), "{found}");
    app.get(&format!("/api/oembed?url={}", hidden["url"].as_str().unwrap())).await.error(404, "not found");
    app.get("/api/oembed?url=https://b.example/@ben/1").await.error(404, "not found");
    app.get("/api/oembed").await.error(404, "not found");
}

#[tokio::test]
async fn small_answers_are_honest() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    assert_eq!(app.get("/api/v1/donation_campaigns?locale=en").await.status, 204);
    assert_eq!(app.get("/health").await.text(), "OK");
    assert_eq!(app.get("/api/v1/peers/search?q=b").await.json(200), json!([]));
    assert_eq!(app.get("/api/v1/instance/translation_languages").await.json(200), json!({}));
    let moved = app.get("/.well-known/change-password").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (302, Some("/settings/security")));
    ana.post("/api/v1/emails/confirmations", json!({})).await.error(403, "awaiting confirmation");
    assert_eq!(ana.get("/api/v1/emails/check_confirmation").await.json(200), true);
    assert_eq!(ana.get("/api/v1/annual_reports").await.json(200)["annual_reports"], json!([]));
    assert_eq!(ana.get("/api/v1/annual_reports/2025/state").await.json(200)["state"], "ineligible");
    ana.get("/api/v1/annual_reports/2025").await.error(404, "not found");
    ana.get("/api/v1_alpha/async_refreshes/1").await.error(404, "not found");
}
