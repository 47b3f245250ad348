//! Whatever is sent, the answer is a clear refusal and the server goes on.

use axum::body::Body;
use http::{Method, Request};

use crate::kit::{Payload, TestApp, request};

/// A request with any body and content type.
fn raw(method: &str, path: &str, content_type: Option<&str>, body: impl Into<Body>) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path).header("host", "social.example");
    if let Some(content_type) = content_type {
        builder = builder.header("content-type", content_type);
    }
    builder.body(body.into()).unwrap()
}

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
async fn a_known_address_with_a_wrong_method_is_405_and_names_the_right_ones() {
    let app = TestApp::start().await;
    let answer = app.send(raw("DELETE", "/api/v1/apps", None, Body::empty())).await;
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("POST")), "{answer:?}");
    answer.error(405, "");
    let strange = app.send(raw("BREW", "/api/v1/instance", None, Body::empty())).await;
    assert_eq!(strange.status, 405);
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
async fn a_form_larger_than_a_form_can_be_is_refused_while_it_is_read() {
    let app = TestApp::start().await;
    let body = format!("client_name={}", "x".repeat(3 * 1024 * 1024));
    let form = raw("POST", "/api/v1/apps", Some("application/x-www-form-urlencoded"), body);
    let answer = app.send(form).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_with_a_reason() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let wide = format!("[{}1]", "1,".repeat(400_000));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("application/json", b"{\"client_name\":".to_vec()),
        ("application/json", b"[1,2,3]".to_vec()),
        ("application/json", b"\"text\"".to_vec()),
        ("application/json", b"{\"client_name\": \"\xff\xfe\"}".to_vec()),
        ("application/json", deep.into_bytes()),
        ("application/json", wide.into_bytes()),
        ("application/x-www-form-urlencoded", b"client_name=%ff%fe&redirect_uris=%00".to_vec()),
        ("multipart/form-data", b"no boundary".to_vec()),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=".to_vec()),
        ("application/xml", b"<a/>".to_vec()),
        ("image/png", b"\x89PNG".to_vec()),
    ];
    let app = TestApp::start().await;
    for (content_type, body) in cases {
        let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = app.send(raw("POST", "/api/v1/apps", Some(content_type), body)).await;
        let status = answer.status.as_u16();
        assert!(matches!(status, 400 | 413 | 415 | 422), "{content_type} {start}: {status}");
        let error = answer.json(status)["error"].as_str().map(str::to_owned);
        assert!(error.is_some_and(|words| !words.is_empty()), "{content_type} {start}");
    }
}

#[tokio::test]
async fn strange_paths_and_ids_are_not_found_or_refused() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for path in [
        "/api/v1/accounts/0",
        "/api/v1/accounts/-1",
        "/api/v1/accounts/99999999999999999999999",
        "/api/v1/accounts/%00",
        "/api/v1/accounts/%ff",
        "/api/v1/accounts/..%2f..%2fetc%2fpasswd",
        "/api/v1/accounts/lookup?acct=%00%ff",
        "/api/v1/accounts/1'%20or%201=1/statuses",
        "/@nobody",
        "/@nobody/1",
        "/@%ff",
        "/media/..%2f..%2fwaxwing.redb",
        "/assets/..%2f..%2fCargo.toml",
        "/ap/users/1",
        "/ap/users/x",
        "/.well-known/webfinger",
        "/.well-known/webfinger?resource=acct:@",
        "/.well-known/webfinger?resource=%00",
    ] {
        let answer = ana.get(path).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {} {}", answer.status, answer.text());
    }
}

#[tokio::test]
async fn limits_and_cursors_that_make_no_sense_do_no_harm() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=99999999999999999999",
        "max_id=x",
        "min_id=-1",
        "since_id=%00",
    ] {
        for path in ["/api/v1/timelines/home", "/api/v1/notifications", "/api/v1/blocks"] {
            let answer = ana.get(&format!("{path}?{query}")).await;
            let status = answer.status.as_u16();
            assert!(matches!(status, 200 | 400 | 422), "{path}?{query}: {status} {}", answer.text());
        }
    }
}

#[tokio::test]
async fn tokens_that_are_none_are_refused() {
    let app = TestApp::start().await;
    for value in ["Bearer", "Bearer ", "Bearer x y", "Basic eDp5", "bearer nope", "Bearer \u{e4}"] {
        let mut asked = request(Method::GET, "/api/v1/accounts/verify_credentials", None, Payload::None);
        let Ok(header) = http::HeaderValue::from_bytes(value.as_bytes()) else { continue };
        asked.headers_mut().insert("authorization", header);
        app.send(asked).await.error(401, "The access token is invalid");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_a_policy() {
    let app = TestApp::start().await;
    let answer = app.get("/nothing").await;
    assert_eq!(answer.header("x-request-id").map(str::len), Some(16));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").is_some_and(|p| p.contains("default-src 'none'")));
    // What a token shows is kept by nobody on the way.
    let ana = app.person("ana").await;
    for path in ["/api/v1/accounts/verify_credentials", "/api/v1/timelines/home", "/api/v1/nothing"] {
        assert_eq!(ana.get(path).await.header("cache-control"), Some("private, no-store"), "{path}");
    }
}
