use super::browser::{Browser, Page};
use crate::kit::TestApp;
use serde_json::json;
use waxwing::model::Role;

/// Every address that a form of ours posts to.
const FORMS: [&str; 43] = [
    "/compose",
    "/posts/1/like",
    "/posts/1/delete",
    "/accounts/1/follow",
    "/accounts/1/unfollow",
    "/tags/x/follow",
    "/tags/x/unfollow",
    "/follow-requests/1/accept",
    "/follow-requests/1/reject",
    "/settings/profile",
    "/settings/password",
    "/settings/sessions/1/end",
    "/settings/joining/invites",
    "/settings/joining/1/approve",
    "/settings/deliveries/1/pause",
    "/settings/deliveries/1/limits",
    "/settings/deliveries/1/purge",
    "/settings/webhooks",
    "/settings/webhooks/1/disable",
    "/settings/webhooks/1/secret",
    "/password/forgot",
    "/password/reset",
    "/confirm",
    "/posts/1/edit",
    "/posts/1/pin",
    "/posts/1/mute",
    "/scheduled/1",
    "/scheduled/1/delete",
    "/lists",
    "/lists/1/edit",
    "/lists/1/delete",
    "/lists/1/add",
    "/lists/1/remove",
    "/accounts/1/mute",
    "/accounts/1/block",
    "/settings/servers",
    "/settings/servers/unblock",
    "/settings/notifications",
    "/settings/filters",
    "/settings/filters/1",
    "/settings/filters/1/delete",
    "/logout",
    "/oauth/authorize",
];

#[tokio::test]
async fn a_form_without_the_sessions_token_is_refused() {
    let app = TestApp::start().await;
    app.person_with("ana", Role::Owner, "read").await;
    let mut browser = Browser::of(&app, "ana").await;
    for path in FORMS {
        for token in [&[][..], &[("csrf", "")], &[("csrf", "guess")]] {
            let answer = browser.submit_as("https://social.example", path, token).await;
            assert_eq!(answer.status, 403, "{path} {token:?}");
        }
    }
}

#[tokio::test]
async fn a_form_from_another_site_is_refused_even_with_the_token() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let token = browser.token().await;
    for path in FORMS.iter().chain(&["/login", "/signup", "/theme", "/setup/x"]) {
        for origin in ["https://evil.example", "null", "http://social.example"] {
            let answer = browser.submit_as(origin, path, &[("csrf", &token)]).await;
            assert_eq!(answer.status, 403, "{path} from {origin}");
        }
    }
}

#[tokio::test]
async fn sending_a_post_twice_posts_it_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    for _ in 0..2 {
        let fields = [("text", "once\r\n\r\nand for all"), ("key", "k1"), ("back", "/local")];
        assert_eq!(browser.submit("/compose", &fields).await.leads_to(), "/local");
    }
    let path = format!("/api/v1/accounts/{}/statuses", ana.id);
    let found = ana.get(&path).await.json(200);
    assert_eq!(found.as_array().unwrap().len(), 1);
    // Going back shows the old form; what is written then is another post.
    browser.submit("/compose", &[("text", "something else"), ("key", "k1")]).await;
    assert_eq!(ana.get(&path).await.json(200).as_array().unwrap().len(), 2);
    assert_eq!(found[0]["content"], "<p>once</p><p>and for all</p>");
}

