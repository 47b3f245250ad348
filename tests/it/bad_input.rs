//! Whatever is sent, the answer is a clear refusal and the server goes on.

use axum::body::Body;
use http::{Method, Request};

use crate::kit::{Payload, TestApp, request};

#[tokio::test]
async fn unknown_addresses_are_404_in_the_form_the_asker_reads() {
    let app = TestApp::start().await;
    app.get("/api/v1/no/such/thing").await.error(404, "");
    let document = app.get("/no/such/thing").await;
    assert_eq!(document.header("content-type"), Some("application/problem+json"));
    assert_eq!(document.json(404)["status"], 404);
    let mut page = request(Method::GET, "/no/such/thing", None, Payload::None);
    page.headers_mut().insert("accept", "text/html".parse().unwrap());
    let page = app.send(page).await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
}

#[tokio::test]
async fn a_body_larger_than_any_upload_is_refused() {
    let app = TestApp::start().await;
    let large = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/apps")
        .header("content-length", 1_000_000_000)
        .body(Body::empty())
        .unwrap();
    app.send(large).await.error(413, "large");
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_policy() {
    let app = TestApp::start().await;
    let answer = app.get("/nothing").await;
    assert_eq!(answer.header("x-request-id").map(str::len), Some(16));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").is_some_and(|p| p.contains("default-src 'none'")));
}
