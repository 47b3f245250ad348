//! Uploads, from the form to the file that others see.

use std::io::Cursor;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};
use waxwing::base::Id;
use waxwing::edge::media::{process, sweep};

use crate::kit::{Answer, Person, TestApp};

/// A part of a form: name, file name (empty for text), content.
type Part<'a> = (&'a str, &'a str, &'a [u8]);

async fn send(app: &TestApp, who: &Person<'_>, method: Method, path: &str, parts: &[Part<'_>]) -> Answer {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n");
        let kind = if file.is_empty() { "\r\n" } else { "Content-Type: text/html\r\n\r\n" };
        body.extend([head.as_bytes(), kind.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--b--\r\n");
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", who.token))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

async fn upload(app: &TestApp, who: &Person<'_>, bytes: &[u8]) -> Answer {
    send(app, who, Method::POST, "/api/v1/media", &[("file", "a.html", bytes)]).await
}

/// A picture of somebody's, ready to be shown.
pub async fn uploaded(app: &TestApp, who: &Person<'_>) -> Value {
    upload(app, who, &png(20, 10)).await.json(200)
}

fn path(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://social.example").unwrap().to_owned()
}

fn picture(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut drawn = image::RgbImage::new(width, height);
    // Red on the left, so that turning it shows.
    for (x, _, pixel) in drawn.enumerate_pixels_mut() {
        *pixel = image::Rgb(if x < width / 2 { [250, 0, 0] } else { [0, 0, 250] });
    }
    image::DynamicImage::from(drawn).write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    picture(width, height, image::ImageFormat::Png)
}

/// A photograph that lies on its side and tells where it was taken.
fn photograph(width: u32, height: u32) -> Vec<u8> {
    let place = b"52.5200N 13.4050E\0";
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    // Orientation 6: turn by a quarter clockwise to show it.
    tiff.extend(b"\x0e\x01\x02\0\x12\0\0\0\x26\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0");
    tiff.extend(place);
    let exif = [b"Exif\0\0".as_slice(), &tiff].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let jpeg = picture(width, height, image::ImageFormat::Jpeg);
    [&jpeg[..2], b"\xff\xe1", &length, &exif, &jpeg[2..]].concat()
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes()[..], kind, content].concat()
}

fn film() -> Vec<u8> {
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0vide\0\0\0\0");
    let trak = boxed(b"trak", &boxed(b"mdia", &hdlr));
    let place = boxed(b"udta", &boxed(b"\xa9xyz", b"+52.5200+013.4050/"));
    let moov = boxed(b"moov", &[trak, place].concat());
    [boxed(b"ftyp", b"isom\0\0\0\0isom"), moov, boxed(b"mdat", &[7; 1000])].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn case_98_a_photograph_is_turned_upright_and_forgets_where_it_was_taken() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let parts: [Part<'_>; 3] = [
        ("file", "../../etc/passwd", &photograph(80, 40)),
        ("description", "", " a wren ".as_bytes()),
        ("focus", "", b"-0.5,0.25"),
    ];
    let media = send(&app, &ana, Method::POST, "/api/v1/media", &parts).await.json(200);
    assert_eq!((&media["type"], &media["description"]), (&json!("image"), &json!("a wren")));
    assert_eq!(media["meta"]["focus"], json!({ "x": -0.5, "y": 0.25 }));
    let original = &media["meta"]["original"];
    assert_eq!((&original["width"], &original["size"]), (&json!(40), &json!("40x80")));
    assert!(media["blurhash"].as_str().is_some_and(|hash| hash.len() > 6));
    assert_eq!(media["meta"]["small"]["size"], "40x80");
    for url in [&media["url"], &media["preview_url"]] {
        let served = app.get(&path(url)).await;
        assert_eq!(served.header("content-type"), Some("image/jpeg"));
        assert!(!contains(&served.bytes, b"52.5200N") && !contains(&served.bytes, b"Exif"));
        let drawn = image::load_from_memory(&served.bytes).unwrap().to_rgb8();
        assert_eq!((drawn.width(), drawn.height()), (40, 80));
        assert!(drawn.get_pixel(20, 5)[0] > 200, "what was left is on top");
    }
}

#[tokio::test]
async fn every_kind_of_file_is_served_as_what_it_is() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let webp = picture(20, 10, image::ImageFormat::WebP);
    let gif = picture(20, 10, image::ImageFormat::Gif);
    let wav = [b"RIFF\x24\0\0\0WAVEfmt ".as_slice(), &[0; 28]].concat();
    let cases: [(&str, Vec<u8>, &str, &str); 9] = [
        ("png", png(20, 10), "image", "image/png"),
        ("webp", webp, "image", "image/jpeg"),
        ("gif", gif, "image", "image/gif"),
        ("mp4", film(), "video", "video/mp4"),
        ("webm", b"\x1a\x45\xdf\xa3\x42\x82\x84webm V_VP9".to_vec(), "video", "video/webm"),
        ("mp3", b"ID3\x04\0\0\0\0\0\0<html><script>alert(1)</script>".to_vec(), "audio", "audio/mpeg"),
        ("ogg", [b"OggS".as_slice(), &[0; 60]].concat(), "audio", "audio/ogg"),
        ("flac", b"fLaC\0\0\0\x22".to_vec(), "audio", "audio/flac"),
        ("wav", wav, "audio", "audio/wav"),
    ];
    for (name, bytes, kind, media_type) in cases {
        let media = upload(&app, &ana, &bytes).await.json(200);
        assert_eq!(media["type"], kind, "{name}");
        let served = app.get(&path(&media["url"])).await;
        assert_eq!(served.status, 200, "{name}");
        assert_eq!(served.header("content-type"), Some(media_type), "{name}");
        assert_eq!(served.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(served.header("content-security-policy"), Some("default-src 'none'; sandbox"));
        assert!(served.header("content-disposition").unwrap().starts_with("inline; filename=\""));
        assert!(served.header("cache-control").unwrap().contains("immutable"));
        if kind != "image" {
            assert_eq!(served.bytes.len(), bytes.len(), "{name} is kept as it is");
        }
    }
    let place = app.get(&path(&upload(&app, &ana, &film()).await.json(200)["url"])).await;
    assert!(!contains(&place.bytes, b"+52.5200"), "a film does not tell where it was taken");
}

#[tokio::test]
async fn what_is_no_media_is_refused() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut bomb = png(1, 1);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let mut cut = png(60, 60);
    cut.truncate(80);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let json = br#"{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}"#;
    for version in ["/api/v1/media", "/api/v2/media"] {
        for bad in
            [&b""[..], svg, b"<!doctype html><p>", json, b"GIF89a", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"]
        {
            let answer = send(&app, &ana, Method::POST, version, &[("file", "a.png", bad)]).await;
            if answer.status == 202 {
                // A picture only in name: seen when it is drawn.
                let id: Id = answer.json(202)["id"].as_str().unwrap().parse().unwrap();
                process(&app.state, id).await.unwrap();
                ana.get(&format!("/api/v1/media/{id}")).await.error(422, "processing");
            } else {
                answer.error(422, "Validation failed");
            }
        }
    }
    for bad in [&bomb, &cut] {
        upload(&app, &ana, bad).await.error(422, "picture");
    }
    let large = [photograph(8, 8), vec![0; 16 * 1024 * 1024]].concat();
    upload(&app, &ana, &large).await.error(422, "less than 16 MB");
    assert_eq!(sweep(&app.state).await.unwrap(), 3, "nothing is left of what was refused");
}

#[tokio::test]
async fn an_upload_answers_at_once_and_is_ready_later_also_after_a_restart() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let parts: [Part<'_>; 2] = [("file", "a.png", &png(30, 20)), ("description", "", b"one")];
    let media = send(&app, &ana, Method::POST, "/api/v2/media", &parts).await.json(202);
    assert_eq!((&media["url"], &media["preview_url"]), (&Value::Null, &Value::Null));
    let id = media["id"].as_str().unwrap().to_owned();
    let at = format!("/api/v1/media/{id}");
    assert_eq!(ana.get(&at).await.json(206)["url"], Value::Null);
    ana.post("/api/v1/statuses", json!({ "media_ids": [id] })).await.error(422, "not finished processing");
    ana.put(&at, json!({ "description": "two", "focus": "1,1" })).await.json(206);

    // Done twice, as after a crash between the work and its note.
    process(&app.state, id.parse().unwrap()).await.unwrap();
    process(&app.state, id.parse().unwrap()).await.unwrap();
    let ready = ana.get(&at).await.json(200);
    assert_eq!(ready["description"], "two", "what was said in the meantime stays");
    assert_eq!(ready["meta"]["focus"], json!({ "x": 1.0, "y": 1.0 }));
    assert_eq!(app.get(&path(&ready["url"])).await.status, 200);
    // A film needs no work.
    let film = send(&app, &ana, Method::POST, "/api/v2/media", &[("file", "a", &film())]).await;
    assert!(film.json(200)["url"].is_string());
}

#[tokio::test]
async fn parts_of_a_film_are_sent_as_asked() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let media = upload(&app, &ana, &film()).await.json(200);
    let at = path(&media["url"]);
    let whole = app.get(&at).await;
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-length"), Some(whole.bytes.len().to_string().as_str()));
    let (size, etag) = (whole.bytes.len(), whole.header("etag").unwrap().to_owned());
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = Request::builder().uri(&at);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.send(request.body(Body::empty()).unwrap()).await
    };
    let part = ask(&[("range", "bytes=4-7")]).await;
    assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (206, &b"ftyp"[..]));
    assert_eq!(part.header("content-range"), Some(format!("bytes 4-7/{size}").as_str()));
    assert_eq!(part.header("content-length"), Some("4"));
    assert_eq!(ask(&[("range", "bytes=-3")]).await.bytes, [7; 3]);
    let beyond = ask(&[("range", "bytes=999999-")]).await;
    assert_eq!(beyond.status.as_u16(), 416);
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{size}").as_str()));
    for whole in [
        ask(&[("range", "bytes=0-1,5-6")]).await,
        ask(&[("range", "bytes=4-7"), ("if-range", "\"other\"")]).await,
    ] {
        assert_eq!((whole.status.as_u16(), whole.bytes.len()), (200, size));
    }
    assert_eq!(ask(&[("range", "bytes=4-7"), ("if-range", &etag)]).await.status, 206);
    let known = ask(&[("if-none-match", &etag)]).await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    let packed = ask(&[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.header("content-encoding"), None);
}

