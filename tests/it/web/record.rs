//! The log of decisions.

use serde_json::json;
use waxwing::model::Role;

use super::browser::Browser;
use crate::kit::TestApp;

#[tokio::test]
async fn moderators_read_who_decided_what_and_nobody_else_does() {
    let app = TestApp::start().await;
    let scopes = "read write admin:read admin:write";
    let (ana, moe) = (app.person("ana").await, app.person_with("moe", Role::Moderator, scopes).await);
    let root = app.person_with("root", Role::Admin, scopes).await;
    let limit = json!({ "type": "silence", "text": "<b>please</b>" });
    moe.post(&format!("/api/v1/admin/accounts/{}/action", ana.id), limit).await.json(200);
    let block = json!({ "domain": "bad.example", "severity": "suspend" });
    root.post("/api/v1/admin/domain_blocks", block).await.json(200);
    for (who, status) in [("ana", 404), ("moe", 200), ("root", 200)] {
        let answer = Browser::of(&app, who).await.get("/settings/decisions").await;
        assert_eq!(answer.status, status, "{who}");
        let text = answer.text();
        let words =
            ["@moe</b> limited <b>ana", "&#60;b&#62;please", "made the block of the server <b>bad.example"];
        for word in words {
            assert_eq!(text.contains(word), status == 200, "{who}: {word}: {text}");
        }
    }
    assert_eq!(app.get("/settings/decisions").await.status, 303);
    let mut browser = Browser::of(&app, "moe").await;
    assert!(browser.get("/settings/profile").await.text().contains("/settings/decisions"));
    assert!(
        !Browser::of(&app, "ana").await.get("/settings/profile").await.text().contains("/settings/decisions")
    );
    for n in 0..60 {
        let allow = json!({ "domain": format!("good{n}.example") });
        root.post("/api/v1/admin/domain_allows", allow).await.json(200);
    }
    let first = browser.get("/settings/decisions").await.text();
    assert!(first.contains("good59.example") && !first.contains("bad.example"));
    let (_, rest) = first.split_once("data-older href=\"").unwrap();
    let older = browser.get(rest.split_once('"').unwrap().0).await.text();
    assert!(
        older.contains("bad.example") && older.contains("good0.example") && !older.contains("good59.example")
    );
}
