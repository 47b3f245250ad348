//! Avatars and headers, from upload to download.

use std::io::Cursor;

use axum::body::Body;
use http::{Method, Request};

use serde_json::json;
use waxwing::edge::media::{remover, sweep};
use waxwing::model::Role;
use waxwing::model::queue::JobKind;
use waxwing::queue::{Handler, moderate};

use super::run_ready;
use crate::kit::{Answer, Payload, Person, TestApp, request};

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
async fn whoever_may_not_change_a_profile_is_refused_before_the_body_is_read() {
    let app = TestApp::start().await;
    let reader = app.person_with("ana", Role::User, "read").await;
    for (path, token, expected) in [
        ("/api/v1/accounts/update_credentials", None, 401),
        ("/api/v1/accounts/update_credentials", Some(&*reader.token), 403),
        ("/api/v1/profile", None, 401),
    ] {
        let mut sent = request(Method::PATCH, path, token, Payload::None);
        let endless = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
        *sent.body_mut() = axum::body::Body::from_stream(endless);
        let answer = tokio::time::timeout(std::time::Duration::from_secs(5), app.begin(sent)).await;
        assert_eq!(answer.expect("an answer").status(), expected, "{path}");
    }
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

#[tokio::test]
async fn the_pictures_of_a_deleted_account_go_with_it() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let root = app.person_with("root", Role::Owner, "read write admin:read admin:write").await;
    upload(&app, &ana, "avatar", &png(40, 40)).await.json(200);
    let own = upload(&app, &ana, "header", &png(60, 20)).await.json(200);
    let media = super::media::uploaded(&app, &ana).await;
    let shown = json!({ "status": "look", "media_ids": [media["id"]] });
    ana.post("/api/v1/statuses", shown).await.json(200);
    let files =
        [path(&own["avatar"]), path(&own["header"]), path(&media["url"]), path(&media["preview_url"])];
    let act = format!("/api/v1/admin/accounts/{}", ana.id);
    root.post(&format!("{act}/action"), json!({ "type": "suspend" })).await.json(200);
    for file in &files {
        assert_eq!(app.get(file).await.status, 200, "the suspended may come back: {file}");
    }
    root.delete(&act).await.json(200);
    let state = &app.state;
    let workshop = state.workshop();
    let jobs: [(JobKind, Box<dyn Handler>); 2] = [
        (JobKind::Moderate, Box::new(moderate::handler(workshop))),
        (JobKind::RemoveFiles, Box::new(remover(state.clone()))),
    ];
    run_ready(&app, &jobs).await;
    assert_eq!(app.get(&files[0]).await.status, 200, "the job that removes them is still to come");
    run_ready(&app, &jobs[1..]).await;
    sweep(state).await.unwrap();
    for file in &files {
        assert_eq!(app.get(file).await.status, 404, "{file}");
    }
    // A second run finds nothing to do.
    run_ready(&app, &jobs[1..]).await;
}
