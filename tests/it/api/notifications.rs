use std::time::Duration;

use serde_json::{Value, json};

use waxwing::base::{Chance, FixedChance};

use super::{id, ids, post, walk};
use crate::kit::TestApp;

fn kinds(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|n| n["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn people_hear_of_mentions_likes_boosts_and_follows() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ana, "hi").await);
    post(&ben, "hello @ana").await;
    ben.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
    ben.post(&format!("/api/v1/statuses/{status}/reblog"), json!({})).await.json(200);
    ben.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
    let list = ana.get("/api/v1/notifications").await.json(200);
    assert_eq!(kinds(&list), ["follow", "reblog", "favourite", "mention"]);
    for item in list.as_array().unwrap() {
        assert_eq!(item["account"]["username"], "ben");
        let key = item["group_key"].as_str().unwrap();
        let is_alone = key == format!("ungrouped-{}", id(item));
        assert_eq!(is_alone, item["type"] == "mention", "{item}");
        assert!(item.get("filtered").is_none());
        assert_eq!(item.get("status").is_some(), item["type"] != "follow", "{item}");
    }
    assert_eq!(list[1]["status"]["id"], json!(status), "a boost is told with its original");

    let cases: [(&str, &[&str]); 7] = [
        ("types[]=mention&types[]=follow", &["follow", "mention"]),
        ("exclude_types[]=follow&exclude_types[]=reblog", &["favourite", "mention"]),
        ("types[]=poll", &[]),
        ("types[]=poll&types[]=mention", &["mention"]),
        ("limit=1", &["follow"]),
        ("account_id=17", &[]),
        ("types=mention", &["mention"]),
    ];
    for (query, expected) in cases {
        let list = ana.get(&format!("/api/v1/notifications?{query}")).await.json(200);
        assert_eq!(kinds(&list), expected, "{query}");
    }
    assert_eq!(walk(&ana, "/api/v1/notifications?limit=1").await, ids(&list));
    assert_eq!(ben.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn what_is_taken_back_or_blocked_is_not_shown() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ana, "hi").await);
    let mention = id(&post(&ben, "hello @ana").await);
    ben.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
    ben.post(&format!("/api/v1/statuses/{status}/unfavourite"), json!({})).await.json(200);
    assert_eq!(kinds(&ana.get("/api/v1/notifications").await.json(200)), ["mention"]);
    ben.delete(&format!("/api/v1/statuses/{mention}")).await.json(200);
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
    post(&ben, "again @ana").await;
    ana.post(&format!("/api/v1/accounts/{}/block", ben.id), json!({})).await.json(200);
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn a_muted_thread_is_silent() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let root = id(&post(&ana, "hi").await);
    let answer = |to: &str| json!({"status": "@ana hm", "in_reply_to_id": to});
    let first = id(&ben.post("/api/v1/statuses", answer(&root)).await.json(200));
    ana.post(&format!("/api/v1/statuses/{first}/mute"), json!({})).await.json(200);
    let second = id(&ben.post("/api/v1/statuses", answer(&first)).await.json(200));
    assert_eq!(ana.get("/api/v1/notifications").await.json(200).as_array().unwrap().len(), 1);
    let seen = ana.get(&format!("/api/v1/statuses/{second}")).await.json(200);
    assert_eq!(seen["muted"], true);
}