#[tokio::test]
async fn an_upload_is_its_owners_alone() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let media = upload(&app, &ana, &png(20, 20)).await.json(200);
    let at = format!("/api/v1/media/{}", media["id"].as_str().unwrap());
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE] {
        let answer = eve.call(method.clone(), &at, crate::kit::Payload::Json(json!({}))).await;
        answer.error(404, "Record not found");
    }
    let ids = json!({ "status": "mine", "media_ids": [media["id"]] });
    eve.post("/api/v1/statuses", ids.clone()).await.error(422, "not found");
    assert_eq!(app.get(&at).await.status, 401);
    let reader = app.token(Some(ana.id), "read").await;
    let request = Request::builder().uri(&at).header("authorization", format!("Bearer {reader}"));
    app.send(request.body(Body::empty()).unwrap()).await.error(403, "scopes");
    app.post("/api/v1/media", json!({})).await.json(401);

    // It is hers: described, shown, and then no more to be changed by itself.
    let said = ana.patch(&at, json!({ "description": "a wren", "focus": "0,0" })).await.json(200);
    assert_eq!(said["description"], "a wren");
    ana.post("/api/v1/statuses", ids).await.json(200);
    ana.get(&at).await.json(404);
    ana.put(&at, json!({ "description": "x" })).await.json(404);
    ana.delete(&at).await.error(422, "used by a status");
}

