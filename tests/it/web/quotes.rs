//! Quotes and link previews on pages.

use serde_json::{Value, json};

use super::browser::{Browser, Page};
use crate::kit::{Person, TestApp};

async fn write(who: &Person<'_>, body: Value) -> String {
    let post = who.post("/api/v1/statuses", body).await.json(200);
    post["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_post_is_quoted_from_its_page_and_shown_within_the_quote() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("ben").await;
    let id = write(&ana, json!({ "status": "Rowan <berries>" })).await;
    let mut ben = Browser::of(&app, "ben").await;
    let link = format!("/compose?quote={id}");
    assert!(ben.get("/local").await.text().contains(&link));
    let page = ben.get(&link).await.text();
    assert!(page.contains("Write a quote") && page.contains("Rowan &lt;berries&gt;"), "{page}");
    let fields = [("text", "Look at these"), ("quote", &*id), ("quote_policy", "nobody"), ("back", "/local")];
    assert_eq!(ben.submit("/compose", &fields).await.leads_to(), "/local");
    let local = ben.get("/local").await.text();
    assert!(local.contains("<blockquote class=\"quoted\""), "{local}");
    // Its author sees who quotes it, and can take it back.
    let mut browser = Browser::of(&app, "ana").await;
    let quotes = browser.get(&format!("/@ana/{id}/quotes")).await.text();
    assert!(quotes.contains("Look at these"));
    let revoke = quotes.split(&format!("/posts/{id}/quotes/")).nth(1).unwrap();
    let quoting = revoke.split('/').next().unwrap().to_owned();
    let revoke = format!("/posts/{id}/quotes/{quoting}/revoke");
    assert_eq!(ben.submit(&revoke, &[]).await.status, 404, "only the author of the quoted post");
    assert!(!quotes.contains(&format!("/compose?quote={quoting}")), "nobody may quote the quote");
    assert_eq!(browser.submit(&revoke, &[("back", "/local")]).await.leads_to(), "/local");
    let local = browser.get(&format!("/@ben/{quoting}")).await.text();
    assert!(local.contains("took it back from here") && !local.contains("Rowan"), "{local}");
}

#[tokio::test]
async fn a_quote_never_shows_what_its_reader_may_not_see() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let cleo_api = app.person("cleo").await;
    let id = write(&ana, json!({ "status": "berries for all" })).await;
    let quoting = write(&ben, json!({ "status": "see", "quoted_status_id": id })).await;
    let path = format!("/@ben/{quoting}");
    let mut cleo = Browser::of(&app, "cleo").await;
    assert!(cleo.get(&path).await.text().contains("berries for all"));
    // Covered, where the reader does not want to see the author.
    cleo_api.post(&format!("/api/v1/accounts/{}/mute", ana.id), json!({})).await.json(200);
    assert!(cleo.get(&path).await.text().contains("<summary>This quotes somebody you mute.</summary>"));
    // Not there at all, where the author does not want to be seen.
    ana.post(&format!("/api/v1/accounts/{}/block", cleo_api.id), json!({})).await.json(200);
    let page = cleo.get(&path).await.text();
    assert!(page.contains("not for you to see") && !page.contains("berries for all"), "{page}");
    ana.delete(&format!("/api/v1/statuses/{id}")).await.json(200);
    let page = Browser::new(&app).get(&path).await.text();
    assert!(page.contains("is gone") && !page.contains("berries for all"), "{page}");
}

#[tokio::test]
async fn what_may_not_be_quoted_is_not_offered_and_refused() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("ben").await;
    let closed = write(&ana, json!({ "status": "closed", "quote_approval_policy": "nobody" })).await;
    let private = write(&ana, json!({ "status": "private", "visibility": "private" })).await;
    let mut ben = Browser::of(&app, "ben").await;
    assert!(!ben.get("/local").await.text().contains("/compose?quote="));
    for id in [&*closed, &*private, "1", "x"] {
        let found = ben.get(&format!("/compose?quote={id}")).await.status;
        assert_eq!(found, if id == "x" { 200 } else { 404 }, "{id}");
    }
    let answer = ben.submit("/compose", &[("text", "Still my words"), ("quote", &closed)]).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("cannot be quoted") && page.contains("Still my words"));
    assert!(!page.contains("name=\"quote\""), "sent again, it is a post without it");
    assert_eq!(Browser::new(&app).get(&format!("/@ana/{private}/quotes")).await.status, 404);
}
