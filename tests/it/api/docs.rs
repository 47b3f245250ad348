//! The API's description, for programs and for people.

use crate::kit::TestApp;

#[tokio::test]
async fn the_page_shows_every_endpoint_and_type_of_the_document() {
    let app = TestApp::start().await;
    let document = app.get("/api/openapi.json").await.json(200);
    let page = app.get("/api/docs").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("style-src 'self'")));
    let text = page.text();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.replace('{', "&#123;").replace('}', "&#125;");
        let plain = path.replace("&#123;", "{").replace("&#125;", "}");
        assert!(text.contains(&format!("<code>{plain}</code>")) || text.contains(&path), "{path}");
        assert!(!item.as_object().unwrap().is_empty());
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("<article id=\"{name}\">")), "{name}");
    }
    // Every link on the page leads to something on it.
    for target in text.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(text.contains(&format!("id=\"{target}\"")), "#{target}");
    }
}
