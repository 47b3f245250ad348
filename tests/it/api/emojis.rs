//! Custom emojis: added by admins, used by people here, federated.

use std::io::Cursor;

use axum::body::Body;
use http::{Method, Request};
use serde_json::json;
use waxwing::model::Role;

use super::{id, post};
use crate::kit::{Answer, Payload, Person, TestApp, request};

const ADMIN: &str = "read write admin:read admin:write";

/// Adds a custom emoji.
pub async fn add(app: &TestApp, by: &Person<'_>, shortcode: &str) -> Answer {
    let mut png = Cursor::new(Vec::new());
    image::DynamicImage::new_rgba8(300, 150).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let head = format!(
        "--b\r\nContent-Disposition: form-data; name=\"shortcode\"\r\n\r\n{shortcode}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nanimals\r\n\
         --b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n"
    );
    let body = [head.as_bytes(), png.get_ref(), b"\r\n--b--\r\n"].concat();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/admin/custom_emojis")
        .header("authorization", format!("Bearer {}", by.token))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

#[tokio::test]
async fn an_emoji_is_added_used_and_federated() {
    let app = TestApp::start().await;
    let (ada, ana) = (app.person_with("ada", Role::Admin, ADMIN).await, app.person("ana").await);
    let made = add(&app, &ada, "fox").await.json(200);
    assert_eq!((&made["shortcode"], &made["category"]), (&json!("fox"), &json!("animals")));
    assert_eq!(made["visible_in_picker"], true);
    assert_eq!(app.get("/api/v1/custom_emojis").await.json(200), json!([made]));
    let path = made["url"].as_str().unwrap().strip_prefix("https://social.example").unwrap().to_owned();
    let picture = image::load_from_memory(&app.get(&path).await.bytes).unwrap();
    assert_eq!((picture.width(), picture.height()), (128, 64));

    let written = post(&ana, "look :fox: and :owl: at 12:30").await;
    assert_eq!(written["emojis"][0]["shortcode"], "fox");
    assert_eq!(written["emojis"].as_array().unwrap().len(), 1);
    let edit = json!({ "status": "no fox" });
    let edited = ana.put(&format!("/api/v1/statuses/{}", id(&written)), edit).await.json(200);
    assert_eq!(edited["emojis"], json!([]));
    let edit = json!({ "status": "again :fox:" });
    ana.put(&format!("/api/v1/statuses/{}", id(&written)), edit).await.json(200);
    let profile = json!({ "display_name": "Ana :fox:" });
    let own = ana.patch("/api/v1/accounts/update_credentials", profile).await.json(200);
    assert_eq!(own["emojis"][0]["shortcode"], "fox");

    let document = async |path: &str| {
        let mut asked = request(Method::GET, path, None, Payload::None);
        asked.headers_mut().insert("accept", "application/activity+json".parse().unwrap());
        app.send(asked).await.json(200)
    };
    let note = document(&format!("/ap/users/{}/statuses/{}", ana.id, id(&written))).await;
    assert_eq!((&note["tag"][0]["type"], &note["tag"][0]["name"]), (&json!("Emoji"), &json!(":fox:")));
    assert_eq!(note["tag"][0]["icon"]["url"], made["url"]);
    let actor = document(&format!("/ap/users/{}", ana.id)).await;
    assert_eq!(actor["tag"][0]["name"], ":fox:");

    // A custom emoji is also a way to react.
    let told = ada.post("/api/v1/admin/announcements", json!({ "text": "hi :fox:" })).await.json(200);
    assert_eq!(told["emojis"][0]["shortcode"], "fox");
    ana.put(&format!("/api/v1/announcements/{}/reactions/fox", id(&told)), json!({})).await.json(200);
    let seen = ana.get("/api/v1/announcements").await.json(200);
    assert_eq!(seen[0]["reactions"][0]["url"], made["url"]);

    ada.delete("/api/v1/admin/custom_emojis/fox").await.json(200);
    assert_eq!(app.get("/api/v1/custom_emojis").await.json(200), json!([]));
    ada.delete("/api/v1/admin/custom_emojis/fox").await.error(404, "not found");
}

#[tokio::test]
async fn what_is_no_emoji_is_refused() {
    let app = TestApp::start().await;
    let ada = app.person_with("ada", Role::Admin, ADMIN).await;
    add(&app, &ada, "a b").await.error(422, "Shortcode");
    add(&app, &ada, "x").await.error(422, "Shortcode");
    ada.post("/api/v1/admin/custom_emojis", json!({ "shortcode": "fox" })).await.error(422, "Image");
}
