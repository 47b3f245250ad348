use std::time::Duration;

use super::browser::Browser;
use crate::kit::TestApp;
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt;
use http::Method;
use serde_json::json;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Opens the stream of a page.
async fn listen(app: &TestApp, browser: &Browser<'_>, stream: &str) -> BodyDataStream {
    let request = browser.request(Method::GET, &format!("/events?stream={stream}"));
    let router = waxwing::edge::router(&app.state);
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body().into_data_stream();
    assert!(next(&mut body).await.contains(": open"));
    body
}

async fn next(body: &mut BodyDataStream) -> String {
    let chunk = timeout(ANSWER_MAX, body.next()).await.expect("news in time").expect("the stream is open");
    String::from_utf8(chunk.unwrap().to_vec()).unwrap()
}

async fn start() -> (TestApp, CancellationToken) {
    let app = TestApp::start().await;
    let stop = CancellationToken::new();
    tokio::spawn(app.state.hub.clone().run(app.state.store.clone(), stop.clone()));
    (app, stop)
}

#[tokio::test]
async fn an_open_page_gets_new_posts_ready_to_insert_and_hears_of_deletions() {
    let (app, _stop) = start().await;
    let ana = app.person("ana").await;
    let browser = Browser::of(&app, "ana").await;
    let (mut home, mut local) = (listen(&app, &browser, "home").await, listen(&app, &browser, "local").await);
    let post = ana.post("/api/v1/statuses", json!({ "status": "just <now>" })).await.json(200);
    let id = post["id"].as_str().unwrap();
    for stream in [&mut home, &mut local] {
        let news = next(stream).await;
        assert!(news.contains("event: post") && news.contains(&format!("id=\"p-{id}\"")), "{news}");
        assert!(news.contains("just &lt;now&gt;"), "{news}");
    }
    ana.delete(&format!("/api/v1/statuses/{id}")).await.json(200);
    assert_eq!(next(&mut home).await, format!("event: delete\ndata: {id}\n\n"));
}

#[tokio::test]
async fn private_posts_do_not_reach_open_pages_of_others() {
    let (app, _stop) = start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let visitor = Browser::new(&app);
    let mut streams = vec![listen(&app, &visitor, "local").await, listen(&app, &visitor, "home").await];
    streams.push(listen(&app, &Browser::of(&app, "ben").await, "local").await);
    ana.post("/api/v1/statuses", json!({ "status": "whispered", "visibility": "private" })).await.json(200);
    let gone = ana.post("/api/v1/statuses", json!({ "status": "x", "visibility": "direct" })).await.json(200);
    ana.delete(&format!("/api/v1/statuses/{}", gone["id"].as_str().unwrap())).await.json(200);
    // Every page hears when an open post is gone, so that comes next where nothing else did.
    let post =
        ben.post("/api/v1/statuses", json!({ "status": "x", "visibility": "unlisted" })).await.json(200);
    ben.delete(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.json(200);
    for stream in &mut streams {
        let id = post["id"].as_str().unwrap();
        assert_eq!(next(stream).await, format!("event: delete\ndata: {id}\n\n"));
    }
}

#[tokio::test]
async fn a_notification_is_counted_at_once_and_logging_out_ends_the_stream() {
    let (app, _stop) = start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let mut browser = Browser::of(&app, "ana").await;
    let mut stream = listen(&app, &browser, "none").await;
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    assert_eq!(next(&mut stream).await, "event: unread\ndata: 1\n\n");
    browser.submit("/logout", &[]).await;
    assert!(timeout(ANSWER_MAX, stream.next()).await.expect("an end in time").is_none());
}
