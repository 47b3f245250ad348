use super::browser::{Browser, Page};
use crate::kit::place::empty_store;
use crate::kit::{PASSWORD, TestApp, settings};

#[tokio::test]
async fn logging_in_gives_a_cookie_that_only_this_host_and_no_script_can_use() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::new(&app);
    let wrong = browser.submit("/login", &[("name", "ana"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.head("set-cookie"), "");
    let right = browser.submit("/login", &[("name", "@ana"), ("password", PASSWORD)]).await;
    assert_eq!(right.leads_to(), "/");
    for part in ["__Host-waxwing=", "HttpOnly", "Secure", "SameSite=Lax"] {
        assert!(right.head("set-cookie").contains(part), "{part}");
    }
    assert!(browser.get("/").await.text().contains("<h1>Home</h1>"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_refused_like_a_wrong_password() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut texts = Vec::new();
    for name in ["ana", "bea"] {
        let answer = Browser::new(&app).submit("/login", &[("name", name), ("password", "wrong")]).await;
        texts.push(answer.text().replace(name, "NAME"));
    }
    assert_eq!(texts[0], texts[1]);
}

#[tokio::test]
async fn after_logging_in_one_is_where_one_wanted_to_go_and_never_elsewhere() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let asked = Browser::new(&app).get("/settings/profile?x=1").await;
    assert_eq!(asked.leads_to(), "/login?next=%2Fsettings%2Fprofile%3Fx%3D1");
    for (next, expected) in [
        ("/settings/profile?x=1", "/settings/profile?x=1"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let fields = [("name", "ana"), ("password", PASSWORD), ("next", next)];
        let answer = Browser::new(&app).submit("/login", &fields).await;
        assert_eq!(answer.leads_to(), expected, "{next}");
    }
}

#[tokio::test]
async fn who_logged_out_is_out() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let stolen = browser.request(http::Method::GET, "/bookmarks").body(axum::body::Body::empty()).unwrap();
    assert_eq!(browser.submit("/logout", &[]).await.leads_to(), "/");
    assert!(browser.get("/bookmarks").await.leads_to().starts_with("/login"));
    assert!(app.send(stolen).await.leads_to().starts_with("/login"), "the cookie itself is dead");
}

#[tokio::test]
async fn guessing_passwords_is_slowed() {
    let app = TestApp::with("rate_limit 1x").await;
    app.person("ana").await;
    let mut browser = Browser::new(&app);
    let mut last = 0;
    for _ in 0..26 {
        last = browser.submit("/login", &[("name", "ana"), ("password", "wrong")]).await.status.as_u16();
    }
    assert_eq!(last, 429);
    let right = browser.submit("/login", &[("name", "ana"), ("password", PASSWORD)]).await;
    assert_eq!(right.status, 429, "even the right one waits");
}

#[tokio::test]
async fn sign_up_follows_the_registration_setting() {
    let fields = [("username", "bea"), ("password", PASSWORD)];
    for (mode, word) in [("closed", "Closed for now"), ("invite", "By invitation")] {
        let text =
            format!("https://social.example\ntls internal\nstore memory\nadmin off\nregistration {mode}\n");
        let app = TestApp::configured(settings(&text), empty_store()).await;
        let mut browser = Browser::new(&app);
        assert!(browser.get("/signup").await.text().contains(word), "{mode}");
        assert_eq!(browser.submit("/signup", &fields).await.status, 422, "{mode}");
    }
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.submit("/signup", &fields).await.leads_to(), "/");
    assert!(browser.get("/").await.text().contains("<h1>Home</h1>"));
    for (field, value) in [("username", "a b"), ("username", "admin"), ("password", "short"), ("email", "no")]
    {
        let mut bad = vec![("username", "carl"), ("password", PASSWORD)];
        bad.push((field, value));
        let answer = Browser::new(&app).submit("/signup", &bad).await;
        assert_eq!(answer.status, 422, "{field} {value}");
        assert!(answer.text().contains(r#"role="alert""#), "{field} {value}");
    }
}

#[tokio::test]
async fn a_wrong_owner_link_is_not_found() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.get("/setup/guess").await.status, 404);
    let fields = [("username", "eve"), ("password", PASSWORD)];
    assert_eq!(browser.submit("/setup/guess", &fields).await.status, 404);
}