#[tokio::test]
async fn notifications_can_be_read_dismissed_and_cleared() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    for n in 0..3 {
        post(&ben, &format!("@ana {n}")).await;
    }
    let list = ids(&ana.get("/api/v1/notifications").await.json(200));
    let path = format!("/api/v1/notifications/{}", list[0]);
    assert_eq!(ana.get(&path).await.json(200)["id"], json!(list[0]));
    ben.get(&path).await.error(404, "Record not found");
    ben.post(&format!("{path}/dismiss"), json!({})).await.error(404, "Record not found");
    assert_eq!(ana.post(&format!("{path}/dismiss"), json!({})).await.json(200), json!({}));
    ana.get(&path).await.error(404, "Record not found");
    assert_eq!(ana.get("/api/v1/notifications/unread_count").await.json(200), json!({"count": 2}));
    let marker = json!({"notifications": {"last_read_id": list[2]}});
    ana.post("/api/v1/markers", marker).await.json(200);
    assert_eq!(ana.get("/api/v2/notifications/unread_count").await.json(200), json!({"count": 1}));
    assert_eq!(ana.post("/api/v1/notifications/clear", json!({})).await.json(200), json!({}));
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn grouped_notifications_carry_what_they_are_about() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    post(&ben, "@ana one").await;
    post(&ben, "@ana two").await;
    let answer = ana.get("/api/v2/notifications?limit=1").await;
    let grouped = answer.json(200);
    assert_eq!(grouped["notification_groups"].as_array().unwrap().len(), 1);
    let next = ana.get(&answer.link("next").unwrap()).await.json(200);
    assert_ne!(next["notification_groups"][0]["group_key"], grouped["notification_groups"][0]["group_key"]);
    let all = ana.get("/api/v2/notifications").await.json(200);
    assert_eq!(all["accounts"].as_array().unwrap().len(), 1, "each account once");
    assert_eq!(all["statuses"].as_array().unwrap().len(), 2);
    let key = all["notification_groups"][0]["group_key"].as_str().unwrap().to_owned();
    assert_eq!(all["notification_groups"][0]["status_id"], all["statuses"][0]["id"]);
    assert_eq!(
        ana.get(&format!("/api/v2/notifications/{key}")).await.json(200)["notification_groups"][0]["group_key"],
        json!(key)
    );
    ana.post(&format!("/api/v2/notifications/{key}/dismiss"), json!({})).await.json(200);
    ana.get(&format!("/api/v2/notifications/{key}")).await.error(404, "Record not found");
}

#[tokio::test]
async fn notifications_are_removed_one_by_one_and_several_at_once() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    for n in 0..4 {
        post(&ben, &format!("@ana {n}")).await;
    }
    let list = ids(&ana.get("/api/v1/notifications").await.json(200));
    let path = format!("/api/v1/notifications/{}", list[0]);
    ben.delete(&path).await.error(404, "Record not found");
    assert_eq!(ana.delete(&path).await.json(200), json!({}));
    ana.delete(&path).await.error(404, "Record not found");
    let several =
        format!("/api/v1/notifications/destroy_multiple?ids[]={}&ids[]={}&ids[]=17", list[1], list[2]);
    assert_eq!(ben.delete(&several).await.json(200), json!({}));
    assert_eq!(
        ids(&ana.get("/api/v1/notifications").await.json(200)),
        &list[1..],
        "another's ids do nothing"
    );
    assert_eq!(ana.delete(&several).await.json(200), json!({}));
    assert_eq!(ids(&ana.get("/api/v1/notifications").await.json(200)), &list[3..]);
    let named = json!({"id": list[3]});
    assert_eq!(ana.post("/api/v1/notifications/dismiss", named.clone()).await.json(200), json!({}));
    ana.post("/api/v1/notifications/dismiss", named).await.error(404, "Record not found");
}

