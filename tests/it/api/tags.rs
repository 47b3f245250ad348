//! Hashtags: history, following and featuring, from the client's side.

use serde_json::{Value, json};

use super::lists::walk_back;
use super::{id, ids, post, settle};
use crate::kit::TestApp;

#[tokio::test]
async fn a_hashtag_tells_its_use_and_what_one_has_to_do_with_it() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    for (author, text) in [(&ana, "one #Rust"), (&ana, "two #rust"), (&ben, "three #rust")] {
        post(author, text).await;
    }
    let tag = app.get("/api/v1/tags/RUST").await.json(200);
    assert_eq!((&tag["name"], &tag["url"]), (&json!("rust"), &json!("https://social.example/tags/rust")));
    let today = app.now().midnight().as_secs().to_string();
    assert_eq!(tag["history"].as_array().unwrap().len(), 7);
    assert_eq!(tag["history"][0], json!({"day": today, "uses": "3", "accounts": "2"}));
    assert_eq!((&tag["history"][6]["uses"], &tag["history"][6]["accounts"]), (&json!("0"), &json!("0")));
    assert!(tag.get("following").is_none() && tag.get("featuring").is_none());
    let seen = ana.get("/api/v1/tags/rust").await.json(200);
    assert_eq!((&seen["following"], &seen["featuring"]), (&json!(false), &json!(false)));
    for bad in ["123", "a%20b", "%20"] {
        app.get(&format!("/api/v1/tags/{bad}")).await.error(404, "Record not found");
        ana.post(&format!("/api/v1/tags/{bad}/follow"), json!({})).await.error(404, "Record not found");
    }
    app.get("/api/v1/followed_tags").await.error(401, "The access token is invalid");
    // Unused ones exist as well: one can follow them before anybody writes.
    assert_eq!(app.get("/api/v1/tags/nobody").await.json(200)["history"][0]["uses"], "0");
    let found = ana.get("/api/v2/search?q=ru&type=hashtags").await.json(200);
    assert_eq!(found["hashtags"][0], seen);
}

#[tokio::test]
async fn posts_with_followed_hashtags_come_home() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let followed = ana.post("/api/v1/tags/Owls/follow", json!({})).await.json(200);
    assert_eq!((&followed["name"], &followed["following"]), (&json!("owls"), &json!(true)));
    let wanted = id(&post(&ben, "an #owls post").await);
    post(&ben, "another").await;
    settle(&app).await;
    assert_eq!(ids(&ana.get("/api/v1/timelines/home").await.json(200)), std::slice::from_ref(&wanted));
    ana.post(&format!("/api/v1/accounts/{}/mute", ben.id), json!({})).await.json(200);
    assert_eq!(ana.get("/api/v1/timelines/home").await.json(200), json!([]));
    ana.post(&format!("/api/v1/accounts/{}/unmute", ben.id), json!({})).await.json(200);
    let after = ana.post("/api/v1/tags/owls/unfollow", json!({})).await.json(200);
    assert_eq!(after["following"], false);
    assert_eq!(ana.get("/api/v1/timelines/home").await.json(200), json!([]));
}

#[tokio::test]
async fn followed_hashtags_are_walked_in_both_directions() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut expected = Vec::new();
    for n in 0..7 {
        let name = format!("tag{n}");
        ana.post(&format!("/api/v1/tags/{name}/follow"), json!({})).await.json(200);
        ana.post(&format!("/api/v1/tags/{name}/follow"), json!({})).await.json(200);
        expected.insert(0, name);
    }
    for limit in [1, 3, 9] {
        let path = format!("/api/v1/followed_tags?limit={limit}");
        assert_eq!(super::walk(&ana, &path).await, expected);
        assert_eq!(walk_back(&ana, &format!("{path}&min_id=1")).await, expected);
    }
}

#[tokio::test]
async fn hashtags_are_featured_on_the_profile() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    post(&ana, "#birds and #owls").await;
    post(&ana, "#owls").await;
    let names = |list: Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned()).collect()
    };
    let suggested = ana.get("/api/v1/featured_tags/suggestions").await.json(200);
    assert_eq!(names(suggested), ["owls", "birds"]);
    let made = ana.post("/api/v1/featured_tags", json!({"name": "#Owls"})).await.json(200);
    assert_eq!((&made["name"], &made["statuses_count"]), (&json!("owls"), &json!("2")));
    assert_eq!(made["last_status_at"], app.now().date());
    assert_eq!(made["url"], "https://social.example/@ana/tagged/owls");
    ana.post("/api/v1/featured_tags", json!({"name": "owls"})).await.error(422, "already been taken");
    ana.post("/api/v1/featured_tags", json!({"name": "a b"})).await.error(422, "not a valid hashtag");
    ana.post("/api/v1/featured_tags", json!({})).await.error(422, "can't be blank");
    let birds = ana.post("/api/v1/tags/birds/feature", json!({})).await.json(200);
    assert_eq!(birds["featuring"], true);
    ana.post("/api/v1/tags/birds/feature", json!({})).await.json(200);
    let own = ana.get("/api/v1/featured_tags").await.json(200);
    assert_eq!(app.get(&format!("/api/v1/accounts/{}/featured_tags", ana.id)).await.json(200), own);
    assert_eq!(ana.get("/api/v1/profile").await.json(200)["featured_tags"], own);
    assert_eq!(names(own), ["owls", "birds"]);
    ana.post("/api/v1/tags/birds/unfeature", json!({})).await.json(200);
    let path = format!("/api/v1/featured_tags/{}", id(&made));
    assert_eq!(ana.delete(&path).await.json(200), json!({}));
    ana.delete(&path).await.error(404, "Record not found");
    assert_eq!(ana.get("/api/v1/featured_tags").await.json(200), json!([]));
}
