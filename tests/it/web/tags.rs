//! Following hashtags and reading messages on the pages.

use serde_json::json;

use super::browser::{Browser, Page};
use crate::kit::TestApp;

#[tokio::test]
async fn a_hashtag_is_followed_and_left_on_its_page() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let (mut visitor, mut browser) = (Browser::new(&app), Browser::of(&app, "ana").await);
    assert!(!visitor.get("/tags/owls").await.text().contains("/tags/owls/follow"));
    assert!(browser.get("/tags/owls").await.text().contains(r#"formaction="/tags/owls/follow""#));
    let back = [("back", "/tags/owls")];
    assert_eq!(browser.submit("/tags/owls/follow", &back).await.leads_to(), "/tags/owls");
    assert_eq!(ana.get("/api/v1/tags/owls").await.json(200)["following"], true);
    assert!(browser.get("/tags/owls").await.text().contains(r#"formaction="/tags/owls/unfollow""#));
    browser.submit("/tags/owls/unfollow", &back).await.leads_to();
    assert_eq!(ana.get("/api/v1/tags/owls").await.json(200)["following"], false);
}

#[tokio::test]
async fn messages_and_an_accounts_posts_with_a_hashtag_have_pages() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let direct = json!({"status": "@ben secret", "visibility": "direct"});
    ana.post("/api/v1/statuses", direct).await.json(200);
    for text in ["first #owls", "second"] {
        ana.post("/api/v1/statuses", json!({"status": text})).await.json(200);
    }
    ben.post("/api/v1/statuses", json!({"status": "third #owls"})).await.json(200);
    let (mut visitor, mut browser) = (Browser::new(&app), Browser::of(&app, "ben").await);
    assert!(browser.get("/messages").await.text().contains("secret"));
    assert_eq!(visitor.get("/messages").await.status, 303);
    let tagged = visitor.get("/@ana/tagged/owls").await.text();
    assert!(tagged.contains("first") && !tagged.contains("second") && !tagged.contains("third"));
    assert_eq!(visitor.get("/@nobody/tagged/owls").await.status, 404);
}
