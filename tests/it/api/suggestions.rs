//! Suggestions, the directory, endorsements and familiar followers, from the
//! client's side.

use serde_json::{Value, json};

use super::{id, ids, post};
use crate::kit::{Person, TestApp};

async fn act(who: &Person<'_>, verb: &str, other: &Person<'_>) -> Value {
    who.post(&format!("/api/v1/accounts/{}/{verb}", other.id), json!({})).await.json(200)
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|account| account["acct"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn friends_of_friends_are_suggested_until_they_are_dismissed() {
    let app = TestApp::start().await;
    let (ana, ben, cia) = (app.person("ana").await, app.person("ben").await, app.person("cia").await);
    act(&ana, "follow", &ben).await;
    act(&ben, "follow", &cia).await;
    let found = ana.get("/api/v2/suggestions").await.json(200);
    assert_eq!(found[0]["account"]["acct"], "cia");
    assert_eq!(found[0]["source"], "past_interactions");
    assert_eq!(found[0]["sources"], json!(["friends_of_friends"]));
    assert_eq!(names(&ana.get("/api/v1/suggestions").await.json(200))[0], "cia");
    assert_eq!(ana.delete(&format!("/api/v1/suggestions/{}", cia.id)).await.json(200), json!({}));
    assert_eq!(ana.get("/api/v2/suggestions").await.json(200), json!([]));
    app.get("/api/v2/suggestions").await.error(401, "The access token is invalid");
    let others = ben.get("/api/v1/suggestions?limit=1").await.json(200);
    assert_eq!(others.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_directory_is_sorted_and_paged_by_offset() {
    let app = TestApp::start().await;
    let (ana, ben, cia) = (app.person("ana").await, app.person("ben").await, app.person("cia").await);
    post(&ana, "hi").await;
    assert_eq!(names(&app.get("/api/v1/directory?order=new").await.json(200)), ["cia", "ben", "ana"]);
    assert_eq!(names(&app.get("/api/v1/directory").await.json(200))[0], "ana");
    let second = app.get("/api/v1/directory?order=new&offset=1&limit=1&local=true").await.json(200);
    assert_eq!(names(&second), ["ben"]);
    app.get("/api/v1/directory?order=x").await.error(422, "not included in the list");
    app.get("/api/v1/directory?offset=-1").await.error(400, "negative");
    cia.patch("/api/v1/accounts/update_credentials", json!({"discoverable": false})).await.json(200);
    act(&ana, "block", &ben).await;
    assert_eq!(names(&ana.get("/api/v1/directory?order=new").await.json(200)), ["ana"]);
}

#[tokio::test]
async fn the_followed_can_be_shown_on_the_profile() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let path = format!("/api/v1/accounts/{}/endorse", ben.id);
    ana.post(&path, json!({})).await.error(422, "You must follow");
    act(&ana, "follow", &ben).await;
    assert_eq!(act(&ana, "pin", &ben).await["endorsed"], true);
    assert_eq!(act(&ana, "endorse", &ben).await["endorsed"], true);
    assert_eq!(names(&ana.get("/api/v1/endorsements").await.json(200)), ["ben"]);
    let shown = format!("/api/v1/accounts/{}/endorsements", ana.id);
    assert_eq!(names(&app.get(&shown).await.json(200)), ["ben"]);
    assert_eq!(act(&ana, "unpin", &ben).await["endorsed"], false);
    act(&ana, "endorse", &ben).await;
    assert_eq!(act(&ana, "unfollow", &ben).await["endorsed"], false);
    assert_eq!(app.get(&shown).await.json(200), json!([]));
}

#[tokio::test]
async fn familiar_followers_are_those_one_follows() {
    let app = TestApp::start().await;
    let (ana, ben, cia, dan) =
        (app.person("ana").await, app.person("ben").await, app.person("cia").await, app.person("dan").await);
    for (from, to) in [(&ana, &ben), (&ben, &dan), (&cia, &dan)] {
        act(from, "follow", to).await;
    }
    let path = format!("/api/v1/accounts/familiar_followers?id[]={}&id[]={}&id[]=1", dan.id, cia.id);
    let found = ana.get(&path).await.json(200);
    assert_eq!(ids(&found), [dan.id.to_string(), cia.id.to_string()]);
    assert_eq!(names(&found[0]["accounts"]), ["ben"]);
    assert_eq!(found[1]["accounts"], json!([]));
}

#[tokio::test]
async fn a_follow_has_options_and_a_profile_has_its_own_form() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let follow = format!("/api/v1/accounts/{}/follow", ben.id);
    let after = ana.post_form(&follow, "reblogs=false&languages[]=de&languages[]=en").await.json(200);
    assert_eq!((&after["showing_reblogs"], &after["languages"]), (&json!(false), &json!(["de", "en"])));
    let kept = ana.post(&follow, json!({"notify": true})).await.json(200);
    assert_eq!((&kept["notifying"], &kept["languages"]), (&json!(true), &json!(["de", "en"])));
    assert_eq!(ana.post(&follow, json!({"languages": []})).await.json(200)["languages"], Value::Null);

    let profile = ana.patch("/api/v1/profile", json!({"note": "<b>hi</b>", "bot": true})).await.json(200);
    assert_eq!((&profile["note"], &profile["bot"]), (&json!("<b>hi</b>"), &json!(true)));
    assert_eq!((&profile["avatar"], &profile["id"]), (&Value::Null, &json!(ana.id.to_string())));
    assert_eq!(ana.get("/api/v1/profile").await.json(200), profile);
    let own = ana.delete("/api/v1/profile/avatar").await.json(200);
    assert_eq!(id(&own), ana.id.to_string());
}

#[tokio::test]
async fn an_account_that_moved_says_where() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let (old, new) = (ana.id, ben.id);
    let moved = app.state.store.write(move |tx| {
        let target = waxwing::domain::account::get(tx, new)?.expect("ben is there");
        let before = waxwing::domain::account::get(tx, old)?.expect("ana is there");
        let after = waxwing::model::Account { moved_to: Some(target.uri), ..before.clone() };
        waxwing::model::Account::save(tx, Some(&before), &after);
        Ok::<_, waxwing::store::StoreError>(())
    });
    moved.await.unwrap();
    let seen = app.get(&format!("/api/v1/accounts/{old}")).await.json(200);
    assert_eq!(seen["moved"]["acct"], "ben");
    assert!(seen["moved"].get("moved").is_none());
    assert!(app.get(&format!("/api/v1/accounts/{new}")).await.json(200).get("moved").is_none());
    assert_eq!(names(&app.get("/api/v1/directory").await.json(200)), ["ben"]);
}
