use serde_json::{Value, json};

use super::{id, ids, post, post_to};
use crate::kit::{Person, TestApp};

async fn quote(person: &Person<'_>, quoted: &Value) -> Value {
    let body = json!({ "status": "look", "quoted_status_id": quoted["id"] });
    person.post("/api/v1/statuses", body).await.json(200)
}

fn path(status: &Value) -> String {
    format!("/api/v1/statuses/{}", id(status))
}

#[tokio::test]
async fn a_quote_shows_its_post_and_its_author_is_told() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let original = post(&ana, "hello").await;
    let approval = json!({"automatic": ["public"], "manual": [], "current_user": "automatic"});
    assert_eq!(original["quote_approval"], approval);
    let quoting = quote(&ben, &original).await;
    assert_eq!(
        (&quoting["quote"]["state"], &quoting["quote"]["quoted_status"]["id"]),
        (&json!("accepted"), &original["id"])
    );
    assert!(
        quoting["content"].as_str().unwrap().starts_with("<p class=\"quote-inline\">RE: <a href="),
        "{quoting}"
    );
    let now = app.get(&path(&original)).await.json(200);
    assert_eq!((&now["quotes_count"], &now["quote"]), (&json!(1), &Value::Null));
    assert_eq!(now["quote_approval"]["current_user"], "denied", "nobody quotes");
    let told = ana.get("/api/v1/notifications?types[]=quote").await.json(200);
    assert_eq!((&told[0]["status"]["id"], &told[0]["account"]["username"]), (&quoting["id"], &json!("ben")));
    let listed = ana.get(&format!("{}/quotes", path(&original))).await.json(200);
    assert_eq!(ids(&listed), [id(&quoting)]);
    app.get(&format!("{}/quotes", path(&original))).await.error(401, "");

    let again = quote(&ana, &quoting).await;
    let inner = &again["quote"]["quoted_status"]["quote"];
    assert_eq!(*inner, json!({"state": "accepted", "quoted_status_id": original["id"]}), "one level deep");
    ana.put(&path(&original), json!({"status": "hello again"})).await.json(200);
    let told = ben.get("/api/v1/notifications?types[]=quoted_update").await.json(200);
    assert_eq!(told[0]["status"]["id"], quoting["id"]);
    ben.put(&path(&quoting), json!({"status": "look here"})).await.json(200);
    let edited = ben.get(&path(&quoting)).await.json(200);
    assert_eq!(edited["quote"]["state"], "accepted", "an edit keeps the quote");
    assert!(edited["content"].as_str().unwrap().contains("quote-inline"));
    ana.delete(&path(&original)).await.json(200);
    let left = ben.get(&path(&quoting)).await.json(200);
    assert_eq!(left["quote"], json!({"state": "deleted", "quoted_status": null}));
}

#[tokio::test]
async fn policies_say_who_may_quote() {
    let app = TestApp::start().await;
    let [ana, ben, eve] = [app.person("ana").await, app.person("ben").await, app.person("eve").await];
    let with = async |policy: &str, visibility: &str| {
        let body = json!({"status": "x", "quote_approval_policy": policy, "visibility": visibility});
        ana.post("/api/v1/statuses", body).await.json(200)
    };
    let refused = async |person: &Person<'_>, quoted: &Value| {
        let body = json!({ "status": "look", "quoted_status_id": quoted["id"] });
        person.post("/api/v1/statuses", body).await.error(404, "");
    };
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let for_followers = with("followers", "public").await;
    quote(&ben, &for_followers).await;
    refused(&eve, &for_followers).await;
    assert_eq!(eve.get(&path(&for_followers)).await.json(200)["quote_approval"]["current_user"], "denied");
    let for_nobody = with("nobody", "unlisted").await;
    refused(&ben, &for_nobody).await;
    quote(&ana, &for_nobody).await;
    let private = with("public", "private").await;
    assert_eq!(private["quote_approval"]["automatic"], json!([]), "private posts are quoted by their author");
    refused(&ben, &private).await;
    assert_eq!(quote(&ana, &private).await["visibility"], "private", "a quote reaches no more people");
    refused(&ana, &post_to(&ana, "secret", "direct").await).await;
    refused(&ben, &json!({"id": "17"})).await;
    let open = post(&ana, "open").await;
    eve.post(&format!("/api/v1/accounts/{}/block", ana.id), json!({})).await.json(200);
    refused(&eve, &open).await;
    let both = json!({"status": "x", "quoted_status_id": open["id"], "poll": {"options": ["a", "b"], "expires_in": 600}});
    ben.post("/api/v1/statuses", both).await.error(422, "A quote cannot have a poll");

    let changed = ana
        .put(&format!("{}/interaction_policy", path(&open)), json!({"quote_approval_policy": "nobody"}))
        .await;
    assert_eq!(changed.json(200)["quote_approval"]["automatic"], json!([]));
    refused(&ben, &open).await;
    ben.put(&format!("{}/interaction_policy", path(&open)), json!({"quote_approval_policy": "public"}))
        .await
        .error(404, "");
    ana.put(&format!("{}/interaction_policy", path(&open)), json!({"quote_approval_policy": "x"}))
        .await
        .error(422, "");
    ana.put(&format!("{}/interaction_policy", path(&open)), json!({})).await.error(422, "");
}

#[tokio::test]
async fn a_quote_can_be_revoked_by_who_is_quoted() {
    let app = TestApp::start().await;
    let [ana, ben, eve] = [app.person("ana").await, app.person("ben").await, app.person("eve").await];
    let original = post(&ana, "hello").await;
    let quoting = quote(&ben, &original).await;
    let revoke = format!("{}/quotes/{}/revoke", path(&original), id(&quoting));
    for other in [&ben, &eve] {
        other.post(&revoke, json!({})).await.error(404, "");
    }
    let revoked = ana.post(&revoke, json!({})).await.json(200);
    assert_eq!(
        (&revoked["id"], &revoked["quote"]),
        (&quoting["id"], &json!({"state": "revoked", "quoted_status": null}))
    );
    ana.post(&revoke, json!({})).await.error(404, "");
    assert_eq!(ana.get(&path(&original)).await.json(200)["quotes_count"], 0);
    assert_eq!(ana.get(&format!("{}/quotes", path(&original))).await.json(200), json!([]));
}

#[tokio::test]
async fn a_quoted_post_is_shown_to_those_who_may_and_want_to_see_it() {
    let app = TestApp::start().await;
    let [ana, ben, eve] = [app.person("ana").await, app.person("ben").await, app.person("eve").await];
    let original = post(&ana, "hello").await;
    let quoting = quote(&ben, &original).await;
    let seen = async |person: &Person<'_>| person.get(&path(&quoting)).await.json(200)["quote"].clone();
    eve.post(&format!("/api/v1/accounts/{}/mute", ana.id), json!({})).await.json(200);
    assert_eq!(seen(&eve).await["state"], "muted_account");
    eve.post(&format!("/api/v1/accounts/{}/block", ana.id), json!({})).await.json(200);
    assert_eq!(seen(&eve).await["state"], "blocked_account");
    let max = app.person("max").await;
    ana.post(&format!("/api/v1/accounts/{}/block", max.id), json!({})).await.json(200);
    assert_eq!(seen(&max).await, json!({"state": "unauthorized", "quoted_status": null}));
    ben.post(&format!("/api/v1/statuses/{}/reblog", id(&quoting)), json!({})).await.json(200);
    let home = ben.get("/api/v1/timelines/home").await.json(200);
    assert_eq!(home[0]["reblog"]["quote"]["state"], "accepted", "also inside a boost");
}
