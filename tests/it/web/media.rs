//! Posts with files, written and read in a browser without scripts.

use std::io::Cursor;

use axum::body::Body;
use http::Method;
use http::header::{CONTENT_TYPE, ORIGIN};

use super::browser::{Browser, Page};
use crate::kit::{Answer, TestApp};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(width, height).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

/// Sends the form as a browser does: with all its places for files, most of
/// them empty.
async fn post(
    app: &TestApp,
    browser: &mut Browser<'_>,
    fields: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> Answer {
    let token = browser.token().await;
    let mut body = Vec::new();
    for (name, value) in fields.iter().chain(&[("csrf", token.as_str()), ("back", "/local")]) {
        body.extend(
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes(),
        );
    }
    for place in ["file1", "file2", "file3", "file4"] {
        let file = files.iter().find(|(name, _)| *name == place).map_or(&b""[..], |(_, bytes)| bytes);
        let name = if file.is_empty() { "" } else { "a.png" };
        let head = format!(
            "--b\r\nContent-Disposition: form-data; name=\"{place}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend([head.as_bytes(), file, b"\r\n"].concat());
    }
    body.extend(b"--b--\r\n");
    let request = browser
        .request(Method::POST, "/compose")
        .header(ORIGIN, "https://social.example")
        .header(CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(body))
        .unwrap();
    app.send(request).await
}

#[tokio::test]
async fn pictures_are_posted_and_shown_with_what_they_show() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let fields = [("text", "birds"), ("alt1", "a wren"), ("alt3", "a <robin>"), ("sensitive", "true")];
    let (wren, robin) = (png(64, 32), png(32, 64));
    let files = [("file1", wren.as_slice()), ("file3", robin.as_slice())];
    assert_eq!(post(&app, &mut browser, &fields, &files).await.leads_to(), "/local");
    let page = browser.get("/local").await.text();
    assert!(page.contains("<summary>Sensitive media</summary>"));
    assert!(page.contains(r#"alt="a wren" title="a wren" width="64" height="32""#), "{page}");
    assert!(page.contains("a &#60;robin&#62;") || page.contains("a &lt;robin&gt;"));
    let shown = page.split("<img src=\"https://social.example/media/").skip(1).count();
    assert_eq!(shown, 2);
}

#[tokio::test]
async fn what_was_sent_is_kept_when_something_else_is_wrong() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let wren = png(64, 32);
    let files = [("file1", wren.as_slice()), ("file2", b"<svg>".as_slice())];
    let answer = post(&app, &mut browser, &[("text", "birds"), ("alt1", "a wren")], &files).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("File 2 was not taken") && page.contains("value=\"a wren\""), "{page}");
    let id = page.split("name=\"media[]\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let alt = format!("alt{id}");
    let fields = [("text", "birds"), ("media[]", &*id), (&*alt, "a jenny wren")];
    assert_eq!(post(&app, &mut browser, &fields, &[]).await.leads_to(), "/local");
    assert!(browser.get("/local").await.text().contains("alt=\"a jenny wren\""));
    // Somebody else's upload is not shown by naming it.
    app.person("eve").await;
    let mut eve = Browser::of(&app, "eve").await;
    let stolen = [("text", "mine"), ("media[]", &*id), (&*alt, "x")];
    post(&app, &mut eve, &stolen, &[]).await;
    assert_eq!(eve.get("/local").await.text().matches("<img src=\"https://social.example/media/").count(), 1);
}

#[tokio::test]
async fn a_post_has_a_poll_or_files_and_both_are_kept_to_choose() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let wren = png(64, 32);
    let fields =
        [("text", "birds"), ("alt1", "a wren"), ("poll[options][]", "yes"), ("poll[options][]", "no")];
    let answer = post(&app, &mut browser, &fields, &[("file1", wren.as_slice())]).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("a poll or files, not both"));
    assert!(page.contains("value=\"a wren\"") && page.contains("value=\"yes\""));
    let id = page.split("name=\"media[]\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let drop = format!("drop{id}");
    let fields = [fields[0], fields[2], fields[3], ("media[]", &*id), (&*drop, "true")];
    assert_eq!(post(&app, &mut browser, &fields, &[]).await.leads_to(), "/local");
}
