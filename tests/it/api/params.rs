//! The same request in every spelling, through the router.

use axum::body::Body;
use http::{Method, Request};

use crate::kit::{Answer, TestApp};

async fn send(app: &TestApp, kind: Option<&str>, body: &str) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/api/v1/apps");
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_registration_is_read_however_it_is_written() {
    let app = TestApp::start().await;
    let form = "client_name=x&redirect_uris=urn:ietf:wg:oauth:2.0:oob&scopes=read+write";
    let json = r#"{"client_name":"x","redirect_uris":["urn:ietf:wg:oauth:2.0:oob"],"scopes":"read write"}"#;
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = part("client_name", "x")
        + &part("redirect_uris", "urn:ietf:wg:oauth:2.0:oob")
        + &part("scopes", "read write")
        + "--b--\r\n";
    for (kind, body) in [
        (Some("application/x-www-form-urlencoded"), form),
        (None, form),
        (Some("application/json"), json),
        (None, json),
        (Some("multipart/form-data; boundary=b"), &multipart),
    ] {
        let made = send(&app, kind, body).await.json(200);
        assert_eq!(
            (made["name"].as_str(), made["scopes"][1].as_str()),
            (Some("x"), Some("write")),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn broken_bodies_get_the_right_status() {
    let app = TestApp::start().await;
    for (kind, body, status) in [
        (Some("application/json"), "{", 400),
        (Some("application/json"), "[]", 400),
        (Some("application/x-www-form-urlencoded"), "client_name=%ff", 400),
        (Some("multipart/form-data"), "x", 400),
        (Some("application/xml"), "<x/>", 415),
        (Some("application/json"), &format!("{{\"a\":\"{}\"}}", "x".repeat(1_100_000)), 413),
        (None, "", 422),
    ] {
        let answer = send(&app, kind, body).await;
        assert!(answer.json(status)["error"].is_string(), "{kind:?}");
    }
}
