use super::browser::{Browser, Page};
use crate::kit::TestApp;
use serde_json::json;

const PUBLIC: [&str; 9] =
    ["/", "/local", "/about", "/login", "/signup", "/search?q=x", "/@ana", "/@ana/followers", "/tags/x"];
const OWN: [&str; 11] = [
    "/",
    "/compose",
    "/bookmarks",
    "/messages",
    "/favourites",
    "/notifications",
    "/notifications?only=mentions",
    "/follow-requests",
    "/settings/profile",
    "/settings/security",
    "/@ana?tab=media",
];

#[tokio::test]
async fn every_page_has_a_strict_policy_and_belongs_to_its_reader() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let (mut visitor, mut ana) = (Browser::new(&app), Browser::of(&app, "ana").await);
    let mut answers = Vec::new();
    for path in PUBLIC {
        answers.push((path, visitor.get(path).await));
    }
    for path in OWN {
        answers.push((path, ana.get(path).await));
    }
    for (path, answer) in answers {
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.head("content-type").starts_with("text/html"), "{path}");
        let policy = answer.head("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(answer.head("cache-control"), "private, no-cache", "{path}");
        assert_eq!(answer.head("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn what_is_missing_is_a_page_too() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for path in ["/@nobody", "/@ana/1", "/@ana/x", "/@nobody@far.example", "/nothing", "/setup/x"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("<h1>Not found</h1>"), "{path}");
        assert!(answer.head("content-security-policy").contains("style-src 'self'"), "{path}");
    }
}

#[tokio::test]
async fn a_private_post_is_as_good_as_missing() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("eve").await;
    let (mut visitor, mut eve) = (Browser::new(&app), Browser::of(&app, "eve").await);
    let mut own = Browser::of(&app, "ana").await;
    for visibility in ["private", "direct"] {
        let body = json!({ "status": format!("whispered {visibility}"), "visibility": visibility });
        let post = ana.post("/api/v1/statuses", body).await.json(200);
        let path = format!("/@ana/{}", post["id"].as_str().unwrap());
        assert_eq!(own.get(&path).await.status, 200, "{visibility}");
        for reader in [&mut visitor, &mut eve] {
            assert_eq!(reader.get(&path).await.status, 404, "{visibility}");
            for list in ["/@ana", "/local", "/@ana?tab=replies"] {
                assert!(!reader.get(list).await.text().contains("whispered"), "{visibility} {list}");
            }
        }
    }
}

#[tokio::test]
async fn text_stays_text() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let evil = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)>";
    ana.patch(
        "/api/v1/accounts/update_credentials",
        json!({ "display_name": "<b>\"ana\"</b>", "note": evil }),
    )
    .await
    .json(200);
    let body = json!({ "status": evil, "spoiler_text": evil });
    let post = ana.post("/api/v1/statuses", body).await.json(200);
    let mut browser = Browser::of(&app, "ana").await;
    let thread = format!("/@ana/{}", post["id"].as_str().unwrap());
    let query = "/search?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    for path in ["/", "/local", "/@ana", "/settings/profile", &thread, query] {
        let page = browser.get(path).await.text();
        for markup in ["<script>alert", "<img src=x", "<b>\""] {
            assert!(!page.contains(markup), "{path} has {markup}");
        }
    }
}

