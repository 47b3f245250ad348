use serde_json::{Value, json};

use super::{id, post};
use crate::kit::TestApp;

#[tokio::test]
async fn every_version_is_kept_with_its_poll_and_shown_to_those_who_see_the_post() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let body =
        json!({"status": "one", "visibility": "private", "poll": {"options": ["a", "b"], "expires_in": 600}});
    let status = ana.post("/api/v1/statuses", body).await.json(200);
    let path = format!("/api/v1/statuses/{}", id(&status));
    let history = format!("{path}/history");
    let first = ana.get(&history).await.json(200);
    assert_eq!(first.as_array().unwrap().len(), 1, "an unedited post has its one version");
    assert_eq!(first[0]["poll"], json!({"options": [{"title": "a"}, {"title": "b"}]}));
    ana.put(&path, json!({"status": "two", "spoiler_text": "cw"})).await.json(200);
    ana.put(&path, json!({"status": "three"})).await.json(200);
    ana.put(&path, json!({"status": "three"})).await.json(200);
    let all = ana.get(&history).await.json(200);
    let contents: Vec<&str> =
        all.as_array().unwrap().iter().map(|v| v["content"].as_str().unwrap()).collect();
    assert_eq!(contents, ["<p>one</p>", "<p>two</p>", "<p>three</p>"], "the same again is no version");
    assert_eq!((&all[1]["spoiler_text"], &all[1]["sensitive"]), (&json!("cw"), &json!(true)));
    assert!(all[1].get("poll").is_none() && all[0]["account"]["username"] == "ana");
    ben.get(&history).await.error(404, "");
    app.get(&history).await.error(404, "");
    ana.delete(&path).await.json(200);
    ana.get(&history).await.error(404, "");
}

#[tokio::test]
async fn what_is_not_offered_says_so() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let path = format!("/api/v1/statuses/{}", id(&post(&ana, "hello").await));
    ana.post(&format!("{path}/translate"), json!({})).await.error(404, "does not translate");
    ana.post("/api/v1/statuses/17/translate", json!({})).await.error(404, "");
    let instance = app.get("/api/v2/instance").await.json(200);
    assert_eq!(instance["configuration"]["translation"]["enabled"], false);
    assert_eq!(ana.get(&format!("{path}/card")).await.json(200), json!({}));
    let many: Vec<String> = (1..=21).map(|n| format!("id[]={n}")).collect();
    ana.get(&format!("/api/v1/statuses?{}", many.join("&"))).await.error(422, "");
    assert_eq!(
        ana.get(&format!("/api/v1/statuses?{}", many[..20].join("&"))).await.json(200),
        Value::Array(vec![])
    );
}
