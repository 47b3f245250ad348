//! Avatars and headers, from upload to download.

use std::io::Cursor;

use axum::body::Body;
use http::{Method, Request};

use crate::kit::{Answer, Person, TestApp};

async fn upload(app: &TestApp, who: &Person<'_>, field: &str, bytes: &[u8]) -> Answer {
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a.html\"\r\nContent-Type: text/html\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
    let request = Request::builder()
        .method(Method::PATCH)
        .uri("/api/v1/accounts/update_credentials")
        .header("authorization", format!("Bearer {}", who.token))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(width, height).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

fn path(url: &serde_json::Value) -> String {
    url.as_str().unwrap().strip_prefix("https://social.example").unwrap().to_owned()
}

#[tokio::test]
async fn an_avatar_is_drawn_anew_and_served_safely() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    // Larger than the limit of other bodies, as photographs are.
    let mut large = png(800, 600);
    large.extend(vec![0; 2_000_000]);
    let own = upload(&app, &ana, "avatar", &large).await.json(200);
    assert_eq!(own["avatar"], own["avatar_static"]);
    let served = app.get(&path(&own["avatar"])).await;
    assert_eq!(served.status, 200);
    assert_eq!(served.header("content-type"), Some("image/jpeg"));
    assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
    assert!(served.header("content-security-policy").unwrap().contains("sandbox"));
    assert!(served.header("cache-control").unwrap().contains("immutable"));
    let drawn = image::load_from_memory(&served.bytes).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (400, 400));

    // A new one replaces it, and the old file goes.
    let after = upload(&app, &ana, "avatar", &png(10, 10)).await.json(200);
    assert_ne!(after["avatar"], own["avatar"]);
    assert_eq!(app.get(&path(&own["avatar"])).await.status, 404);
    let gone = ana.delete("/api/v1/profile/avatar").await.json(200);
    assert!(gone["avatar"].as_str().unwrap().ends_with("/assets/avatar.png"));
    assert_eq!(app.get(&path(&after["avatar"])).await.status, 404);
}

#[tokio::test]
async fn a_header_has_its_own_shape() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let own = upload(&app, &ana, "header", &png(3000, 900)).await.json(200);
    let drawn = image::load_from_memory(&app.get(&path(&own["header"])).await.bytes).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (1500, 500));
}

#[tokio::test]
async fn what_is_no_picture_is_not_kept() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for bad in [&b"<svg onload=alert(1)>"[..], b"<script>", b"\xff\xd8\xff\xe0junk"] {
        upload(&app, &ana, "avatar", bad).await.error(422, "picture");
    }
    for path in ["/media/x.png", "/media/..%2fsecret.png", "/media/%2e%2e/x"] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }
}