#[tokio::test]
async fn files_go_when_nothing_shows_them_any_more() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let kept = upload(&app, &ana, &png(20, 20)).await.json(200);
    let dropped = upload(&app, &ana, &png(20, 20)).await.json(200);
    let at = format!("/api/v1/media/{}", dropped["id"].as_str().unwrap());
    assert_eq!(ana.delete(&at).await.json(200), json!({}));
    ana.get(&at).await.json(404);
    assert_eq!(app.get(&path(&dropped["url"])).await.status, 404);

    // Deleted, written anew within the day, deleted for good.
    let write = json!({ "status": "", "media_ids": [kept["id"]] });
    let first = ana.post("/api/v1/statuses", write.clone()).await.json(200);
    let at = format!("/api/v1/statuses/{}", first["id"].as_str().unwrap());
    let gone = ana.delete(&at).await.json(200);
    assert_eq!(gone["media_attachments"][0]["id"], kept["id"]);
    let second = ana.post("/api/v1/statuses", write.clone()).await.json(200);
    app.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(sweep(&app.state).await.unwrap(), 0);
    assert_eq!(app.get(&path(&kept["url"])).await.status, 200);
    ana.delete(&format!("/api/v1/statuses/{}", second["id"].as_str().unwrap())).await.json(200);
    app.clock.advance(Duration::from_secs(25 * 3600));
    ana.post("/api/v1/statuses", write).await.error(422, "not found");
    assert_eq!(sweep(&app.state).await.unwrap(), 1);
    for url in [&kept["url"], &kept["preview_url"]] {
        assert_eq!(app.get(&path(url)).await.status, 404);
    }
}

