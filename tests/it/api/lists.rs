//! Lists, from the client's side.

use http::Method;
use serde_json::{Value, json};

use super::{id, ids, post, settle, walk};
use crate::kit::{Payload, Person, TestApp};

async fn list(who: &Person<'_>, body: Value) -> String {
    id(&who.post("/api/v1/lists", body).await.json(200))
}

async fn follow(who: &Person<'_>, other: &Person<'_>) {
    who.post(&format!("/api/v1/accounts/{}/follow", other.id), json!({})).await.json(200);
}

async fn add(who: &Person<'_>, list: &str, other: &Person<'_>) {
    let body = json!({ "account_ids": [other.id.to_string()] });
    let answer = who.post(&format!("/api/v1/lists/{list}/accounts"), body).await.json(200);
    assert_eq!(answer, json!({}));
}

#[tokio::test]
async fn a_list_is_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let made = ana.post_form("/api/v1/lists", "title=Birds").await.json(200);
    let path = format!("/api/v1/lists/{}", id(&made));
    let expected = json!({"id": made["id"], "title": "Birds", "replies_policy": "list", "exclusive": false});
    assert_eq!(made, expected);
    assert_eq!(ana.get(&path).await.json(200), made);
    let changed =
        ana.put(&path, json!({"title": "Owls", "replies_policy": "none", "exclusive": "true"})).await;
    let expected = json!({"id": made["id"], "title": "Owls", "replies_policy": "none", "exclusive": true});
    assert_eq!(changed.json(200), expected);
    let patched = ana.patch(&path, json!({"replies_policy": "followed"})).await.json(200);
    assert_eq!((&patched["title"], &patched["replies_policy"]), (&json!("Owls"), &json!("followed")));
    assert_eq!(ana.get("/api/v1/lists").await.json(200), json!([patched]));

    for refused in [json!({}), json!({"title": " "}), json!({"title": "a", "replies_policy": "all"})] {
        ana.post("/api/v1/lists", refused).await.error(422, "Validation failed");
    }
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::PUT, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::GET, format!("{path}/accounts")),
        (Method::POST, format!("{path}/accounts")),
        (Method::DELETE, format!("{path}/accounts")),
        (Method::GET, path.replace("/lists/", "/timelines/list/")),
    ] {
        let answer = ben.call(method.clone(), &path, Payload::Json(json!({}))).await;
        answer.error(404, "Record not found");
    }
    app.get(&path).await.error(401, "The access token is invalid");
    assert_eq!(ana.delete(&path).await.json(200), json!({}));
    ana.get(&path).await.json(404);
    assert_eq!(ana.get("/api/v1/lists").await.json(200), json!([]));
}

#[tokio::test]
async fn members_are_those_one_follows_and_unfollowing_takes_them_off() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let list = list(&ana, json!({"title": "l"})).await;
    let path = format!("/api/v1/lists/{list}/accounts");
    let body = json!({ "account_ids": [ben.id.to_string()] });
    ana.post(&path, body.clone()).await.error(404, "Record not found");
    let status = id(&post(&ben, "before").await);
    follow(&ana, &ben).await;
    add(&ana, &list, &ben).await;
    ana.post(&path, body.clone()).await.error(422, "already been taken");
    assert_eq!(ana.get(&path).await.json(200)[0]["acct"], "ben");
    let timeline = format!("/api/v1/timelines/list/{list}");
    assert_eq!(ids(&ana.get(&timeline).await.json(200)), std::slice::from_ref(&status));
    let containing = format!("/api/v1/accounts/{}/lists", ben.id);
    assert_eq!(ids(&ana.get(&containing).await.json(200)), std::slice::from_ref(&list));
    assert_eq!(ben.get(&containing).await.json(200), json!([]));

    ana.call(Method::DELETE, &path, Payload::Json(body)).await.json(200);
    assert_eq!(ana.get(&path).await.json(200), json!([]));
    assert_eq!(ana.get(&timeline).await.json(200), json!([]));

    ana.post_form(&path, &format!("account_ids[]={}", ben.id)).await.json(200);
    assert_eq!(ids(&ana.get(&timeline).await.json(200)), [status]);
    ana.post(&format!("/api/v1/accounts/{}/unfollow", ben.id), json!({})).await.json(200);
    assert_eq!(ana.get(&path).await.json(200), json!([]));
    assert_eq!(ana.get(&containing).await.json(200), json!([]));
    follow(&ana, &ben).await;
    assert_eq!(ana.get(&timeline).await.json(200), json!([]));
}

#[tokio::test]
async fn new_posts_reach_the_list_and_an_exclusive_one_keeps_them_from_home() {
    let app = TestApp::start().await;
    let (ana, ben, cia) = (app.person("ana").await, app.person("ben").await, app.person("cia").await);
    let list = list(&ana, json!({"title": "l", "exclusive": true})).await;
    follow(&ana, &ben).await;
    follow(&ana, &cia).await;
    add(&ana, &list, &ben).await;
    let of_ben = id(&post(&ben, "one").await);
    let of_cia = id(&post(&cia, "two").await);
    settle(&app).await;
    assert_eq!(ids(&ana.get(&format!("/api/v1/timelines/list/{list}")).await.json(200)), [of_ben]);
    assert_eq!(ids(&ana.get("/api/v1/timelines/home").await.json(200)), std::slice::from_ref(&of_cia));
    ana.post(&format!("/api/v1/accounts/{}/mute", ben.id), json!({})).await.json(200);
    assert_eq!(ana.get(&format!("/api/v1/timelines/list/{list}")).await.json(200), json!([]));
}

#[tokio::test]
async fn walks_over_members_and_posts_see_each_once_in_both_directions() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let list = list(&ana, json!({"title": "l"})).await;
    let (mut members, mut posts) = (Vec::new(), Vec::new());
    for n in 0..7 {
        let other = app.person(&format!("p{n}")).await;
        follow(&ana, &other).await;
        add(&ana, &list, &other).await;
        members.insert(0, other.id.to_string());
        posts.insert(0, id(&post(&other, "hi").await));
    }
    settle(&app).await;
    for limit in [1, 2, 3, 7] {
        for (path, expected) in [
            (format!("/api/v1/lists/{list}/accounts?limit={limit}"), &members),
            (format!("/api/v1/timelines/list/{list}?limit={limit}"), &posts),
        ] {
            assert_eq!(&walk(&ana, &path).await, expected, "{path}");
            assert_eq!(&walk_back(&ana, &format!("{path}&min_id=1")).await, expected, "{path}");
        }
    }
    let all = ana.get(&format!("/api/v1/lists/{list}/accounts?limit=0")).await;
    assert_eq!(ids(&all.json(200)), members);
}

/// Follows `prev` from the oldest page to the newest; gives all, newest first.
pub async fn walk_back(person: &Person<'_>, first: &str) -> Vec<String> {
    let (mut all, mut path) = (Vec::new(), Some(first.to_owned()));
    for _ in 0..200 {
        let Some(here) = path else { return all };
        let answer = person.get(&here).await;
        let mut newer = ids(&answer.json(200));
        newer.append(&mut all);
        all = newer;
        path = answer.link("prev").filter(|_| answer.json(200) != json!([]));
    }
    panic!("the pages before {first} do not end");
}
