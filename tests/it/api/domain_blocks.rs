//! Domains that people block, from the client's side.

use http::Method;
use serde_json::json;
use waxwing::base::{Id, Timestamp};
use waxwing::model::{Account, Status, Visibility};
use waxwing::store::StoreError;

use crate::kit::{Payload, Person, TestApp};

/// An account of another server that follows `fan`, with a public post.
async fn remote(app: &TestApp, name: &'static str, host: &'static str) -> (Id, Id) {
    let moment = app.state.moment();
    let made = app.state.store.write(move |tx| {
        let mut moment = moment.clone();
        let (id, status) = (moment.id(), moment.id());
        let account = Account {
            id,
            username: name.into(),
            domain: Some(host.into()),
            uri: format!("https://{host}/users/{name}"),
            url: format!("https://{host}/@{name}"),
            inbox: format!("https://{host}/inbox"),
            is_discoverable: true,
            created_at: moment.now,
            ..Account::default()
        };
        Account::save(tx, None, &account);
        let post = Status {
            id: status,
            account: id,
            uri: format!("https://{host}/posts/{status}"),
            content_html: "<p>hi</p>".into(),
            visibility: Visibility::Public,
            created_at: Timestamp::from_secs(1_764_000_000),
            thread: status,
            ..Status::default()
        };
        Status::save(tx, None, &post);
        Ok::<_, StoreError>((id, status))
    });
    made.await.unwrap()
}

async fn follow(who: &Person<'_>, other: Id) {
    who.post(&format!("/api/v1/accounts/{other}/follow"), json!({})).await.json(200);
}

async fn standing(who: &Person<'_>, other: Id) -> serde_json::Value {
    who.get(&format!("/api/v1/accounts/relationships?id[]={other}")).await.json(200)[0].clone()
}

#[tokio::test]
async fn a_blocked_domain_is_hidden_everywhere_and_asked_follows_end() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let (bad, bad_post) = remote(&app, "bo", "bad.example").await;
    let (good, good_post) = remote(&app, "gil", "good.example").await;
    follow(&ana, bad).await;
    assert_eq!(standing(&ana, bad).await["requested"], true);
    ana.post_form("/api/v1/domain_blocks", "domain=Bad.Example").await.json(200);
    ana.post("/api/v1/domain_blocks", json!({"domain": "bad.example"})).await.json(200);
    assert_eq!(ana.get("/api/v1/domain_blocks").await.json(200), json!(["bad.example"]));
    let after = standing(&ana, bad).await;
    assert_eq!((&after["domain_blocking"], &after["following"]), (&json!(true), &json!(false)));
    assert_eq!(standing(&ana, good).await["domain_blocking"], false);
    assert_eq!(standing(&ben, bad).await["domain_blocking"], false);
    ana.post(&format!("/api/v1/accounts/{bad}/follow"), json!({})).await.error(403, "not allowed");

    let public = super::ids(&ana.get("/api/v1/timelines/public").await.json(200));
    assert_eq!(public, [good_post.to_string()]);
    assert_eq!(super::ids(&ben.get("/api/v1/timelines/public").await.json(200)).len(), 2);
    assert_eq!(ana.get("/api/v1/accounts/search?q=bo").await.json(200), json!([]));
    assert!(!super::ids(&ana.get("/api/v1/directory").await.json(200)).contains(&bad.to_string()));
    // Opened by its address it is still there, as for one who is muted.
    ana.get(&format!("/api/v1/statuses/{bad_post}")).await.json(200);

    // Tusky sends the domain in the body of the DELETE.
    let body = Payload::Form("domain=bad.example".into());
    ana.call(Method::DELETE, "/api/v1/domain_blocks", body).await.json(200);
    ana.delete("/api/v1/domain_blocks?domain=bad.example").await.json(200);
    assert_eq!(ana.get("/api/v1/domain_blocks").await.json(200), json!([]));
    assert_eq!(super::ids(&ana.get("/api/v1/timelines/public").await.json(200)).len(), 2);
}

#[tokio::test]
async fn bad_domains_are_refused_and_previews_count() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for domain in ["", "a b", "https://b.example/", "social.example"] {
        ana.post("/api/v1/domain_blocks", json!({"domain": domain})).await.error(422, "Validation failed");
    }
    ana.post("/api/v1/domain_blocks", json!({})).await.error(422, "can't be blank");
    app.get("/api/v1/domain_blocks").await.error(401, "The access token is invalid");
    let preview = ana.get("/api/v1/domain_blocks/preview?domain=b.example").await.json(200);
    assert_eq!(preview, json!({"following_count": 0, "followers_count": 0}));
}

#[tokio::test]
async fn blocked_domains_are_walked() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut expected = Vec::new();
    for n in 0..7 {
        let domain = format!("d{n}.example");
        ana.post("/api/v1/domain_blocks", json!({"domain": domain})).await.json(200);
        expected.insert(0, json!(domain));
    }
    for limit in [1, 3, 7] {
        let (mut seen, mut path) = (Vec::new(), Some(format!("/api/v1/domain_blocks?limit={limit}")));
        while let Some(here) = path {
            let answer = ana.get(&here).await;
            seen.extend(answer.json(200).as_array().unwrap().clone());
            path = answer.link("next");
            assert!(seen.len() <= expected.len(), "the pages do not end");
        }
        assert_eq!(seen, expected);
    }
}
