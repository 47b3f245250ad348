//! Floods are held back, and clients are told how far they may go.

use std::time::Duration;

use http::{Method, Request};
use serde_json::json;

use super::{id, post};
use crate::kit::{Answer, Payload, TestApp, request};

/// Limit, remaining and reset as the headers say.
fn standing(answer: &Answer) -> (u32, u32, String) {
    let number =
        |name: &str| answer.header(name).and_then(|v| v.parse().ok()).unwrap_or_else(|| panic!("{name}"));
    let reset = answer.header("x-ratelimit-reset").expect("a reset").to_owned();
    (number("x-ratelimit-limit"), number("x-ratelimit-remaining"), reset)
}

fn two_seconds_on(app: &TestApp) -> String {
    app.now().plus(Duration::from_secs(2)).rfc3339_micros()
}

#[tokio::test]
async fn every_answer_of_the_api_says_how_the_limit_stands() {
    let app = TestApp::with("rate_limit 1x").await;
    let ana = app.person("ana").await;
    let (limit, remaining, reset) = standing(&app.get("/api/v1/instance").await);
    assert_eq!((limit, remaining), (300, 299));
    // Mastodon.py reads six digits and nothing else.
    assert_eq!(reset, app.now().plus(Duration::from_secs(1)).rfc3339_micros());
    assert_eq!(reset.len(), "2026-11-23T10:00:00.000000Z".len());
    let answers = [
        ana.get("/api/v1/timelines/home").await,
        ana.get("/api/v1/statuses/1").await,
        ana.get("/api/v1/nowhere").await,
    ];
    for (answer, left) in answers.iter().zip([299, 298, 297]) {
        assert_eq!(standing(answer).1, left, "a person's token has a limit of its own");
    }
    assert!(app.get("/.well-known/nodeinfo").await.header("x-ratelimit-limit").is_none());
    // Each token is a row in the store.
    assert_eq!(standing(&app.post("/oauth/token", json!({})).await), (300, 298, two_seconds_on(&app)));
}

#[tokio::test]
async fn one_request_too_many_is_refused_until_the_time_it_names() {
    let app = TestApp::with("rate_limit address=2/10s").await;
    let ana = app.person("ana").await;
    for _ in 0..2 {
        app.get("/api/v1/instance").await.json(200);
    }
    let refused = app.get("/api/v1/instance").await;
    refused.error(429, "Too many requests");
    let (limit, remaining, reset) = standing(&refused);
    assert_eq!((limit, remaining), (2, 0));
    assert_eq!(reset, app.now().plus(Duration::from_secs(5)).rfc3339_micros());
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    // A person is not held responsible for others behind the same address.
    ana.get("/api/v1/timelines/home").await.json(200);
    // A made-up token is none.
    let forged = request(Method::GET, "/api/v1/instance", Some("forged"), Payload::None);
    assert_eq!(app.send(forged).await.status, 429);
    app.clock.advance(Duration::from_secs(5));
    app.get("/api/v1/instance").await.json(200);
    assert_eq!(app.get("/api/v1/instance").await.status, 429);
}

#[tokio::test]
async fn a_person_has_one_limit_for_all_apps_and_each_token_its_own() {
    let app = TestApp::with("rate_limit user=3/10s token=2/10s").await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let other = app.token(Some(ana.id), "read").await;
    let path = "/api/v1/timelines/home";
    let ask = async |token: &str| app.send(request(Method::GET, path, Some(token), Payload::None)).await;
    let mut seen = Vec::new();
    for token in [&ana.token, &ana.token, &ana.token, &other, &other] {
        seen.push(ask(token).await.status.as_u16());
    }
    assert_eq!(seen, [200, 200, 429, 200, 429]);
    ben.get(path).await.json(200);
}

#[tokio::test]
async fn removals_and_uploads_are_limited_more() {
    let app = TestApp::with("rate_limit removal=1/1m media=1/1m").await;
    let ana = app.person("ana").await;
    let mut posts = Vec::new();
    for text in ["a", "b", "c"] {
        posts.push(id(&post(&ana, text).await));
    }
    ana.delete(&format!("/api/v1/statuses/{}", posts[0])).await.json(200);
    ana.delete(&format!("/api/v1/statuses/{}", posts[1])).await.error(429, "Too many requests");
    ana.post(&format!("/api/v1/statuses/{}/unreblog", posts[1]), json!({})).await.json(429);
    ana.get(&format!("/api/v1/statuses/{}", posts[1])).await.json(200);
    ana.post("/api/v2/media", json!({})).await.json(422);
    ana.post("/api/v1/media", json!({})).await.json(429);
}

#[tokio::test]
async fn a_refusal_further_in_is_told_in_the_same_headers() {
    let app = TestApp::with("rate_limit apps=1/1m").await;
    let body = json!({ "client_name": "toot", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob" });
    app.post("/api/v1/apps", body.clone()).await.json(200);
    let refused = app.post("/api/v1/apps", body).await;
    refused.json(429);
    assert_eq!(standing(&refused).1, 0);
}

#[tokio::test]
async fn one_ipv6_customer_is_one_source() {
    let app = TestApp::with("rate_limit address=2/10s\ntrusted_proxies 127.0.0.0/8").await;
    let from = async |address: &str| {
        let request = Request::builder().uri("/api/v1/instance").header("x-forwarded-for", address);
        app.send(request.body(axum::body::Body::empty()).unwrap()).await.status.as_u16()
    };
    let mut seen = Vec::new();
    for address in ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"] {
        seen.push(from(address).await);
    }
    assert_eq!(seen, [200, 200, 429, 200]);
}

#[tokio::test]
async fn limits_can_be_turned_off() {
    let app = TestApp::with("rate_limit off").await;
    for _ in 0..310 {
        let answer = app.get("/api/v1/instance").await;
        assert_eq!((answer.status.as_u16(), answer.header("x-ratelimit-limit")), (200, None));
    }
}

#[tokio::test]
async fn asking_for_tokens_counts_as_well() {
    let app = TestApp::with("rate_limit address=1/10s").await;
    let ask = json!({ "grant_type": "authorization_code" });
    app.post("/oauth/token", ask.clone()).await.json(400);
    app.post("/oauth/token", ask).await.error(429, "Too many requests");
}