/// The keys of the groups of a page.
fn keys(page: &Value) -> Vec<String> {
    let groups = page["notification_groups"].as_array().unwrap();
    groups.iter().map(|group| group["group_key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn likes_boosts_and_follows_are_grouped() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let status = id(&post(&ana, "hi").await);
    let mut others = Vec::new();
    for n in 0..10 {
        let other = app.person(&format!("p{n}")).await;
        for action in ["favourite", "reblog"] {
            other.post(&format!("/api/v1/statuses/{status}/{action}"), json!({})).await.json(200);
        }
        other.post(&format!("/api/v1/accounts/{}/follow", ana.id), json!({})).await.json(200);
        others.push(other);
    }
    post(&others[0], "@ana one").await;
    post(&others[0], "@ana two").await;

    let page = ana.get("/api/v2/notifications").await.json(200);
    let kinds: Vec<&str> =
        page["notification_groups"].as_array().unwrap().iter().map(|g| g["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["mention", "mention", "follow", "reblog", "favourite"]);
    let likes = &page["notification_groups"][4];
    assert_eq!((&likes["notifications_count"], &likes["status_id"]), (&json!(10), &json!(status)));
    let newest: Vec<String> = others.iter().rev().take(8).map(|other| other.id.to_string()).collect();
    assert_eq!(likes["sample_account_ids"], json!(newest));
    assert!(page["notification_groups"][2].get("status_id").is_none(), "a follow is about no post");
    assert_eq!(page["accounts"].as_array().unwrap().len(), 9, "each account once");
    assert_eq!(page["statuses"].as_array().unwrap().len(), 3);
    assert!(page.get("partial_accounts").is_none());
    let key = likes["group_key"].as_str().unwrap();
    assert!(key.starts_with(&format!("favourite-{status}-")), "{key}");
    assert_eq!(ana.get("/api/v2/notifications/unread_count").await.json(200), json!({"count": 5}));
    assert_eq!(ana.get("/api/v1/notifications/unread_count").await.json(200), json!({"count": 32}));

    let partial = ana.get("/api/v2/notifications?expand_accounts=partial_avatars").await.json(200);
    assert_eq!(partial["accounts"].as_array().unwrap().len(), 2, "the first of each group");
    assert_eq!(partial["partial_accounts"].as_array().unwrap().len(), 7);
    ana.get("/api/v2/notifications?expand_accounts=x").await.error(400, "expand_accounts");
    let grouped = ana.get("/api/v2/notifications?grouped_types[]=follow").await.json(200);
    assert_eq!(grouped["notification_groups"].as_array().unwrap().len(), 23);
    let alone = keys(&grouped).into_iter().find(|key| key.starts_with("ungrouped-")).unwrap();
    ana.get(&format!("/api/v2/notifications/{alone}")).await.json(200);
    let some = ana.get("/api/v2/notifications?types[]=follow&types[]=mention").await.json(200);
    assert_eq!(keys(&some).len(), 3);
    let one = ana.get(&format!("/api/v2/notifications?account_id={}", others[9].id)).await.json(200);
    assert_eq!(one["notification_groups"][0]["notifications_count"], 1);
}

#[tokio::test]
async fn a_group_is_looked_at_and_dismissed_by_its_key() {
    let app = TestApp::start().await;
    let (ana, eve) = (app.person("ana").await, app.person("eve").await);
    let status = id(&post(&ana, "hi").await);
    let mut likers = Vec::new();
    for n in 0..5 {
        let other = app.person(&format!("p{n}")).await;
        other.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
        likers.push(other);
    }
    let key = keys(&ana.get("/api/v2/notifications").await.json(200)).remove(0);
    let path = format!("/api/v2/notifications/{key}");
    let group = ana.get(&path).await.json(200);
    assert_eq!(group["notification_groups"][0]["notifications_count"], 5);
    assert!(group["notification_groups"][0].get("page_max_id").is_none(), "it is on no page");
    let accounts: Vec<String> = likers.iter().rev().map(|liker| liker.id.to_string()).collect();
    for limit in [1, 2, 40] {
        assert_eq!(walk(&ana, &format!("{path}/accounts?limit={limit}")).await, accounts);
    }
    likers[4].post(&format!("/api/v1/statuses/{status}/unfavourite"), json!({})).await.json(200);
    ana.post(&format!("/api/v1/accounts/{}/block", likers[3].id), json!({})).await.json(200);
    let group = ana.get(&path).await.json(200);
    assert_eq!(group["notification_groups"][0]["notifications_count"], 3, "only what is still so");
    assert_eq!(group["notification_groups"][0]["sample_account_ids"][0], likers[2].id.to_string());

    for path in [path.as_str(), "/api/v2/notifications/x", "/api/v2/notifications/ungrouped-17"] {
        eve.get(path).await.error(404, "Record not found");
        eve.get(&format!("{path}/accounts")).await.error(404, "Record not found");
        eve.post(&format!("{path}/dismiss"), json!({})).await.error(404, "Record not found");
    }
    assert_eq!(ana.post(&format!("{path}/dismiss"), json!({})).await.json(200), json!({}));
    ana.get(&path).await.error(404, "Record not found");
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}

#[tokio::test]
async fn a_group_lasts_twelve_hours() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let status = id(&post(&ana, "hi").await);
    for n in 0..3 {
        let other = app.person(&format!("p{n}")).await;
        other.post(&format!("/api/v1/statuses/{status}/favourite"), json!({})).await.json(200);
        app.clock.advance(Duration::from_secs(7 * 3600));
    }
    let page = ana.get("/api/v2/notifications").await.json(200);
    let counts: Vec<&Value> =
        page["notification_groups"].as_array().unwrap().iter().map(|g| &g["notifications_count"]).collect();
    assert_eq!(counts, [1, 2]);
}

/// Whatever happened, a walk along the pages meets every group once, in
/// either direction.
#[tokio::test]
async fn a_walk_along_groups_sees_each_once() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    let mut others = Vec::new();
    for n in 0..5 {
        others.push(app.person(&format!("p{n}")).await);
    }
    let mut posts = Vec::new();
    for n in 0..6 {
        posts.push(id(&post(&ana, &format!("post {n}")).await));
    }
    let chance = FixedChance::new(5);
    for n in 0..80 {
        let other = &others[usize::try_from(chance.below(5)).unwrap()];
        let status = &posts[usize::try_from(chance.below(6)).unwrap()];
        let action =
            ["favourite", "reblog", "unfavourite", "mention"][usize::try_from(chance.below(4)).unwrap()];
        match action {
            "mention" => drop(post(other, &format!("@ana {n}")).await),
            _ => drop(other.post(&format!("/api/v1/statuses/{status}/{action}"), json!({})).await.json(200)),
        }
        app.clock.advance(Duration::from_secs(1800));
    }
    let expected = keys(&ana.get("/api/v2/notifications?limit=80").await.json(200));
    assert!(expected.len() > 20);
    for limit in [1, 3, 7] {
        let (mut seen, mut path) = (Vec::new(), Some(format!("/api/v2/notifications?limit={limit}")));
        while let Some(here) = path {
            let answer = ana.get(&here).await;
            seen.extend(keys(&answer.json(200)));
            path = answer.link("next");
        }
        assert_eq!(seen, expected, "by {limit}");
        let (mut seen, mut path) =
            (Vec::new(), Some(format!("/api/v2/notifications?limit={limit}&min_id=1")));
        while let Some(here) = path {
            let answer = ana.get(&here).await;
            seen.extend(keys(&answer.json(200)).into_iter().rev());
            path = answer.link("prev");
        }
        seen.reverse();
        assert_eq!(seen, expected, "upwards by {limit}");
    }
}

#[tokio::test]
async fn a_policy_holds_back_drops_or_accepts() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let path = "/api/v2/notifications/policy";
    let policy = ana.get(path).await.json(200);
    let expected = json!({"for_not_following": "accept", "for_not_followers": "accept",
        "for_new_accounts": "accept", "for_private_mentions": "filter", "for_limited_accounts": "filter",
        "for_bots": "accept", "summary": {"pending_requests_count": 0, "pending_notifications_count": 0}});
    assert_eq!(policy, expected);
    let set = ana.patch(path, json!({"for_not_following": "drop"})).await.json(200);
    assert_eq!((&set["for_not_following"], &set["for_private_mentions"]), (&json!("drop"), &json!("filter")));
    post(&ben, "@ana dropped").await;
    assert_eq!(ana.get("/api/v1/notifications?include_filtered=true").await.json(200), json!([]));
    ana.put(path, json!({"for_not_following": "filter"})).await.json(200);
    post(&ben, "@ana held back").await;
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
    assert_eq!(ana.get("/api/v2/notifications").await.json(200)["notification_groups"], json!([]));
    assert_eq!(ana.get("/api/v1/notifications/unread_count").await.json(200), json!({"count": 0}));
    let held = ana.get("/api/v1/notifications?include_filtered=true").await.json(200);
    assert_eq!((kinds(&held), &held[0]["filtered"]), (vec!["mention"], &json!(true)));
    let summary = ana.get(path).await.json(200)["summary"].clone();
    assert_eq!(summary, json!({"pending_requests_count": 1, "pending_notifications_count": 1}));
    ana.post(&format!("/api/v1/accounts/{}/follow", ben.id), json!({})).await.json(200);
    post(&ben, "@ana heard").await;
    assert_eq!(kinds(&ana.get("/api/v1/notifications").await.json(200)), ["mention"]);
    ana.put(path, json!({"for_not_following": "x"})).await.error(422, "for_not_following");

    let first = ana.get("/api/v1/notifications/policy").await.json(200);
    assert_eq!(
        (&first["filter_not_following"], &first["filter_new_accounts"]),
        (&json!(true), &json!(false))
    );
    let form = json!({"filter_not_following": false, "filter_private_mentions": false});
    ana.put("/api/v1/notifications/policy", form).await.json(200);
    let policy = ana.get(path).await.json(200);
    assert_eq!(
        (&policy["for_not_following"], &policy["for_private_mentions"]),
        (&json!("accept"), &json!("accept"))
    );
    let ben_has = ben.get(path).await.json(200);
    assert_eq!(ben_has["for_private_mentions"], "filter", "a policy is its owner's");
}

#[tokio::test]
async fn requests_are_accepted_and_dismissed() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let (eve, max) = (app.person("eve").await, app.person("max").await);
    let mut last = Vec::new();
    for other in [&ben, &eve, &max] {
        super::post_to(other, "@ana psst", "direct").await;
        last.push(id(&super::post_to(other, "@ana again", "direct").await));
    }
    let path = "/api/v1/notifications/requests";
    let list = ana.get(path).await.json(200);
    let names: Vec<&str> =
        list.as_array().unwrap().iter().map(|r| r["account"]["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["max", "eve", "ben"]);
    assert_eq!(
        (&list[2]["notifications_count"], &list[2]["last_status"]["id"]),
        (&json!("2"), &json!(last[0]))
    );
    let requests = ids(&list);
    for limit in [1, 2] {
        assert_eq!(walk(&ana, &format!("{path}?limit={limit}")).await, requests);
    }
    let one = format!("{path}/{}", requests[2]);
    assert_eq!(ana.get(&one).await.json(200), list[2]);
    for action in ["", "/accept", "/dismiss"] {
        let path = format!("{one}{action}");
        let answer = if action.is_empty() { ben.get(&path).await } else { ben.post(&path, json!({})).await };
        answer.error(404, "Record not found");
    }
    assert_eq!(ana.post(&format!("{one}/accept"), json!({})).await.json(200), json!({}));
    ana.get(&one).await.error(404, "Record not found");
    assert_eq!(ana.get(&format!("{path}/merged")).await.json(200), json!({"merged": true}));
    assert_eq!(kinds(&ana.get("/api/v1/notifications").await.json(200)), ["mention", "mention"]);
    super::post_to(&ben, "@ana and again", "direct").await;
    assert_eq!(
        ana.get("/api/v1/notifications").await.json(200).as_array().unwrap().len(),
        3,
        "he is heard now"
    );

    assert_eq!(ana.post(&format!("{path}/{}/dismiss", requests[1]), json!({})).await.json(200), json!({}));
    assert_eq!(ids(&ana.get(path).await.json(200)), &requests[..1]);
    let held = ana.get("/api/v1/notifications?include_filtered=true").await.json(200);
    assert!(held.as_array().unwrap().iter().all(|n| n["account"]["username"] != "eve"), "dropped");
    super::post_to(&eve, "@ana once more", "direct").await;
    let asked = ids(&ana.get(path).await.json(200));
    assert_eq!(asked.len(), 2, "she asks again");
    ana.post(&format!("{path}/accept"), json!({"id": asked})).await.json(200);
    assert_eq!(ana.get(path).await.json(200), json!([]));
    assert_eq!(ana.get("/api/v1/notifications").await.json(200).as_array().unwrap().len(), 6);
    super::post_to(&ana, "@max hi", "direct").await;
    let of_max = ids(&max.get(path).await.json(200));
    max.post_form(&format!("{path}/dismiss"), &format!("id[]={}", of_max[0])).await.json(200);
    assert_eq!(max.get("/api/v1/notifications?include_filtered=1").await.json(200), json!([]));
}

#[tokio::test]
async fn a_filter_that_hides_keeps_notifications_out() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    post(&ben, "@ana cake").await;
    post(&ben, "@ana bread").await;
    let body = json!({"title": "t", "context": ["notifications"], "filter_action": "hide",
        "keywords_attributes": [{"keyword": "cake"}]});
    ana.post("/api/v2/filters", body).await.json(200);
    assert_eq!(ana.get("/api/v1/notifications").await.json(200).as_array().unwrap().len(), 1);
    assert_eq!(keys(&ana.get("/api/v2/notifications").await.json(200)).len(), 1);
    assert_eq!(ana.get("/api/v2/notifications/unread_count").await.json(200), json!({"count": 1}));
}

#[tokio::test]
async fn markers_move_forward_only() {
    let app = TestApp::start().await;
    let ana = app.person("ana").await;
    assert_eq!(ana.get("/api/v1/markers?timeline[]=home").await.json(200), json!({}));
    let set = ana.post_form("/api/v1/markers", "home[last_read_id]=9&notifications[last_read_id]=4").await;
    let set = set.json(200);
    assert_eq!((&set["home"]["last_read_id"], &set["home"]["version"]), (&json!("9"), &json!(0)));
    let again = ana.post("/api/v1/markers", json!({"home": {"last_read_id": "9"}})).await.json(200);
    assert_eq!(again["home"]["version"], 1);
    let stale = json!({"home": {"last_read_id": "8"}, "notifications": {"last_read_id": "5"}});
    ana.post("/api/v1/markers", stale).await.error(409, "Conflict");
    let both =
        ana.get("/api/v1/markers?timeline[]=home&timeline[]=notifications&timeline[]=x").await.json(200);
    assert_eq!(both["notifications"]["last_read_id"], "4", "all or none");
    assert_eq!(both.as_object().unwrap().len(), 2);
    let bad = json!({"home": {"last_read_id": "x"}});
    ana.post("/api/v1/markers", bad).await.error(422, "not an id");
}

#[tokio::test]
async fn a_muted_thread_tells_of_no_likes_either() {
    let app = TestApp::start().await;
    let (ana, ben) = (app.person("ana").await, app.person("ben").await);
    let status = id(&post(&ana, "hi").await);
    ana.post(&format!("/api/v1/statuses/{status}/mute"), json!({})).await.json(200);
    for action in ["favourite", "reblog"] {
        ben.post(&format!("/api/v1/statuses/{status}/{action}"), json!({})).await.json(200);
    }
    assert_eq!(ana.get("/api/v1/notifications").await.json(200), json!([]));
}
