//! Writing posts with a poll, in a browser without scripts.

use serde_json::json;

use super::browser::{Browser, Page};
use crate::kit::TestApp;

/// What the form sends of a poll: always four places.
fn poll<'a>(options: [&'a str; 4], length: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<(&str, &str)> = options.iter().map(|option| ("poll[options][]", *option)).collect();
    fields.extend([("poll[expires_in]", length), ("back", "/local"), ("text", "Which berry?")]);
    fields
}

#[tokio::test]
async fn a_poll_is_asked_and_answered_on_pages() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let mut browser = Browser::of(&app, "ana").await;
    let mut fields = poll(["rowan", "", " sloe ", ""], "3600");
    fields.push(("poll[multiple]", "true"));
    assert_eq!(browser.submit("/compose", &fields).await.leads_to(), "/local");
    let path = format!("/api/v1/accounts/{}/statuses", ana.id);
    let posts = ben.get(&path).await.json(200);
    let asked = &posts[0]["poll"];
    assert_eq!(asked["multiple"], true);
    assert_eq!(asked["options"][1]["title"], "sloe");
    assert_eq!(asked["options"].as_array().unwrap().len(), 2);
    let id = posts[0]["id"].as_str().unwrap();
    let mut other = Browser::of(&app, "ben").await;
    let vote = format!("/posts/{id}/vote");
    assert!(other.get("/local").await.text().contains(&vote));
    let fields = [("choices[]", "0"), ("choices[]", "1"), ("back", "/local")];
    assert_eq!(other.submit(&vote, &fields).await.leads_to(), "/local");
    assert!(other.get("/local").await.text().contains("(your vote)"));
    assert_eq!(other.submit(&vote, &[("choices[]", "0")]).await.status, 422, "once");
    assert_eq!(browser.submit(&vote, &[("choices[]", "0")]).await.status, 422, "not in one's own");
}

#[tokio::test]
async fn an_empty_poll_is_none() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    browser.submit("/compose", &poll(["", " ", "", ""], "86400")).await.leads_to();
    let posts = ana.get(&format!("/api/v1/accounts/{}/statuses", ana.id)).await.json(200);
    assert_eq!(posts[0]["poll"], json!(null));
}

#[tokio::test]
async fn a_poll_that_is_refused_is_not_lost() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut browser = Browser::of(&app, "ana").await;
    let long = "x".repeat(51);
    for (options, length, why) in [
        (["only one", "", "", ""], "3600", "more than one item"),
        (["same", "same", "", ""], "3600", "duplicate items"),
        (["a", &long, "", ""], "3600", "longer than 50 characters"),
        (["a", "b", "", ""], "1", "too soon"),
        (["a", "b", "", ""], "soon", "too soon"),
        (["a", "b", "", ""], "99999999999", "too far"),
    ] {
        let answer = browser.submit("/compose", &poll(options, length)).await;
        assert_eq!(answer.status, 422, "{options:?} {length}");
        let page = answer.text();
        assert!(page.contains(why), "{options:?} {length}");
        assert!(page.contains("Which berry?"), "the text is kept");
        assert!(page.contains(&format!(r#"name="poll[options][]" value="{}""#, options[0])), "{options:?}");
    }
    let posts = ana.get(&format!("/api/v1/accounts/{}/statuses", ana.id)).await.json(200);
    assert_eq!(posts, json!([]));
}

#[tokio::test]
async fn an_answer_to_a_post_that_is_gone_keeps_its_words() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    app.person("ben").await;
    let post = ana.post("/api/v1/statuses", json!({ "status": "Soon gone" })).await.json(200);
    let id = post["id"].as_str().unwrap();
    ana.delete(&format!("/api/v1/statuses/{id}")).await.json(200);
    let mut browser = Browser::of(&app, "ben").await;
    let answer = browser.submit("/compose", &[("text", "My long answer"), ("reply_to", id)]).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("is gone") && page.contains("My long answer"));
    assert!(page.contains(r#"name="reply_to" value="""#));
}