#[tokio::test]
async fn what_is_refused_is_not_lost() {
    let app = TestApp::start().await;
    app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let long = "<b>".repeat(200);
    let answer =
        browser.submit("/compose", &[("text", &long), ("visibility", "direct"), ("language", "de")]).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains(&"&#60;b&#62;".repeat(200)));
    assert!(page.contains(r#"<option value="direct" title="Only people named in it can see it" selected>"#));
    assert!(page.contains(r#"<option value="de" lang="de" selected>"#));
}

#[tokio::test]
async fn buttons_lead_back_to_the_post_they_are_on() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let post = ana.post("/api/v1/statuses", json!({ "status": "berries" })).await.json(200);
    let id = post["id"].as_str().unwrap();
    let mut browser = Browser::of(&app, "ana").await;
    let path = format!("/posts/{id}/like");
    let fields = [("back", "/local?max_id=9#x"), ("entry", id)];
    assert_eq!(browser.submit(&path, &fields).await.leads_to(), format!("/local?max_id=9#p-{id}"));
    let evil = [("back", "//evil.example"), ("entry", "1\"><script>")];
    assert_eq!(browser.submit(&path, &evil).await.leads_to(), "/");
    assert_eq!(browser.submit(&format!("/posts/{id}/explode"), &[]).await.status, 404);
    assert_eq!(browser.submit("/posts/x/like", &[]).await.status, 404);
    let page = browser.get(&format!("/@ana/{id}")).await.text();
    assert!(page.contains(&format!("/posts/{id}/unlike")));
}

#[tokio::test]
async fn only_ones_own_posts_can_be_deleted() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("eve").await;
    let post = ana.post("/api/v1/statuses", json!({ "status": "mine" })).await.json(200);
    let path = format!("/posts/{}/delete", post["id"].as_str().unwrap());
    let mut eve = Browser::of(&app, "eve").await;
    assert_eq!(eve.get(&path).await.status, 404);
    assert_eq!(eve.submit(&path, &[]).await.status, 404);
    let mut own = Browser::of(&app, "ana").await;
    assert!(own.get(&path).await.text().contains("Delete this post?"));
    assert_eq!(own.submit(&path, &[]).await.leads_to(), "/@ana");
    assert_eq!(own.get(&path).await.status, 404);
}

#[tokio::test]
async fn pages_for_those_who_run_the_server_do_not_exist_for_others() {
    let app = TestApp::start().await;
    app.person("ana").await;
    app.person_with("boss", Role::Owner, "read").await;
    let mut ana = Browser::of(&app, "ana").await;
    assert_eq!(ana.get("/settings/joining").await.status, 404);
    assert_eq!(ana.submit("/settings/joining/invites", &[]).await.status, 404);
    for path in [
        "/settings/deliveries",
        "/settings/deliveries/0",
        "/settings/deliveries/events",
        "/settings/nodes",
        "/settings/nodes/events",
    ] {
        assert_eq!(ana.get(path).await.status, 404, "{path}");
    }
    assert_eq!(ana.get("/settings/webhooks").await.status, 404);
    assert_eq!(ana.submit("/settings/webhooks", &[]).await.status, 404);
    for act in ["change", "enable", "disable", "secret", "remove"] {
        assert_eq!(ana.submit(&format!("/settings/webhooks/1/{act}"), &[]).await.status, 404, "{act}");
    }
    for act in ["pause", "resume", "probe", "limits", "purge", "replay", "forget"] {
        assert_eq!(ana.submit(&format!("/settings/deliveries/0/{act}"), &[]).await.status, 404, "{act}");
    }
    let mut boss = Browser::of(&app, "boss").await;
    assert_eq!(boss.get("/settings/joining").await.status, 200);
    assert_eq!(boss.get("/settings/deliveries").await.status, 200);
    let nodes = boss.get("/settings/nodes").await;
    assert_eq!(nodes.status, 200);
    for words in ["This is the only node", "<code>store postgres://USER:PASSWORD@HOST/NAME</code>", "Node 0"]
    {
        assert!(nodes.text().contains(words), "{words}");
    }
}

#[tokio::test]
async fn every_page_of_the_settings_has_a_title_of_its_own() {
    let app = TestApp::start().await;
    app.person_with("boss", Role::Owner, "read").await;
    let mut boss = Browser::of(&app, "boss").await;
    let mut titles = std::collections::BTreeSet::new();
    for page in [
        "profile",
        "notifications",
        "filters",
        "muted",
        "blocked",
        "servers",
        "security",
        "decisions",
        "joining",
        "deliveries",
        "nodes",
        "webhooks",
    ] {
        let text = boss.get(&format!("/settings/{page}")).await.text();
        let title = text.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or("");
        assert!(titles.insert(title.to_owned()), "{page} is called `{title}`, as another page is");
    }
}

#[tokio::test]
async fn an_invitation_that_does_not_work_is_told_of() {
    for (registration, words) in
        [("open", "You can sign up without one"), ("approval", "You can ask without one")]
    {
        let app = TestApp::with(&format!("registration {registration}\n")).await;
        let mut browser = Browser::new(&app);
        let text = browser.get("/signup?invite=WRONG").await.text();
        assert!(
            text.contains("This invitation is used up, too old, or mistyped") && text.contains(words),
            "{text}"
        );
        assert!(!browser.get("/signup").await.text().contains("This invitation"));
    }
}