#[tokio::test]
async fn an_edit_changes_what_a_post_shows() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let one = upload(&app, &ana, &png(20, 20)).await.json(200);
    let two = upload(&app, &ana, &png(30, 20)).await.json(200);
    let sent = json!({ "status": "hi", "media_ids": [one["id"]], "sensitive": true });
    let post = ana.post("/api/v1/statuses", sent).await.json(200);
    assert_eq!((&post["sensitive"], &post["media_attachments"][0]["id"]), (&json!(true), &one["id"]));
    let at = format!("/api/v1/statuses/{}", post["id"].as_str().unwrap());
    let edit = json!({
        "status": "hi",
        "media_ids": [two["id"], one["id"]],
        "media_attributes": [{ "id": one["id"], "description": "old", "focus": "0.5,0.5" }],
    });
    let edited = ana.put(&at, edit).await.json(200);
    let shown = edited["media_attachments"].as_array().unwrap();
    assert_eq!((&shown[0]["id"], &shown[1]["id"]), (&two["id"], &one["id"]));
    assert_eq!((&shown[1]["description"], &edited["sensitive"]), (&json!("old"), &json!(false)));
    let kept = ana.put(&at, json!({ "status": "hello" })).await.json(200);
    assert_eq!(kept["media_attachments"].as_array().unwrap().len(), 2);
    let bare = ana.put(&at, json!({ "status": "hello", "media_ids": [] })).await.json(200);
    assert_eq!(bare["media_attachments"], json!([]));
    ana.put(&at, json!({ "status": "", "media_ids": [] })).await.error(422, "blank");
}

/// A described picture of somebody's, for tests of what becomes of it.
pub async fn upload_png(app: &TestApp, who: &Person<'_>) -> Value {
    try_upload_png(app, who).await.json(200)
}

/// The same, where it may be refused.
pub async fn try_upload_png(app: &TestApp, who: &Person<'_>) -> Answer {
    let parts: [Part<'_>; 3] =
        [("file", "a.png", &png(20, 10)), ("description", "", b"a wren"), ("focus", "", b"0.5,-0.5")];
    send(app, who, Method::POST, "/api/v1/media", &parts).await
}

/// The same, not made ready yet.
pub async fn upload_later(app: &TestApp, who: &Person<'_>) -> Value {
    send(app, who, Method::POST, "/api/v2/media", &[("file", "a.png", &png(20, 10))]).await.json(202)
}

#[tokio::test]
async fn a_deleted_post_takes_its_files_along_where_that_is_wished() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for (query, expected) in [("", 200), ("?delete_media=false", 200), ("?delete_media=true", 404)] {
        let file: Part<'_> = ("file", "wren.png", &png(20, 10));
        let media = send(&app, &ana, Method::POST, "/api/v1/media", &[file]).await.json(200);
        let post = json!({ "status": "a wren", "media_ids": [media["id"]] });
        let post = ana.post("/api/v1/statuses", post).await.json(200);
        let id = post["id"].as_str().unwrap();
        ana.delete(&format!("/api/v1/statuses/{id}{query}")).await.json(200);
        for url in [&media["url"], &media["preview_url"]] {
            assert_eq!(app.get(&path(url)).await.status.as_u16(), expected, "{query}");
        }
    }
}