#[tokio::test]
async fn a_boost_leads_to_the_post_and_names_who_boosted() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let post = ana.post("/api/v1/statuses", json!({ "status": "seen by many" })).await.json(200);
    let id = post["id"].as_str().unwrap();
    let boost = ben.post(&format!("/api/v1/statuses/{id}/reblog"), json!({})).await.json(200);
    let mut browser = Browser::new(&app);
    let page = browser.get("/@ben").await.text();
    assert!(page.contains(r#"<a href="/@ben">ben</a> boosted"#));
    let boost = format!("/@ben/{}", boost["id"].as_str().unwrap());
    assert_eq!(browser.get(&boost).await.leads_to(), format!("/@ana/{id}"));
    assert_eq!(browser.get(&format!("/@ben/{id}")).await.leads_to(), format!("/@ana/{id}"));
}

#[tokio::test]
async fn lists_are_read_in_pages() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for n in 0..25 {
        ana.post("/api/v1/statuses", json!({ "status": format!("number {n:02}") })).await.json(200);
    }
    let mut browser = Browser::new(&app);
    let first = browser.get("/local").await.text();
    assert!(first.contains("number 24") && !first.contains("number 04"));
    let older = first.split("data-older href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let second = browser.get(&older).await.text();
    assert!(second.contains("number 04") && second.contains("number 00") && !second.contains("number 24"));
    assert!(!second.contains("data-older"));
}

#[tokio::test]
async fn the_feed_has_public_posts_and_escapes_them() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for visibility in ["public", "unlisted", "private"] {
        let body = json!({ "status": format!("<{visibility}> & ]]>"), "visibility": visibility });
        ana.post("/api/v1/statuses", body).await.json(200);
    }
    let mut browser = Browser::of(&app, "ana").await;
    let page = browser.get("/@ana").await.text();
    assert!(
        page.contains(
            r#"type="application/atom+xml" title="ana (@ana@social.example)" href="/@ana/feed.atom""#
        )
    );
    let answer = browser.get("/@ana/feed.atom").await;
    assert_eq!(answer.head("content-type"), "application/atom+xml; charset=utf-8");
    let feed = answer.text();
    assert!(feed.contains("&#60;p&#62;&#38;lt;public&#38;gt; &#38;amp; ]]&#38;gt;&#60;/p&#62;"), "{feed}");
    assert!(!feed.contains("unlisted") && !feed.contains("private"));
    assert_eq!(browser.get("/@nobody/feed.atom").await.status, 404);
}

#[tokio::test]
async fn notifications_are_new_once() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let mut browser = Browser::of(&app, "ana").await;
    assert!(browser.get("/").await.text().contains("<title>(1) Home"));
    assert!(browser.get("/notifications").await.text().contains("told plain is-new"));
    assert!(!browser.get("/notifications").await.text().contains("is-new"));
    assert!(browser.get("/").await.text().contains("<title>Home"));
}

#[tokio::test]
async fn previews_elsewhere_get_what_they_need_of_public_posts_only() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    for (visibility, is_open) in [("public", true), ("unlisted", true), ("private", false)] {
        let body = json!({ "status": "waxwings <3", "visibility": visibility });
        let post = ana.post("/api/v1/statuses", body).await.json(200);
        let page = browser.get(&format!("/@ana/{}", post["id"].as_str().unwrap())).await.text();
        let uri = post["uri"].as_str().unwrap();
        let alternate = format!(r#"<link rel="alternate" type="application/activity+json" href="{uri}">"#);
        assert_eq!(page.contains(&alternate), is_open, "{visibility}");
        let description = r#"<meta property="og:description" content="waxwings &#60;3">"#;
        assert_eq!(page.contains(description), is_open, "{visibility}");
        assert_eq!(page.contains(r#"<meta name="robots" content="noindex">"#), visibility != "public");
    }
}

#[tokio::test]
async fn a_filter_covers_or_hides_on_its_pages() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    ana.post("/api/v1/statuses", json!({"status": "fresh cake"})).await.json(200);
    let keywords = json!([{"keyword": "cake"}]);
    let body = json!({"title": "Sweets", "context": ["public"], "keywords_attributes": keywords});
    let made = ben.post("/api/v2/filters", body).await.json(200);
    let mut browser = Browser::of(&app, "ben").await;
    assert!(browser.get("/local").await.text().contains("Filtered: Sweets"));
    assert!(!browser.get("/@ana").await.text().contains("Filtered: Sweets"), "another context");
    let path = format!("/api/v2/filters/{}", made["id"].as_str().unwrap());
    ben.put(&path, json!({"filter_action": "hide"})).await.json(200);
    assert!(!browser.get("/local").await.text().contains("fresh cake"));
    assert!(browser.get("/@ana").await.text().contains("fresh cake"));
}
