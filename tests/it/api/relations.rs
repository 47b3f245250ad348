//! Following, blocking and muting.

use std::time::Duration;

use serde_json::{Value, json};
use waxwing::base::Id;

use crate::kit::{Person, TestApp};

async fn act(who: &Person<'_>, verb: &str, other: Id, body: Value) -> Value {
    who.post(&format!("/api/v1/accounts/{other}/{verb}"), body).await.json(200)
}

async fn standing(who: &Person<'_>, other: Id) -> Value {
    let path = format!("/api/v1/accounts/relationships?id[]={other}");
    who.get(&path).await.json(200)[0].take()
}

async fn names(who: &Person<'_>, path: &str) -> Vec<String> {
    let people = who.get(path).await.json(200);
    people.as_array().unwrap().iter().map(|a| a["acct"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn following_is_seen_at_once_and_told() {
    let app = TestApp::start().await;
    let (ana, bea) = (app.person("ana").await, app.person("bea").await);
    let after = act(&ana, "follow", bea.id, json!({})).await;
    assert_eq!(after.as_object().unwrap().len(), 16);
    assert_eq!((&after["following"], &after["requested"]), (&json!(true), &json!(false)));
    assert_eq!((&after["showing_reblogs"], &after["notifying"]), (&json!(true), &json!(false)));
    assert_eq!(standing(&bea, ana.id).await["followed_by"], true);
    assert_eq!(names(&ana, &format!("/api/v1/accounts/{}/following", ana.id)).await, ["bea"]);
    assert_eq!(names(&ana, &format!("/api/v1/accounts/{}/followers", bea.id)).await, ["ana"]);
    let counts = app.get(&format!("/api/v1/accounts/{}", bea.id)).await.json(200);
    assert_eq!((&counts["followers_count"], &counts["following_count"]), (&json!(1), &json!(0)));

    // Following again changes only what is asked.
    let again = act(&ana, "follow", bea.id, json!({ "reblogs": false, "notify": true })).await;
    assert_eq!((&again["showing_reblogs"], &again["notifying"]), (&json!(false), &json!(true)));
    let counts = app.get(&format!("/api/v1/accounts/{}", bea.id)).await.json(200);
    assert_eq!(counts["followers_count"], 1);

    for _ in 0..2 {
        let after = act(&ana, "unfollow", bea.id, json!({})).await;
        assert_eq!(after["following"], false);
    }
    let counts = app.get(&format!("/api/v1/accounts/{}", bea.id)).await.json(200);
    assert_eq!(counts["followers_count"], 0);
}

#[tokio::test]
async fn hidden_follows_are_shown_to_nobody_else() {
    let app = TestApp::start().await;
    let (ana, bea, cem) = (app.person("ana").await, app.person("bea").await, app.person("cem").await);
    act(&ana, "follow", bea.id, json!({})).await;
    act(&bea, "follow", ana.id, json!({})).await;
    act(&cem, "follow", ana.id, json!({})).await;
    let familiar = format!("/api/v1/accounts/familiar_followers?id[]={}", bea.id);
    for (hides, shown) in [(false, vec!["ana"]), (true, vec![]), (false, vec!["ana"])] {
        let form = json!({ "hide_collections": hides });
        let mine = bea.patch("/api/v1/accounts/update_credentials", form).await.json(200);
        assert_eq!(mine["source"]["hide_collections"], hides);
        assert_eq!(bea.get("/api/v1/profile").await.json(200)["hide_collections"], hides);
        let account = app.get(&format!("/api/v1/accounts/{}", bea.id)).await.json(200);
        assert_eq!((&account["hide_collections"], &account["followers_count"]), (&json!(hides), &json!(1)));
        for list in ["followers", "following"] {
            let path = format!("/api/v1/accounts/{}/{list}", bea.id);
            assert_eq!(names(&cem, &path).await, shown, "{list}");
            assert_eq!(app.get(&path).await.json(200).as_array().unwrap().len(), shown.len(), "{list}");
            assert_eq!(names(&bea, &path).await, ["ana"], "{list}");
            let page = app.get(&format!("/@bea/{list}")).await;
            assert_eq!(page.text().contains("href=\"/@ana\""), !hides, "{list}");
        }
        let known = cem.get(&familiar).await.json(200);
        assert_eq!(known[0]["id"], bea.id.to_string());
        assert_eq!(known[0]["accounts"].as_array().unwrap().len(), shown.len());
    }
}

#[tokio::test]
async fn locked_accounts_are_asked() {
    let app = TestApp::start().await;
    let (ana, bea, cem) = (app.person("ana").await, app.person("bea").await, app.person("cem").await);
    bea.patch("/api/v1/accounts/update_credentials", json!({ "locked": true })).await.json(200);
    for asker in [&ana, &cem] {
        let after = act(asker, "follow", bea.id, json!({})).await;
        assert_eq!((&after["following"], &after["requested"]), (&json!(false), &json!(true)));
    }
    assert_eq!(standing(&bea, ana.id).await["requested_by"], true);
    assert_eq!(names(&bea, "/api/v1/follow_requests").await, ["cem", "ana"]);
    let own = bea.get("/api/v1/accounts/verify_credentials").await.json(200);
    assert_eq!(own["source"]["follow_requests_count"], 2);

    let path = |id: Id, answer: &str| format!("/api/v1/follow_requests/{id}/{answer}");
    let after = bea.post(&path(ana.id, "authorize"), json!({})).await.json(200);
    assert_eq!(after["followed_by"], true);
    let after = bea.post(&path(cem.id, "reject"), json!({})).await.json(200);
    assert_eq!((&after["followed_by"], &after["requested_by"]), (&json!(false), &json!(false)));
    bea.post(&path(cem.id, "authorize"), json!({})).await.error(404, "Record not found");
    assert_eq!(standing(&ana, bea.id).await["following"], true);
    assert!(names(&bea, "/api/v1/follow_requests").await.is_empty());

    let after = act(&bea, "remove_from_followers", ana.id, json!({})).await;
    assert_eq!(after["followed_by"], false);
    assert_eq!(standing(&ana, bea.id).await["following"], false);
}

#[tokio::test]
async fn a_block_ends_everything_both_ways() {
    let app = TestApp::start().await;
    let (ana, bea) = (app.person("ana").await, app.person("bea").await);
    act(&ana, "follow", bea.id, json!({})).await;
    act(&bea, "follow", ana.id, json!({})).await;
    let after = act(&ana, "block", bea.id, json!({})).await;
    assert_eq!(
        (&after["blocking"], &after["following"], &after["followed_by"]),
        (&json!(true), &json!(false), &json!(false))
    );
    assert_eq!(standing(&bea, ana.id).await["blocked_by"], true);
    assert_eq!(names(&ana, "/api/v1/blocks").await, ["bea"]);
    let refused = format!("/api/v1/accounts/{}/follow", ana.id);
    bea.post(&refused, json!({})).await.error(403, "This action is not allowed");
    assert_eq!(act(&ana, "unblock", bea.id, json!({})).await["blocking"], false);
    assert!(names(&ana, "/api/v1/blocks").await.is_empty());
    bea.post(&refused, json!({})).await.json(200);
}

#[tokio::test]
async fn mutes_end_by_themselves() {
    let app = TestApp::start().await;
    let (ana, bea, cem) = (app.person("ana").await, app.person("bea").await, app.person("cem").await);
    let after = act(&ana, "mute", bea.id, json!({ "duration": 60, "notifications": false })).await;
    assert_eq!((&after["muting"], &after["muting_notifications"]), (&json!(true), &json!(false)));
    assert!(after["muting_expires_at"].is_string());
    let after = act(&ana, "mute", cem.id, json!({})).await;
    assert_eq!((&after["muting_notifications"], &after["muting_expires_at"]), (&json!(true), &Value::Null));
    assert_eq!(names(&ana, "/api/v1/mutes").await, ["cem", "bea"]);
    app.clock.advance(Duration::from_secs(61));
    assert_eq!(standing(&ana, bea.id).await["muting"], false);
    assert_eq!(names(&ana, "/api/v1/mutes").await, ["cem"]);
    assert_eq!(act(&ana, "unmute", cem.id, json!({})).await["muting"], false);
    assert!(names(&ana, "/api/v1/mutes").await.is_empty());
}

#[tokio::test]
async fn nobody_relates_to_themselves_or_to_nobody() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    for verb in ["follow", "block", "mute"] {
        ana.post(&format!("/api/v1/accounts/{}/{verb}", ana.id), json!({})).await.json(403);
        ana.post(&format!("/api/v1/accounts/1/{verb}"), json!({})).await.error(404, "Record not found");
        app.post(&format!("/api/v1/accounts/1/{verb}"), json!({})).await.error(401, "invalid");
    }
}

#[tokio::test]
async fn notes_are_private() {
    let app = TestApp::start().await;
    let (ana, bea) = (app.person("ana").await, app.person("bea").await);
    let after = act(&ana, "note", bea.id, json!({ "comment": "met in May" })).await;
    assert_eq!(after["note"], "met in May");
    assert_eq!(standing(&bea, ana.id).await["note"], "");
    assert_eq!(act(&ana, "note", bea.id, json!({ "comment": "" })).await["note"], "");
}

#[tokio::test]
async fn long_lists_are_walked_by_link_alone() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut expected = Vec::new();
    for n in 0..7 {
        let name = format!("p{n}");
        let person = app.person(&name).await;
        act(&person, "follow", ana.id, json!({})).await;
        expected.insert(0, name);
    }
    let mut path = Some(format!("/api/v1/accounts/{}/followers?limit=3", ana.id));
    let (mut seen, mut pages, mut last) = (Vec::new(), 0, None);
    while let Some(next) = path {
        let answer = ana.get(&next).await;
        let people = answer.json(200);
        seen.extend(people.as_array().unwrap().iter().map(|a| a["acct"].as_str().unwrap().to_owned()));
        path = answer.link("next");
        last = answer.link("prev");
        pages += 1;
    }
    assert_eq!((seen, pages), (expected.clone(), 3));
    // Back from the last page: the three before it, newest first.
    let back = names(&ana, &last.unwrap()).await;
    assert_eq!(back, expected[3..6]);
}
